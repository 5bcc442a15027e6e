/* SPDX-License-Identifier: MIT */
/*
 * db: one connection to one PostgreSQL database.
 *
 * Use:    db_open_start() begins to connect, other work may go on meanwhile, and
 *         db_open_finish() waits for it. db_query() and db_batch_run() then talk to it.
 * Owner:  the caller; db_close() ends the connection and frees everything.
 * Errors: -1 with `err` set: the server's message with SQLSTATE, DETAIL and HINT. After
 *         one inside a transaction the transaction is aborted: db_rollback() it.
 *         SIGINT and SIGTERM cancel the running statement; the error then has
 *         EXIT_INTERRUPTED.
 * Waits:  for ever, unless keepalives or tcp_user_timeout find the other side dead.
 * Secrets: a connection string and what is in it is never part of a message.
 *
 * The sentence that rules pg/: connections are made here alone, and no identifier or
 * value gets into SQL text but through db_quote_identifier(), db_quote_literal() or a
 * parameter.
 */
#ifndef PG_DB_H
#define PG_DB_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"

struct pg_conn;
struct pg_result;

struct db_options {
	const char *conninfo;	 /* URI or keyword string; "" is libpq's defaults and PG* */
	const char *name;	 /* of another database on that server; NULL: what conninfo says */
	const char *environment; /* its name in the configuration, for messages */
	const char *application_name; /* shows in pg_stat_activity */
	const char *lock_timeout;     /* as PostgreSQL reads it ("5s"); NULL: the server's */
	const char *statement_timeout;
	/* Ask for transaction.h's settings as the session's own, and for db_identity() at once. */
	bool changing;
	/*
	 * For who can do without: one attempt, and no more seconds than this unless the user
	 * says otherwise (connect_timeout, PGCONNECT_TIMEOUT). 0: three attempts of 10.
	 */
	int hurry;
};

struct db {
	struct pg_conn *conn;
	char *environment;
	char *application_name;
	char *lock_timeout, *statement_timeout;
	char *conninfo, *other; /* `other`: db_options.name */
	int hurry;
	bool changing;
	/* Known once it is open: */
	int version; /* as 150020 */
	char *name;  /* of the database */
	char *user;
	bool standby;	 /* in recovery: nothing can be written */
	bool pooled;	 /* a pooler is between us and the server */
	bool read_only;	 /* default_transaction_read_only is on */
	int backend_pid; /* as the server itself says; db_announced_pid() as a pooler may have it */
	bool settings;	 /* transaction.h's settings are the session's own, for RESET as well */
	char *identity;	 /* db_identity() */
};

/* What a transaction has in any case (transaction.h): from PostgreSQL 14 on, the second too. */
#define DB_IDLE_TIMEOUT	  "60s"
#define DB_CHECK_INTERVAL "2s"

#define DB_INIT   \
	{         \
		0 \
	}

/* Loads libpq ahead of time, beside other work; what fails then fails again when needed. */
void db_prepare(void);
int db_open_start(struct db *db, const struct db_options *options, struct error *err) MUST_CHECK;
/* Three attempts, with growing pauses, where the failure can pass; older than 13 is refused. */
int db_open_finish(struct db *db, struct error *err) MUST_CHECK;
void db_close(struct db *db);

/* A result: rows and columns of text values. */
struct db_result {
	struct pg_result *res;
	size_t rows, columns;
	bool binary;
};
#define DB_RESULT_INIT \
	{              \
		0      \
	}
void db_result_release(struct db_result *result);
/* The value as text; "" for NULL (see db_is_null()). Belongs to the result. */
const char *db_value(const struct db_result *result, size_t row, size_t column);
/* The OID of a column's type: DB_TYPE_TEXT and so on (PostgreSQL's pg_type.dat). */
uint32_t db_column_type(const struct db_result *result, size_t column);
#define DB_TYPE_TEXT	25
#define DB_TYPE_VARCHAR 1043
#define DB_TYPE_INT4	23
#define DB_TYPE_INT8	20
bool db_is_null(const struct db_result *result, size_t row, size_t column);
/* As db_value(), but NULL for NULL. */
const char *db_value_or_null(const struct db_result *result, size_t row, size_t column);
int64_t db_int(const struct db_result *result, size_t row, size_t column);
bool db_bool(const struct db_result *result, size_t row, size_t column);
/* Of a result of db_query_binary(): a timestamptz as microseconds since 1970-01-01 UTC. */
int64_t db_time(const struct db_result *result, size_t row, size_t column);

/*
 * Runs one statement with `nr` text parameters ($1, $2, ...; NULL is SQL's NULL).
 * `ret` may be NULL when nothing is wanted of the result.
 */
int db_query(struct db_result *ret, struct db *db, const char *sql, size_t nr,
	     const char *const *params, struct error *err) MUST_CHECK;
/*
 * As db_query(), with the values as the server keeps them: text is text, and the rest is read
 * by db_time(), db_int() and db_bool(). For times: as text they cost both sides several times
 * as much.
 */
int db_query_binary(struct db_result *ret, struct db *db, const char *sql, size_t nr,
		    const char *const *params, struct error *err) MUST_CHECK;
/* One statement without parameters or result. */
int db_exec(struct db *db, const char *sql, struct error *err) MUST_CHECK;

/*
 * batch: statements sent in one go (pipeline mode) and answered in one go. The first
 * that fails ends it; those behind it are not run.
 */
struct db_command {
	char *sql;
	char **params;
	size_t nr;
	struct db_result result; /* kept when `wanted` */
	bool wanted, binary;	 /* as of db_query_binary() */
	size_t tag;		 /* the caller's own, and `source` too */
	const void *source;
	int64_t done_at;	  /* clock_monotonic() when its answer was there */
	int64_t rows;		  /* that an INSERT, UPDATE or DELETE changed; -1 for others */
	int64_t expected_rows;	  /* another number fails the batch; -1: any will do */
	const char *expected_tag; /* what the server calls the command then ("COMMIT"); or NULL */
	bool repeated;	  /* the session will run it many times: it is prepared (prepared.h) */
	bool prepares;	  /* while it runs: that is what it does first */
	bool deallocates; /* it may take away what is prepared */
};
struct db_batch {
	struct db_command *item;
	size_t nr, alloc;
	size_t sent; /* while it runs: the first so many are on their way, or answered */
	bool broken; /* they could not be sent */
};
#define DB_BATCH_INIT \
	{             \
		0     \
	}
void db_batch_release(struct db_batch *batch);
/* Copies sql (`len` bytes) and parameters. The pointer is good until the next call. */
struct db_command *db_batch_add(struct db_batch *batch, const char *sql, size_t len, size_t nr,
				const char *const *params);
/* 0, or -1 with *ret_failed (may be NULL) the index of the command that failed. */
int db_batch_run(struct db *db, struct db_batch *batch, size_t *ret_failed, struct error *err)
	MUST_CHECK;
/*
 * Sends the batch, or as much of it as goes at once, and does not wait for the answers, so that
 * something else can be done while the server works. db_batch_run() then takes them, and
 * tells what could not be sent; until then nothing else may be asked on `db`.
 */
void db_batch_start(struct db *db, struct db_batch *batch);

/* Behind what may have run DEALLOCATE ALL: what was prepared for `repeated` commands is gone. */
void db_forget_prepared(struct db *db);

/*
 * db_open_finish() in two halves: db_open_wait() until there is a connection; then the first batch
 * that is run on it, to which is added what asks for all that is known of `db` once it is open.
 */
int db_open_wait(struct db *db, struct error *err) MUST_CHECK;
int db_first_batch(struct db *db, struct db_batch *batch, size_t *ret_failed, struct error *err)
	MUST_CHECK;

/* The character position in the statement that the last error on `db` named, from 1; 0: none. */
size_t db_error_position(const struct db *db);

bool db_in_transaction(const struct db *db);
/* Of the server process, as it was announced when the connection was made. */
int db_announced_pid(const struct db *db);
/*
 * How another program of PostgreSQL's gets to the same database: appends keywords and values
 * of an open connection without what is secret, for its command line, and "PGPASSWORD=..."
 * for its environment alone. A secret that no variable takes is an error.
 */
int db_share_connection(struct strbuf *ret_conninfo, struct strvec *ret_env, struct db *db,
			struct error *err) MUST_CHECK;
/* What tells this database on this server from all others, whatever the way to it; db's own. */
int db_identity(const char **ret, struct db *db, struct error *err) MUST_CHECK;
/* Is the connection gone (server stopped, network cut)? */
bool db_is_lost(const struct db *db);
/* Ends a transaction if there is one; failures (a lost connection) are none. */
void db_rollback(struct db *db);

/* Appends a quoted identifier or literal. */
void db_quote_identifier(struct strbuf *out, struct db *db, const char *name);
void db_quote_literal(struct strbuf *out, struct db *db, const char *value);

/* Called with each NOTICE or WARNING of the server. */
typedef void db_notice_fn(void *data, const char *severity, const char *message);
void db_on_notice(struct db *db, db_notice_fn *fn, void *data);

#endif
