/* SPDX-License-Identifier: MIT */
/*
 * effect-maker: how effect.c (queries, and the whole) and effect-ddl.c (what changes the schema)
 * add to a list of effects. For these two alone.
 */
#ifndef SQL_EFFECT_MAKER_H
#define SQL_EFFECT_MAKER_H

#include "sql/effect.h"
#include "sql/tree.h"

struct effect_maker {
	struct sql_effects *effects;
	size_t statement;
	bool told; /* something says what the statement does to rows that are there */
};

#define LOCK_DROP  "AccessExclusiveLock"
#define LOCK_WRITE "RowExclusiveLock"

/* `type` and `lock` are constants, or NULL. The pointer is good until the next call. */
struct sql_effect *effect_add(struct effect_maker *m, enum sql_effect_kind kind, const char *type,
			      const char *lock);
/* `why` is the caller's to give away. */
void effect_unknown(struct effect_maker *m, char *why);

void effect_set_range(struct sql_effect *e, const PgQuery__RangeVar *range);
/* A qualified name as a list of strings: its last `max` parts. */
void effect_set_list(struct sql_effect *e, PgQuery__Node *const *list, size_t nr, size_t max);

/* Adds what a query does, whatever the tree has in it, as deep as it may be. */
void effect_of_query(struct effect_maker *m, const ProtobufCMessage *tree);

/* Adds the effects of a statement that changes the schema; others have none here. */
void effect_of_ddl(struct effect_maker *m, const PgQuery__Node *n);

#endif
