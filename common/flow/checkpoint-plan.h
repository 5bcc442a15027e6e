/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-plan: what restore and undo have in common: a plan to make HEAD, index and
 * worktree what a snapshot says, shown, and carried out as an operation of the journal.
 *
 * Use:    fill in the upper part, and add moves and verdict; checkpoint_plan_files() does the
 *         rest. checkpoint_plan_run() is all of it, from the lock to the report: without
 *         --yes it plans, shows and asks before it takes the lock, then plans again, and
 *         refuses where that came out otherwise.
 * Owner:  the caller; checkpoint_plan_release().
 */
#ifndef FLOW_CHECKPOINT_PLAN_H
#define FLOW_CHECKPOINT_PLAN_H

#include "flow/checkpoint-restore.h"
#include "flow/verdict.h"
#include "journal/workfolder.h"
#include "vcs/restore.h"

struct checkpoint_plan {
	const struct checkpoint_session *session;
	const char *verb; /* "restore" or "undo" */
	const struct checkpoint_restore_request *request;
	char *ref, *name; /* of the snapshot; NULL: refs alone are moved */
	char *undoes;	  /* an operation, or NULL */
	bool settles;	  /* that one broke off, and is closed with this */
	char *operation;  /* the id of our own, once there is one */

	struct snapshot target;
	struct restore_request wanted;
	struct restore files;
	struct workfolder work;
	struct import commit; /* of --strategy=revert */
	char *identity;
	/* Each names its old value; of HEAD both values may also be "ref: refs/heads/main". */
	struct refs_update moves;
	json_t *commits;  /* that leave their branch: {"commit", "subject"} */
	bool adds_commit; /* --strategy=revert: the last move's new value is not known yet */
	json_t *database; /* what there is to say about it, or NULL */
	char *safety;	  /* the ref, once made */
	struct verdict verdict;
};
#define CHECKPOINT_PLAN_INIT                                                           \
	{                                                                              \
		.files = RESTORE_INIT, .work = WORKFOLDER_INIT, .commit = IMPORT_INIT, \
		.moves = REFS_UPDATE_INIT                                              \
	}
void checkpoint_plan_release(struct checkpoint_plan *plan);

/* HEAD as the plan found it, and as the snapshot has it. Belongs to the plan. */
struct checkpoint_head {
	const char *commit; /* NULL: unborn */
	const char *branch; /* in full; NULL: detached */
};
struct checkpoint_head checkpoint_head_now(const struct checkpoint_plan *plan);
struct checkpoint_head checkpoint_head_then(const struct checkpoint_plan *plan);
/* As a move has it; free() it. */
char *checkpoint_head_value(const struct checkpoint_head *head) MUST_CHECK;
bool checkpoint_head_is_same_branch(const struct checkpoint_head *a,
				    const struct checkpoint_head *b);

/* Nothing where the two are the same. */
void checkpoint_plan_move(struct checkpoint_plan *plan, const char *name, const char *old_value,
			  const char *new_value);
/* For HEAD to go to that branch: refused where another worktree has it checked out. */
int checkpoint_plan_check_branch(struct checkpoint_plan *plan, const char *branch,
				 struct error *err) MUST_CHECK;
/* Reads the snapshot `ref`, captures the present and compares; touches nothing. */
int checkpoint_plan_files(struct checkpoint_plan *plan, struct error *err) MUST_CHECK;
/*
 * The commits that leave a branch when it goes from one commit to the other (NULL: none), for
 * the plan to list; refused where one of them is on a remote.
 */
int checkpoint_plan_commits(struct checkpoint_plan *plan, const char *old_commit,
			    const char *new_commit, struct error *err) MUST_CHECK;
bool checkpoint_plan_is_nothing(const struct checkpoint_plan *plan);

/* checkpoint-plan-show.c */
/* "refs" of plan, report and record: [{"name", "old", "new"}]. */
json_t *checkpoint_plan_moves(const struct checkpoint_plan *plan) MUST_CHECK;
json_t *checkpoint_plan_to_json(const struct checkpoint_plan *plan) MUST_CHECK;
void checkpoint_plan_show(const struct checkpoint_plan *plan);
/* `failure` is NULL when nothing failed. */
json_t *checkpoint_plan_report(const struct checkpoint_plan *plan, const struct error *failure)
	MUST_CHECK;

/* checkpoint-plan-execute.c: with the lock held, and the plan made under it. */
int checkpoint_plan_execute(struct checkpoint_plan *plan, struct operation *operation,
			    struct error *err) MUST_CHECK;

/* Fills a plan; called once or twice, with the operation's id when the lock is held. */
typedef int checkpoint_plan_fn(struct checkpoint_plan *plan, void *data, struct error *err);
/* Returns an exit code, or -1. */
int checkpoint_plan_run(struct checkpoint_session *s, const char *verb, checkpoint_plan_fn *make,
			void *data, struct error *err) MUST_CHECK;

#endif
