/* SPDX-License-Identifier: MIT */
#include "flow/payload-documents.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/memory.h"
#include "flow/payload-environment.h"
#include "term/amount.h"
#include "term/output.h"
#include "vcs/path.h"

struct collector {
	struct snapshot_parts *parts;
	struct strvec named; /* by settings or habit: looked at before those that are listed */
	json_t *members, *environment, *left_out;
	const char *worktree;
	int top; /* the worktree, opened */
	uint64_t limit;
};

static void collector_release(struct collector *c)
{
	strvec_release(&c->named);
	json_decref(c->environment);
	json_decref(c->left_out);
	if (c->top >= 0)
		close(c->top);
}

PRINTF(3, 4) static int leave_out(struct collector *c, const char *path, const char *fmt, ...)
{
	struct strbuf reason CLEANUP(strbuf_release) = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&reason, fmt, ap);
	va_end(ap);
	warning("'%s' is not kept with the documents: %s", path, reason.buf);
	json_array_append_new(c->left_out, json_pack("{s:o, s:o}", "path", path_to_json(path),
						     "reason", json_text(reason.buf)));
	return 0;
}

static int leave_out_large(struct collector *c, const char *path)
{
	struct strbuf size CLEANUP(strbuf_release) = STRBUF_INIT;

	amount_add_size(&size, c->limit);
	return leave_out(c, path, "it is larger than %s (rollback.checkpoint.bigFile)", size.buf);
}

/* ---- One file ------------------------------------------------------------------------ */

enum document_found { DOCUMENT_KEPT = 0, DOCUMENT_MISSING = 1, DOCUMENT_LEFT_OUT = 2 };

static int keep_template(struct collector *c, const char *path, const struct strbuf *text)
{
	char *name CLEANUP(free_p) = xstrfmt(PAYLOAD_ENVIRONMENT "%s", path);
	struct strbuf kept CLEANUP(strbuf_release) = STRBUF_INIT;
	int removed = payload_environment_filter(&kept, text->buf, text->len);

	if (removed < 0) {
		leave_out(c, path, "it is no plain text, so that secrets could not be found in it");
		return DOCUMENT_LEFT_OUT;
	}
	strbuf_add(snapshot_parts_add(c->parts, name), kept.buf, kept.len);
	json_array_append_new(c->environment, json_pack("{s:o, s:i}", "path", path_to_json(path),
							"removed_lines", removed));
	return DOCUMENT_KEPT;
}

static int keep_text(struct collector *c, const char *path, const struct strbuf *text)
{
	char *name CLEANUP(free_p) = xstrfmt(PAYLOAD_PROJECT "%s", path);

	if (payload_environment_is_template(path))
		return keep_template(c, path, text);
	strbuf_add(snapshot_parts_add(c->parts, name), text->buf, text->len);
	return DOCUMENT_KEPT;
}

/* Reads and keeps one; whatever is in the way of that, it is left out and said. */
static int keep_opened(struct collector *c, const char *path, int fd, const struct stat *st)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	int result = (uint64_t)st->st_size > c->limit ?
			     FILE_TOO_LARGE :
			     file_read_up_to(&text, fd, path, c->limit, &err);

	if (result == FILE_READ)
		return keep_text(c, path, &text);
	if (result == FILE_TOO_LARGE)
		leave_out_large(c, path);
	else
		leave_out(c, path, "%s", err.message);
	return DOCUMENT_LEFT_OUT;
}

static int keep_file(struct collector *c, const char *path)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const char *fault = path_fault(path);
	struct stat st;
	int fd, found, ret;

	if (!fault && payload_environment_is_real(path))
		fault = "it holds the environment itself, with its secrets";
	if (fault) {
		leave_out(c, path, "%s", fault);
		return DOCUMENT_LEFT_OUT;
	}
	found = beneath_open(&fd, &st, c->top, path, &err);
	if (found == BENEATH_MISSING)
		return DOCUMENT_MISSING;
	if (found != BENEATH_FOUND) {
		leave_out(c, path, "%s",
			  found == BENEATH_LINK	 ? "it is a symbolic link, or below one" :
			  found == BENEATH_OTHER ? "it is no regular file" :
						   err.message);
		return DOCUMENT_LEFT_OUT;
	}
	ret = keep_opened(c, path, fd, &st);
	close(fd);
	return ret;
}

/* One that is named, and perhaps included as well. */
static int keep_named(struct collector *c, const char *path)
{
	if (strvec_has(&c->named, path))
		return DOCUMENT_KEPT;
	strvec_push(&c->named, path);
	return keep_file(c, path);
}

/* ---- Which --------------------------------------------------------------------------- */

/* A document with a setting of its own, else found by looking. */
static int keep_document(struct collector *c, const struct settings *settings, const char *key,
			 const char *usual, json_t *documents, struct error *err)
{
	char *name CLEANUP(free_p) = xstrfmt("stages.%s", key);
	const char *path;
	int found;

	if (settings_string(&path, settings, name, err) < 0)
		return -1;
	while (path && !strncmp(path, "./", 2))
		path += 2;
	found = keep_named(c, path ? path : usual);
	if (found == DOCUMENT_KEPT)
		json_object_set_new(documents, key, path_to_json(path ? path : usual));
	else if (found == DOCUMENT_MISSING && path)
		leave_out(c, path, "there is no such file (rollback.%s)", name);
	return 0;
}

/* Tracked, untracked and ignored files alike. */
static int list_included(struct process *git, const struct collector *c,
			 const struct checkpoint_session *s, const struct strvec *pathspecs,
			 struct error *err)
{
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	repo_plain_pathspecs(&env);
	git->env = &env;
	strvec_push(&git->argv, "git");
	strvec_pushf(&git->argv, "--git-dir=%s", s->repo.git_dir);
	strvec_pushf(&git->argv, "--work-tree=%s", c->worktree);
	strvec_pushl(&git->argv, "ls-files", "-z", "--cached", "--others", "--", NULL);
	for (size_t i = 0; i < pathspecs->nr; i++)
		strvec_push(&git->argv, pathspecs->v[i]);
	git->dir = c->worktree;
	int ran = process_run(git, err);
	git->env = NULL; /* which ends here */
	if (ran < 0)
		return -1;
	if (git->status)
		return process_error(git, err,
				     "cannot list the files of rollback.checkpoint.include");
	return 0;
}

static int keep_included(struct collector *c, const struct checkpoint_session *s, struct error *err)
{
	struct strvec pathspecs CLEANUP(strvec_release) = STRVEC_INIT;
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	const char *previous = NULL;

	if (settings_list(&pathspecs, &s->settings, "checkpoint.include", err) < 0)
		return -1;
	if (!pathspecs.nr)
		return 0;
	if (list_included(&git, c, s, &pathspecs, err) < 0)
		return -1;
	for (size_t at = 0; at < git.out.len; at += strlen(git.out.buf + at) + 1) {
		const char *path = git.out.buf + at;
		size_t len = strlen(path);
		bool again = previous && !strcmp(previous, path); /* an unmerged one */

		previous = path;
		/* A repository inside is named with a slash: it is left alone. */
		if (len && path[len - 1] != '/' && !again && !strvec_has(&c->named, path))
			keep_file(c, path);
	}
	return 0;
}

static int collect(struct collector *c, struct checkpoint_session *s, struct error *err)
{
	json_t *documents CLEANUP(json_decref_p) = json_object();
	int64_t limit;

	if (settings_integer(&limit, &s->settings, "checkpoint.bigFile", err) < 0)
		return -1;
	c->limit = limit < 0 ? 0 : (uint64_t)limit;
	c->top = open(c->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->top < 0)
		return error_errno(err, "cannot open folder '%s'", c->worktree);
	for (const char *const *name = payload_environment_templates; *name; name++)
		keep_named(c, *name);
	if (keep_document(c, &s->settings, "state", "master-project.json", documents, err) < 0 ||
	    keep_document(c, &s->settings, "progress", "cpo-progress.md", documents, err) < 0 ||
	    keep_included(c, s, err) < 0)
		return -1;
	if (json_object_size(documents))
		json_object_set(c->members, "documents", documents);
	if (json_array_size(c->environment))
		json_object_set(c->members, "environment", c->environment);
	if (json_array_size(c->left_out))
		json_object_set(c->members, "documents_left_out", c->left_out);
	return 0;
}

int payload_documents_collect(struct snapshot_parts *ret, json_t *members,
			      struct checkpoint_session *s, struct error *err)
{
	struct collector c CLEANUP(collector_release) = {
		.parts = ret,
		.members = members,
		.environment = json_array(),
		.left_out = json_array(),
		.worktree = s->repo.worktree,
		.top = -1,
	};

	return collect(&c, s, err);
}
