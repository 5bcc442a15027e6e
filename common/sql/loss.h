/* SPDX-License-Identifier: MIT */
/*
 * loss: what a statement does to rows, seen from its text alone.
 *
 * Keeps:   no row, no value in a row and no position of a sequence can go. To add is to keep,
 *          and so is to drop what can be made again from its definition: indexes, views,
 *          materialized views, functions, constraints; foreign tables, whose rows are
 *          elsewhere.
 * Loses:   they go if there are any. DELETE and UPDATE count, whatever their WHERE says.
 * Unknown: the text does not say: DO, CALL, EXECUTE, a query that calls a function, ALTER
 *          COLUMN TYPE, DROP EXTENSION, whatever starts or ends replication into here, more
 *          than SQL_TREE_MAX bytes, and all that is not known to keep.
 * CASCADE: reaches farther than people think: a view's row type, and so the primary key
 *          that its GROUP BY needs, can be the type of another table's column. So it keeps
 *          only behind DROP INDEX, TRIGGER, RULE, POLICY, STATISTICS and PUBLICATION, which
 *          nothing but foreign keys can depend on.
 * Functions: those that are called with parentheses in what the statement itself runs are
 *          seen: in queries, VALUES, COPY, and the DEFAULT of ADD COLUMN. All of them make
 *          it unknown, but for a few well-known ones that only compute (now(), lower(),
 *          nextval()...), which are told by name, without a schema or with pg_catalog.
 *          Not looked for, as only the database has them: what triggers, rules, views,
 *          constraints, column defaults, indexes, operators, casts and row.function call,
 *          and scripts of extensions that are created.
 */
#ifndef SQL_LOSS_H
#define SQL_LOSS_H

#include "base/compat.h"

enum sql_loss {
	SQL_KEEPS_ROWS,
	SQL_LOSES_ROWS,
	SQL_LOSS_UNKNOWN,
};

/* Of trees of libpg_query's. */
struct PgQuery__Node;
struct PgQuery__AlterTableCmd;

/* The worse of two: LOSES beats UNKNOWN beats KEEPS. The enum's numbers say nothing. */
enum sql_loss sql_loss_worse(enum sql_loss a, enum sql_loss b);

/*
 * What needs no tree: true, with `ret`, for what the first word says and for an INSERT of
 * plain VALUES, of which a script can have ten megabytes. `words` are the statement's first.
 */
bool sql_loss_of_text(enum sql_loss *ret, const char *words, const char *text, size_t len);

/* What the text did not say; recursive, so for the parser's thread only. */
enum sql_loss sql_loss_of_tree(const struct PgQuery__Node *tree);
/* The same of one command of an ALTER TABLE. */
enum sql_loss sql_loss_of_alter_command(const struct PgQuery__AlterTableCmd *cmd);

#endif
