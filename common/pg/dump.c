/* SPDX-License-Identifier: MIT */
#include "pg/dump.h"

#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"

#define DEBIAN_FOLDER "/usr/lib/postgresql"
#define LOCK_TIMEOUT  "2s"

void dump_release(struct dump *dump)
{
	process_release(&dump->process);
	strvec_release(&dump->env);
}

/* ---- The program --------------------------------------------------------------------- */

/* Debian's choice among the versions there are, a Perl script. */
static bool is_wrapper(const char *path)
{
	char *resolved CLEANUP(free_p) = realpath(path, NULL);
	const char *slash = resolved ? strrchr(resolved, '/') : NULL;

	return slash && !strcmp(slash, "/pg_wrapper");
}

/* The major version: "pg_dump (PostgreSQL) 15.20 (Debian ...)"; 0: it does not say. */
static int version_of(const char *program)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	const char *number;

	strvec_pushl(&process.argv, program, "--version", NULL);
	if (process_run(&process, &ignored) < 0 || process.status)
		return 0;
	number = strpbrk(process.out.buf, "0123456789");
	return number ? (int)strtol(number, NULL, 10) : 0;
}

/* NULL: none in PATH is new enough. */
static char *find_in_path(int major)
{
	const char *folder = getenv("PATH");

	while (folder && *folder) {
		size_t len = strcspn(folder, ":");
		char *path CLEANUP(free_p) = xstrfmt("%.*s/pg_dump", (int)len, folder);

		/* Not from the current folder, whatever PATH says. */
		if (*folder == '/' && !access(path, X_OK) && !is_wrapper(path) &&
		    version_of(path) >= major)
			return STEAL(path);
		folder += len;
		folder += *folder == ':';
	}
	return NULL;
}

/* The oldest that is new enough: its version is the name of its folder. */
static char *find_in_debian(int major)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	char *best = NULL;
	long best_version = 0;

	if (file_list(&names, DEBIAN_FOLDER, &ignored) != FILE_FOUND)
		return NULL;
	for (size_t i = 0; i < names.nr; i++) {
		char *path CLEANUP(free_p) = xstrfmt(DEBIAN_FOLDER "/%s/bin/pg_dump", names.v[i]);
		long version = strtol(names.v[i], NULL, 10);

		if (version < major || (best && version >= best_version) || access(path, X_OK) < 0)
			continue;
		free(best);
		best = STEAL(path);
		best_version = version;
	}
	return best;
}

int dump_start(struct dump *dump, struct db *db, const char *snapshot, struct error *err)
{
	struct strbuf conninfo CLEANUP(strbuf_release) = STRBUF_INIT;
	int major = db->version / 10000;
	char *program CLEANUP(free_p) = find_in_path(major);

	if (!program)
		program = find_in_debian(major);
	if (!program)
		return DUMP_NO_PROGRAM;
	if (db_share_connection(&conninfo, &dump->env, db, err) < 0)
		return -1;
	strvec_pushl(&dump->process.argv, program, "--schema-only", "--no-password",
		     "--no-subscriptions", "--encoding=UTF8", NULL);
	strvec_pushf(&dump->process.argv, "--lock-wait-timeout=%s",
		     db->lock_timeout ? db->lock_timeout : LOCK_TIMEOUT);
	strvec_pushf(&dump->process.argv, "--snapshot=%s", snapshot);
	strvec_pushf(&dump->process.argv, "--dbname=%s", conninfo.buf);
	dump->process.env = &dump->env;
	return process_start(&dump->process, err) < 0 ? -1 : DUMP_STARTED;
}

/* ---- Its text ------------------------------------------------------------------------ */

/* Is the line "<command> <key>"? */
static bool is_line(const char *line, size_t len, const char *command, const char *key)
{
	size_t n = strlen(command);

	return len == n + strlen(key) && !strncmp(line, command, n) &&
	       !strncmp(line + n, key, len - n);
}

static const char restrict_[] = "\\restrict ", unrestrict[] = "\\unrestrict ";

/* Copies the dump with another key; NULL: without these lines. */
static void copy_with_key(struct strbuf *out, const struct strbuf *text, const char *key,
			  const char *new_key)
{
	for (size_t at = 0; at < text->len;) {
		const char *line = text->buf + at;
		const char *end = memchr(line, '\n', text->len - at);
		size_t len = end ? (size_t)(end - line) : text->len - at;
		const char *command = is_line(line, len, restrict_, key)  ? restrict_ :
				      is_line(line, len, unrestrict, key) ? unrestrict :
									    NULL;

		if (!command)
			strbuf_add(out, line, len + (end ? 1 : 0));
		else if (new_key)
			strbuf_addf(out, "%s%s\n", command, new_key);
		at += len + (end ? 1 : 0);
	}
}

/* The key of the first line that is a command: before it there are comments alone. */
static char *find_key(const struct strbuf *text)
{
	const char *line = text->buf, *end;

	while (line && (*line == '\n' || !strncmp(line, "--", 2))) {
		end = strchr(line, '\n');
		line = end ? end + 1 : NULL;
	}
	if (!line || strncmp(line, restrict_, strlen(restrict_)) != 0)
		return NULL;
	line += strlen(restrict_);
	return xmemdupz(line, strcspn(line, "\r\n"));
}

static void add_settled(struct strbuf *ret, const struct strbuf *text)
{
	struct strbuf rest CLEANUP(strbuf_release) = STRBUF_INIT;
	char *key CLEANUP(free_p) = find_key(text);
	char digest[DIGEST_HEX];

	if (!key) {
		strbuf_add(ret, text->buf, text->len);
		return;
	}
	copy_with_key(&rest, text, key, NULL);
	digest_hex(digest, rest.buf, rest.len);
	copy_with_key(ret, text, key, digest);
}

/* "pg_dump: error: permission denied" without the front. */
static char *reason_of(const struct process *process)
{
	char *reason CLEANUP(free_p) = process_reason(process);
	const char *text = reason;

	if (!strncmp(text, "pg_dump: ", 9))
		text += 9;
	if (!strncmp(text, "error: ", 7))
		text += 7;
	return xstrdup(text);
}

int dump_finish(struct strbuf *ret, struct dump *dump, struct error *err)
{
	if (process_finish(&dump->process, err) < 0)
		return -1;
	if (interrupt_pending())
		return error_interrupted(err);
	if (dump->process.status) {
		char *reason CLEANUP(free_p) = reason_of(&dump->process);

		return error_set(err, "could not dump the schema: %s", reason);
	}
	add_settled(ret, &dump->process.out);
	return 0;
}
