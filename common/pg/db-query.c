/* SPDX-License-Identifier: MIT */
#include <poll.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "pg/db-state.h"

/* --- results ------------------------------------------------------------------------ */

void db_result_release(struct db_result *result)
{
	if (result->res) {
		PQclear(result->res->pg);
		free(result->res);
	}
	*result = (struct db_result)DB_RESULT_INIT;
}

static void result_set(struct db_result *ret, PGresult *pg, bool binary)
{
	ret->binary = binary;
	ret->res = xmalloc(sizeof(*ret->res));
	ret->res->pg = pg;
	ret->rows = (size_t)PQntuples(pg);
	ret->columns = (size_t)PQnfields(pg);
}

const char *db_value(const struct db_result *result, size_t row, size_t column)
{
	if (row >= result->rows || column >= result->columns)
		BUG("no value at %zu,%zu", row, column);
	return PQgetvalue(result->res->pg, (int)row, (int)column);
}

uint32_t db_column_type(const struct db_result *result, size_t column)
{
	return PQftype(result->res->pg, (int)column);
}

bool db_is_null(const struct db_result *result, size_t row, size_t column)
{
	return PQgetisnull(result->res->pg, (int)row, (int)column) != 0;
}

const char *db_value_or_null(const struct db_result *result, size_t row, size_t column)
{
	return db_is_null(result, row, column) ? NULL : db_value(result, row, column);
}

/* A binary integer: two's complement, the most significant byte first, of any width. */
static int64_t binary_int(const struct db_result *result, size_t row, size_t column)
{
	const unsigned char *bytes = (const unsigned char *)db_value(result, row, column);
	size_t len = (size_t)PQgetlength(result->res->pg, (int)row, (int)column);
	uint64_t ret = len && bytes[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < len; i++)
		ret = ret << 8 | bytes[i];
	return (int64_t)ret;
}

int64_t db_int(const struct db_result *result, size_t row, size_t column)
{
	if (result->binary)
		return binary_int(result, row, column);
	return strtoll(db_value(result, row, column), NULL, 10);
}

int64_t db_time(const struct db_result *result, size_t row, size_t column)
{
	/* The server counts microseconds from 2000-01-01 UTC. */
	const int64_t epoch = INT64_C(946684800) * 1000000;

	return binary_int(result, row, column) + epoch;
}

bool db_bool(const struct db_result *result, size_t row, size_t column)
{
	return db_value(result, row, column)[0] == (result->binary ? '\1' : 't');
}

/* --- running ------------------------------------------------------------------------ */

void db_cancel(struct db *db)
{
	PGcancel *handle = PQgetCancel(db->conn->pg);
	char reason[256];

	if (handle) {
		PQcancel(handle, reason, sizeof(reason));
		PQfreeCancel(handle);
	}
}

void db_look_for_interrupt(struct db *db, struct db_interrupt *interrupt)
{
	const int64_t again = 1000000; /* a cancel that comes between two statements is lost */

	if (!interrupt_pending() ||
	    (interrupt->cancelled && clock_monotonic() - interrupt->cancelled <= again))
		return;
	interrupt->came = true;
	interrupt->cancelled = clock_monotonic();
	db_cancel(db);
}

int db_wait_more(struct db *db, bool unsent, struct error *err)
{
	/* Wakes up now and then: a signal may come just before poll(). */
	db_wait_socket(db->conn->pg, unsent ? POLLIN | POLLOUT : POLLIN, 100);
	return PQconsumeInput(db->conn->pg) ? 0 : db_fail(err, db, NULL);
}

int db_wait_result(struct db *db, struct db_interrupt *interrupt, struct error *err)
{
	for (;;) {
		int unsent = PQflush(db->conn->pg);

		if (unsent < 0)
			return db_fail(err, db, NULL);
		if (!PQisBusy(db->conn->pg))
			return 0;
		db_look_for_interrupt(db, interrupt);
		if (db_wait_more(db, unsent, err) < 0)
			return -1;
	}
}

static PGresult *next_result(struct db *db, struct db_interrupt *interrupt, bool *failed,
			     struct error *err)
{
	if (db_wait_result(db, interrupt, err) < 0) {
		*failed = true;
		return NULL;
	}
	return PQgetResult(db->conn->pg);
}

static bool is_good(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
	       status == PGRES_EMPTY_QUERY;
}

static int copy_error(struct error *err)
{
	error_set(err, "COPY from or to the client is not supported");
	return error_hint(err, "Use INSERT, or COPY with a file on the server.");
}

static int query(struct db_result *ret, struct db *db, const char *sql, size_t nr,
		 const char *const *params, bool binary, struct error *err)
{
	PGresult *kept = NULL;
	struct db_interrupt interrupt = { 0 };
	bool failed = false;
	struct error first CLEANUP(error_release) = ERROR_INIT;

	db->conn->error_position = 0;
	if (!PQsendQueryParams(db->conn->pg, sql, (int)nr, NULL, params, NULL, NULL, binary))
		return db_fail(err, db, NULL);
	for (;;) {
		PGresult *res = next_result(db, &interrupt, &failed, &first);

		if (!res)
			break;
		if (!is_good(res) && !error_is_set(&first)) {
			ExecStatusType status = PQresultStatus(res);
			if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT ||
			    status == PGRES_COPY_BOTH) {
				/* No way on but to end the connection. */
				PQclear(res);
				db->conn->lost = true;
				failed = true;
				copy_error(&first);
				break;
			}
			db_fail(&first, db, res);
			failed = true;
		}
		if (kept)
			PQclear(kept);
		kept = res;
	}
	if (failed || error_is_set(&first)) {
		if (kept)
			PQclear(kept);
		if (interrupt.came)
			return error_interrupted(err);
		error_move(err, &first);
		return -1;
	}
	if (!kept)
		return error_set(err, "the server gave no answer");
	if (ret)
		result_set(ret, kept, binary);
	else
		PQclear(kept);
	return 0;
}

int db_query(struct db_result *ret, struct db *db, const char *sql, size_t nr,
	     const char *const *params, struct error *err)
{
	return query(ret, db, sql, nr, params, false, err);
}

int db_query_binary(struct db_result *ret, struct db *db, const char *sql, size_t nr,
		    const char *const *params, struct error *err)
{
	return query(ret, db, sql, nr, params, true, err);
}

int db_exec(struct db *db, const char *sql, struct error *err)
{
	return db_query(NULL, db, sql, 0, NULL, err);
}

void db_batch_release(struct db_batch *batch)
{
	for (size_t i = 0; i < batch->nr; i++) {
		struct db_command *c = &batch->item[i];

		for (size_t k = 0; k < c->nr; k++)
			free(c->params[k]);
		free(c->params);
		free(c->sql);
		db_result_release(&c->result);
	}
	free(batch->item);
	*batch = (struct db_batch)DB_BATCH_INIT;
}

struct db_command *db_batch_add(struct db_batch *batch, const char *sql, size_t len, size_t nr,
				const char *const *params)
{
	struct db_command *c;

	ARRAY_GROW(batch->item, batch->nr + 1, batch->alloc);
	c = &batch->item[batch->nr++];
	*c = (struct db_command){
		.sql = xmemdupz(sql, len), .nr = nr, .rows = -1, .expected_rows = -1
	};
	if (nr)
		c->params = xcalloc(nr, sizeof(*c->params));
	for (size_t i = 0; i < nr; i++)
		c->params[i] = xstrdup_or_null(params[i]);
	return c;
}

/* What a batch has sent has one result, and a NULL behind it. NULL: `broken`, with `err` set. */
static PGresult *sent_result(struct db *db, struct db_interrupt *interrupt, bool *broken,
			     struct error *err)
{
	PGresult *res = next_result(db, interrupt, broken, err);

	if (res)
		return res;
	*broken = true;
	if (!error_is_set(err))
		error_set(err, "the server gave no answer");
	return NULL;
}

static void skip_end(struct db *db, struct db_interrupt *interrupt, bool *broken, struct error *err)
{
	PGresult *res = next_result(db, interrupt, broken, err);

	if (res)
		PQclear(res);
}

static int prepare_result(struct db *db, struct db_interrupt *interrupt, bool *broken,
			  struct error *err)
{
	PGresult *res = sent_result(db, interrupt, broken, err);
	int ret;

	if (!res)
		return -1;
	ret = is_good(res) ? 0 : db_fail(err, db, res);
	PQclear(res);
	skip_end(db, interrupt, broken, err);
	return *broken ? -1 : ret;
}

static int command_error(struct error *err, struct db *db, const struct db_command *c,
			 const PGresult *res)
{
	db_fail(err, db, res);
	if (c->repeated && !strcmp(err->sqlstate, "26000"))
		error_hint(err, "A function or trigger has run DEALLOCATE ALL. Nothing of this "
				"transaction is left; run the command again.");
	return -1;
}

static int batch_result(struct db *db, struct db_command *c, struct db_interrupt *interrupt,
			bool *broken, struct error *err)
{
	PGresult *res;
	int ret;

	if (c->prepares && prepare_result(db, interrupt, broken, err) < 0)
		return -1;
	res = sent_result(db, interrupt, broken, err);
	if (!res)
		return -1;
	ret = is_good(res) ? 0 : command_error(err, db, c, res);
	c->done_at = clock_monotonic();
	if (!ret) {
		const char *changed = PQcmdTuples(res);
		c->rows = *changed ? strtoll(changed, NULL, 10) : -1;
		if (c->expected_rows >= 0 && c->rows != c->expected_rows)
			ret = error_set(err,
					"a record of ours changed %" PRId64 " rows, not %" PRId64
					": a trigger or a rule may stand in its way",
					c->rows, c->expected_rows);
		else if (c->expected_tag && strcmp(PQcmdStatus(res), c->expected_tag) != 0)
			ret = error_set(err, "the server answered %s to %s", PQcmdStatus(res),
					c->expected_tag);
	}
	if (!ret && c->wanted)
		result_set(&c->result, res, c->binary);
	else
		PQclear(res);
	skip_end(db, interrupt, broken, err);
	return *broken ? -1 : ret;
}

/* Takes what is left until the synchronisation point, so that the connection is usable. */
static void batch_drain(struct db *db, struct db_interrupt *interrupt)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	bool broken = false;

	for (int nulls = 0; nulls < 2 && !broken;) {
		PGresult *res = next_result(db, interrupt, &broken, &ignored);
		bool sync;

		if (!res) {
			nulls++;
			continue;
		}
		nulls = 0;
		sync = PQresultStatus(res) == PGRES_PIPELINE_SYNC;
		PQclear(res);
		if (sync)
			return;
	}
}

/* Where the part that begins at `from` ends: a long script is not held twice in memory. */
static size_t part_end(const struct db_batch *batch, size_t from)
{
	const size_t part_commands = 512, part_bytes = 1 << 20;
	size_t to = from, bytes = 0;

	while (to < batch->nr && to - from < part_commands && bytes < part_bytes)
		bytes += strlen(batch->item[to++].sql);
	return to;
}

void db_forget_prepared(struct db *db)
{
	prepared_forget(&db->conn->prepared);
}

static bool send_command(struct db *db, struct db_command *c)
{
	PGconn *pg = db->conn->pg;
	const char *const *params = (const char *const *)c->params;
	const char *name = NULL;

	if (c->repeated && !db->pooled)
		name = prepared_use(&db->conn->prepared, c->sql, &c->prepares);
	if (c->deallocates)
		db_forget_prepared(db);
	if (!name)
		return PQsendQueryParams(pg, c->sql, (int)c->nr, NULL, params, NULL, NULL,
					 c->binary);
	return (!c->prepares || PQsendPrepare(pg, name, c->sql, (int)c->nr, NULL)) &&
	       PQsendQueryPrepared(pg, name, (int)c->nr, params, NULL, NULL, c->binary);
}

static bool send_commands(struct db *db, const struct db_batch *batch, size_t from, size_t to)
{
	if (!PQenterPipelineMode(db->conn->pg))
		return false;
	for (size_t i = from; i < to; i++)
		if (!send_command(db, &batch->item[i]))
			return false;
	return PQpipelineSync(db->conn->pg);
}

/* Sends the next part, behind one synchronisation point. */
static void send_part(struct db *db, struct db_batch *batch)
{
	size_t from = batch->sent;

	batch->sent = part_end(batch, from);
	batch->broken = !send_commands(db, batch, from, batch->sent);
}

/*
 * Takes the answers to what was sent behind the first `from`. *ret_failed is always set when
 * it fails.
 */
static int take_part(struct db *db, struct db_batch *batch, size_t from, size_t *ret_failed,
		     struct error *err)
{
	PGconn *pg = db->conn->pg;
	struct db_interrupt interrupt = { 0 };
	bool broken = false;
	struct error first CLEANUP(error_release) = ERROR_INIT;
	size_t done = from;

	*ret_failed = from;
	if (batch->broken) {
		/* Half a part is sent: there is no way back into step. */
		db_fail(err, db, NULL);
		db->conn->lost = true;
		return -1;
	}
	for (; done < batch->sent && !broken; done++)
		if (batch_result(db, &batch->item[done], &interrupt, &broken, &first) < 0)
			break;
	if (!broken)
		batch_drain(db, &interrupt);
	if (!broken && !PQexitPipelineMode(pg) && !error_is_set(&first))
		db_fail(&first, db, NULL);
	if (!error_is_set(&first))
		return 0;
	*ret_failed = done;
	db_forget_prepared(db);
	if (interrupt.came)
		return error_interrupted(err);
	error_move(err, &first);
	return -1;
}

void db_batch_start(struct db *db, struct db_batch *batch)
{
	db->conn->error_position = 0;
	if (batch->nr)
		send_part(db, batch);
}

static int run_parts(struct db *db, struct db_batch *batch, size_t *ret_failed, struct error *err)
{
	for (size_t from = 0; from < batch->nr; from = batch->sent) {
		if (from)
			send_part(db, batch);
		if (take_part(db, batch, from, ret_failed, err) < 0)
			return -1;
	}
	return 0;
}

int db_batch_run(struct db *db, struct db_batch *batch, size_t *ret_failed, struct error *err)
{
	size_t failed;
	int ret;

	if (!batch->sent)
		db_batch_start(db, batch);
	ret = run_parts(db, batch, &failed, err);
	batch->sent = 0;
	if (ret < 0 && ret_failed)
		*ret_failed = failed;
	return ret;
}
