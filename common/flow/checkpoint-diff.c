/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-diff.h"

#include "base/file.h"
#include "base/memory.h"
#include "vcs/object.h"

struct comparison {
	const struct checkpoint_session *session;
	const struct checkpoint_diff_request *request;
	char *quarantine;
	struct strvec env; /* with which git sees it */
	char *before, *after;
};

static void comparison_release(struct comparison *c)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (c->quarantine && file_remove_folders(c->quarantine, &ignored) < 0)
		error_clear(&ignored);
	free(c->quarantine);
	strvec_release(&c->env);
	free(c->before);
	free(c->after);
}

/* ---- A whole state as one tree ------------------------------------------------------- */

/* The tree `base` with the files of another one; its id: free() it. */
static int merge_trees(char **ret, const struct comparison *c, const char *base,
		       const struct tree_files *files, struct error *err)
{
	struct import import CLEANUP(import_release) = IMPORT_INIT;
	struct import_path *path CLEANUP(free_p) = xcalloc(files->nr, sizeof(*path));
	const struct import_commit commit = { .identity = "git checkpoint <git@checkpoint>",
					      .message = "",
					      .base = base,
					      .path = path,
					      .paths = files->nr };
	unsigned mark;

	for (size_t i = 0; i < files->nr; i++)
		path[i] = (struct import_path){ .path = files->item[i].path,
						.mode = files->item[i].mode,
						.oid = files->item[i].oid };
	if (import_start(&import, &c->session->repo, c->quarantine, err) < 0)
		return -1;
	mark = import_mark(&import);
	if (import_commit(&import, mark, &commit, err) < 0 ||
	    import_tree(&import, ret, mark, err) < 0)
		return -1;
	return import_finish(&import, err);
}

/* Tracked and untracked files together. */
static int whole_tree(char **ret, const struct comparison *c, const char *worktree,
		      const char *untracked, struct error *err)
{
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;

	if (tree_list_all(&files, untracked, &c->env, err) < 0)
		return -1;
	if (!files.nr) {
		*ret = xstrdup(worktree);
		return 0;
	}
	return merge_trees(ret, c, worktree, &files, err);
}

static int tree_of_checkpoint(char **ret, const struct comparison *c, const char *name,
			      struct error *err)
{
	struct snapshot snapshot CLEANUP(snapshot_release) = SNAPSHOT_INIT;
	char *ref CLEANUP(free_p) = NULL;

	if (checkpoint_find(&ref, name, err) < 0 || snapshot_read(&snapshot, ref, err) < 0)
		return -1;
	return whole_tree(ret, c, snapshot.worktree_tree, snapshot.untracked_tree, err);
}

static int tree_of_present(char **ret, const struct comparison *c, struct error *err)
{
	struct snapshot_capture capture CLEANUP(snapshot_capture_release) = SNAPSHOT_CAPTURE_INIT;
	const struct snapshot_request request = {
		.subject = "now",
		.identity = "git checkpoint <git@checkpoint>",
		.may_leave_out = true,
		.quarantine = c->quarantine,
		.short_lived = true,
	};

	if (checkpoint_need_worktree(c->session, err) < 0 ||
	    snapshot_capture(&capture, &c->session->repo, &request, err) < 0)
		return -1;
	return whole_tree(ret, c, capture.worktree_tree, capture.untracked_tree, err);
}

/* ---- Showing them -------------------------------------------------------------------- */

static const char *format_option(int format)
{
	return format == CHECKPOINT_DIFF_PATCH ? "--patch" :
	       format == CHECKPOINT_DIFF_NAMES ? "--name-status" :
						 "--stat";
}

/* git starts the pager itself, since it has our standard output. */
static int run_diff(const struct comparison *c, struct error *err)
{
	const struct checkpoint_diff_request *request = c->request;
	int color = c->session->common->color;
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	strvec_pushl(&git.argv, "git", "diff", format_option(request->format), NULL);
	if (color >= 0)
		strvec_push(&git.argv, color ? "--color=always" : "--color=never");
	strvec_pushl(&git.argv, c->before, c->after, "--", NULL);
	for (size_t i = 0; i < request->pathspecs; i++)
		strvec_push(&git.argv, request->pathspec[i]);
	git.env = &c->env;
	git.inherit_stdout = git.inherit_stderr = true;
	if (process_run(&git, err) < 0)
		return -1;
	return git.status;
}

int checkpoint_diff(const struct checkpoint_session *s,
		    const struct checkpoint_diff_request *request, struct error *err)
{
	struct comparison c CLEANUP(comparison_release) = { .session = s, .request = request };

	if (file_make_temporary_folder(&c.quarantine, err) < 0)
		return -1;
	import_environment(&c.env, &s->repo, c.quarantine);
	if (tree_of_checkpoint(&c.before, &c, request->name, err) < 0 ||
	    (request->other ? tree_of_checkpoint(&c.after, &c, request->other, err) :
			      tree_of_present(&c.after, &c, err)) < 0)
		return -1;
	return run_diff(&c, err);
}
