/* SPDX-License-Identifier: MIT */
/*
 * statement: one statement of a script, and what the server will let us do with it.
 *
 * Owner: the script; its strings are freed by sql_script_release().
 */
#ifndef SQL_STATEMENT_H
#define SQL_STATEMENT_H

#include "base/compat.h"
#include "base/error.h"
#include "sql/loss.h"

enum sql_kind {
	SQL_ORDINARY, /* anything that is not told apart below */
	SQL_DO,
	SQL_CALL,
	SQL_ALTER_TYPE_ADD_VALUE, /* may run inside; the value may not be used before COMMIT */
	SQL_SAVEPOINT,
	SQL_RELEASE,
	SQL_ROLLBACK_TO,
	/* From here on they are `outside`, some of them depending on their options. */
	SQL_CREATE_INDEX_CONCURRENTLY,
	SQL_DROP_INDEX_CONCURRENTLY,
	SQL_REINDEX_CONCURRENTLY, /* REINDEX INDEX or TABLE ... CONCURRENTLY */
	SQL_REINDEX_ALL,	  /* REINDEX SCHEMA, DATABASE, SYSTEM, concurrently or not */
	SQL_DETACH_PARTITION_CONCURRENTLY,
	SQL_VACUUM,
	SQL_CLUSTER_ALL, /* CLUSTER without a table */
	SQL_ALTER_SYSTEM,
	SQL_CREATE_DATABASE,
	SQL_DROP_DATABASE,
	SQL_ALTER_DATABASE_SET_TABLESPACE,
	SQL_CREATE_TABLESPACE,
	SQL_DROP_TABLESPACE,
	SQL_CREATE_SUBSCRIPTION,
	SQL_ALTER_SUBSCRIPTION,
	SQL_DROP_SUBSCRIPTION,
	SQL_DISCARD_ALL,
	/* These are absorbed or refused: no parsed script has them. */
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_PREPARE_TRANSACTION,
	SQL_COMMIT_PREPARED,
	SQL_ROLLBACK_PREPARED,
	SQL_COPY_FROM_STDIN,
	SQL_COPY_TO_STDOUT,
};

/* A name as the catalog has it (unquoted, folded); no schema: found by search_path. */
struct sql_name {
	char *schema, *name; /* or NULL */
};

struct sql_statement {
	size_t offset, len; /* its bytes in the script's text, without the semicolon */
	enum sql_kind kind;
	bool outside;	  /* cannot run in a transaction block (SQLSTATE 25001) */
	bool opaque;	  /* DO or CALL: might commit by itself, which only a run can tell */
	bool conditional; /* has IF EXISTS or IF NOT EXISTS */
	bool is_table;	  /* SQL_REINDEX_CONCURRENTLY: `object` is a table, else an index */
	bool drops_slot;  /* ALTER SUBSCRIPTION ... SET (slot_name = NONE) */
	bool has_secret;  /* appears to hold a password */
	enum sql_loss loss;
	/*
	 * What an `outside` statement makes, drops or changes, so that the catalog can tell
	 * whether it was done: the index (no name: the server chooses one), the partition
	 * that is detached, the database, tablespace or subscription, the type that gets a
	 * value, the schema or database of REINDEX; of savepoints, the name.
	 */
	struct sql_name object;
	struct sql_name table; /* CREATE INDEX: its table; DETACH: the partitioned table */
};

/* "CREATE INDEX CONCURRENTLY": the kind as people call it. */
const char *sql_kind_name(enum sql_kind kind);

/*
 * Fills everything but offset and len, which say where in `text` (terminated by a NUL)
 * the statement is, from a statement that the parser has accepted. Runs the parser:
 * call it on the parser's thread. What needs no tree gets none: DELETE, UPDATE, an INSERT
 * of plain VALUES, DO, CALL. What is too long for one has an unknown loss if nothing else
 * depends on it. -1 for what cannot be told (too long) or cannot be kept (BEGIN ISOLATION LEVEL
 * SERIALIZABLE, COMMIT AND CHAIN), without its place.
 */
int sql_statement_classify(struct sql_statement *s, const char *text, struct error *err) MUST_CHECK;
void sql_statement_release(struct sql_statement *s);

#endif
