/* SPDX-License-Identifier: MIT */
#include "vcs/snapshot-parts.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/memory.h"
#include "vcs/git.h"

enum { SMALL = 8 << 20 };

static void capture_release(struct capture *c)
{
	for (size_t i = 0; i < c->nr; i++) {
		free(c->item[i].oid);
		free(c->item[i].refusal);
	}
	free(c->item);
	strvec_release(&c->absent);
	strvec_release(&c->named);
	json_decref(c->left_out);
	free(c->base);
	if (c->top >= 0)
		close(c->top);
}

void snapshot_capture_release(struct snapshot_capture *capture)
{
	worktree_state_release(&capture->state);
	import_release(&capture->import);
	strvec_release(&capture->converted);
	json_decref(capture->manifest);
	free(capture->commit);
	free(capture->index_tree);
	free(capture->worktree_tree);
	free(capture->untracked_tree);
	for (size_t i = 0; i < capture->nr; i++) {
		free(capture->file[i].path);
		free(capture->file[i].oid);
	}
	free(capture->file);
	*capture = (struct snapshot_capture)SNAPSHOT_CAPTURE_INIT;
}

/* What was read, in the order of the items. */
static void list_files(struct capture *c)
{
	struct snapshot_capture *ret = c->ret;

	for (size_t i = 0; i < c->nr; i++) {
		const struct capture_item *item = &c->item[i];

		if (!item->mode)
			continue;
		ARRAY_GROW(ret->file, ret->nr + 1, ret->alloc);
		ret->file[ret->nr++] = (struct snapshot_file){ .path = xstrdup(item->path),
							       .mode = item->mode,
							       .oid = xstrdup_or_null(item->oid),
							       .stat = item->stat,
							       .untracked = !item->entry };
	}
}

static int finish(struct capture *c)
{
	struct snapshot_capture *ret = c->ret;
	size_t at = 0;

	if (import_tree(c->import, &ret->untracked_tree, c->mark_untracked, c->err) < 0 ||
	    import_tree(c->import, &ret->worktree_tree, c->mark_worktree, c->err) < 0 ||
	    import_finish(c->import, c->err) < 0)
		return -1;
	ret->commit = xstrdup(import_oid(c->import, c->mark_worktree));
	for (size_t i = 0; i < c->nr; i++) {
		if (!c->item[i].mode)
			continue;
		if (!ret->file[at].oid)
			ret->file[at].oid = xstrdup(import_oid(c->import, c->item[i].mark));
		at++;
	}
	return 0;
}

static bool is_small(const struct capture *c)
{
	off_t size = 0;
	struct stat st;

	for (size_t i = 0; i < c->nr && size <= SMALL; i++)
		if (fstatat(c->top, c->item[i].path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			size += st.st_size;
	return size <= SMALL;
}

static int capture(struct capture *c)
{
	struct strbuf message CLEANUP(strbuf_release) = STRBUF_INIT;

	if (worktree_read(c->state, c->repo, &c->request->worktree, c->err) < 0)
		return -1;
	c->top = open(c->repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->top < 0)
		return error_errno(c->err, "cannot open '%s'", c->repo->worktree);
	capture_collect(c);
	if (c->request->inspect && c->request->inspect(c->state, c->request->data, c->err) < 0)
		return -1;
	c->import->plain = c->request->short_lived && is_small(c);
	if (import_start(c->import, c->repo, c->request->quarantine, c->err) < 0 ||
	    capture_store(c) < 0)
		return -1;
	list_files(c);
	if (capture_set_base(c) < 0 || capture_commit_index(c) < 0 ||
	    import_tree(c->import, &c->ret->index_tree, c->mark_index, c->err) < 0 ||
	    capture_commit_untracked(c) < 0)
		return -1;
	if (c->request->subject)
		strbuf_addstr(&message, c->request->subject);
	if (capture_commit_payload(c, &message) < 0 || capture_commit_worktree(c, message.buf) < 0)
		return -1;
	return finish(c);
}

/* Everything that HEAD's commit does not have. */
static int check_all(const struct snapshot_capture *capture, const struct repo *repo,
		     struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, repo, NULL);
	strvec_pushl(&git.argv, "rev-list", "--objects", "--quiet", "--missing=allow-promisor",
		     capture->commit, NULL);
	if (capture->state.head)
		strvec_pushf(&git.argv, "^%s", capture->state.head);
	if (process_run(&git, err) < 0)
		return -1;
	return git.status ? SNAPSHOT_BROKEN : SNAPSHOT_WHOLE;
}

/* git has left alone what was there already, and a loose object goes without its pack going. */
static int check_converted(const struct snapshot_capture *capture, const struct repo *repo,
			   struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!capture->converted.nr)
		return SNAPSHOT_WHOLE;
	for (size_t i = 0; i < capture->converted.nr; i++)
		strbuf_addf(&input, "%s\n", capture->converted.v[i]);
	git_prepare(&git, repo, NULL);
	strvec_pushl(&git.argv, "cat-file", "--batch-check=", NULL);
	git.input = input.buf;
	git.input_len = input.len;
	if (git_run(&git, "look for the objects", err) < 0)
		return -1;
	return strstr(git.out.buf, " missing\n") ? SNAPSHOT_BROKEN : SNAPSHOT_WHOLE;
}

int snapshot_check(const struct snapshot_capture *capture, const struct repo *repo,
		   struct error *err)
{
	bool lost;

	if (import_may_have_lost(&lost, &capture->import, err) < 0)
		return -1;
	return lost ? check_all(capture, repo, err) : check_converted(capture, repo, err);
}

int snapshot_capture(struct snapshot_capture *ret, const struct repo *repo,
		     const struct snapshot_request *request, struct error *err)
{
	struct capture c CLEANUP(capture_release) = { .ret = ret,
						      .state = &ret->state,
						      .import = &ret->import,
						      .repo = repo,
						      .request = request,
						      .absent = STRVEC_INIT,
						      .named = STRVEC_INIT,
						      .left_out = json_array(),
						      .top = -1,
						      .err = err };

	if (capture(&c) == 0)
		return 0;
	if (ret->import.quarantine)
		import_discard(&ret->import);
	snapshot_capture_release(ret);
	return -1;
}
