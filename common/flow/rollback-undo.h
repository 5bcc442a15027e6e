/* SPDX-License-Identifier: MIT */
/*
 * rollback-undo: taking a rollback of a database back, as plan, show, execute.
 *
 * The migrations that it rolled back are applied again, by the very scripts that were recorded;
 * objects that went with them and that these do not bring (CASCADE) come from the saved schema; the
 * saved rows are put back, and the sequences set. All in one transaction, with the records as they
 * were. Then it is proven: every object that the rollback changed is what it was before it, and
 * so are the rows.
 *
 * Script: of a rollback script (rollback-script.h) there are no migrations: what went comes from the
 *         saved schema, with its rows. What it made or altered stays as it is, so that the proof
 *         fails and nothing is changed.
 *
 * Use:    undo_plan() finds the operation and what it saved, and changes nothing; undo_show();
 *         undo_execute() carries that very value out; undo_report().
 * Merge:  tables that stand in the way keep their rows, and get those that are missing; all others
 *         are put back as without it.
 * Conflict: where rows that were written since would be overwritten, `conflicts` names the
 *         tables, and nothing is done (EXIT_NO); with `merge` newer rows stay.
 * Saved:  what is in the tables that it empties, and what its scripts destroy, is saved as a
 *         rollback saves it, under the undo's own id; the schema is not.
 * Proof:  of rows it holds for those alone that were saved and put back: `unproven` names
 *         other tables whose rows the rollback or the scripts changed.
 * Owner:  the caller; undo_plan_release(). The plan borrows from the session.
 * Files:  rollback-undo-plan.c, -conflict.c, -kept.c, -missing.c, -show.c, -execute.c, -proof.c.
 */
#ifndef FLOW_ROLLBACK_UNDO_H
#define FLOW_ROLLBACK_UNDO_H

#include "flow/impact.h"
#include "flow/proof.h"
#include "flow/put-back.h"
#include "flow/rollback.h"
#include "flow/saved-schema.h"

struct undo_step {
	const json_t *migration; /* of the manifest's "migrations" */
	const char *version, *name, *checksum;
	const struct log_applied *log; /* how it was applied, or NULL */
	struct sql_script script;
	char *recorded; /* its text, where CONCURRENTLY was taken out of the script; or NULL */
	int64_t microseconds;
	bool there; /* it is applied: an undo that left rows has done it, or `stopped`; it is not run */
	bool stopped; /* its down script broke off: what that took comes from the saved schema */
	bool done;
};
struct undo_table {
	json_t *part;	   /* of the manifest's "parts", a copy; its "table" is the name to be */
	const char *table; /* that name */
	uint32_t oid;	   /* when it was saved; 0: not known */
	size_t order;	   /* among the manifest's parts */
	bool whole;
	bool conflict; /* it is in `conflicts` */
	bool later;    /* another part has how it was before; this one, what others wrote since */
	/* Where it was moved to instead of being saved (flow/keep.h), as the part's "kept"; or NULL. */
	const char *kept;
	bool swapped;	/* that one is in its place again, and nothing had to be copied */
	bool unfit;	/* it cannot be: its rows are copied */
	bool unclear;	/* others wrote between two transactions of the rollback */
	uint32_t place; /* the OID of what the rollback left under its name; the scripts move that */
	uint32_t now;	/* its OID once the scripts are run: undo_find_tables() */
	struct put_back_how how;
	struct put_back_result result;
};
/* A table of whose rows more cannot be said than `why`. */
struct undo_unproven {
	char *table; /* NULL: any */
	char *why;
};

struct undo_plan {
	struct session *session;
	const struct rollback_request *request;
	char *undone; /* the operation's id */
	int64_t undone_at;
	bool unsaved; /* the rollback saved no rows: --no-save */
	/* {table: rows} that an undo with --merge left alone (rollback_left()); or NULL: all of it is to do */
	json_t *unrestored;
	struct saved saved;
	const json_t *script;	/* "script" of the manifest: it ran that; NULL: migrations */
	struct undo_step *step; /* in the order of execution: the oldest first */
	size_t nr, alloc;
	struct undo_table *table; /* in the order in which they are put back */
	size_t table_nr, table_alloc;
	struct impact impact; /* of the scripts: script i is step[i]'s */
	bool destroys;	      /* rows go, or that cannot be known */
	struct log_applied_list log;
	struct strvec conflicts; /* tables with rows that stand in the way */
	/* Once executed: */
	json_t *left;	       /* {table: rows} that are not restored; or NULL */
	struct strvec remade;  /* objects from the saved schema */
	struct strvec further; /* sequences that were not set back, for people */
	struct undo_unproven *unproven;
	size_t unproven_nr, unproven_alloc;
	json_t *replaced; /* save_to_json(): what was there before, and is not now; or NULL */
	struct verdict verdict;
	struct proof proof;
	struct rollback_record record;
	char *operation; /* id, once executed */
};
#define UNDO_PLAN_INIT                                                          \
	{                                                                       \
		.saved = SAVED_INIT, .proof = PROOF_INIT, .impact = IMPACT_INIT \
	}

int undo_plan(struct undo_plan *ret, struct session *s, const struct rollback_request *request,
	      struct error *err) MUST_CHECK;
void undo_plan_release(struct undo_plan *plan);
/* Under the locks: is it still what would be planned? If not it is refused. */
int undo_check_plan(const struct undo_plan *plan, struct error *err) MUST_CHECK;
/*
 * Reads the tables whose rows were changed, and fills `conflicts` anew. In a transaction with
 * save_settings(); undo_lock_tables() before it makes that it stays so.
 */
int undo_find_conflicts(struct undo_plan *plan, struct error *err) MUST_CHECK;
int undo_lock_tables(struct undo_plan *plan, struct error *err) MUST_CHECK;
/*
 * Adds to `conflicts` the tables with rows that others wrote while a script ran outside a transaction,
 * as far as its text tells these from its own. After that, in a transaction that may write.
 */
int undo_find_others(struct undo_plan *plan, struct put_back *back, struct error *err) MUST_CHECK;
/* Do its newer rows stay? */
bool undo_is_merged(const struct undo_plan *plan, const struct undo_table *table);
/* The table as it is now: its OID by which the rollback left it; 0: it left none. */
uint32_t undo_table_left(const struct undo_table *table);
/* Once the scripts are run: which tables are they now? One that the rollback left has its OID. */
int undo_find_tables(struct undo_plan *plan, struct error *err) MUST_CHECK;
/* What this undo saved of the table, before the scripts: the part, as a whole; or NULL. */
const json_t *undo_find_saved(const struct save *save, uint32_t oid);
/*
 * Fills `unproven`: what the rollback and the scripts (`changes`) did to rows that were not put back
 * from what was saved. `save` is what this undo saved. The settings are save_settings().
 */
int undo_find_unproven(struct undo_plan *plan, const struct relation_losses *changes,
		       const struct save *save, struct error *err) MUST_CHECK;

/*
 * Once the scripts are run: of what the rollback took away, what is not there. It went by CASCADE, or
 * with what the scripts made in the place of a kept table; an index that a DROP CONCURRENTLY left
 * invalid is dropped for that. Not *ret_fits: kept tables are to be copied, and this is to be done
 * anew. rollback-undo-missing.c
 */
int undo_find_missing(struct saved_schema_wanted *ret, bool *ret_fits, struct undo_plan *plan,
		      struct error *err) MUST_CHECK;

/* --- Kept tables: rollback-undo-kept.c --- */

/* To the tables of the plan. */
int undo_add_kept(struct undo_plan *plan, struct error *err) MUST_CHECK;
/*
 * Once the scripts are run: puts kept tables in the place of those that the scripts have made, which
 * go, with all that depends on them. All but `unfit` ones, and where newer rows stay.
 */
int undo_swap_kept(struct undo_plan *plan, struct error *err) MUST_CHECK;
/*
 * Is what came back what it was, by the catalog as it is now? If not, *ret_fits is false: that is
 * `unfit`, everything since undo_swap_kept() is taken back, and it is to be called again.
 */
int undo_check_kept(bool *ret_fits, struct undo_plan *plan, const struct catalog *now,
		    struct error *err) MUST_CHECK;
/* With save_settings(), before rows are put back: how many there are to be copied, and their digest. */
int undo_count_kept(struct undo_plan *plan, struct error *err) MUST_CHECK;
/* What is not needed any more goes: copied tables of which no row was left out, and schemas. */
int undo_drop_kept(struct undo_plan *plan, struct error *err) MUST_CHECK;

void undo_show(const struct undo_plan *plan);
enum rollback_outcome undo_execute(struct undo_plan *plan, struct error *err) MUST_CHECK;
/* `failure` is NULL when nothing failed. */
void undo_report(const struct undo_plan *plan, enum rollback_outcome outcome,
		 const struct error *failure);

#endif
