/* SPDX-License-Identifier: MIT */
/*
 * script: the text of a migration script, split into what the server will be sent.
 *
 * Use:    sql_script_parse(&s, path, bytes, len, err), then send s.text + offset, len bytes,
 *         of s.statement[0 .. s.nr-1]: the file's own bytes, never deparsed ones. Send them
 *         one by one through the extended protocol, which takes no second statement: then
 *         nothing can hide behind a setting that changes how strings are read.
 *         Where `no_transaction` is false they run inside the caller's transaction, and
 *         its COMMIT is the caller's; else each runs for itself.
 * Owner:  the caller; sql_script_release() frees everything in it.
 * Places: for an error at a statement: error_at(err, s.path, s.text, s.len, offset). The
 *         text is the file's without a byte order mark; CRLF stays as it is.
 * Transaction control at the top level is taken off: a leading BEGIN or START TRANSACTION
 *         and the final COMMIT or END are in no statement (`absorbed` is set). SAVEPOINTs
 *         that are released again stay. Everything else is refused, exit code
 *         EXIT_REFUSED, with place and hint: ROLLBACK, ABORT, COMMIT or BEGIN in the middle
 *         or without the other, several blocks, AND CHAIN, PREPARE TRANSACTION and what
 *         belongs to it, options of BEGIN that a transaction already begun cannot honour, a
 *         savepoint that stays open; BEGIN in a script that runs outside of a transaction,
 *         and an `outside` statement in a block. What stands inside function bodies is no
 *         transaction control.
 * Outside: a script runs outside of a transaction when one of its statements has to, or when
 *         SQL_MARKER stands on a line of its own before the first statement (anywhere later
 *         it is refused, for it would do nothing). Not to be told from text, and left to
 *         the server (25001, 2D000): REINDEX and CLUSTER of a partitioned table, COMMIT in
 *         DO and CALL.
 * psql:   COPY FROM STDIN (with data or without), COPY TO STDOUT, backslash commands and
 *         variables are refused by name.
 * Errors: a syntax error is the parser's, with its place; the grammar is PostgreSQL 15's.
 *         A script without any statement is no error: nr is 0.
 * Cost:   about 14 bytes of memory for a byte of script while parsing, 1 byte afterwards.
 * Threads: any; the parser runs on one of its own (see parser.h).
 */
#ifndef SQL_SCRIPT_H
#define SQL_SCRIPT_H

#include "base/compat.h"
#include "base/error.h"
#include "sql/statement.h"

#define SQL_MARKER "-- rollback: no-transaction"

struct sql_script {
	char *path; /* for messages */
	char *text; /* terminated by a NUL, which is not in `len` */
	size_t len;
	struct sql_statement *statement;
	size_t nr, alloc;
	bool absorbed;	     /* it had its own BEGIN and COMMIT */
	bool marked;	     /* it has the marker */
	bool no_transaction; /* run it outside of a transaction */
	/* The first statement that is `outside`, which is why; NULL if only the marker is. */
	const struct sql_statement *why;
};

#define SQL_SCRIPT_INIT \
	{               \
		0       \
	}

int sql_script_parse(struct sql_script *ret, const char *path, const void *bytes, size_t len,
		     struct error *err) MUST_CHECK;
void sql_script_release(struct sql_script *s);

/*
 * The first statement that appears to hold a password (of a role, a user mapping, a
 * server, a subscription), or NULL: for a warning, as scripts are stored when applied.
 */
const struct sql_statement *sql_script_secret(const struct sql_script *s);

/*
 * The worst of its statements: LOSES beats UNKNOWN beats KEEPS, which it is without any.
 * What is found to lose rows is said so even where others cannot be known.
 */
enum sql_loss sql_script_loss(const struct sql_script *s);

#endif
