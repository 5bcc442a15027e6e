/* SPDX-License-Identifier: MIT */
/*
 * checklist: what is to be seen to before and after a rollback, as checks that run and not as text
 * that is read. Each has a state: "done", "warned" (a person should look), "not_applicable", or
 * "pending" (the run does it).
 *
 *	emergency_snapshot	the schema is saved before
 *	saved_rows		so are the rows that go
 *	maintenance_mode	the application is taken away meanwhile (flow/maintenance.h)
 *	users_notified		nobody else is connected to the database, or who is
 *	team_aware		nobody else works on it with this suite, or holds locks in the way
 *	target_validated	all scripts are there and were parsed, and what they should lead to
 *				is recorded
 *	exclusive_lock		no other run changes this database
 *	validation_after	the result is proven and looked at
 *
 * Use:    checklist_read() once the plan is complete, then checklist_to_json() and _text(), which
 *         say how it stands by then.
 */
#ifndef FLOW_CHECKLIST_H
#define FLOW_CHECKLIST_H

#include "base/json.h"
#include "base/strbuf.h"
#include "pg/validation.h"

struct rollback_plan;

enum checklist_state {
	CHECKLIST_DONE,
	CHECKLIST_WARNED,
	CHECKLIST_NOT_APPLICABLE,
	CHECKLIST_PENDING
};

/* What only the database knows. */
struct checklist {
	bool read;
	bool maintenance; /* there is a command for it */
	struct validation_sessions sessions;
};
#define CHECKLIST_INIT \
	{              \
		0      \
	}

/*
 * Into plan->checklist. The database is asked only where it is `wanted`. A command for maintenance
 * that is not trusted is refused.
 */
int checklist_read(struct rollback_plan *plan, bool wanted, struct error *err) MUST_CHECK;
void checklist_release(struct checklist *checklist);
/* [{"check", "state", "detail"}...]; as it is by now, where the plan was carried out. */
json_t *checklist_to_json(const struct rollback_plan *plan) MUST_CHECK;
void checklist_text(struct strbuf *out, const struct rollback_plan *plan);

#endif
