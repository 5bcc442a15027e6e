/* SPDX-License-Identifier: MIT */
/*
 * keep: tables that a rollback moves out of the way (pg/keep.h) where its scripts drop them: --keep.
 *
 * Where a DROP TABLE of a script names tables that can be kept, that statement is run, looked at by
 * the server alone (is it allowed, what would it take), and taken back by a savepoint; then
 * what it would have done to others is done, and the tables are moved.
 *
 * Use:    keep_plan() with the impact, which marks the items; keep_start() once the operation has its
 *         id; then, behind the savepoint to which the scripts can be taken back, keep_open(), and
 *         keep_run() for each script. Where that fails keep_give_up() tells whether to go back
 *         and save the rows instead; keep_check() does so for what the scripts have changed.
 * Not:    what a table is not kept for is in `why`, and its rows are saved as ever (flow/save.h).
 * Manifest: "kept" (flow/save.h): [{"table" (identity), "schema", "name", "oid", "in" (the schema
 *         where it is), "rows", "exact", "columns" (names), "place" (OID of what
 *         was left under its name; or 0)}...].
 * Owner:  the caller; keep_release().
 * Files:  keep.c, keep-later.c.
 */
#ifndef FLOW_KEEP_H
#define FLOW_KEEP_H

#include "flow/impact.h"
#include "flow/save.h"
#include "flow/verdict.h"
#include "pg/keep.h"

struct keep_table {
	struct impact_item *item; /* of the impact */
	char *why;		  /* it is not kept; NULL: it is */
	char *schema;		  /* where it is moved to, from keep_start() on */
	struct strvec columns;	  /* of one that is kept */
	uint32_t place;		  /* what is left under its name, from keep_after() on; or 0 */
};
struct keep {
	struct keep_table *item; /* all tables that go */
	size_t nr, alloc;
	bool failed; /* what keep_run() failed with is no statement of the script's */
};
#define KEEP_INIT \
	{         \
		0 \
	}
void keep_release(struct keep *keep);

/* `outside`: some script runs outside a transaction. The impact has to live as long. */
int keep_plan(struct keep *ret, struct impact *impact, struct session *s, bool outside,
	      struct error *err) MUST_CHECK;
/* Those that are not kept, for people: "Not kept, but saved:" and a line each. */
void keep_text(struct strbuf *out, const struct keep *keep);
/* [{"object", "kept", "why", "rows", "exact", "bytes"}...] */
json_t *keep_to_json(const struct keep *keep) MUST_CHECK;
/* Are any? */
bool keep_has_any(const struct keep *keep);

void keep_start(struct keep *keep, const char *operation);
/* Makes the schemas. */
int keep_open(const struct keep *keep, struct db *db, struct error *err) MUST_CHECK;
/* Does the script, by its number in the impact, drop any that are kept? */
bool keep_is_in(const struct keep *keep, size_t script);
/* Runs the script to behind its last DROP of one; the statements from *ret_next on are the caller's. */
int keep_run(struct keep *keep, size_t script, size_t *ret_next, const struct sql_script *text,
	     struct db *db, struct error *err) MUST_CHECK;
/* True: the rows are to be saved instead, and the scripts run anew; `err` is cleared. */
bool keep_give_up(struct keep *keep, struct save *save, struct error *err) MUST_CHECK;
/* As save_check(): SAVE_MORE where the scripts have changed what they then drop. */
int keep_check(struct keep *keep, struct save *save, struct error *err) MUST_CHECK;
/* Once all is done, before the COMMIT: looks at what is left under their names. */
int keep_after(struct keep *keep, struct db *db, struct error *err) MUST_CHECK;
/* The manifest's "kept". */
json_t *keep_to_manifest(const struct keep *keep) MUST_CHECK;

/* --- Later -------------------------------------------------------------------------------- */

/* Where one is now. */
enum keep_place {
	KEEP_THERE,	/* where it was moved to */
	KEEP_NOT_MOVED, /* where it was: the run was cut off */
	KEEP_GONE
};
/* `kept` is one of the manifest's. */
int keep_find(enum keep_place *ret, const json_t *kept, struct db *db, struct error *err)
	MUST_CHECK;
/* Drops what an operation kept, in a transaction of its own. */
int keep_drop(const json_t *manifest, struct db *db, struct error *err) MUST_CHECK;
/* Of what goes after this rollback, as saved.keep has it: what is kept in the session's database. */
int keep_warn_of_drops(struct verdict *verdict, struct session *s, struct error *err) MUST_CHECK;
/* All that goes by an impact: other objects, tables. *ret_nr of them; free() it. */
struct keep_object *keep_gone(const struct impact *impact, size_t *ret_nr) MUST_CHECK;
/*
 * Refuses to drop by name what kept tables of earlier operations need: the server would not do it, or,
 * with CASCADE, take the tables' columns.
 */
int keep_refuse_blocked(struct verdict *verdict, const struct impact *impact, struct db *db,
			struct error *err) MUST_CHECK;

#endif
