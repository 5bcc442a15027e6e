/* SPDX-License-Identifier: MIT */
/*
 * db-state: what lies behind a struct db and a struct db_result.
 *
 * Only db*.c and copy.c include this: db.c has what a connection says of itself, db-connect.c opens
 * it and hands it on to other programs, db-query.c runs statements, copy.c COPY.
 */
#ifndef PG_DB_STATE_H
#define PG_DB_STATE_H

#include "pg/db.h"
#include "pg/libpq.h"
#include "pg/prepared.h"

/* What a connection carries that is nobody else's business. */
struct pg_conn {
	PGconn *pg;
	db_notice_fn *notice_fn;
	void *notice_data;
	PostgresPollingStatusType polling; /* while it connects: what it waits for */
	struct prepared prepared;
	size_t error_position;
	bool timed_out; /* connecting took longer than connect_timeout */
	bool lost;
};

struct pg_result {
	PGresult *pg;
};

/*
 * Fills `err` from a failed result (NULL: from the connection), and returns -1. libpq's
 * messages about a connection may quote its parameters, but never the password.
 */
int db_fail(struct error *err, struct db *db, const PGresult *res);
/* The PQnoticeReceiver; `data` is the struct pg_conn. */
void db_receive_notice(void *data, const PGresult *res);
/* How an interrupt is dealt with while one statement runs; its error is error_interrupted() then. */
struct db_interrupt {
	bool came;
	int64_t cancelled; /* clock_monotonic() when the server was last told; 0: never */
};
/* Tells the server to give the statement up, if there is one: its answer is then an error. */
void db_look_for_interrupt(struct db *db, struct db_interrupt *interrupt);
/* Tells it in any case, now. */
void db_cancel(struct db *db);
/* Waits for a moment until more has come or, when `unsent`, can be sent; takes in what has. */
int db_wait_more(struct db *db, bool unsent, struct error *err) MUST_CHECK;
/* Sends what is waiting, and waits until PQgetResult() does not block. */
int db_wait_result(struct db *db, struct db_interrupt *interrupt, struct error *err) MUST_CHECK;
/* Waits until the socket can be read or written; a signal or the time-out ends it. */
int db_wait_socket(PGconn *pg, short events, int timeout_ms);
/* For db_identity(): `identifier` is the server's system identifier. */
void db_set_identity(struct db *db, const char *identifier);

#endif
