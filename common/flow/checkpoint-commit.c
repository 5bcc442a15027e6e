/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-commit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/strvec.h"
#include "journal/workfolder.h"
#include "vcs/index-lock.h"

struct committing {
	struct index_lock lock;
	struct workfolder work;
	char *copy; /* of the index */
	struct strvec env;
};

static void committing_release(struct committing *c)
{
	index_lock_release(&c->lock);
	workfolder_release(&c->work);
	free(c->copy);
	strvec_release(&c->env);
}

/* ---- The index ----------------------------------------------------------------------- */

static int lock_and_copy_index(struct committing *c, const struct repo *repo, const char *operation,
			       struct error *err)
{
	index_lock_init(&c->lock, repo);
	if (workfolder_make(&c->work, repo->common_dir, err) < 0)
		return -1;
	c->copy = xstrfmt("%s/index", c->work.path);
	strvec_pushf(&c->env, "GIT_INDEX_FILE=%s", c->copy);
	if (index_lock_take(&c->lock, c->work.path, operation, err) < 0)
		return -1;
	return index_copy(c->copy, c->lock.index, err);
}

static int replace_index(struct committing *c, struct error *err)
{
	int fd CLEANUP(fd_close_p) = open(c->copy, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0 || rename(c->copy, c->lock.index) < 0)
		return error_errno(err, "cannot replace '%s'", c->lock.index);
	return index_lock_sync(&c->lock, err);
}

/* ---- git ----------------------------------------------------------------------------- */

/* Objects and refs are synced: a checkpoint is going to be made of them. */
static void push_git(struct process *git, const struct committing *c)
{
	strvec_pushl(&git->argv, "git", "-c", "core.fsync=all", "-c", "core.fsyncMethod=batch",
		     NULL);
	git->env = &c->env;
}

static int add_all(const struct committing *c, const struct repo *repo, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	push_git(&git, c);
	for (size_t i = 0; i < c->env.nr; i++)
		strvec_push(&env, c->env.v[i]);
	repo_plain_pathspecs(&env);
	git.env = &env;
	strvec_pushl(&git.argv, "add", "--all", "--", ":/", NULL);
	repo_exclude_own(&git.argv, repo);
	if (process_run(&git, err) < 0)
		return -1;
	if (!git.status)
		return 0;
	return process_error(&git, err, "could not add all files");
}

/* 1: the index has something that HEAD has not; 0; or -1. */
static int is_staged(const struct committing *c, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	strvec_pushl(&git.argv, "git", "diff", "--cached", "--quiet", NULL);
	git.env = &c->env;
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status == 0 || git.status == 1)
		return git.status;
	return process_error(&git, err, "could not compare the index with HEAD");
}

/*
 * 1: HEAD is the commit that was to be made, of the tree that the index has by now, on the old
 * one; 0: it is not, whoever else has moved it; or -1.
 */
static int is_made(const struct committing *c, const char *old_head, struct error *err)
{
	struct process head CLEANUP(process_release) = PROCESS_INIT;
	struct process tree CLEANUP(process_release) = PROCESS_INIT;

	strvec_pushl(&head.argv, "git", "rev-parse", "--quiet", "HEAD^{tree}", "HEAD^@", NULL);
	strvec_pushl(&tree.argv, "git", "write-tree", NULL);
	tree.env = &c->env;
	if (process_run(&head, err) < 0 || process_run(&tree, err) < 0)
		return -1;
	if (head.status) /* there is no commit */
		return 0;
	if (tree.status)
		return process_error(&tree, err, "could not look at what was committed");
	if (old_head)
		strbuf_addf(&tree.out, "%s\n", old_head);
	return !strcmp(head.out.buf, tree.out.buf);
}

/* What hooks have to say goes to stderr, as it does in git. */
static int make_commit(const struct committing *c, const char *old_head, const char *message,
		       struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	int made;

	push_git(&git, c);
	strvec_pushl(&git.argv, "commit", "--quiet", "--message", message, NULL);
	git.inherit_stderr = true;
	if (process_run(&git, err) < 0)
		return -1;
	if (!git.status)
		return 0;
	if (git.status > 128) { /* it was killed, and has not let go of its locks */
		process_error(&git, err, "could not commit");
		return CHECKPOINT_HALF_COMMITTED;
	}
	made = is_made(c, old_head, err);
	if (made) /* it broke off when the commit was there already */
		return made < 0 ? -1 : 0;
	error_set(err, "git commit refused, with status %d", git.status);
	return error_hint(err,
			  "Nothing was changed. Without --commit, the state is kept as it is.");
}

int checkpoint_commit(const struct repo *repo, const struct checkpoint_commit *commit,
		      struct error *err)
{
	struct committing c CLEANUP(committing_release) = { .lock = INDEX_LOCK_INIT,
							    .work = WORKFOLDER_INIT,
							    .env = STRVEC_INIT };
	int staged, made;

	if (lock_and_copy_index(&c, repo, commit->operation, err) < 0 || add_all(&c, repo, err) < 0)
		return -1;
	staged = is_staged(&c, err);
	if (staged <= 0)
		return staged < 0 ? -1 : CHECKPOINT_NOTHING_TO_COMMIT;
	made = make_commit(&c, commit->old_head, commit->message, err);
	if (made)
		return made;
	if (replace_index(&c, err) < 0)
		return CHECKPOINT_HALF_COMMITTED;
	return CHECKPOINT_COMMITTED;
}
