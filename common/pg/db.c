/* SPDX-License-Identifier: MIT */
#include "pg/db.h"

#include <poll.h>

#include "base/memory.h"
#include "pg/db-state.h"

static void set_error_position(struct db *db, const PGresult *res)
{
	const char *position = res ? PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION) : NULL;

	db->conn->error_position = position ? (size_t)strtoul(position, NULL, 10) : 0;
}

/* The server says good-bye; that the connection is closed is seen only later. */
static bool ends_session(const PGresult *res)
{
	const char *severity = res ? PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED) : NULL;

	return severity && (!strcmp(severity, "FATAL") || !strcmp(severity, "PANIC"));
}

int db_fail(struct error *err, struct db *db, const PGresult *res)
{
	const char *primary = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *detail = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL) : NULL;
	const char *hint = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_HINT) : NULL;
	const char *context = res ? PQresultErrorField(res, PG_DIAG_CONTEXT) : NULL;

	set_error_position(db, res);
	if (PQstatus(db->conn->pg) == CONNECTION_BAD || ends_session(res)) {
		db->conn->lost = true;
		error_set(err, "lost the connection to database '%s'", db->environment);
		if (primary)
			error_detail(err, "%s", primary);
	} else if (primary) {
		error_set(err, "%s", primary);
	} else {
		struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

		strbuf_addstr(&sb, PQerrorMessage(db->conn->pg));
		strbuf_rtrim(&sb);
		error_set(err, "%s", sb.len ? sb.buf : "the server gave no reason");
	}
	if (state)
		snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", state);
	if (detail)
		error_detail(err, "%s", detail);
	if (context)
		error_detail(err, "%s", context);
	if (hint)
		error_hint(err, "%s", hint);
	return -1;
}

size_t db_error_position(const struct db *db)
{
	return db->conn ? db->conn->error_position : 0;
}

/* The severity as it is in every language. */
void db_receive_notice(void *data, const PGresult *res)
{
	const struct pg_conn *conn = data;
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	if (conn->notice_fn && severity && message)
		conn->notice_fn(conn->notice_data, severity, message);
}

void db_on_notice(struct db *db, db_notice_fn *fn, void *data)
{
	db->conn->notice_fn = fn;
	db->conn->notice_data = data;
}

int db_wait_socket(PGconn *pg, short events, int timeout_ms)
{
	struct pollfd fd = { .fd = PQsocket(pg), .events = events };

	return poll(&fd, 1, timeout_ms);
}

void db_set_identity(struct db *db, const char *identifier)
{
	db->identity = xstrfmt("%s %s", identifier, db->name);
}

int db_identity(const char **ret, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (!db->identity) {
		if (db_query(&res, db, "SELECT (pg_catalog.pg_control_system()).system_identifier",
			     0, NULL, err) < 0)
			return -1;
		db_set_identity(db, db_value(&res, 0, 0));
	}
	*ret = db->identity;
	return 0;
}

int db_announced_pid(const struct db *db)
{
	return PQbackendPID(db->conn->pg);
}

bool db_in_transaction(const struct db *db)
{
	PGTransactionStatusType status = PQtransactionStatus(db->conn->pg);

	return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN;
}

bool db_is_lost(const struct db *db)
{
	return !db->conn || db->conn->lost || PQstatus(db->conn->pg) == CONNECTION_BAD;
}

void db_rollback(struct db *db)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (!db_is_lost(db) && db_in_transaction(db) && db_exec(db, "ROLLBACK", &ignored) < 0)
		error_clear(&ignored);
}

void db_quote_identifier(struct strbuf *out, struct db *db, const char *name)
{
	char *quoted = PQescapeIdentifier(db->conn->pg, name, strlen(name));

	if (!quoted)
		BUG("cannot quote '%s'", name);
	strbuf_addstr(out, quoted);
	PQfreemem(quoted);
}

void db_quote_literal(struct strbuf *out, struct db *db, const char *value)
{
	char *quoted = PQescapeLiteral(db->conn->pg, value, strlen(value));

	if (!quoted)
		BUG("cannot quote a literal");
	strbuf_addstr(out, quoted);
	PQfreemem(quoted);
}
