/* SPDX-License-Identifier: MIT */
#include "vcs/log.h"

#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "vcs/git.h"

/*
 * git writes page by page, and is slower than we are: to be woken for each would cost as much as
 * all that we do with it. So the pipe is made larger, and after the first that came we let it fill.
 */
#define PIPE_SIZE (256 * 1024)
#define NAP	  ((struct timespec){ .tv_nsec = 1000000 })

/* What stands in front of each commit; the fields end in NULs, which no message can hold. */
#define HEADER "\1"
#define FORMAT "--format=tformat:%x01%H%x00%P%x00%at%x00%ct%x00%an <%ae>%x00%B%x00%N"
enum {
	FIELD_OID,
	FIELD_PARENTS,
	FIELD_AUTHOR_TIME,
	FIELD_COMMIT_TIME,
	FIELD_AUTHOR,
	FIELD_MESSAGE,
	FIELD_NOTE,
	FIELDS
};

/* A commit is kept as bytes until all of it has come: then its strings stay where they are. */
struct walk {
	log_fn *fn;
	void *data;
	struct process git;
	struct strvec env;
	struct strbuf text; /* of the commit that is coming */
	size_t parsed;	    /* of it, in whole tokens */
	size_t tokens;
	struct log_commit commit;
	char *buffer;
	size_t taken; /* bytes, of all */
};

static void walk_release(struct walk *w)
{
	process_release(&w->git);
	strvec_release(&w->env);
	strbuf_release(&w->text);
	free(w->commit.change);
	free(w->buffer);
}

char *log_subject(const char *message)
{
	while (*message == '\n')
		message++;
	return xmemdupz(message, strcspn(message, "\n"));
}

/* ---- What git says ------------------------------------------------------------------- */

/* ":<mode> <mode> <oid> <oid> <status>"; its blanks become NULs. */
static int parse_change(struct log_change *ret, char *text, struct error *err)
{
	char *part[5];
	char *save = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		part[i] = strtok_r(i ? NULL : text, " ", &save);
		if (!part[i])
			return error_set(err, "cannot read the history: git says '%s'", text);
	}
	ret->submodule = !strcmp(part[0] + 1, "160000") || !strcmp(part[1], "160000");
	ret->old_mode = (unsigned)strtoul(part[0] + 1, NULL, 8);
	ret->new_mode = (unsigned)strtoul(part[1], NULL, 8);
	ret->old_oid = part[2];
	ret->new_oid = part[3];
	ret->status = *part[4];
	return 0;
}

static int parse_changes(struct log_commit *commit, char *text, const char *end, struct error *err)
{
	commit->changes = 0;
	while (text < end) {
		char *next = text + strlen(text) + 1;
		struct log_change *change;

		text += *text == '\n';
		if (!*text && next >= end)
			break;
		if (*text != ':' || next >= end)
			return error_set(err, "cannot read the history: git says '%s'", text);
		ARRAY_GROW(commit->change, commit->changes + 1, commit->changes_alloc);
		change = &commit->change[commit->changes++];
		change->path = next;
		if (parse_change(change, text, err) < 0)
			return -1;
		text = next + strlen(next) + 1;
	}
	return 0;
}

/* The whole commit is there. */
static int finish_commit(struct walk *w, struct error *err)
{
	const char *field[FIELDS];
	char *at = w->text.buf + strlen(HEADER);

	if (!w->text.len)
		return 0;
	if (w->tokens < FIELDS)
		return error_set(err, "cannot read the history: git ended in the middle of it");
	for (size_t i = 0; i < FIELDS; i++) {
		field[i] = at;
		at += strlen(at) + 1;
	}
	w->commit.oid = field[FIELD_OID];
	w->commit.parents = field[FIELD_PARENTS];
	w->commit.author_time = strtoll(field[FIELD_AUTHOR_TIME], NULL, 10);
	w->commit.commit_time = strtoll(field[FIELD_COMMIT_TIME], NULL, 10);
	w->commit.author = field[FIELD_AUTHOR];
	w->commit.message = field[FIELD_MESSAGE];
	w->commit.note = field[FIELD_NOTE];
	if (parse_changes(&w->commit, at, w->text.buf + w->text.len, err) < 0 ||
	    w->fn(w->data, &w->commit, err) < 0)
		return -1;
	strbuf_reset(&w->text);
	w->tokens = 0;
	return 0;
}

/*
 * Does a commit begin here? Behind the fields, tokens come in pairs, and the second one is a path,
 * which may begin as it likes.
 */
static bool begins_commit(const struct walk *w, const char *token)
{
	if (*token != *HEADER || w->parsed != w->text.len)
		return false;
	return !w->text.len || (w->tokens >= FIELDS && (w->tokens - FIELDS) % 2 == 0);
}

static int take(struct walk *w, const char *bytes, size_t len, struct error *err)
{
	for (size_t at = 0; at < len;) {
		const char *end = memchr(bytes + at, '\0', len - at);
		size_t n = end ? (size_t)(end - bytes) + 1 - at : len - at;

		if (begins_commit(w, bytes + at)) {
			if (finish_commit(w, err) < 0)
				return -1;
			w->parsed = 0;
		}
		strbuf_add(&w->text, bytes + at, n);
		if (end) {
			w->parsed = w->text.len;
			w->tokens++;
		}
		at += n;
	}
	return 0;
}

/* ---- git ----------------------------------------------------------------------------- */

static void read_errors(struct walk *w)
{
	char buffer[4096];
	ssize_t n = read(w->git.err_fd, buffer, sizeof(buffer));

	if (n > 0) {
		strbuf_add(&w->git.err, buffer, (size_t)n);
	} else if (!n) {
		close(w->git.err_fd);
		w->git.err_fd = -1;
	}
}

/* 1 at the end of its output. */
static int read_some(struct walk *w, struct error *err)
{
	struct pollfd fds[2] = {
		{ .fd = w->git.out_fd, .events = POLLIN },
		{ .fd = w->git.err_fd, .events = POLLIN },
	};
	ssize_t n;

	if (interrupt_pending())
		return error_interrupted(err);
	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return errno == EINTR ? 0 : error_errno(err, "cannot read the history");
	if (fds[1].revents)
		read_errors(w);
	if (!fds[0].revents)
		return 0;
	n = read(w->git.out_fd, w->buffer, PIPE_SIZE);
	if (n < 0)
		return errno == EINTR ? 0 : error_errno(err, "cannot read the history");
	if (!n)
		return 1;
	w->taken += (size_t)n;
	if (w->taken > PIPE_SIZE && (size_t)n < PIPE_SIZE / 2)
		nanosleep(&NAP, NULL);
	return take(w, w->buffer, (size_t)n, err);
}

/* Whatever a person has set for paths must not come between. */
static void prepare_environment(struct walk *w, const struct log_request *request)
{
	repo_environment(&w->env, request->repo);
	repo_plain_pathspecs(&w->env);
	strvec_push(&w->env, "GIT_FLUSH=0"); /* else git writes each commit by itself */
}

static bool has_paths(const struct log_request *request)
{
	return request->paths && request->paths->nr;
}

static void push_selection(struct strvec *argv, const struct log_request *request)
{
	if (request->these)
		strvec_push(argv, "--no-walk=unsorted");
	if (request->since)
		strvec_pushf(argv, "--max-age=%" PRId64, request->since);
}

/*
 * The commits that change the paths, in place of the revisions. `git log` can tell them as well, but
 * it keeps the contents of all that it passes over: of a history of a million, a gigabyte. Only
 * paths without any magic, not even that of the top, where it is run, are asked of Bloom filters.
 */
static int find_changing(struct strbuf *revs, struct walk *w, const struct log_request *request,
			 struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, request->repo, &w->env);
	strvec_pushl(&git.argv, "--literal-pathspecs", "rev-list", NULL);
	push_selection(&git.argv, request);
	strvec_pushl(&git.argv, "--stdin", "--", NULL);
	for (size_t i = 0; i < request->paths->nr; i++)
		strvec_push(&git.argv, request->paths->v[i]);
	git.input = revs->buf;
	git.input_len = revs->len;
	git.stop = true;
	if (git_run(&git, "read the history", err) < 0)
		return -1;
	strbuf_reset(revs);
	strbuf_add(revs, git.out.buf, git.out.len);
	return 0;
}

static int start(struct walk *w, const struct log_request *request, const struct strbuf *revs,
		 struct error *err)
{
	struct strvec *argv = &w->git.argv;

	git_prepare(&w->git, request->repo, &w->env);
	/* Whatever a person has set for his own `git log` must not come between. */
	strvec_pushl(argv, "-c", "log.follow=false", "log", "-z", "--encoding=UTF-8", "--no-color",
		     "--no-decorate", "--no-show-signature", "--no-ext-diff", FORMAT, NULL);
	if (has_paths(request))
		strvec_push(argv, "--no-walk=unsorted");
	else
		push_selection(argv, request);
	if (request->changes)
		strvec_pushl(argv, "--raw", "--no-abbrev", "--no-renames", "--root",
			     "--diff-merges=off", NULL);
	else
		strvec_push(argv, "--no-patch");
	strvec_pushl(argv, "--stdin", "--", NULL);
	w->buffer = xmalloc(PIPE_SIZE);
	w->git.input = "";
	w->git.stop = true;
	if (process_start(&w->git, err) < 0 ||
	    process_write(&w->git, revs->buf, revs->len, err) < 0)
		return -1;
	process_end_input(&w->git);
	fcntl(w->git.out_fd, F_SETPIPE_SZ, PIPE_SIZE); /* or it stays as it is */
	return 0;
}

int log_walk(const struct log_request *request, log_fn *fn, void *data, struct error *err)
{
	struct walk w CLEANUP(walk_release) = {
		.fn = fn, .data = data, .git = PROCESS_INIT, .text = STRBUF_INIT
	};
	struct strbuf revs CLEANUP(strbuf_release) = STRBUF_INIT;
	int ended = 0;

	for (size_t i = 0; i < request->revs->nr; i++)
		strbuf_addf(&revs, "%s\n", request->revs->v[i]);
	prepare_environment(&w, request);
	if (has_paths(request) && revs.len && find_changing(&revs, &w, request, err) < 0)
		return -1;
	if (!revs.len)
		return 0;
	if (start(&w, request, &revs, err) < 0)
		return -1;
	while (!ended)
		ended = read_some(&w, err);
	if (ended < 0)
		return -1;
	if (git_finish(&w.git, "read the history", err) < 0)
		return -1;
	return finish_commit(&w, err);
}
