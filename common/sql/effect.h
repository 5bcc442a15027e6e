/* SPDX-License-Identifier: MIT */
/*
 * effect: which objects a script drops, and which tables' rows it changes, as far as its text
 * says. What the names mean, and how many rows there are, only the database knows.
 *
 * Use:    sql_script_effects(&effects, &script, err), then effects.item[0 .. nr-1], in the order
 *         of the statements; a statement may have none, or several. Statements that change rows
 *         of one table in the same way, one behind the other, have one together: the first's.
 * Owner:  the caller; sql_effects_release(). Types, locks are constants and belong to nobody.
 * Names:  as the catalog has them (unquoted, folded), one string a part: {"public", "t"}, of what
 *         belongs to a table {"public", "t", "trigger"}; where there is no schema, search_path
 *         decides, which SQL_EFFECT_SEARCH_PATH changes. A name of another database's has lost
 *         that. Types are called as pg_get_object_address() calls them; a domain is a "type".
 * Not in: what triggers, rules, cascades and foreign keys do (the catalog knows), nor what a
 *         function or a DO block does: there is an SQL_EFFECT_UNKNOWN where loss.h says
 *         SQL_LOSS_UNKNOWN and nothing here says better.
 * Long:   of a statement beyond SQL_TREE_MAX only INSERT, UPDATE, DELETE are told by their
 *         first words; the rest of it is unknown, but for INSERTs of plain VALUES.
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
	SQL_EFFECT_UPDATE,	  /* of `columns` */
	SQL_EFFECT_DELETE,
	SQL_EFFECT_TRUNCATE,
	SQL_EFFECT_RESTART, /* the position of the sequence `name`, or of the table's identity
			       `column`, is another afterwards */
	SQL_EFFECT_ALTER,   /* the table is changed in another way, under `lock` */
	SQL_EFFECT_CREATE,  /* something of type and name is made, with rows of its own if any */
	SQL_EFFECT_RENAME,  /* something gets this name: from here on it means another than now */
	SQL_EFFECT_SEARCH_PATH, /* `name`: the schemas where names without one are looked for from
				   here on, "$user" too; none: as the session has it */
	SQL_EFFECT_UNKNOWN	/* may do anything; `why` says what it is: "DO", "a call of f()" */
};

struct sql_effect {
	enum sql_effect_kind kind;
	size_t statement; /* its index in the script */
	/* "table", "view", "schema", "function", "type", "table constraint", ...; "routine" is any
	   of "function", "procedure", "aggregate"; "owned": all that the role `name` owns (DROP
	   OWNED), without a name the current one's. "relation" where the text does not say. */
	const char *type;
	const char *lock; /* "AccessExclusiveLock": that it takes on the table; or NULL */
	struct strvec name;
	struct strvec args;    /* types of a function's arguments, as SQL text; see `any_args` */
	bool any_args;	       /* DROP FUNCTION f: without a list of arguments */
	struct strvec columns; /* of SQL_EFFECT_UPDATE */
	char *column, *why;    /* or NULL */
	bool cascade;	       /* DROP ... CASCADE, TRUNCATE ... CASCADE */
	bool only;	       /* ONLY t: not its children */
	bool restart;	       /* TRUNCATE ... RESTART IDENTITY */
	bool conditional;      /* IF EXISTS, IF NOT EXISTS */
	bool all;	       /* UPDATE, DELETE without WHERE */
};

struct sql_effects {
	struct sql_effect *item;
	size_t nr, alloc;
};
#define SQL_EFFECTS_INIT \
	{                \
		0        \
	}

/* Who has many scripts does it in one job of the parser's (sql/parser.h). */
int sql_script_effects(struct sql_effects *ret, const struct sql_script *script, struct error *err)
	MUST_CHECK;
void sql_effects_release(struct sql_effects *effects);

#endif
