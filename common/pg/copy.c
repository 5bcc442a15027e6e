/* SPDX-License-Identifier: MIT */
#include "pg/copy.h"

#include "base/memory.h"
#include "pg/db-state.h"

#define PIECE (64 * 1024) /* that goes to the server at once */

/* One COPY on its way. */
struct copy {
	struct db *db;
	struct db_interrupt interrupt;
	struct error reason; /* the first thing that went wrong */
	int64_t rows;
};

static bool is_copying(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COPY_OUT || status == PGRES_COPY_IN;
}

/* Takes the results that are left, up to the end of the statement. */
static void take_results(struct copy *copy)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	for (;;) {
		struct error *err = error_is_set(&copy->reason) ? &ignored : &copy->reason;
		PGresult *res;

		if (db_wait_result(copy->db, &copy->interrupt, err) < 0)
			return;
		res = PQgetResult(copy->db->conn->pg);
		if (!res)
			return;
		if (is_copying(res)) /* its end could not be sent */
			copy->db->conn->lost = true;
		if (PQresultStatus(res) == PGRES_COMMAND_OK)
			copy->rows = strtoll(PQcmdTuples(res), NULL, 10);
		else if (!error_is_set(&copy->reason))
			db_fail(&copy->reason, copy->db, res);
		PQclear(res);
		if (db_is_lost(copy->db))
			return;
	}
}

/* Sends the statement; the server then waits for data, or sends some. */
static int begin(struct copy *copy, const char *sql, ExecStatusType expected)
{
	struct db *db = copy->db;
	ExecStatusType status;
	PGresult *res;

	if (!PQsendQueryParams(db->conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
		return db_fail(&copy->reason, db, NULL);
	if (db_wait_result(db, &copy->interrupt, &copy->reason) < 0)
		return -1;
	res = PQgetResult(db->conn->pg);
	status = PQresultStatus(res);
	if (status == expected) {
		PQclear(res);
		return 0;
	}
	if (status != PGRES_FATAL_ERROR)
		BUG("not what it is taken for: %s", sql);
	db_fail(&copy->reason, db, res);
	PQclear(res);
	take_results(copy);
	return -1;
}

static int finish(struct copy *copy, int64_t *ret_rows, struct error *err)
{
	if (copy->interrupt.came) {
		error_release(&copy->reason);
		return error_interrupted(err);
	}
	if (error_is_set(&copy->reason)) {
		error_move(err, &copy->reason);
		return -1;
	}
	if (ret_rows)
		*ret_rows = copy->rows;
	return 0;
}

/* ---- Out ----------------------------------------------------------------------------- */

/* One row. Once something went wrong, the rest is thrown away, of which there is little then. */
static void hand_over(struct copy *copy, const char *bytes, size_t len, copy_sink_fn *sink,
		      void *data)
{
	if (error_is_set(&copy->reason) || copy->interrupt.came)
		return;
	if (sink(data, bytes, len, &copy->reason) < 0)
		db_cancel(copy->db);
}

static void take_rows(struct copy *copy, copy_sink_fn *sink, void *data)
{
	for (;;) {
		char *bytes = NULL;
		int len = PQgetCopyData(copy->db->conn->pg, &bytes, 1);

		if (len > 0) {
			hand_over(copy, bytes, (size_t)len, sink, data);
			PQfreemem(bytes);
		} else if (len < 0) {
			/* -1: all was sent, and -2 an error: the result has it. */
			return;
		}
		db_look_for_interrupt(copy->db, &copy->interrupt);
		if (!len && db_wait_more(copy->db, false, &copy->reason) < 0)
			return;
	}
}

int copy_out(int64_t *ret_rows, struct db *db, const char *sql, copy_sink_fn *sink, void *data,
	     struct error *err)
{
	struct copy copy = { .db = db };

	if (begin(&copy, sql, PGRES_COPY_OUT) == 0) {
		take_rows(&copy, sink, data);
		take_results(&copy);
	}
	return finish(&copy, ret_rows, err);
}

/* ---- In ------------------------------------------------------------------------------ */

/*
 * Until all of it is sent: libpq would keep any amount in memory. False: the server has failed
 * meanwhile, or the connection has.
 */
static bool flush(struct copy *copy)
{
	int unsent;

	while ((unsent = PQflush(copy->db->conn->pg)) > 0 && !copy->interrupt.came) {
		db_look_for_interrupt(copy->db, &copy->interrupt);
		if (db_wait_more(copy->db, true, &copy->reason) < 0)
			return false;
	}
	return unsent >= 0;
}

/* False: no more is to be sent. */
static bool send_piece(struct copy *copy, char *buffer, copy_source_fn *source, void *data)
{
	size_t len = 0;

	if (source(data, buffer, PIECE, &len, &copy->reason) < 0 || !len)
		return false;
	/* It looks for an error of the server's, too, which take_results() then gets. */
	if (PQputCopyData(copy->db->conn->pg, buffer, (int)len) <= 0)
		return false;
	if (!flush(copy))
		return false;
	db_look_for_interrupt(copy->db, &copy->interrupt);
	return !copy->interrupt.came;
}

int copy_in(int64_t *ret_rows, struct db *db, const char *sql, copy_source_fn *source, void *data,
	    struct error *err)
{
	char *buffer CLEANUP(free_p) = xmalloc(PIECE);
	struct copy copy = { .db = db };

	if (begin(&copy, sql, PGRES_COPY_IN) == 0) {
		bool failed;

		while (send_piece(&copy, buffer, source, data))
			;
		failed = error_is_set(&copy.reason) || copy.interrupt.came;
		/* Where the server has given up already, this is one too many: its reason follows. */
		(void)!PQputCopyEnd(db->conn->pg, failed ? "given up" : NULL);
		take_results(&copy);
	}
	return finish(&copy, ret_rows, err);
}
