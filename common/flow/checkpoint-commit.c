/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-commit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/strvec.h"

struct committing {
	char *index, *lock;
	bool locked;
	struct strvec env;
};

static void committing_release(struct committing *c)
{
	if (c->locked && unlink(c->lock) < 0)
		errno = 0; /* nothing to be done about it */
	free(c->index);
	free(c->lock);
	strvec_release(&c->env);
}

/* ---- The index ----------------------------------------------------------------------- */

static void fd_close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/*
 * By the time of the index file git knows which of its entries may hide an edit that was made
 * in the same moment: the copy must have it too.
 */
static int copy_index(struct committing *c, int fd, struct error *err)
{
	struct strbuf data CLEANUP(strbuf_release) = STRBUF_INIT;
	struct stat st;
	int found = file_read(&data, c->index, err);

	if (found != FILE_FOUND)
		return found < 0 ? -1 : 0;
	for (size_t at = 0; at < data.len;) {
		ssize_t n = write(fd, data.buf + at, data.len - at);

		if (n < 0 && errno != EINTR)
			return error_errno(err, "cannot write '%s'", c->lock);
		at += n > 0 ? (size_t)n : 0;
	}
	if (stat(c->index, &st) < 0 ||
	    futimens(fd, (const struct timespec[]){ st.st_atim, st.st_mtim }) < 0)
		return error_errno(err, "cannot copy the times of '%s'", c->index);
	return 0;
}

static int lock_index(struct committing *c, const struct repo *repo, struct error *err)
{
	const char *named = getenv("GIT_INDEX_FILE");

	c->index = named && *named ? xstrdup(named) : xstrfmt("%s/index", repo->git_dir);
	c->lock = xstrfmt("%s.lock", c->index);
	int fd CLEANUP(fd_close_p) = open(c->lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		error_errno(err, "could not lock the index: '%s'", c->lock);
		return errno == EEXIST ? error_hint(err, "Another git is at work, or was killed.") :
					 -1;
	}
	c->locked = true;
	strvec_pushf(&c->env, "GIT_INDEX_FILE=%s", c->lock);
	return copy_index(c, fd, err);
}

static int replace_index(struct committing *c, const struct repo *repo, struct error *err)
{
	int fd CLEANUP(fd_close_p) = open(c->lock, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0 || rename(c->lock, c->index) < 0)
		return error_errno(err, "cannot replace '%s'", c->index);
	c->locked = false;
	return file_sync_folder(repo->git_dir, err);
}

/* ---- git ----------------------------------------------------------------------------- */

/* Objects and refs are synced: a checkpoint is going to be made of them. */
static void push_git(struct process *git, const struct committing *c)
{
	strvec_pushl(&git->argv, "git", "-c", "core.fsync=all", "-c", "core.fsyncMethod=batch",
		     NULL);
	git->env = &c->env;
}

static int add_all(const struct committing *c, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	char *reason CLEANUP(free_p) = NULL;

	push_git(&git, c);
	strvec_pushl(&git.argv, "add", "--all", "--", ":/", NULL);
	if (process_run(&git, err) < 0)
		return -1;
	if (!git.status)
		return 0;
	reason = process_reason(&git);
	return error_set(err, "could not add all files: %s", reason);
}

/* 1: the index has something that HEAD has not; 0; or -1. */
static int is_staged(const struct committing *c, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	char *reason CLEANUP(free_p) = NULL;

	strvec_pushl(&git.argv, "git", "diff", "--cached", "--quiet", NULL);
	git.env = &c->env;
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status == 0 || git.status == 1)
		return git.status;
	reason = process_reason(&git);
	return error_set(err, "could not compare the index with HEAD: %s", reason);
}

/* What hooks have to say goes to stderr, as it does in git. */
static int make_commit(const struct committing *c, const char *message, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	push_git(&git, c);
	strvec_pushl(&git.argv, "commit", "--quiet", "--message", message, NULL);
	git.inherit_stderr = true;
	if (process_run(&git, err) < 0)
		return -1;
	if (!git.status)
		return 0;
	error_set(err, "git commit refused, with status %d", git.status);
	return error_hint(err,
			  "Nothing was changed. Without --commit, the state is kept as it is.");
}

int checkpoint_commit(const struct repo *repo, const char *message, struct error *err)
{
	struct committing c CLEANUP(committing_release) = { .env = STRVEC_INIT };
	int staged;

	if (lock_index(&c, repo, err) < 0 || add_all(&c, err) < 0)
		return -1;
	staged = is_staged(&c, err);
	if (staged <= 0)
		return staged < 0 ? -1 : CHECKPOINT_NOTHING_TO_COMMIT;
	if (make_commit(&c, message, err) < 0 || replace_index(&c, repo, err) < 0)
		return -1;
	return CHECKPOINT_COMMITTED;
}
