/* SPDX-License-Identifier: MIT */
/*
 * impact-target: what the scripts of an impact name, in the order of execution, before the catalog
 * is asked what that means. For impact*.c alone.
 */
#ifndef FLOW_IMPACT_TARGET_H
#define FLOW_IMPACT_TARGET_H

#include "flow/impact.h"
#include "pg/dependency.h"
#include "sql/effect.h"

struct impact_script {
	const struct sql_script *script;
	struct sql_effects effects;
	size_t done; /* statements */
};

enum impact_meaning {
	IMPACT_LOOKED_UP, /* the catalog says what it is */
	IMPACT_MADE,	  /* an earlier statement makes it: nothing of now */
	IMPACT_MOVED	  /* an earlier one gave something this name */
};

/* An effect that has a name, or is unknown. */
struct impact_target {
	size_t script;
	const struct sql_effect *effect;
	enum impact_meaning meaning;
	bool optional;		     /* it need not be there */
	struct dependency_name name; /* type NULL: there is nothing to look up */
};
struct impact_targets {
	struct impact_target *item;
	size_t nr, alloc;
};
#define IMPACT_TARGETS_INIT \
	{                   \
		0           \
	}
/* Borrows from the impact. */
void impact_targets_collect(struct impact_targets *ret, const struct impact *impact);
void impact_targets_release(struct impact_targets *targets);

/* Does this kind of effect change rows of a table that stays? `ret` is how. */
bool impact_changes_rows(enum dependency_change_kind *ret, const struct sql_effect *effect);

/* "DROP SCHEMA s CASCADE", "DELETE": what a person would call the effect; free() it. */
char *impact_effect_text(const struct sql_effect *effect, bool with_name) MUST_CHECK;
/* "line 3 of migrations/001_a.down.sql"; free() it. */
char *impact_place(const struct impact *impact, const struct impact_target *target) MUST_CHECK;
/* "table public.t": type and name as the script has them; free() it. */
char *impact_target_text(const struct impact_target *target) MUST_CHECK;

#endif
