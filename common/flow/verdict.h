/* SPDX-License-Identifier: MIT */
/*
 * verdict: may a plan be carried out? What a plan says besides its steps.
 *
 * A plan that is refused is still a plan: --dry-run shows it with its reasons, exit 0;
 * carrying it out ends with exit code 2 and the same reasons.
 */
#ifndef FLOW_VERDICT_H
#define FLOW_VERDICT_H

#include "base/error.h"
#include "base/json.h"
#include "base/strvec.h"

struct verdict {
	struct strvec reasons;	/* why it is refused; none: it is clean */
	struct strvec hints;	/* what to do about that */
	struct strvec warnings; /* what to know before */
};
#define VERDICT_INIT \
	{            \
		0    \
	}

void verdict_release(struct verdict *verdict);
PRINTF(2, 3) void verdict_refuse(struct verdict *verdict, const char *fmt, ...);
PRINTF(2, 3) void verdict_hint(struct verdict *verdict, const char *fmt, ...);
PRINTF(2, 3) void verdict_warn(struct verdict *verdict, const char *fmt, ...);
static inline bool verdict_is_clean(const struct verdict *verdict)
{
	return !verdict->reasons.nr;
}

/* Of one that is refused: the error that says why, and what to do about it. Returns -1. */
int verdict_error(const struct verdict *verdict, struct error *err);

/* Sets "verdict", "reasons", "hints" and "warnings" of a plan's object. */
void verdict_to_json(const struct verdict *verdict, json_t *plan);
/* A report's "outcome" by its exit code: "done", "failed", "refused" or "interrupted". */
const char *outcome_name(const struct error *failure) MUST_CHECK;
/* Prints the warnings; and as errors the reasons, with the hints, unless only `previewed`. */
void verdict_print(const struct verdict *verdict, bool previewed);

#endif
