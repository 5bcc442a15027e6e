/* SPDX-License-Identifier: MIT */
/*
 * rollback-run: a rollback as it is carried out, for rollback-execute.c, which runs it,
 * rollback-downs.c, which runs the scripts that run in a transaction, and
 * rollback-save.c, which saves before and beside it (flow/save.h). Of no interest to others.
 */
#ifndef FLOW_ROLLBACK_RUN_H
#define FLOW_ROLLBACK_RUN_H

#include "flow/change.h"
#include "flow/rollback.h"
#include "flow/save.h"
#include "pg/catalog.h"
#include "term/progress.h"

struct rollback_run {
	struct rollback_plan *plan;
	struct change change;
	struct catalog catalog;
	struct progress progress;
	struct save save;
	json_t *objects; /* for the manifest: what each group did to the catalog */
	char *before;	 /* fingerprint at the start of the group */
	char *first;	 /* and of the first group */
	size_t finished; /* steps that are over, for the meter */
	bool proof;
	bool unproven; /* some group's proof has failed */
};

/* The steps [from, to) that run together: in one transaction, or one alone outside. */
struct rollback_group {
	size_t from, to;
	bool outside;
};

/* --- rollback-execute.c --- */

/*
 * Adds what takes the tracking row away, or, where there is none, closes the log's row of the way up.
 * Returns the index of the command that has to change exactly one row.
 */
size_t rollback_add_row_removal(struct rollback_run *run, const struct rollback_step *step,
				struct db_batch *batch);
/* Exactly one row, or something is not as it should be. */
int rollback_check_row_removal(const struct rollback_step *step, const struct db_command *removal,
			       struct error *err) MUST_CHECK;
void rollback_add_log(struct rollback_run *run, const struct rollback_group *group,
		      struct db_batch *batch);

/* --- rollback-downs.c --- */

/* The scripts of a group, in one transaction; `begun`: it is open already. */
int rollback_run_downs(struct rollback_run *run, const struct rollback_group *group, bool begun,
		       struct error *err) MUST_CHECK;
/*
 * The same, behind what saves. What is known to go is saved before; what only the run shows, the text
 * of a DO block say, is saved then, and the downs run anew. Each round saves at least one table more.
 */
int rollback_run_downs_saved(struct rollback_run *run, const struct rollback_group *group,
			     struct error *err) MUST_CHECK;
/* With a look at the tables before and behind: where somebody reads what came of it. */
int rollback_run_downs_rehearsed(struct rollback_run *run, const struct rollback_group *group,
				 struct error *err) MUST_CHECK;

/* --- rollback-save.c --- */

/* Is anything saved? Without, the others do nothing but rollback_save_targets(). */
bool rollback_saves(const struct rollback_run *run) MUST_CHECK;
/* The folder and the scripts, once the operation is begun and the catalog read. */
int rollback_save_begin(struct rollback_run *run, struct error *err) MUST_CHECK;
/* What is known to go in this group's transaction: save_run() is the caller's. */
void rollback_save_targets(struct rollback_run *run, const struct rollback_group *group);
/* For the undo: what is to come back, and by which OIDs the saved schema knows it. */
void rollback_save_objects(struct rollback_run *run, const struct catalog_changes *changes);
/* Durable before the COMMIT that makes it needed. */
int rollback_save_finish(struct rollback_run *run, struct error *err) MUST_CHECK;
/* Of a transaction that was rolled back, where others of the run are committed. */
void rollback_save_take_back(struct rollback_run *run);
/* Before a script that runs outside a transaction, and behind it. */
int rollback_save_outside(struct rollback_run *run, const struct rollback_group *group,
			  struct error *err) MUST_CHECK;
int rollback_save_after(struct rollback_run *run, struct error *err) MUST_CHECK;
/* Of a run that has failed: what an undo has to know to take back what is committed of it. */
void rollback_save_partial(struct rollback_run *run);
/* At the end: what was saved goes only where it is certain that nothing was destroyed. */
void rollback_save_conclude(struct rollback_run *run, const struct error *err);
/* What is too old (saved.keep); that it stays is no failure of the run. */
void rollback_save_prune(struct session *s);

#endif
