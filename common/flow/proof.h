/* SPDX-License-Identifier: MIT */
/*
 * proof: is the schema, after a rollback, what it should be?
 *
 * Two things have to hold: every object that the rolled back migrations had changed is
 * back to its digest from before them, and every other object is what it was when the
 * rollback began. So drift that was there already, or a migration taken out of the middle,
 * is no failure. Of migrations that another tool applied nothing is recorded: that is
 * said, and not held against them; nor is what newer ones want back that such a one made.
 *
 * Use:    proof_expect() for each migration, the newest first; then proof_check() with the
 *         catalog as it is now and what the rollback changed.
 * Owner:  the caller; proof_release().
 */
#ifndef FLOW_PROOF_H
#define FLOW_PROOF_H

#include "base/json.h"
#include "base/strvec.h"
#include "pg/catalog.h"

enum proof_result { PROOF_SKIPPED, PROOF_PROVEN, PROOF_UNRECORDED, PROOF_DIFFERENT };
/* "skipped", "proven", "unrecorded", "different": as --json has it. */
const char *proof_result_name(enum proof_result result);

struct proof {
	enum proof_result result;
	struct strvec differences; /* lines for people, not escaped */
	struct strvec order;	   /* tables whose order of columns is another */
	struct strvec unrecorded;  /* versions of which nothing is recorded */
	struct proof_expected *expected;
	size_t overruled; /* of these, so many from before the oldest unrecorded one */
	size_t nr, alloc;
};
#define PROOF_INIT \
	{          \
		0  \
	}

/* `objects` is what the log has of the migration (JSON text), or NULL. */
int proof_expect(struct proof *proof, const char *version, const char *objects, struct error *err)
	MUST_CHECK;
/*
 * Takes the strings of `changes`. May be called again after more proof_expect(), with a later catalog and what was changed
 * since the last call: what it then finds is about all that came before as well.
 */
void proof_check(struct proof *proof, const struct catalog *now, struct catalog_changes *changes,
		 bool utf8);
/* Instead of both: is everything of `expected` there as it is in it, and nothing else? */
void proof_compare(struct proof *proof, const struct catalog *expected, const struct catalog *now,
		   bool utf8);
void proof_release(struct proof *proof);
json_t *proof_to_json(const struct proof *proof) MUST_CHECK;

#endif
