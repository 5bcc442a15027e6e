/* SPDX-License-Identifier: MIT */
#include "pg/dump.h"

#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "pg/keep.h"

#define DEBIAN_FOLDER "/usr/lib/postgresql"
#define LOCK_TIMEOUT  "2s"

void dump_release(struct dump *dump)
{
	process_release(&dump->process);
	strvec_release(&dump->env);
	strvec_release(&dump->options);
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

/* NULL: there is none that is new enough. */
static char *find_program(const struct db *db)
{
	int major = db->version / 10000;
	char *program = find_in_path(major);

	return program ? program : find_in_debian(major);
}

int dump_no_program(const struct db *db, struct error *err)
{
	int major = db->version / 10000;

	error_set(err, "there is no pg_dump of version %d or newer", major);
	return error_hint(err, "Install it: on Debian, postgresql-client-%d.", major);
}

/* Another of PostgreSQL's programs, beside pg_dump, so that it knows what that writes. */
static int find_beside(char **ret, const struct db *db, const char *name, struct error *err)
{
	char *program CLEANUP(free_p) = find_program(db);
	char *path CLEANUP(free_p) = NULL;

	if (!program)
		return dump_no_program(db, err);
	path = xstrfmt("%.*s%s", (int)(strlen(program) - strlen("pg_dump")), program, name);
	if (access(path, X_OK) < 0)
		return error_errno(err, "cannot run '%s'", path);
	*ret = STEAL(path);
	return 0;
}

/* Where the database is, for a program that is not to ask for a password. */
static int add_connection(struct process *process, struct strvec *env, struct db *db,
			  struct error *err)
{
	struct strbuf conninfo CLEANUP(strbuf_release) = STRBUF_INIT;

	if (db_share_connection(&conninfo, env, db, err) < 0)
		return -1;
	strvec_pushl(&process->argv, "--no-password", NULL);
	strvec_pushf(&process->argv, "--dbname=%s", conninfo.buf);
	process->env = env;
	return 0;
}

static int start(struct dump *dump, struct db *db, const char *snapshot, struct error *err)
{
	char *program CLEANUP(free_p) = find_program(db);
	struct strvec *argv = &dump->process.argv;

	if (!program)
		return DUMP_NO_PROGRAM;
	strvec_pushl(argv, program, "--no-subscriptions", "--encoding=UTF8",
		     "--exclude-schema=" KEEP_SCHEMA_PREFIX "*", NULL);
	strvec_pushf(argv, "--lock-wait-timeout=%s",
		     db->lock_timeout ? db->lock_timeout : LOCK_TIMEOUT);
	strvec_pushf(argv, "--snapshot=%s", snapshot);
	for (size_t i = 0; i < dump->options.nr; i++)
		strvec_push(argv, dump->options.v[i]);
	if (add_connection(&dump->process, &dump->env, db, err) < 0)
		return -1;
	dump->process.stop = true;
	return DUMP_STARTED;
}

int dump_start(struct dump *dump, struct db *db, const char *snapshot, struct error *err)
{
	int ret = start(dump, db, snapshot, err);

	if (ret != DUMP_STARTED)
		return ret;
	strvec_push(&dump->process.argv, "--schema-only");
	return process_start(&dump->process, err) < 0 ? -1 : DUMP_STARTED;
}

int dump_start_archive(struct dump *dump, struct db *db, const char *snapshot, bool rows, int fd,
		       struct error *err)
{
	int ret = start(dump, db, snapshot, err);

	if (ret != DUMP_STARTED)
		return ret;
	/* 1: twice as fast as what it does of itself, for a tenth more of space. */
	strvec_pushl(&dump->process.argv, "--format=custom", "--compress=1", NULL);
	if (!rows)
		strvec_push(&dump->process.argv, "--schema-only");
	dump->process.out_to = fd;
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
	const char *text = reason, *colon = strstr(text, ": error: ");

	if (!strncmp(text, "psql:", 5) && (colon = strstr(text, "ERROR:  ")))
		return xstrdup(colon + strlen("ERROR:  "));
	return xstrdup(colon ? colon + strlen(": error: ") : text);
}

/* The end of one of these programs. */
static int finish(struct process *process, const char *what, struct error *err)
{
	if (process_finish(process, err) < 0)
		return -1;
	if (interrupt_pending())
		return error_interrupted(err);
	if (process->status) {
		char *reason CLEANUP(free_p) = reason_of(process);

		return error_set(err, "could not %s: %s", what, reason);
	}
	return 0;
}

int dump_finish(struct strbuf *ret, struct dump *dump, struct error *err)
{
	bool archive = dump->process.out_to >= 0;

	if (finish(&dump->process, archive ? "dump the database" : "dump the schema", err) < 0)
		return -1;
	if (!archive)
		add_settled(ret, &dump->process.out);
	return 0;
}

/* ---- Restoring ----------------------------------------------------------------------- */

int dump_restore_archive(struct db *db, const char *path, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	char *program CLEANUP(free_p) = NULL;

	if (find_beside(&program, db, "pg_restore", err) < 0)
		return -1;
	strvec_pushl(&process.argv, program, "--single-transaction", "--exit-on-error", NULL);
	if (add_connection(&process, &env, db, err) < 0)
		return -1;
	strvec_push(&process.argv, path);
	process.stop = true;
	return process_start(&process, err) < 0 ? -1 : finish(&process, "restore it", err);
}

int dump_restore_text(struct db *db, const struct strbuf *text, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	char *program CLEANUP(free_p) = NULL;

	if (find_beside(&program, db, "psql", err) < 0)
		return -1;
	/* Not what stands in a psqlrc, and no "SET" for each that is done. */
	strvec_pushl(&process.argv, program, "--no-psqlrc", "--quiet", "--output=/dev/null",
		     "--set=ON_ERROR_STOP=1", "--single-transaction", "--file=-", NULL);
	if (add_connection(&process, &env, db, err) < 0)
		return -1;
	process.input = text->buf;
	process.input_len = text->len;
	process.stop = true;
	return process_start(&process, err) < 0 ? -1 : finish(&process, "restore it", err);
}

/* ---- Archives ------------------------------------------------------------------------ */

void archive_entries_release(struct archive_entries *entries)
{
	for (size_t i = 0; i < entries->nr; i++) {
		free(entries->item[i].type);
		free(entries->item[i].rest);
		free(entries->item[i].line);
	}
	free(entries->item);
	*entries = (struct archive_entries)ARCHIVE_ENTRIES_INIT;
}

/*
 * The types, which may have blanks, in front of schema and name, which may have them too; those
 * of one word need not stand here. As in _printTocEntry() and pg_dump.c of PostgreSQL 13 to 18.
 */
static size_t type_len(const char *text)
{
	static const char *const types[] = {
		"ACCESS METHOD",
		"BLOB METADATA",
		"BLOB COMMENTS",
		"CHECK CONSTRAINT",
		"DATABASE PROPERTIES",
		"DEFAULT ACL",
		"DOMAIN CONSTRAINT",
		"EVENT TRIGGER",
		"FK CONSTRAINT",
		"FOREIGN DATA WRAPPER",
		"FOREIGN SERVER",
		"FOREIGN TABLE",
		"INDEX ATTACH",
		"LARGE OBJECT",
		"MATERIALIZED VIEW DATA",
		"MATERIALIZED VIEW",
		"OPERATOR CLASS",
		"OPERATOR FAMILY",
		"PROCEDURAL LANGUAGE",
		"PUBLICATION TABLES IN SCHEMA",
		"PUBLICATION TABLE",
		"ROW SECURITY",
		"SECURITY LABEL",
		"SEQUENCE OWNED BY",
		"SEQUENCE SET",
		"SERVER",
		"SHELL TYPE",
		"STATISTICS DATA",
		"SUBSCRIPTION TABLE",
		"TABLE ATTACH",
		"TABLE DATA",
		"TEXT SEARCH CONFIGURATION",
		"TEXT SEARCH DICTIONARY",
		"TEXT SEARCH PARSER",
		"TEXT SEARCH TEMPLATE",
		"USER MAPPING",
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t len = strlen(types[i]);

		if (!strncmp(text, types[i], len) && text[len] == ' ')
			return len;
	}
	return strcspn(text, " ");
}

/* "219; 1259 16385 TABLE public t alice"; a line with ';' in front is a comment. */
static void add_entry(struct archive_entries *entries, const char *line, size_t line_len)
{
	char *copy CLEANUP(free_p) = xmemdupz(line, line_len);
	unsigned int class_oid, oid;
	int id, at = 0;
	size_t len;

	if (sscanf(copy, "%d; %u %u %n", &id, &class_oid, &oid, &at) != 3 || !at)
		return;
	len = type_len(copy + at);
	ARRAY_GROW(entries->item, entries->nr + 1, entries->alloc);
	entries->item[entries->nr++] = (struct archive_entry){
		.id = id,
		.class_oid = class_oid,
		.oid = oid,
		.type = xmemdupz(copy + at, len),
		.rest = xstrdup(copy + at + len + (copy[(size_t)at + len] == ' ')),
		.line = STEAL(copy),
	};
}

int archive_list(struct archive_entries *ret, const char *path, const struct db *db,
		 struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	char *program CLEANUP(free_p) = NULL;

	if (find_beside(&program, db, "pg_restore", err) < 0)
		return -1;
	strvec_pushl(&process.argv, program, "--list", path, NULL);
	process.stop = true;
	if (process_start(&process, err) < 0 || finish(&process, "read the archive", err) < 0)
		return -1;
	for (const char *line = process.out.buf; *line;) {
		size_t len = strcspn(line, "\n");

		add_entry(ret, line, len);
		line += len + (line[len] == '\n');
	}
	return 0;
}

/* Through a file: pg_restore reads its list from nothing else. */
static int write_list(char **ret_folder, char **ret_path, const struct archive_entries *entries,
		      const bool *wanted, struct error *err)
{
	struct strbuf list CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < entries->nr; i++)
		if (!wanted || wanted[i])
			strbuf_addf(&list, "%d;\n", entries->item[i].id);
	if (file_make_temporary_folder(ret_folder, err) < 0)
		return -1;
	*ret_path = xstrfmt("%s/list", *ret_folder);
	return file_write(*ret_path, list.buf, list.len, 0600, FILE_SYNC_CONTENT, err);
}

int archive_sql(struct strbuf *ret, const char *path, const struct db *db,
		const struct archive_entries *entries, const bool *wanted, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	char *program CLEANUP(free_p) = NULL;
	char *folder CLEANUP(free_p) = NULL;
	char *list CLEANUP(free_p) = NULL;
	char *key CLEANUP(free_p) = NULL;
	int failed;

	if (find_beside(&program, db, "pg_restore", err) < 0)
		return -1;
	failed = write_list(&folder, &list, entries, wanted, err);
	if (!failed) {
		strvec_push(&process.argv, program);
		strvec_pushf(&process.argv, "--use-list=%s", list);
		strvec_pushl(&process.argv, "--file=-", path, NULL);
		process.stop = true;
		failed = process_start(&process, err);
	}
	if (!failed)
		failed = finish(&process, "read the archive", err);
	/* What stays of it is a list of numbers. */
	if (folder && file_remove_folders(folder, &ignored) < 0)
		error_clear(&ignored);
	if (failed)
		return -1;
	key = find_key(&process.out);
	if (key)
		copy_with_key(ret, &process.out, key, NULL);
	else
		strbuf_add(ret, process.out.buf, process.out.len);
	return 0;
}
