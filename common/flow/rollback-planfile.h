/* SPDX-License-Identifier: MIT */
/*
 * rollback-planfile: the plan of a rollback in a file, made, looked at and agreed to now, and carried
 * out later exactly so.
 *
 * Format: a JSON object: {"format":1, "kind":"git-rollback plan", "created_at", "database",
 *         "request": what was asked for, "decides": what has to be the same again, "plan": as --json
 *         shows it, "digest": SHA-256 of all the rest, compact and with sorted keys}. No
 *         connection string is in it, and no script's text. The digest is against damage: who may
 *         write the file may also write another plan.
 * Decide: the database's identity, what is applied there, its schema's fingerprint, the
 *         digest of each script, the expected snapshot, and what would be destroyed, dropped and
 *         affected; how many rows a table has does not, but whether it has any.
 *
 * Use:    rollback_planfile_write(); or rollback_planfile_read() before the session is opened,
 *         rollback_planfile_request() after, then rollback_plan(), then rollback_planfile_compare(),
 *         which refuses the plan that came out otherwise, and says in what.
 * Owner:  the caller; rollback_planfile_release(). The request borrows from it.
 */
#ifndef FLOW_ROLLBACK_PLANFILE_H
#define FLOW_ROLLBACK_PLANFILE_H

#include "flow/rollback.h"

struct rollback_planfile {
	json_t *json;
	const char **operand;
	char *script; /* path */
};
#define ROLLBACK_PLANFILE_INIT \
	{                      \
		0              \
	}
void rollback_planfile_release(struct rollback_planfile *file);

/* Reads request->plan; sets the database in the request, and that nobody is asked. */
int rollback_planfile_read(struct rollback_planfile *ret, struct rollback_request *request,
			   struct error *err) MUST_CHECK;
/* Makes the request what it was when the plan was written. */
int rollback_planfile_request(struct rollback_planfile *file, const struct session *s,
			      struct rollback_request *request, struct error *err) MUST_CHECK;
int rollback_planfile_compare(const struct rollback_planfile *file, struct rollback_plan *plan,
			      struct error *err) MUST_CHECK;

/* To request->plan_out; only a plan's file is replaced. */
int rollback_planfile_write(const struct rollback_plan *plan, struct error *err) MUST_CHECK;

#endif
