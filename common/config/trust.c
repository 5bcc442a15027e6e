/* SPDX-License-Identifier: MIT */
#include "config/trust.h"

#include <limits.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "config/conninfo.h"

#define TRUSTED_REF "refs/rollback/trusted"

/* ---- What needs trust ---------------------------------------------------------------- */

static const char outside[] = "a path outside the worktree";
static const char inside_git[] = "a path inside .git";

static bool is_component(const char *s, size_t len, const char *name)
{
	return len == strlen(name) && !strncasecmp(s, name, len);
}

/* A path that is resolved already: is it below `top`, and not in a .git folder? */
static const char *resolved_reason(const char *path, const char *top)
{
	size_t len = strlen(top);

	if (strncmp(path, top, len) || (path[len] && path[len] != '/' && len > 1))
		return outside;
	for (const char *s = path + len; *s;) {
		size_t n;

		s += strspn(s, "/");
		n = strcspn(s, "/");
		if (is_component(s, n, ".git"))
			return inside_git;
		s += n;
	}
	return NULL;
}

/* Looks for symbolic links from `top` on, as far as the path exists. */
static const char *link_reason(const char *value, const char *top, bool pattern)
{
	struct strbuf path CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addstr(&path, top);
	while (*value) {
		size_t len = strcspn(value, "/");
		char *resolved CLEANUP(free_p) = NULL;
		struct stat st;
		const char *reason;

		if (pattern && strcspn(value, "*?[\\") < len)
			return NULL; /* matched against git's own list of paths */
		strbuf_addch(&path, '/');
		strbuf_add(&path, value, len);
		value += len;
		value += strspn(value, "/");
		if (lstat(path.buf, &st) < 0)
			return NULL;
		if (!S_ISLNK(st.st_mode))
			continue;
		resolved = realpath(path.buf, NULL);
		reason = resolved ? resolved_reason(resolved, top) : outside;
		if (reason)
			return reason;
	}
	return NULL;
}

static const char *path_reason(const char *value, const char *worktree, bool pattern)
{
	char *top CLEANUP(free_p) = NULL;

	if (*value == '/' || *value == '~')
		return outside;
	for (const char *s = value; *s;) {
		size_t len = strcspn(s, "/");

		if (is_component(s, len, ".."))
			return outside;
		if (is_component(s, len, ".git"))
			return inside_git;
		s += len;
		s += strspn(s, "/");
	}
	top = realpath(worktree, NULL);
	return top ? link_reason(value, top, pattern) : outside;
}

static const char *url_reason(const char *value)
{
	switch (conninfo_kind(value)) {
	case CONNINFO_SERVICE: return NULL;
	case CONNINFO_ENV:
		return strcmp(conninfo_variable(value), "DATABASE_URL") ?
			       "an environment variable other than DATABASE_URL" :
			       NULL;
	case CONNINFO_STRING: return "a connection string";
	}
	BUG("unknown kind of connection");
}

const char *trust_reason(enum key_type type, const char *value, const char *worktree)
{
	switch (type) {
	case KEY_COMMAND: return "a command";
	case KEY_URL: return url_reason(value);
	case KEY_PATH: return path_reason(value, worktree, false);
	case KEY_PATHSPEC: return path_reason(value, worktree, true);
	case KEY_STRING:
	case KEY_BOOL:
	case KEY_INTEGER:
	case KEY_DURATION: return NULL;
	}
	BUG("unknown type of a setting");
}

/* ---- What was trusted ---------------------------------------------------------------- */

static void start_git(struct process *git, const char *git_dir)
{
	strvec_push(&git->argv, "git");
	strvec_pushf(&git->argv, "--git-dir=%s", git_dir);
}

/* Runs git, which has to succeed. */
static int run_git(struct process *git, const char *what, struct error *err)
{
	if (process_run(git, err) < 0)
		return -1;
	if (git->status)
		return process_error(git, err, "%s", what);
	return 0;
}

int trust_blob(char **ret_oid, const char *git_dir, const char *text, size_t len, bool keep,
	       struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	start_git(&git, git_dir);
	strvec_pushl(&git.argv, "hash-object", "-t", "blob", "--no-filters", "--stdin", NULL);
	if (keep)
		strvec_push(&git.argv, "-w");
	git.input = text;
	git.input_len = len;
	if (run_git(&git, "cannot tell the blob id of '.gitrollback'", err) < 0)
		return -1;
	strbuf_rtrim(&git.out);
	*ret_oid = strbuf_detach(&git.out);
	return 0;
}

int trust_content(struct strbuf *ret, const char *git_dir, const char *oid, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	start_git(&git, git_dir);
	strvec_pushl(&git.argv, "cat-file", "blob", oid, NULL);
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status)
		return FILE_MISSING;
	strbuf_add(ret, git.out.buf, git.out.len);
	return FILE_FOUND;
}

static bool is_busy(const struct process *git)
{
	return strstr(git->err.buf, "could not lock config file") != NULL;
}

/* git does not wait for config.lock, which is held for a moment only. */
static int run_config(const char *git_dir, const struct strvec *args, int *ret_status,
		      struct error *err)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };

	for (int attempt = 0;; attempt++) {
		struct process git CLEANUP(process_release) = PROCESS_INIT;

		start_git(&git, git_dir);
		strvec_pushl(&git.argv, "config", "--local", NULL);
		for (size_t i = 0; i < args->nr; i++)
			strvec_push(&git.argv, args->v[i]);
		if (process_run(&git, err) < 0)
			return -1;
		if (git.status && is_busy(&git) && attempt < 10) {
			nanosleep(&pause, NULL);
			continue;
		}
		*ret_status = git.status;
		if (git.status && git.err.len)
			return process_error(&git, err, "could not change git's configuration");
		return 0;
	}
}

int trust_configure(const char *git_dir, const char *key, const char *value, struct error *err)
{
	struct strvec args CLEANUP(strvec_release) = STRVEC_INIT;
	int status;

	strvec_pushl(&args, "--replace-all", key, value, NULL);
	if (run_config(git_dir, &args, &status, err) < 0)
		return -1;
	if (status)
		return error_set(err, "could not set '%s': 'git config' ended with status %d", key,
				 status);
	return 0;
}

static int update_ref(const char *git_dir, const char *oid, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	start_git(&git, git_dir);
	strvec_push(&git.argv, "update-ref");
	if (oid)
		strvec_pushl(&git.argv, TRUSTED_REF, oid, NULL);
	else
		strvec_pushl(&git.argv, "-d", TRUSTED_REF, NULL);
	return run_git(&git, "could not update '" TRUSTED_REF "'", err);
}

int trust_record(const char *git_dir, const char *text, size_t len, const char *oid,
		 struct error *err)
{
	char *kept CLEANUP(free_p) = NULL;

	/* The configuration last: it alone is trust; before it, nothing has happened. */
	if (trust_blob(&kept, git_dir, text, len, true, err) < 0)
		return -1;
	if (strcmp(kept, oid))
		BUG("the text to trust is not the one that was shown");
	if (update_ref(git_dir, oid, err) < 0)
		return -1;
	return trust_configure(git_dir, "rollback.trust", oid, err);
}

int trust_revoke(const char *git_dir, struct error *err)
{
	struct strvec args CLEANUP(strvec_release) = STRVEC_INIT;
	int status;

	/* Status 5: there was nothing to unset. */
	strvec_pushl(&args, "--unset-all", "rollback.trust", NULL);
	if (run_config(git_dir, &args, &status, err) < 0)
		return -1;
	if (status && status != 5)
		return error_set(err,
				 "could not unset 'rollback.trust': 'git config' ended with "
				 "status %d",
				 status);
	return update_ref(git_dir, NULL, err);
}
