/* SPDX-License-Identifier: MIT */
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/hook.h"
#include "flow/revert-run-parts.h"
#include "term/output.h"
#include "vcs/git.h"
#include "vcs/path.h"

/* ---- The record ---------------------------------------------------------------------- */

static json_t *refs_of(const struct revert_run *run, const struct revert_commits *commits)
{
	json_t *ret = json_array();

	if (commits->tip)
		json_array_append_new(ret,
				      checkpoint_change_to_json(run->branch ? run->branch : "HEAD",
								run->head, commits->tip));
	return ret;
}

static json_t *members_of(const struct revert_run *run, const struct revert_commits *commits)
{
	const struct revert_origin *origin = &run->inside->origin;
	struct strvec conflicts CLEANUP(strvec_release) = STRVEC_INIT;
	json_t *members = json_pack("{s:o, s:o, s:I}", "refs", refs_of(run, commits), "revert",
				    revert_run_to_json(run), "position",
				    (json_int_t)(origin->position + run->steps));

	if (!members)
		BUG("cannot pack an operation's members");
	json_object_set_new(members, "head", json_text(commits->tip ? commits->tip : run->head));
	if (origin->series)
		json_object_set_new(members, "series", json_text(origin->series));
	if (run->stops) {
		json_object_set_new(members, "waits", json_true());
		json_object_set_new(members, "stopped",
				    json_text(run->series.step[run->steps].commit));
		revert_stop_paths(&conflicts, run);
		json_object_set_new(members, "conflicts", paths_to_json(&conflicts));
	}
	return members;
}

/* ---- Files, index and branch --------------------------------------------------------- */

/* From HEAD's tree to the other, in worktree and index: what is local and unconcerned stays. */
static int move_files(struct revert_operation *op, const struct revert_run *run, const char *to,
		      struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, &op->session->repo, &op->env);
	strvec_pushl(&git.argv, "-c", "core.splitIndex=false", "-c", "submodule.recurse=false",
		     "read-tree", "-m", "-u", run->head, to, NULL);
	if (process_run(&git, err) < 0)
		return -1;
	if (!git.status)
		return 0;
	process_error(&git, err, "could not change the files");
	if (git_refused_merge(&git)) {
		op->moving = false; /* nothing has changed */
		error_code(err, EXIT_REFUSED);
	}
	return -1;
}

static int move_all(struct revert_operation *op, const struct revert_run *run,
		    const struct revert_commits *commits, struct refs_update *moves,
		    struct error *err)
{
	if (commits->tree && move_files(op, run, commits->tree, err) < 0)
		return -1;
	if (run->stops && revert_stop_index(op, run, err) < 0)
		return -1;
	if (commits->tree && revert_operation_replace_index(op, err) < 0)
		return -1;
	if (run->stops && revert_stop_state(op, run, err) < 0)
		return -1;
	if (interrupt_pending()) /* the last point at which going back is simple */
		return error_interrupted(err);
	return moves->nr ? refs_commit(moves, &op->session->repo, err) : 0;
}

static int change(struct revert_operation *op, const struct revert_run *run,
		  const struct revert_commits *commits, struct error *err)
{
	const struct repo *repo = &op->session->repo;
	struct refs_update moves CLEANUP(refs_update_release) = REFS_UPDATE_INIT;

	moves.message = "revert-track";
	if (commits->tip)
		refs_add(&moves, run->branch ? run->branch : "HEAD", run->head, commits->tip);
	if (revert_run_try_filters(run, err) < 0 || revert_operation_take_index(op, err) < 0 ||
	    (moves.nr && refs_prepare(&moves, repo, err) < 0) ||
	    revert_operation_begin(op, err) < 0)
		return -1;
	return move_all(op, run, commits, &moves, err);
}

/* ---- All of it ----------------------------------------------------------------------- */

static void run_post_commit(const struct checkpoint_session *s)
{
	static const char *const args[] = { NULL };
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (hook_may_run("post-commit", &s->repo, &s->settings) &&
	    hook_run_git("post-commit", args, NULL, &s->repo, &s->settings, &err) < 0)
		warning("%s", err.message);
}

static int carry_out(struct revert_run *run, struct revert_operation *op,
		     struct revert_commits *commits, struct error *err)
{
	json_t *members CLEANUP(json_decref_p) = NULL;

	if (revert_commits_make(commits, op, run, err) < 0)
		return -1;
	members = members_of(run, commits);
	if (revert_operation_keep(op, members, err) < 0 || change(op, run, commits, err) < 0)
		return revert_operation_fail(op, err);
	return 0;
}

int revert_run_carry_out(struct revert_run *run, struct revert_operation *op, char **ret_operation,
			 struct error *err)
{
	struct revert_commits commits CLEANUP(revert_commits_release) = { 0 };

	if (!verdict_is_clean(&run->verdict))
		return verdict_error(&run->verdict, err);
	if (carry_out(run, op, &commits, err) < 0)
		return -1;
	if (ret_operation)
		*ret_operation = xstrdup(op->operation.id);
	index_lock_release(&op->lock);
	if (run->stops)
		revert_stop_rerere(run->session);
	revert_operation_done(op);
	if (commits.tip)
		string_replace(&run->head, commits.tip);
	if (commits.made)
		run_post_commit(run->session);
	return run->stops ? REVERT_RUN_STOPPED : REVERT_RUN_DONE;
}

static int plan_again(struct revert_run *run, struct error *err)
{
	struct revert_run again = REVERT_RUN_INIT;

	if (revert_run_plan(&again, run->session, run->request, err) < 0) {
		revert_run_release(&again);
		return -1;
	}
	if (strcmp(again.inside->summary, run->inside->summary) != 0) {
		error_refused(err, "something has changed since the plan was made");
		error_hint(err, "Nothing was changed. Look at the plan again.");
	}
	revert_run_release(run);
	*run = again;
	return error_is_set(err) ? -1 : 0;
}

int revert_run_execute(struct revert_run *run, char **ret_operation, struct error *err)
{
	struct revert_operation op CLEANUP(revert_operation_release) = REVERT_OPERATION_INIT;
	const struct revert_run_request *request = run->request;

	if (revert_operation_lock(&op, run->session, err) < 0 || plan_again(run, err) < 0 ||
	    (request->check && request->check(request->check_data, err) < 0))
		return -1;
	if (verdict_is_clean(&run->verdict) && revert_run_is_nothing(run)) {
		if (ret_operation)
			*ret_operation = NULL;
		return REVERT_RUN_DONE;
	}
	return revert_run_carry_out(run, &op, ret_operation, err);
}
