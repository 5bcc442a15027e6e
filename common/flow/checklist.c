/* SPDX-License-Identifier: MIT */
#include "flow/checklist.h"

#include "base/memory.h"
#include "base/text.h"
#include "flow/rollback-script.h"
#include "term/amount.h"
#include "term/output.h"

int checklist_read(struct rollback_plan *plan, bool wanted, struct error *err)
{
	struct maintenance maintenance = MAINTENANCE_INIT;

	/* What could not be run later is refused before anybody is asked. */
	if (maintenance_find(&maintenance, plan->session, err) < 0)
		return -1;
	plan->checklist.maintenance = maintenance.command != NULL;
	if (!wanted)
		return 0;
	if (validation_read_sessions(&plan->checklist.sessions, &plan->session->db, err) < 0)
		return -1;
	plan->checklist.read = true;
	return 0;
}

void checklist_release(struct checklist *checklist)
{
	validation_sessions_release(&checklist->sessions);
}

/* --- The checks: each returns its state, and appends what there is to say ----------------------- */

typedef enum checklist_state check_fn(struct strbuf *detail, const struct rollback_plan *plan);

static enum checklist_state say(struct strbuf *detail, enum checklist_state state, const char *text)
{
	strbuf_addstr(detail, text);
	return state;
}

static bool is_rehearsal(const struct rollback_plan *plan)
{
	return plan->request->rehearse;
}

static enum checklist_state check_snapshot(struct strbuf *detail, const struct rollback_plan *plan)
{
	if (is_rehearsal(plan))
		return say(detail, CHECKLIST_NOT_APPLICABLE, "a rehearsal keeps nothing");
	if (plan->request->no_snapshot)
		return say(detail, CHECKLIST_WARNED, "the schema is not saved (--no-snapshot)");
	if (json_is_true(json_object_get(plan->saved, "schema")))
		return say(detail, CHECKLIST_DONE, json_member(plan->saved, "path"));
	return say(detail, CHECKLIST_PENDING, "the schema is saved before anything goes");
}

static enum checklist_state check_rows(struct strbuf *detail, const struct rollback_plan *plan)
{
	const json_t *rows = json_object_get(plan->saved, "rows");

	if (is_rehearsal(plan))
		return say(detail, CHECKLIST_NOT_APPLICABLE, "a rehearsal keeps nothing");
	if (!plan->destroys)
		return say(detail, CHECKLIST_NOT_APPLICABLE, "no rows go");
	if (plan->request->no_save)
		return say(detail, CHECKLIST_WARNED, "rows that go are not saved (--no-save)");
	if (!rows)
		return say(detail, CHECKLIST_PENDING, "rows are saved before they go");
	amount_add_count(detail, (uint64_t)json_integer_value(rows), "row", NULL);
	return CHECKLIST_DONE;
}

static enum checklist_state check_maintenance(struct strbuf *detail,
					      const struct rollback_plan *plan)
{
	const struct maintenance *m = &plan->record.maintenance;

	if (!plan->checklist.maintenance)
		return say(detail,
			   plan->checklist.sessions.others ? CHECKLIST_WARNED :
							     CHECKLIST_NOT_APPLICABLE,
			   "no maintenanceCommand is set");
	if (is_rehearsal(plan))
		return say(detail, CHECKLIST_NOT_APPLICABLE, "a rehearsal does not run it");
	if (m->failed)
		return say(detail, CHECKLIST_WARNED, "it could not be ended");
	return m->end ?
		       say(detail, CHECKLIST_DONE, "it has been ended again") :
		       say(detail, CHECKLIST_PENDING, "maintenanceCommand is run before and after");
}

static enum checklist_state check_users(struct strbuf *detail, const struct rollback_plan *plan)
{
	const struct validation_sessions *sessions = &plan->checklist.sessions;

	if (!plan->checklist.read)
		return say(detail, CHECKLIST_PENDING, "nobody has looked");
	if (!sessions->others)
		return say(detail, CHECKLIST_DONE, "nobody else is connected");
	amount_add_count(detail, sessions->others, "other session is connected",
			 "other sessions are connected");
	strbuf_addf(detail, ": %s", sessions->names);
	return CHECKLIST_WARNED;
}

static enum checklist_state check_team(struct strbuf *detail, const struct rollback_plan *plan)
{
	if (!plan->checklist.read)
		return say(detail, CHECKLIST_PENDING, "nobody has looked");
	if (plan->checklist.sessions.ours)
		strbuf_addstr(detail, plan->checklist.sessions.ours);
	for (size_t i = 0; i < plan->impact.lock_nr; i++) {
		const struct impact_lock *lock = &plan->impact.lock[i];

		if (lock->holder)
			strbuf_addf(detail, "%s%s: %s", detail->len ? "; " : "", lock->identity,
				    lock->holder);
	}
	return detail->len ? CHECKLIST_WARNED :
			     say(detail, CHECKLIST_DONE, "nobody else works on it");
}

static enum checklist_state check_target(struct strbuf *detail, const struct rollback_plan *plan)
{
	if (!verdict_is_clean(&plan->verdict))
		return say(detail, CHECKLIST_WARNED, plan->verdict.reasons.v[0]);
	if (plan->script && !plan->script->expected_label)
		return say(detail, CHECKLIST_WARNED,
			   "nothing says what the script should lead to (--expect)");
	for (size_t i = 0; i < plan->nr && !plan->script; i++)
		if (!plan->step[i].log || !plan->step[i].log->objects) {
			strbuf_addf(detail, "nothing is recorded of what migration '%s' changed",
				    plan->step[i].applied->version);
			return CHECKLIST_WARNED;
		}
	amount_add_count(detail, plan->nr, "script was parsed", "scripts were parsed");
	strbuf_addstr(detail, ", and what it should lead to is known");
	return CHECKLIST_DONE;
}

static enum checklist_state check_lock(struct strbuf *detail, const struct rollback_plan *plan)
{
	if (plan->session->locked || plan->record.start)
		return say(detail, CHECKLIST_DONE, "no other run changes this database");
	return say(detail, CHECKLIST_PENDING, "it is taken before anything is changed");
}

static enum checklist_state check_validation(struct strbuf *detail,
					     const struct rollback_plan *plan)
{
	const struct validation *v = &plan->record.validation;

	if (plan->request->no_proof)
		return say(detail, CHECKLIST_WARNED, "the result is not looked at (--no-proof)");
	if (!v->objects_after)
		return say(detail, CHECKLIST_PENDING, "before the transaction is committed");
	amount_add_count(detail, validation_findings(v), "finding", NULL);
	return validation_findings(v) ? CHECKLIST_WARNED : CHECKLIST_DONE;
}

static const struct {
	const char *name, *words;
	check_fn *check;
} checks[] = {
	{ "emergency_snapshot", "emergency snapshot", check_snapshot },
	{ "saved_rows", "saved rows", check_rows },
	{ "maintenance_mode", "maintenance mode", check_maintenance },
	{ "users_notified", "users notified", check_users },
	{ "team_aware", "team aware", check_team },
	{ "target_validated", "target validated", check_target },
	{ "exclusive_lock", "exclusive lock", check_lock },
	{ "validation_after", "validation after", check_validation },
};

/* --- Showing them ---------------------------------------------------------------------------------- */

static const char *state_name(enum checklist_state state)
{
	static const char *const names[] = {
		[CHECKLIST_DONE] = "done",
		[CHECKLIST_WARNED] = "warned",
		[CHECKLIST_NOT_APPLICABLE] = "not_applicable",
		[CHECKLIST_PENDING] = "pending",
	};

	return names[state];
}

json_t *checklist_to_json(const struct rollback_plan *plan)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct strbuf detail CLEANUP(strbuf_release) = STRBUF_INIT;
		enum checklist_state state = checks[i].check(&detail, plan);

		json_array_append_new(ret, json_pack("{s:s, s:s, s:o}", "check", checks[i].name,
						     "state", state_name(state), "detail",
						     json_text(detail.buf)));
	}
	return ret;
}

static const char *mark_of(enum checklist_state state)
{
	static const enum mark marks[] = {
		[CHECKLIST_DONE] = MARK_DONE,
		[CHECKLIST_WARNED] = MARK_WARNING,
		[CHECKLIST_PENDING] = MARK_OPEN,
	};

	return state == CHECKLIST_NOT_APPLICABLE ? "--" : mark_text(marks[state], output_utf8());
}

void checklist_text(struct strbuf *out, const struct rollback_plan *plan)
{
	strbuf_addstr(out, "Checklist:\n");
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct strbuf detail CLEANUP(strbuf_release) = STRBUF_INIT;

		strbuf_addf(out, "  %s %s: ", mark_of(checks[i].check(&detail, plan)),
			    checks[i].words);
		text_escape(out, detail.buf, detail.len, false);
		strbuf_addch(out, '\n');
	}
}
