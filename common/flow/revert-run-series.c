/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "flow/checkpoint-undo.h"
#include "flow/patience.h"
#include "flow/revert-run-parts.h"
#include "vcs/git.h"
#include "vcs/path.h"

/* ---- Which one ----------------------------------------------------------------------- */

static bool is_here(const json_t *record, const struct checkpoint_session *session)
{
	const char *command = json_member(record, "command");
	const char *worktree = checkpoint_record_worktree(record);

	return command && !strcmp(command, CHECKPOINT_REVERT_TRACK) && worktree &&
	       !strcmp(worktree, checkpoint_worktree_id(&session->repo));
}

/*
 * From the newest operation back to one of ours that counts: that is not undone, nor is the first
 * of its series.
 */
int revert_waiting(json_t **ret, const struct checkpoint_session *session, struct error *err)
{
	struct strvec ids CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec undone CLEANUP(strvec_release) = STRVEC_INIT;

	*ret = NULL;
	if (journal_ids(&ids, session->repo.common_dir, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.nr; i++) {
		json_t *record CLEANUP(json_decref_p) = NULL;
		const char *series;

		if (journal_read(&record, session->repo.common_dir, ids.v[i], err) < 0)
			return -1;
		if (!journal_is_state(record, "done") || strvec_has(&undone, ids.v[i]))
			continue;
		if (json_member(record, "undoes"))
			strvec_push(&undone, json_member(record, "undoes"));
		series = json_member(record, "series");
		if (!is_here(record, session) || !series || strvec_has(&undone, series) ||
		    (json_member(record, "ends") &&
		     strvec_has(&undone, json_member(record, "ends"))))
			continue;
		if (json_is_true(json_object_get(record, "waits")))
			*ret = STEAL(record);
		return 0;
	}
	return 0;
}

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

int revert_unmerged(struct strvec *ret, const struct checkpoint_session *session, struct error *err)
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

/* ---- Markers that were left in ------------------------------------------------------- */

/* As `git diff --check` says it of a path: "<path>:<line>: leftover conflict marker". 0: not. */
static size_t flagged_line(const char *at, const char *path)
{
	static const char says[] = ": leftover conflict marker\n";
	size_t len = strlen(path);
	char *end;
	unsigned long line;

	if (strncmp(at, path, len) != 0 || at[len] != ':')
		return 0;
	line = strtoul(at + len + 1, &end, 10);
	return strncmp(end, says, strlen(says)) != 0 ? 0 : line;
}

/* A line of "=======" may be a heading's: it counts between two others alone. */
static bool is_heading(const struct object *object, size_t line)
{
	const char *at = object->oid ? object->data.buf : "";

	for (; line > 1 && *at; line--)
		at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n');
	return *at == '=';
}

static int add_markers(struct strvec *ret, const char *path, const struct strbuf *out,
		       struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	char *name CLEANUP(free_p) = xstrfmt(":%s", path);
	bool readable = !strchr(path, '\n');

	for (const char *at = out->buf; *at; at += strcspn(at, "\n") + 1) {
		size_t line = flagged_line(at, path);

		if (!line)
			continue;
		if (readable && !objects.nr) {
			objects_add(&objects, name);
			if (objects_read(&objects, err) < 0)
				return -1;
		}
		if (!readable || !is_heading(&objects.item[0], line))
			strvec_pushf(ret, "%s:%zu", path, line);
	}
	return 0;
}

/* "<path>:<line>" of those that are staged, and that HEAD has not, in files that were in conflict. */
static int list_markers(struct strvec *ret, const struct checkpoint_session *session,
			const json_t *waiting, struct error *err)
{
	enum { FOUND = 2 };
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;

	if (paths_from_json(&paths, json_object_get(waiting, "conflicts"), err) < 0)
		return -1;
	if (!paths.nr)
		return 0;
	repo_environment(&env, &session->repo);
	strvec_push(&env, "GIT_LITERAL_PATHSPECS=1");
	git_prepare(&git, &session->repo, &env);
	strvec_pushl(&git.argv, "diff", "--cached", "--check", "--no-relative", "--no-ext-diff",
		     "--no-renames", "--no-color", "--", NULL);
	for (size_t i = 0; i < paths.nr; i++)
		strvec_push(&git.argv, paths.v[i]);
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status & ~FOUND)
		return git_error(&git, err, "could not look for conflict markers");
	for (size_t i = 0; i < paths.nr; i++)
		if (add_markers(ret, paths.v[i], &git.out, err) < 0)
			return -1;
	return 0;
}

static int check_markers(const struct checkpoint_session *session, const json_t *waiting,
			 struct error *err)
{
	struct strvec markers CLEANUP(strvec_release) = STRVEC_INIT;

	if (list_markers(&markers, session, waiting, err) < 0)
		return -1;
	if (!markers.nr)
		return 0;
	error_set(err, "there are conflict markers left");
	for (size_t i = 0; i < markers.nr; i++)
		error_detail(err, "%s", markers.v[i]);
	error_hint(err,
		   "Resolve them, and mark the files with 'git add'; or, where these lines belong "
		   "there, commit them with 'git commit', and go on then.");
	return error_code(err, EXIT_NO);
}

/* `waiting`: NULL where that was committed by now. */
static int check_resolved(const struct checkpoint_session *session, const json_t *waiting,
			  struct error *err)
{
	struct strvec unmerged CLEANUP(strvec_release) = STRVEC_INIT;

	if (revert_unmerged(&unmerged, session, err) < 0)
		return -1;
	if (!unmerged.nr)
		return waiting ? check_markers(session, waiting, err) : 0;
	error_set(err, "there are conflicts left");
	for (size_t i = 0; i < unmerged.nr; i++)
		error_detail(err, "%s", unmerged.v[i]);
	error_hint(err, "Resolve them, and mark them as resolved with 'git add' or 'git rm'.");
	return error_code(err, EXIT_NO);
}

static char *state_path(const struct checkpoint_session *session, const char *name)
{
	return xstrfmt("%s/%s", session->repo.git_dir, name);
}

/* Is what it stopped at still to be committed? Not where a person has done that. */
static int is_stopped(bool *ret, const struct checkpoint_session *session, const json_t *waiting,
		      struct error *err)
{
	char *path CLEANUP(free_p) = state_path(session, "REVERT_HEAD");
	const char *stopped = json_member(waiting, "stopped");
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (file_read(&text, path, err) < 0)
		return -1;
	strbuf_rtrim(&text);
	*ret = stopped && !strcmp(text.buf, stopped);
	return 0;
}

/* ---- One step ------------------------------------------------------------------------ */

/* The record of an operation that goes on from there, with what it stopped at done with. */
static json_t *members_of(const json_t *waiting, bool ends)
{
	const json_t *revert = json_object_get(waiting, "revert");
	bool stopped = json_member(waiting, "stopped");
	json_int_t position = json_integer_value(json_object_get(waiting, "position")) + stopped;
	json_t *members = json_pack("{s:[], s:O, s:O, s:I}", "refs", "series",
				    json_object_get(waiting, "series"), "revert", revert,
				    "position", position);
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
static int commit_resolved(struct revert_operation *op, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	char *state CLEANUP(free_p) = state_path(op->session, "MERGE_MSG");
	char *path CLEANUP(free_p) = xstrfmt("%s/message", op->work.path);
	struct strbuf message CLEANUP(strbuf_release) = STRBUF_INIT;
	char comment = revert_comment_char(&op->session->settings);
	int nothing = is_nothing_left(op, err);

	if (nothing < 0 || file_read(&message, state, err) < 0 ||
	    file_write(path, message.buf, message.len, 0600, FILE_SYNC_NOT, err) < 0 ||
	    forget_state(op, !nothing, err) < 0)
		return -1;
	if (nothing)
		return 0;
	/*
	 * A git that is killed leaves no locks but those on HEAD and branch. Comments begin as in what
	 * was written when it stopped: "auto" would take the list of conflicts for text.
	 */
	strvec_pushl(&git.argv, "git", "-c", "core.fsync=all", "-c", "core.splitIndex=false", "-c",
		     NULL);
	strvec_pushf(&git.argv, "core.commentChar=%c", comment);
	strvec_pushl(&git.argv, "commit", "--quiet", "--cleanup=strip", "-F", path, NULL);
	git.dir = op->session->repo.worktree;
	git.env = &op->env;
	git.inherit_stderr = true;
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status)
		return error_set(err, "could not commit what is resolved");
	return revert_operation_replace_index(op, err);
}

/* What a person has made of the conflicts so far, as the index has it then: the id of the tree. */
static int write_present(char **ret, const struct revert_operation *op, struct error *err)
{
	struct process add CLEANUP(process_release) = PROCESS_INIT;
	struct process write CLEANUP(process_release) = PROCESS_INIT;
	struct strvec unmerged CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	if (revert_unmerged(&unmerged, op->session, err) < 0)
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

/* As `git revert --skip`: what is in conflict, or staged, is again what HEAD has. */
static int reset_files(struct revert_operation *op, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	char *present CLEANUP(free_p) = NULL;

	if (write_present(&present, op, err) < 0)
		return -1;
	prepare_git(&git, op);
	strvec_pushl(&git.argv, "read-tree", "-m", "-u", present, "HEAD", NULL);
	if (git_run(&git, "take back what is in conflict", err) < 0)
		return -1;
	if (revert_operation_replace_index(op, err) < 0)
		return -1;
	return forget_state(op, false, err);
}

enum step { COMMIT, SKIP, FORGET, NOTHING };

static int take_step(struct revert_operation *op, enum step step, struct error *err)
{
	if (step == NOTHING)
		return revert_operation_begin(op, err);
	if (revert_operation_take_index(op, err) < 0 || revert_operation_begin(op, err) < 0)
		return -1;
	return step == COMMIT ? commit_resolved(op, err) :
	       step == SKIP   ? reset_files(op, err) :
				forget_state(op, false, err);
}

/* An operation of its own: the rest comes behind it as another one. */
static int step_once(const struct checkpoint_session *session, const json_t *waiting,
		     enum step step, bool ends, struct error *err)
{
	struct revert_operation op CLEANUP(revert_operation_release) = REVERT_OPERATION_INIT;
	json_t *members CLEANUP(json_decref_p) = members_of(waiting, ends);
	json_t *again CLEANUP(json_decref_p) = NULL;

	if (revert_operation_lock(&op, session, err) < 0 ||
	    revert_waiting(&again, session, err) < 0)
		return -1;
	if (!again || strcmp(json_member(again, "id"), json_member(waiting, "id")) != 0)
		return error_refused(err, "another command has gone on with the series");
	if (step == COMMIT)
		json_object_set_new(members, "branch", json_true());
	if (revert_operation_keep(&op, members, err) < 0 || take_step(&op, step, err) < 0)
		return revert_operation_fail(&op, err);
	revert_operation_done(&op);
	return 0;
}

/* ---- The rest ------------------------------------------------------------------------ */

/* Nothing is left to do: that is recorded, and is nothing that could be undone. */
static int end_series(struct revert_operation *op, const json_t *waiting, struct error *err)
{
	const struct checkpoint_session *s = op->session;
	json_t *members CLEANUP(json_decref_p) = members_of(waiting, true);

	json_object_set_new(members, "ends", json_text(json_member(waiting, "id")));
	json_object_set_new(members, "worktree", json_text(checkpoint_worktree_id(&s->repo)));
	json_object_set_new(members, "kept", json_array());
	if (patience_begin_operation(&op->operation, s->repo.common_dir, CHECKPOINT_REVERT_TRACK,
				     members, s->common, err) < 0)
		return -1;
	revert_operation_done(op);
	return REVERT_RUN_DONE;
}

/* As it is by now: a step was taken. */
static int do_rest(struct revert_run *ret, const struct checkpoint_session *session,
		   char **ret_operation, struct error *err)
{
	struct revert_operation op CLEANUP(revert_operation_release) = REVERT_OPERATION_INIT;
	json_t *waiting CLEANUP(json_decref_p) = NULL;

	if (revert_waiting(&waiting, session, err) < 0)
		return -1;
	if (!waiting)
		return REVERT_RUN_DONE;
	if (revert_operation_lock(&op, session, err) < 0 ||
	    revert_run_plan_rest(ret, session, waiting, err) < 0)
		return -1;
	if (verdict_is_clean(&ret->verdict) && revert_run_is_nothing(ret))
		return end_series(&op, waiting, err);
	return revert_run_carry_out(ret, &op, ret_operation, err);
}

static int go_on(struct revert_run *ret, const struct checkpoint_session *session, enum step step,
		 char **ret_operation, struct error *err)
{
	json_t *waiting CLEANUP(json_decref_p) = NULL;
	bool stopped;

	if (ret_operation)
		*ret_operation = NULL;
	if (find_waiting(&waiting, session, err) < 0)
		return -1;
	if (is_stopped(&stopped, session, waiting, err) < 0)
		return -1;
	if (step == COMMIT && check_resolved(session, stopped ? waiting : NULL, err) < 0)
		return -1;
	if (json_member(waiting, "stopped") &&
	    step_once(session, waiting, stopped ? step : NOTHING, false, err) < 0)
		return -1;
	return do_rest(ret, session, ret_operation, err);
}

int revert_continue(struct revert_run *ret, const struct checkpoint_session *session,
		    char **ret_operation, struct error *err)
{
	return go_on(ret, session, COMMIT, ret_operation, err);
}

int revert_skip(struct revert_run *ret, const struct checkpoint_session *session,
		char **ret_operation, struct error *err)
{
	return go_on(ret, session, SKIP, ret_operation, err);
}

/* ---- Ends ---------------------------------------------------------------------------- */

int revert_quit(const struct checkpoint_session *session, struct error *err)
{
	json_t *waiting CLEANUP(json_decref_p) = NULL;

	bool stopped;

	if (find_waiting(&waiting, session, err) < 0 ||
	    is_stopped(&stopped, session, waiting, err) < 0)
		return -1;
	return step_once(session, waiting, stopped ? FORGET : NOTHING, true, err);
}

int revert_abort(struct checkpoint_session *session, struct error *err)
{
	json_t *waiting CLEANUP(json_decref_p) = NULL;
	struct common_options yes = *session->common;
	const struct common_options *common = session->common;
	const char *head;
	int ret;

	if (find_waiting(&waiting, session, err) < 0)
		return -1;
	head = json_member(waiting, "head");
	if (head && (!session->repo.head || strcmp(head, session->repo.head) != 0)) {
		error_refused(err, "HEAD has moved since the series stopped");
		return error_hint(err,
				  "To go back all the same, with what was committed since: 'git "
				  "checkpoint undo %s'. To end the series as it is: --quit.",
				  json_member(waiting, "series"));
	}
	yes.yes = true;
	session->common = &yes;
	ret = checkpoint_undo(session, json_member(waiting, "series"), err);
	session->common = common;
	return ret;
}
