/* SPDX-License-Identifier: MIT */
/*
 * effect: which objects a script drops, and which tables' rows it changes, as far as its text
 * says. What the names mean, and how many rows there are, only the database knows.
 *
 * Use:    sql_script_effects(&effects, &script, err), then effects.item[0 .. nr-1], in the order
 *         of the statements; a statement may have none, or several.
 * Owner:  the caller; sql_effects_release(). Types are constants and belong to nobody.
 * Names:  as the catalog has them (unquoted, folded), one string a part: {"public", "t"}; where
 *         there is no schema, search_path decides, which SET in the script may have changed: then
 *         there is an SQL_EFFECT_UNKNOWN as well. Type, names and arguments are as
 *         pg_get_object_address() takes them.
 * Not in: what triggers, rules, cascades and foreign keys do (the catalog knows), nor what a
 *         function or a DO block does: there is an SQL_EFFECT_UNKNOWN where loss.h says
 *         SQL_LOSS_UNKNOWN and nothing here says better.
 */
#ifndef SQL_EFFECT_H
#define SQL_EFFECT_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "sql/script.h"

enum sql_effect_kind {
	SQL_EFFECT_DROP,	  /* the object goes, with all rows in it */
	SQL_EFFECT_DROP_COLUMN,	  /* `column` of the table `name` */
	SQL_EFFECT_RETYPE_COLUMN, /* its values are converted (ALTER COLUMN TYPE) */
	SQL_EFFECT_INSERT,	  /* into the table */
	SQL_EFFECT_UPDATE,
	SQL_EFFECT_DELETE,
	SQL_EFFECT_TRUNCATE,
	SQL_EFFECT_ALTER,  /* the table is changed in another way, under ACCESS EXCLUSIVE */
	SQL_EFFECT_UNKNOWN /* may do anything; `why` says what it is: "DO", "a call of f()" */
};

struct sql_effect {
	enum sql_effect_kind kind;
	size_t statement; /* its index in the script */
	const char *type; /* "table", "view", "schema", "function", "type", "table constraint", ... */
	struct strvec name;
	struct strvec args; /* types of a function's arguments, as text; see `any_args` */
	bool any_args;	    /* DROP FUNCTION f: without a list of arguments */
	char *column, *why; /* or NULL */
	bool cascade;	    /* DROP ... CASCADE, TRUNCATE ... CASCADE */
	bool only;	    /* ONLY t: not its children */
	bool restart;	    /* TRUNCATE ... RESTART IDENTITY */
	bool conditional;   /* IF EXISTS */
};

struct sql_effects {
	struct sql_effect *item;
	size_t nr, alloc;
};
#define SQL_EFFECTS_INIT \
	{                \
		0        \
	}

int sql_script_effects(struct sql_effects *ret, const struct sql_script *script, struct error *err)
	MUST_CHECK;
void sql_effects_release(struct sql_effects *effects);

#endif
