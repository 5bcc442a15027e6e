/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "flow/patience.h"
#include "flow/revert-run-parts.h"
#include "vcs/git.h"

/* ---- Which one ----------------------------------------------------------------------- */

static int find_waiting(json_t **ret, const struct checkpoint_session *session, struct error *err)
{
	if (revert_waiting(ret, session, err) < 0)
		return -1;
	if (*ret)
		return 0;
	error_set(err, "no series of reverts is waiting");
	return error_code(err, EXIT_NO);
}

/* ---- What is resolved ---------------------------------------------------------------- */

static int refuse_conflicts(const struct revert_present *present, struct error *err)
{
	error_set(err, "there are conflicts left");
	for (size_t i = 0; i < present->unmerged.nr; i++)
		error_detail(err, "%s", present->unmerged.v[i]);
	error_hint(err, "Resolve them, and mark them as resolved with 'git add' or 'git rm'.");
	return error_code(err, EXIT_NO);
}

static char *state_path(const struct checkpoint_session *session, const char *name)
{
	return xstrfmt("%s/%s", session->repo.git_dir, name);
}

void revert_ended_release(struct revert_ended *ended)
{
	free(ended->operation);
	strvec_release(&ended->left_out);
}

/* Nobody can tell whether it was resolved, and then lost, or was not wanted. */
static int refuse_dropped(const json_t *waiting, struct error *err)
{
	const char *stopped = json_member(waiting, "stopped");

	error_refused(err,
		      "the conflict of commit %.10s was neither resolved nor left out: git has "
		      "forgotten it",
		      stopped);
	error_hint(
		err,
		"'git revert-track --skip' leaves the commit out, and 'git revert-track --abort' "
		"goes back to before the whole revert.");
	return error_hint(err, "To have the conflict again: git revert %.10s", stopped);
}

/* ---- One step ------------------------------------------------------------------------ */

enum step { COMMIT, SKIP, FORGET, NOTHING };

/* The commit that it stopped at stays as it is. */
static void leave_out(json_t *members, const json_t *waiting)
{
	json_t *revert = json_object_get(members, "revert"), *list;

	list = json_object_get(revert, "left_out");
	if (!list) {
		list = json_array();
		json_object_set_new(revert, "left_out", list);
	}
	json_array_append_new(list, json_text(json_member(waiting, "stopped")));
}

static void read_left_out(struct strvec *ret, const json_t *record)
{
	const json_t *list = json_object_get(json_object_get(record, "revert"), "left_out"), *oid;
	size_t i;

	strvec_release(ret);
	json_array_foreach(list, i, oid) strvec_push(ret, json_string_value(oid));
}

/* The record of an operation that goes on from there, with what it stopped at done with. */
static json_t *members_behind(const json_t *waiting, bool ends)
{
	const json_t *revert = json_object_get(waiting, "revert");
	bool stopped = json_member(waiting, "stopped");
	json_int_t position = json_integer_value(json_object_get(waiting, "position")) + stopped;
	json_t *members = json_pack("{s:[], s:O, s:o, s:I}", "refs", "series",
				    json_object_get(waiting, "series"), "revert",
				    json_deep_copy(revert), "position", position);
	bool more = position < (json_int_t)json_array_size(json_object_get(revert, "commits")) ||
		    json_array_size(json_object_get(revert, "documents")) ||
		    json_is_true(json_object_get(revert, "squash"));

	if (!members)
		BUG("cannot pack an operation's members");
	if (more && !ends)
		json_object_set_new(members, "waits", json_true());
	return members;
}

/* rerere's own only where it is not going to learn from it. */
static int forget_state(struct revert_operation *op, bool learns, struct error *err)
{
	static const char *const name[] = { "REVERT_HEAD", "MERGE_MSG", "AUTO_MERGE", "MERGE_RR" };

	for (size_t i = 0; i < ARRAY_SIZE(name) - learns; i++) {
		char *path CLEANUP(free_p) = state_path(op->session, name[i]);

		if (unlink(path) < 0 && errno != ENOENT)
			return error_errno(err, "cannot remove '%s'", path);
	}
	return file_sync_folder(op->session->repo.git_dir, err);
}

/* git, with the copy of the index instead of the index. */
static void prepare_git(struct process *git, const struct revert_operation *op)
{
	git_prepare(git, &op->session->repo, &op->env);
	strvec_pushl(&git->argv, "-c", "core.splitIndex=false", "-c", "submodule.recurse=false",
		     NULL);
}

/* Is the index what HEAD has? 1 or 0, or -1. */
static int is_nothing_left(const struct revert_operation *op, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	prepare_git(&git, op);
	strvec_pushl(&git.argv, "diff", "--cached", "--quiet", NULL);
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status > 1)
		return process_error(&git, err, "could not compare the index with HEAD");
	return !git.status;
}

/* The message as a person may have changed it; with all of git's hooks. */
static int commit_resolved(struct revert_operation *op, const json_t *waiting, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	char *state CLEANUP(free_p) = state_path(op->session, "MERGE_MSG");
	char *path CLEANUP(free_p) = xstrfmt("%s/message", op->work.path);
	struct strbuf message CLEANUP(strbuf_release) = STRBUF_INIT;
	int nothing = is_nothing_left(op, err);

	if (nothing < 0 || file_read(&message, state, err) < 0)
		return -1;
	revert_message_drop_conflicts(&message);
	if (file_write(path, message.buf, message.len, 0600, FILE_SYNC_NOT, err) < 0 ||
	    forget_state(op, !nothing, err) < 0)
		return -1;
	if (nothing) {
		leave_out(op->operation.record, waiting);
		return 0;
	}
	/* A git that is killed leaves no locks but those on HEAD and branch. */
	strvec_pushl(&git.argv, "git", "-c", "core.fsync=all", "-c", "core.splitIndex=false",
		     "commit", "--quiet", "--cleanup=whitespace", "-F", path, NULL);
	git.dir = op->session->repo.worktree;
	git.env = &op->env;
	git.inherit_stderr = true;
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status)
		return error_set(err, "could not commit what is resolved");
	return revert_operation_replace_index(op, err);
}

static int read_unmerged(struct strvec *ret, const struct checkpoint_session *session,
			 struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, &session->repo, NULL);
	strvec_pushl(&git.argv, "diff", "--name-only", "--diff-filter=U", "--no-relative", "-z",
		     NULL);
	if (git_run(&git, "look for conflicts", err) < 0)
		return -1;
	for (const char *at = git.out.buf; at < git.out.buf + git.out.len; at += strlen(at) + 1)
		if (!strvec_has(ret, at))
			strvec_push(ret, at);
	strvec_sort(ret);
	return 0;
}

/* What a person has made of the conflicts so far, as the index has it then: the id of the tree. */
static int write_present(char **ret, const struct revert_operation *op, struct error *err)
{
	struct process add CLEANUP(process_release) = PROCESS_INIT;
	struct process write CLEANUP(process_release) = PROCESS_INIT;
	struct strvec unmerged CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	if (read_unmerged(&unmerged, op->session, err) < 0)
		return -1;
	for (size_t i = 0; i < op->env.nr; i++)
		strvec_push(&env, op->env.v[i]);
	strvec_push(&env, "GIT_LITERAL_PATHSPECS=1");
	prepare_git(&add, op);
	add.env = &env;
	strvec_pushl(&add.argv, "add", "--update", "--sparse", "--", NULL);
	for (size_t i = 0; i < unmerged.nr; i++)
		strvec_push(&add.argv, unmerged.v[i]);
	if (unmerged.nr && git_run(&add, "look at the conflicts", err) < 0)
		return -1;
	prepare_git(&write, op);
	strvec_push(&write.argv, "write-tree");
	if (git_run(&write, "look at the index", err) < 0)
		return -1;
	*ret = xmemdupz(write.out.buf, strcspn(write.out.buf, "\n"));
	return 0;
}

/* As `git reset --merge`: what is in conflict, or staged, is what that commit has. */
static int reset_files(struct revert_operation *op, const char *commit, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	char *present CLEANUP(free_p) = NULL;

	if (write_present(&present, op, err) < 0)
		return -1;
	prepare_git(&git, op);
	strvec_pushl(&git.argv, "read-tree", "-m", "-u", present, commit, NULL);
	if (process_run(&git, err) < 0)
		return -1;
	if (!git.status) {
		if (revert_operation_replace_index(op, err) < 0)
			return -1;
		return forget_state(op, false, err);
	}
	process_error(&git, err, "could not take back what is in conflict");
	if (git_refused_merge(&git)) {
		op->moving = false; /* nothing has changed */
		error_code(err, EXIT_REFUSED);
		error_hint(
			err,
			"Put away what that file has besides, as with 'git stash', or stage all of "
			"it, for it to go.");
	}
	return -1;
}

static int take_step(struct revert_operation *op, enum step step, const json_t *waiting,
		     struct error *err)
{
	if (step == NOTHING)
		return revert_operation_begin(op, err);
	if (revert_operation_take_index(op, err) < 0 || revert_operation_begin(op, err) < 0)
		return -1;
	return step == COMMIT ? commit_resolved(op, waiting, err) :
	       step == SKIP   ? reset_files(op, "HEAD", err) :
				forget_state(op, false, err);
}

/* The lock; and what was looked at before still is so. */
static int lock_same(struct revert_operation *op, const struct checkpoint_session *session,
		     const json_t *waiting, const struct revert_present *present, struct error *err)
{
	json_t *again CLEANUP(json_decref_p) = NULL;
	struct revert_present now CLEANUP(revert_present_release) = REVERT_PRESENT_INIT;

	if (revert_operation_lock(op, session, err) < 0 || revert_waiting(&again, session, err) < 0)
		return -1;
	if (!again || strcmp(json_member(again, "id"), json_member(waiting, "id")) != 0)
		return error_refused(err, "another command has gone on with the series");
	if (!present)
		return 0;
	if (revert_present_read(&now, session, waiting, err) < 0)
		return -1;
	if (now.place == present->place && !strcmp(now.state.head, present->state.head))
		return 0;
	error_refused(err, "something has changed meanwhile");
	return error_hint(err, "'git revert-track --status' says where the revert is by now.");
}

/* Where HEAD is behind the step: what comes next begins there. */
static int record_head(struct revert_operation *op, struct error *err)
{
	char *head CLEANUP(free_p) = NULL;

	if (repo_commit(&head, "HEAD", err) < 0)
		return -1;
	json_object_set_new(op->operation.record, "head", json_text(head));
	return 0;
}

/* An operation of its own: the rest comes behind it as another one. `present` NULL: whatever it is. */
static int step_once(const struct checkpoint_session *session, const json_t *waiting,
		     const struct revert_present *present, enum step step, json_t *members,
		     struct strvec *ret_left_out, struct error *err)
{
	struct revert_operation op CLEANUP(revert_operation_release) = REVERT_OPERATION_INIT;

	if (lock_same(&op, session, waiting, present, err) < 0)
		return -1;
	if (step == COMMIT)
		json_object_set_new(members, "branch", json_true());
	if (revert_operation_keep(&op, members, err) < 0 ||
	    take_step(&op, step, waiting, err) < 0 || record_head(&op, err) < 0)
		return revert_operation_fail(&op, err);
	if (ret_left_out)
		read_left_out(ret_left_out, op.operation.record);
	revert_operation_done(&op);
	return 0;
}

/* ---- The rest ------------------------------------------------------------------------ */

/* Nothing is left to do: that is recorded, and is nothing that could be undone. */
static int end_series(struct revert_operation *op, const json_t *waiting, struct error *err)
{
	const struct checkpoint_session *s = op->session;
	json_t *members CLEANUP(json_decref_p) = members_behind(waiting, true);

	json_object_set_new(members, "ends", json_text(json_member(waiting, "id")));
	json_object_set_new(members, "worktree", json_text(checkpoint_worktree_id(&s->repo)));
	json_object_set_new(members, "kept", json_array());
	if (patience_begin_operation(&op->operation, s->repo.common_dir, CHECKPOINT_REVERT_TRACK,
				     members, s->common, err) < 0)
		return -1;
	revert_operation_done(op);
	return REVERT_RUN_DONE;
}

/* A commit by hand between the step and the lock would be taken for the series' own. */
static int check_head(const struct revert_run *run, const json_t *waiting, struct error *err)
{
	const char *branch = json_member(json_object_get(waiting, "revert"), "branch");
	bool same = run->branch && branch ? !strcmp(run->branch, branch) : run->branch == branch;

	if (same && !strcmp(run->head, json_member(waiting, "head")))
		return 0;
	return error_refused(err, "HEAD has moved meanwhile");
}

/* As it is by now: a step was taken. */
static int do_rest(struct revert_run *ret, const struct checkpoint_session *session,
		   struct revert_ended *ret_ended, struct error *err)
{
	struct revert_operation op CLEANUP(revert_operation_release) = REVERT_OPERATION_INIT;
	json_t *waiting CLEANUP(json_decref_p) = NULL;

	if (revert_waiting(&waiting, session, err) < 0)
		return -1;
	if (!waiting)
		return REVERT_RUN_DONE;
	read_left_out(&ret_ended->left_out, waiting);
	if (revert_operation_lock(&op, session, err) < 0 ||
	    revert_run_plan_rest(ret, session, waiting, err) < 0 ||
	    check_head(ret, waiting, err) < 0)
		return -1;
	if (verdict_is_clean(&ret->verdict) && revert_run_is_nothing(ret))
		return end_series(&op, waiting, err);
	return revert_run_carry_out(ret, &op, &ret_ended->operation, err);
}

/* *ret: what there is to do about what it stopped at. */
static int choose_step(enum step *ret, const struct checkpoint_session *session,
		       const struct revert_present *present, const json_t *waiting, bool skip,
		       struct error *err)
{
	const char *stopped = json_member(waiting, "stopped");

	*ret = NOTHING;
	switch (present->place) {
	case REVERT_ELSEWHERE: return verdict_error(&present->verdict, err);
	case REVERT_CONFLICTED: *ret = SKIP; return skip ? 0 : refuse_conflicts(present, err);
	case REVERT_RESOLVED:
		*ret = skip ? SKIP : COMMIT;
		return skip ? 0 : revert_check_markers(session, waiting, err);
	case REVERT_DROPPED:
		if (present->unmerged.nr)
			*ret = SKIP;
		return skip ? 0 : refuse_dropped(waiting, err);
	case REVERT_COMMITTED:
		if (!skip)
			return 0;
		error_refused(err, "the revert of commit %.10s is committed", stopped);
		return error_hint(
			err, "Run 'git revert-track --continue'; to leave it out, take that commit "
			     "away first: 'git reset --keep HEAD~1'.");
	case REVERT_BETWEEN:
		if (!skip)
			return 0;
		error_refused(err, "there is no commit in conflict that could be left out");
		return error_hint(err, "Run 'git revert-track --continue'.");
	}
	BUG("unknown place %d", (int)present->place);
}

static int go_on(struct revert_run *ret, const struct checkpoint_session *session, bool skip,
		 struct revert_ended *ret_ended, struct error *err)
{
	json_t *waiting CLEANUP(json_decref_p) = NULL, *members CLEANUP(json_decref_p) = NULL;
	struct revert_present present CLEANUP(revert_present_release) = REVERT_PRESENT_INIT;
	enum step step;

	if (find_waiting(&waiting, session, err) < 0 ||
	    revert_present_read(&present, session, waiting, err) < 0 ||
	    choose_step(&step, session, &present, waiting, skip, err) < 0)
		return -1;
	if (json_member(waiting, "stopped")) {
		members = members_behind(waiting, false);
		if (skip)
			leave_out(members, waiting);
		if (step_once(session, waiting, &present, step, members, &ret_ended->left_out,
			      err) < 0)
			return -1;
	}
	return do_rest(ret, session, ret_ended, err);
}

int revert_continue(struct revert_run *ret, const struct checkpoint_session *session,
		    struct revert_ended *ret_ended, struct error *err)
{
	return go_on(ret, session, false, ret_ended, err);
}

int revert_skip(struct revert_run *ret, const struct checkpoint_session *session,
		struct revert_ended *ret_ended, struct error *err)
{
	return go_on(ret, session, true, ret_ended, err);
}

/* ---- Ends ---------------------------------------------------------------------------- */

int revert_quit(const struct checkpoint_session *session, struct error *err)
{
	json_t *waiting CLEANUP(json_decref_p) = NULL, *members CLEANUP(json_decref_p) = NULL;
	bool stopped;

	if (find_waiting(&waiting, session, err) < 0 ||
	    revert_is_stopped(&stopped, session, waiting, err) < 0)
		return -1;
	members = members_behind(waiting, true);
	return step_once(session, waiting, NULL, stopped ? FORGET : NOTHING, members, NULL, err);
}

static json_t *members_of_abort(const json_t *waiting, const struct revert_present *present)
{
	json_t *members = members_behind(waiting, true);
	const char *onto = json_member(json_object_get(waiting, "revert"), "onto");
	const char *branch = present->state.branch;

	json_object_set_new(members, "undoes", json_text(json_member(waiting, "series")));
	json_object_set_new(members, "head", json_text(onto));
	if (strcmp(onto, present->state.head) != 0)
		json_array_append_new(json_object_get(members, "refs"),
				      checkpoint_change_to_json(branch ? branch : "HEAD",
								present->state.head, onto));
	return members;
}

/* Files first, then the branch: where it breaks off, undo goes back to before it. */
static int go_back(struct revert_operation *op, const struct revert_present *present,
		   const char *onto, struct error *err)
{
	struct refs_update moves CLEANUP(refs_update_release) = REFS_UPDATE_INIT;
	const char *branch = present->state.branch;

	moves.message = "revert-track: abort";
	if (strcmp(onto, present->state.head) != 0)
		refs_add(&moves, branch ? branch : "HEAD", present->state.head, onto);
	if (revert_operation_take_index(op, err) < 0 ||
	    (moves.nr && refs_prepare(&moves, &op->session->repo, err) < 0) ||
	    revert_operation_begin(op, err) < 0 || reset_files(op, onto, err) < 0)
		return -1;
	return moves.nr ? refs_commit(&moves, &op->session->repo, err) : 0;
}

int revert_abort(const struct checkpoint_session *session, struct error *err)
{
	struct revert_operation op CLEANUP(revert_operation_release) = REVERT_OPERATION_INIT;
	struct revert_present present CLEANUP(revert_present_release) = REVERT_PRESENT_INIT;
	json_t *waiting CLEANUP(json_decref_p) = NULL, *members CLEANUP(json_decref_p) = NULL;

	if (find_waiting(&waiting, session, err) < 0 ||
	    revert_present_read(&present, session, waiting, err) < 0)
		return -1;
	if (present.place == REVERT_ELSEWHERE)
		return verdict_error(&present.verdict, err);
	members = members_of_abort(waiting, &present);
	if (lock_same(&op, session, waiting, &present, err) < 0)
		return -1;
	if (revert_operation_keep(&op, members, err) < 0 ||
	    go_back(&op, &present, json_member(json_object_get(waiting, "revert"), "onto"), err) <
		    0)
		return revert_operation_fail(&op, err);
	revert_operation_done(&op);
	return 0;
}
