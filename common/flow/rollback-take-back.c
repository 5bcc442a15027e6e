/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/rollback-undo.h"

static int refused(const struct undo_plan *undo, struct error *err)
{
	if (!verdict_is_clean(&undo->verdict))
		return error_refused(err, "%s", undo->verdict.reasons.v[0]);
	error_set(err, "rows that were written since stand in the way: %s", undo->conflicts.v[0]);
	return -1;
}

/* Of what a script did beside its text nobody knows. */
static void tell_what_is_back(const struct undo_plan *undo, struct error *ret)
{
	const char *folder = json_member(undo->replaced, "path");

	error_detail(ret,
		     undo->unproven_nr ?
			     "What had been done was taken back: the schema is what it was before, "
			     "and so are the rows that were saved." :
			     "What had been done was taken back: all is what it was before.");
	if (folder)
		error_detail(ret, "The rows that were in their place are in '%s'.", folder);
}

static int run_undo(struct rollback_plan *plan, struct undo_plan *undo, struct error *failure,
		    struct error *err)
{
	switch (undo_execute(undo, err)) {
	case ROLLBACK_DONE:
		plan->taken_back = xstrdup(undo->operation);
		tell_what_is_back(undo, failure);
		return 0;
	case ROLLBACK_UNPROVEN: return error_set(err, "the schema would not be what it was");
	case ROLLBACK_FAILED:
	case ROLLBACK_REFUSED: return -1;
	}
	BUG("unknown outcome of an undo");
}

/* On a connection of its own: of the other nobody knows what the script has left in it. */
static int undo(struct rollback_plan *plan, struct error *failure, struct error *err)
{
	struct session session CLEANUP(session_close) = SESSION_INIT;
	struct undo_plan undo CLEANUP(undo_plan_release) = UNDO_PLAN_INIT;
	struct rollback_request request = ROLLBACK_REQUEST_INIT;
	struct session_request wanted = {
		.command = "rollback-db",
		.database = plan->session->database.name,
		.changing = true,
		.lock = true,
		.common = &request.common,
	};

	request.mode = ROLLBACK_UNDO;
	request.undo = plan->operation;
	request.common = plan->request->common;
	request.common.yes = request.common.quiet = true;
	if (session_open(&session, &wanted, err) < 0 ||
	    undo_plan(&undo, &session, &request, err) < 0)
		return -1;
	if (!verdict_is_clean(&undo.verdict) || undo.conflicts.nr)
		return refused(&undo, err);
	return run_undo(plan, &undo, failure, err);
}

bool rollback_stays(const struct rollback_plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (plan->step[i].done)
			return true;
	return plan->stopped;
}

static void tell_what_stays(const struct rollback_plan *plan, const struct error *why,
			    struct error *err)
{
	const char *folder = json_member(plan->saved, "path");

	if (error_is_set(why))
		error_detail(err, "What had been done could not be taken back: %s", why->message);
	if (plan->stopped)
		error_detail(err, "The database may be inconsistent: the script runs outside a "
				  "transaction, so what was done before stays.");
	if (folder)
		error_detail(err, "What was saved before it began is in '%s'.", folder);
	if (!plan->stopped)
		return;
	error_hint(err, "'git migration-status' shows how far it came.");
	if (plan->undoable)
		error_hint(err, "Use 'git rollback-db --undo' to take it back when nothing is in "
				"the way; with --merge newer rows stay.");
	error_hint(err, "Use 'git rollback-db %s' to go on from there.",
		   plan->stopped->applied->version);
	error_hint(err, "With --force it starts anew, with the down script of the worktree.");
}

void rollback_take_back(struct rollback_plan *plan, struct error *err)
{
	struct error why CLEANUP(error_release) = ERROR_INIT;

	if (!rollback_stays(plan))
		return;
	if (!plan->undoable || err->exit_code == EXIT_INTERRUPTED || undo(plan, err, &why) < 0) {
		tell_what_stays(plan, &why, err);
		return;
	}
	for (size_t i = 0; i < plan->nr; i++)
		plan->step[i].done = false;
}
