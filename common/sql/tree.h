/* SPDX-License-Identifier: MIT */
/*
 * tree: libpg_query's trees: making one, and what all who read them need.
 *
 * Only files in sql/ include this. All of it runs on the parser's thread (parser.h): trees are
 * deep, and what walks them is recursive.
 * Strings: a missing one is "" in a tree. Lists are arrays of nodes.
 */
#ifndef SQL_TREE_H
#define SQL_TREE_H

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include "base/compat.h"

struct sql_tree {
	PgQuery__ParseResult *result;
	const PgQuery__Node *statement; /* the one that it is of; NULL: it has no tree */
	char *message;			/* then, what the parser says, or NULL */
};

/* Of one statement, not terminated, of no more than SQL_TREE_MAX bytes. */
void sql_tree_parse(struct sql_tree *ret, const char *text, size_t len);
void sql_tree_release(struct sql_tree *tree);

/* Called for each node, parents first. */
typedef void sql_tree_visit(const PgQuery__Node *node, void *data);
void sql_tree_walk(const ProtobufCMessage *message, sql_tree_visit *visit, void *data);

/* The string that a node of a list is, or "". */
const char *sql_tree_string(const PgQuery__Node *node);
/* The last option of that name (DefElem), or NULL. */
const PgQuery__DefElem *sql_tree_option(PgQuery__Node *const *options, size_t nr, const char *name);
/* Of a string constant, a plain string or a name; or NULL. */
const char *sql_tree_text(const PgQuery__Node *node);

/*
 * Is it a call of one of a few well-known functions that only compute (now(), lower(),
 * nextval()...), told by its name, without a schema or with pg_catalog?
 */
bool sql_call_only_computes(const PgQuery__FuncCall *call);
/* The same of a name alone, in lower case. */
bool sql_name_only_computes(const char *name);

#endif
