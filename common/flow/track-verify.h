/* SPDX-License-Identifier: MIT */
/*
 * track-verify: is it true, in the end? What was planned against what is there.
 *
 * Use:    track_verify() once the branch has moved, then item[0 .. nr-1].
 * Owner:  the caller; track_checks_release().
 * Errors: -1 when interrupted, or where the new state cannot be read at all.
 */
#ifndef FLOW_TRACK_VERIFY_H
#define FLOW_TRACK_VERIFY_H

#include "base/json.h"
#include "flow/track-plan.h"

enum track_check_state { TRACK_CHECK_OK, TRACK_CHECK_FAILED, TRACK_CHECK_UNKNOWN };

struct track_check {
	/*
	 * "reverted": the unit's lines are gone; "other-files": all others are as they were;
	 * "documents": none says that the unit is done; "migrations": they are in order;
	 * "schema": schema files have nothing of migrations that are gone; "verify <name>": the
	 * project's own command.
	 */
	char *name;
	enum track_check_state state;
	char *detail; /* NULL: there is no more to say */
};
struct track_checks {
	struct track_check *item;
	size_t nr, alloc;
};
#define TRACK_CHECKS_INIT \
	{                 \
		0         \
	}

/*
 * What the project has of its own to be run at the end (verify.<name>.command), for the plan:
 * [{"name", "command", "reason"}], of which `reason` says why the command is not run; and for people.
 */
json_t *track_commands_to_json(const struct settings *settings) MUST_CHECK;
void track_commands_text(struct strbuf *out, const struct settings *settings);

/* `plan` was carried out, and the new HEAD is plan->run.head. */
int track_verify(struct track_checks *ret, const struct track_plan *plan, struct error *err)
	MUST_CHECK;
/* A series that was gone on with to its end; nothing is owned. */
struct track_series_end {
	const char *before;		/* HEAD before it */
	char *head;			/* and now */
	const struct unit_words *words; /* its unit; NULL: the documents were left alone */
	const struct strvec *left_out;	/* full ids of commits that were not reverted; or NULL */
};
/* The same of what does not need the plan. */
int track_verify_series(struct track_checks *ret, const struct checkpoint_session *session,
			const struct track_series_end *end, struct error *err) MUST_CHECK;
void track_checks_release(struct track_checks *checks);
bool track_checks_failed(const struct track_checks *checks);
/* [{"check", "state": "ok|failed|unknown", "detail"}] */
json_t *track_checks_to_json(const struct track_checks *checks) MUST_CHECK;
/* To stdout, a line each; of those that are well only with `verbose`. */
void track_checks_print(const struct track_checks *checks, bool verbose);

#endif
