/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/checkpoint-plan.h"
#include "flow/hook.h"
#include "term/output.h"
#include "vcs/git.h"

#define SYMBOLIC "ref: "

static bool is_symbolic(const char *value)
{
	return value && !strncmp(value, SYMBOLIC, strlen(SYMBOLIC));
}

/* ---- The record ---------------------------------------------------------------------- */

/* The old values that the safety snapshot does not hold, of branches other than HEAD's. */
static json_t *kept_refs(const struct checkpoint_plan *plan, struct refs_update *update)
{
	const char *head = plan->files.now.state.head;
	json_t *ret = json_array();

	for (size_t i = 0; i < plan->moves.nr; i++) {
		const struct refs_change *move = &plan->moves.item[i];
		char *name CLEANUP(free_p) = NULL;

		if (!*move->old_oid || is_symbolic(move->old_oid) ||
		    (head && !strcmp(head, move->old_oid)))
			continue;
		name = checkpoint_kept_ref(plan->operation, json_array_size(ret));
		refs_add(update, name, "", move->old_oid);
		json_array_append_new(ret, json_text(name));
	}
	return ret;
}

static int begin(struct checkpoint_plan *plan, struct operation *operation,
		 struct refs_update *update, struct error *err)
{
	json_t *members CLEANUP(json_decref_p) =
		json_pack("{s:o, s:o, s:{s:o, s:s}}", "refs", checkpoint_plan_moves(plan), "kept",
			  kept_refs(plan, update), "target", "ref", json_text(plan->ref), "commit",
			  plan->target.commit);
	char *safety CLEANUP(free_p) = checkpoint_safety_ref(operation->id);

	if (!members)
		BUG("cannot pack an operation's members");
	json_object_set_new(members, "safety", json_text(safety));
	if (plan->undoes)
		json_object_set_new(members, "undoes", json_text(plan->undoes));
	refs_add(update, safety, "", plan->files.now.commit);
	if (checkpoint_begin(operation, plan->session, plan->verb, members, err) < 0)
		return -1;
	plan->safety = STEAL(safety);
	return 0;
}

/* ---- Before anything moves ----------------------------------------------------------- */

/* The commit that brings the branch back to the checkpoint's tree without taking any away. */
static int make_commit(struct checkpoint_plan *plan, struct error *err)
{
	char *quarantine CLEANUP(free_p) = xstrfmt("%s/commit", plan->work.path);
	struct import *import = &plan->commit; /* keeps it until there is a ref */
	char *tree CLEANUP(free_p) = NULL;
	char *message CLEANUP(free_p) =
		xstrfmt("Restore checkpoint '%s'\n\nThis brings back the tree of commit %s.\n",
			plan->name, plan->target.head);
	const char *parent[] = { plan->files.now.state.head };
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	unsigned mark;

	git_prepare(&git, &plan->session->repo, NULL);
	strvec_pushl(&git.argv, "rev-parse", "--verify", NULL);
	strvec_pushf(&git.argv, "%s^{tree}", plan->target.head);
	if (git_run(&git, "find the checkpoint's tree", err) < 0)
		return -1;
	tree = xmemdupz(git.out.buf, strcspn(git.out.buf, "\n"));
	const struct import_commit commit = { .identity = plan->identity,
					      .time = plan->wanted.time,
					      .message = message,
					      .base = tree,
					      .parent = parent,
					      .parents = 1 };
	if (import_start(import, &plan->session->repo, quarantine, err) < 0)
		return -1;
	mark = import_mark(import);
	if (import_commit(import, mark, &commit, err) < 0 || import_finish(import, err) < 0 ||
	    import_publish(import, err) < 0)
		return -1;
	string_replace(&plan->moves.item[plan->moves.nr - 1].new_oid, import_oid(import, mark));
	return 0;
}

/* The safety snapshot becomes the repository's. */
static int keep_present(struct checkpoint_plan *plan, struct refs_update *update, struct error *err)
{
	const struct repo *repo = &plan->session->repo;

	update->message = "safety snapshot";
	if (import_publish(&plan->files.now.import, err) < 0 || refs_commit(update, repo, err) < 0)
		return -1;
	return checkpoint_check_kept(&plan->files.now, update, repo, err) ? -1 : 0;
}

/* ---- Refs ---------------------------------------------------------------------------- */

/* git wants no ref twice in one transaction, and HEAD's branch is HEAD as well. */
static bool comes_after(const struct checkpoint_plan *plan, const struct refs_change *move)
{
	const char *branch = plan->files.now.state.branch;

	if (is_symbolic(move->new_oid))
		return true; /* git changes that by another way */
	for (size_t i = 0; i < plan->moves.nr && branch && !strcmp(move->name, "HEAD"); i++)
		if (!strcmp(plan->moves.item[i].name, branch))
			return true;
	return false;
}

static void add_moves(struct refs_update *update, const struct checkpoint_plan *plan)
{
	const char *head = plan->files.now.state.head;

	for (size_t i = 0; i < plan->moves.nr; i++) {
		const struct refs_change *move = &plan->moves.item[i];

		/* What a symbolic HEAD has as its old value is the branch's. */
		if (!comes_after(plan, move))
			refs_add(update, move->name,
				 is_symbolic(move->old_oid) ? head : move->old_oid, move->new_oid);
	}
}

static int sync_head(const struct repo *repo, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/HEAD", repo->git_dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		error_errno(err, "cannot sync '%s'", path);
	if (fd >= 0)
		close(fd);
	return error_is_set(err) ? -1 : file_sync_folder(repo->git_dir, err);
}

static int attach_head(const struct checkpoint_plan *plan, const struct refs_change *move,
		       const char *message, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, &plan->session->repo, NULL);
	strvec_pushl(&git.argv, "symbolic-ref", "-m", message, move->name,
		     move->new_oid + strlen(SYMBOLIC), NULL);
	if (git_run(&git, "move HEAD", err) < 0)
		return -1;
	return sync_head(&plan->session->repo, err);
}

static int detach_head(const struct checkpoint_plan *plan, const struct refs_change *move,
		       const char *message, struct error *err)
{
	struct refs_update update CLEANUP(refs_update_release) = REFS_UPDATE_INIT;

	update.message = message;
	refs_add(&update, move->name, NULL, move->new_oid);
	return refs_commit(&update, &plan->session->repo, err);
}

static int move_head(const struct checkpoint_plan *plan, const char *message, struct error *err)
{
	for (size_t i = 0; i < plan->moves.nr; i++) {
		const struct refs_change *move = &plan->moves.item[i];

		if (!comes_after(plan, move))
			continue;
		if (is_symbolic(move->new_oid) ? attach_head(plan, move, message, err) < 0 :
						 detach_head(plan, move, message, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------- */

static int change_files(struct checkpoint_plan *plan, struct error *err)
{
	if (restore_worktree(&plan->files, err) < 0 || restore_index(&plan->files, err) < 0 ||
	    restore_state(&plan->files, err) < 0)
		return -1;
	/* The last point at which going back is simple. */
	return interrupt_pending() ? error_interrupted(err) : 0;
}

enum step { STEP_NOTHING, STEP_BACK, STEP_HALF };

/* All refs again what they were. It fails where not all of them had been changed. */
static int put_refs_back(const struct checkpoint_plan *plan, const struct refs_update *moves,
			 struct error *err)
{
	struct refs_update back CLEANUP(refs_update_release) = REFS_UPDATE_INIT;

	back.message = moves->message;
	refs_reverse(&back, moves);
	return refs_commit(&back, &plan->session->repo, err);
}

/* *ret_step says what is left when it fails: the refs as they were, or not all of them. */
static int change_refs(struct checkpoint_plan *plan, struct refs_update *moves, enum step *ret_step,
		       struct error *err)
{
	struct error second CLEANUP(error_release) = ERROR_INIT;

	*ret_step = STEP_HALF; /* git checked all before: it broke off in the middle */
	if (refs_commit(moves, &plan->session->repo, err) < 0)
		return -1;
	if (move_head(plan, moves->message, err) == 0)
		return 0;
	if (put_refs_back(plan, moves, &second) == 0)
		*ret_step = STEP_BACK;
	else
		error_detail(err, "Putting the refs back failed as well: %s.", second.message);
	return -1;
}

/* Changes all, or says how far it came: nothing was changed, all was put back, or neither. */
static int change_or_back(struct checkpoint_plan *plan, struct operation *operation,
			  enum step *ret_step, struct error *err)
{
	struct refs_update moves CLEANUP(refs_update_release) = REFS_UPDATE_INIT;
	struct error second CLEANUP(error_release) = ERROR_INIT;
	char *message CLEANUP(free_p) =
		xstrfmt("checkpoint %s: %s", plan->verb, plan->undoes ? plan->undoes : plan->name);

	*ret_step = STEP_NOTHING;
	add_moves(&moves, plan);
	moves.message = message;
	if (restore_lock(&plan->files, operation->id, err) < 0)
		return -1;
	if (interrupt_pending())
		return error_interrupted(err);
	if (moves.nr && refs_prepare(&moves, &plan->session->repo, err) < 0)
		return -1;
	/* From here on files may change: a safety ref that is missing then was taken away. */
	json_object_set_new(operation->record, "safety_made", json_true());
	if (operation_record(operation, "locked_at", json_time(clock_now()), err) < 0)
		return -1;
	*ret_step = STEP_BACK;
	if (change_files(plan, err) == 0 && change_refs(plan, &moves, ret_step, err) == 0)
		return 0;
	if (*ret_step == STEP_BACK && restore_back(&plan->files, &second) < 0) {
		*ret_step = STEP_HALF;
		error_detail(err, "Putting back what was there failed as well: %s.",
			     second.message);
	}
	if (*ret_step == STEP_HALF)
		error_hint(err, "Nothing is lost: run 'git checkpoint undo %s'.", operation->id);
	return -1;
}

static void end(struct operation *operation, enum step step, struct error *err)
{
	struct error second CLEANUP(error_release) = ERROR_INIT;

	if (step == STEP_HALF)
		return; /* it stays open, and undo finds it */
	if (step == STEP_BACK || err->exit_code == EXIT_INTERRUPTED)
		checkpoint_end(operation, err);
	else if (operation_close(operation, OPERATION_DISCARDED, &second) < 0)
		warning("%s", second.message);
}

/* What broke off is dealt with, now that this one is done: which it is, whatever the journal says. */
static void settle(const struct checkpoint_plan *plan)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (plan->settles && journal_settle(plan->session->repo.common_dir, plan->undoes,
					    OPERATION_INTERRUPTED, &err) < 0)
		warning("%s", err.message);
}

/* Old values are kept, so that this can be undone in turn. */
static int execute_refs(struct checkpoint_plan *plan, struct operation *operation,
			struct error *err)
{
	struct checkpoint_refs refs CLEANUP(checkpoint_refs_release) = CHECKPOINT_REFS_INIT;
	json_t *members CLEANUP(json_decref_p) =
		json_pack("{s:o}", "undoes", json_text(plan->undoes));
	int ret;

	checkpoint_refs_init(&refs, operation);
	for (size_t i = 0; i < plan->moves.nr; i++)
		checkpoint_refs_add(&refs, plan->moves.item[i].name,
				    refs_old_value(&plan->moves.item[i]),
				    plan->moves.item[i].new_oid);
	checkpoint_refs_to_members(&refs, members);
	refs.update.message = "checkpoint undo";
	if (checkpoint_begin(operation, plan->session, plan->verb, members, err) < 0)
		return -1;
	ret = refs_commit(&refs.update, &plan->session->repo, err);
	checkpoint_end(operation, err);
	return ret;
}

static void after(const struct checkpoint_plan *plan, const struct error *failure)
{
	const struct checkpoint_session *s = plan->session;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	json_t *report CLEANUP(json_decref_p) = checkpoint_plan_report(plan, failure);

	if (hook_run("post-rollback", &s->repo, &s->settings, report, &err) < 0)
		warning("%s", err.message);
}

static void unlock(struct checkpoint_plan *plan)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (restore_unlock(&plan->files, &err) == 0)
		return;
	warning("%s", err.message);
	hint("%s", err.hint);
}

static bool is_closed(const struct checkpoint_plan *plan, const char *id)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	json_t *record CLEANUP(json_decref_p) = NULL;
	const char *state;

	if (journal_read(&record, plan->session->repo.common_dir, id, &ignored) != JOURNAL_FOUND)
		return false;
	state = json_member(record, "state");
	return state && !strcmp(state, "done");
}

/*
 * All is done, whatever becomes of the record. One that stays open is that of an operation that
 * was killed right before its end: undo takes it back whole, and comes before other restores.
 */
static void close_done(const struct checkpoint_plan *plan, struct operation *operation)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (operation_close(operation, OPERATION_DONE, &err) == 0)
		return;
	warning("%s", err.message);
	if (!is_closed(plan, operation->id))
		hint("All was done, but operation %s counts as interrupted: 'git checkpoint undo "
		     "%s' takes it back, and until then no other checkpoint is restored.",
		     operation->id, operation->id);
}

static int execute_files(struct checkpoint_plan *plan, struct operation *operation,
			 struct error *err)
{
	struct refs_update keep CLEANUP(refs_update_release) = REFS_UPDATE_INIT;
	enum step step = STEP_NOTHING;
	int ret;

	if ((plan->adds_commit && make_commit(plan, err) < 0) ||
	    begin(plan, operation, &keep, err) < 0)
		return -1;
	ret = keep_present(plan, &keep, err);
	if (!ret)
		ret = change_or_back(plan, operation, &step, err);
	unlock(plan);
	if (ret < 0) {
		end(operation, step, err);
		return -1;
	}
	settle(plan);
	close_done(plan, operation);
	return 0;
}

int checkpoint_plan_execute(struct checkpoint_plan *plan, struct operation *operation,
			    struct error *err)
{
	const struct checkpoint_session *s = plan->session;
	json_t *json CLEANUP(json_decref_p) = checkpoint_plan_to_json(plan);
	int ret;

	if (hook_run("pre-rollback", &s->repo, &s->settings, json, err) < 0)
		return -1;
	ret = plan->ref ? execute_files(plan, operation, err) : execute_refs(plan, operation, err);
	after(plan, ret < 0 ? err : NULL);
	return ret;
}
