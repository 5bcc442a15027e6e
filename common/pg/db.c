/* SPDX-License-Identifier: MIT */
#include "pg/db.h"

#include <poll.h>
#include <time.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "pg/libpq.h"

#define OLDEST_VERSION 130000
#define ATTEMPTS       3

struct pg_notices {
	db_notice_fn *fn;
	void *data;
};

/* What a connection carries that is nobody else's business. */
struct pg_conn {
	PGconn *pg;
	struct pg_notices notices;
	PostgresPollingStatusType polling; /* while it connects: what it waits for */
	size_t error_position;
	bool timed_out; /* connecting took longer than connect_timeout */
	bool lost;
};

struct pg_result {
	PGresult *pg;
};

/* --- errors ------------------------------------------------------------------------- */

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

/*
 * Fills `err` from a failed result. libpq's messages about a connection may quote its
 * parameters, but never the password.
 */
static int error_pg(struct error *err, struct db *db, const PGresult *res)
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
static void on_notice(void *data, const PGresult *res)
{
	struct pg_notices *notices = data;
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	if (notices->fn && severity && message)
		notices->fn(notices->data, severity, message);
}

void db_on_notice(struct db *db, db_notice_fn *fn, void *data)
{
	db->conn->notices = (struct pg_notices){ .fn = fn, .data = data };
}

/* --- connecting --------------------------------------------------------------------- */

static void conn_free(struct pg_conn *conn)
{
	if (!conn)
		return;
	if (conn->pg)
		PQfinish(conn->pg);
	free(conn);
}

/* What libpq makes of one of its options; NULL: nothing. */
static const char *option_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options && options->keyword; options++)
		if (!strcmp(options->keyword, keyword))
			return options->val;
	return NULL;
}

/* Is it a connection string, and not the name of a database? libpq decides it so. */
static bool is_connection_string(const char *conninfo)
{
	return !strncmp(conninfo, "postgres://", 11) || !strncmp(conninfo, "postgresql://", 13) ||
	       strchr(conninfo, '=');
}

/*
 * libpq quotes the part of a string that it does not understand, and that is where a
 * password with an '@' or a '/' in it ends up. So such strings never get as far.
 */
static int check_conninfo(const struct db *db, struct error *err)
{
	PQconninfoOption *options;
	const char *host, *port;
	char *reason = NULL;
	bool good;

	if (!is_connection_string(db->conninfo))
		return 0;
	options = PQconninfoParse(db->conninfo, &reason);
	host = option_of(options, "host");
	port = option_of(options, "port");
	good = options && (!host || !strchr(host, '@')) &&
	       (!port || strspn(port, "0123456789,") == strlen(port));
	PQconninfoFree(options);
	if (reason)
		PQfreemem(reason);
	if (good)
		return 0;
	error_set(err, "the connection string of database '%s' is not valid", db->environment);
	return error_hint(err,
			  "In a URI write what is special in a password as %%40 ('@'), %%2F ('/'), "
			  "%%3A (':'); among keywords put it in single quotes.");
}

/* When to give up: libpq leaves connect_timeout to whoever polls. */
static int64_t connect_deadline(const struct db *db)
{
	PQconninfoOption *options = PQconninfo(db->conn->pg);
	const char *timeout = option_of(options, "connect_timeout");
	long seconds = timeout ? strtol(timeout, NULL, 10) : 0;

	PQconninfoFree(options);
	if (seconds <= 0)
		seconds = db->hurry;
	return seconds > 0 ? clock_monotonic() + (int64_t)seconds * 1000000 : INT64_MAX;
}

/*
 * What holds unless the user says otherwise. libpq lets a connection string replace what
 * stands before it, but not the environment or a service file: so these are left out there.
 * The keepalives find a dead server in 30 s; tcp_user_timeout ends a send that is never
 * acknowledged.
 */
static size_t add_defaults(const char **keywords, const char **values, const struct db *db)
{
	const struct {
		const char *keyword, *value, *variable;
	} defaults[] = {
		{ "connect_timeout", db->hurry ? NULL : "10", "PGCONNECT_TIMEOUT" },
		{ "keepalives_idle", "10", NULL },
		{ "keepalives_interval", "5", NULL },
		{ "keepalives_count", "4", NULL },
		{ "tcp_user_timeout", "30000", NULL },
	};
	size_t nr = 0;

	if (getenv("PGSERVICE") || strstr(db->conninfo, "service="))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		if (!defaults[i].value || (defaults[i].variable && getenv(defaults[i].variable)))
			continue;
		keywords[nr] = defaults[i].keyword;
		values[nr++] = defaults[i].value;
	}
	return nr;
}

/*
 * May the settings of transactions be the session's? Not where the user says what that has,
 * and timeouts for migrations are none for what we ourselves ask.
 */
static bool has_options(const struct db *db)
{
	return db->lock_timeout || db->statement_timeout || getenv("PGOPTIONS") ||
	       getenv("PGSERVICE") || strstr(db->conninfo, "options=") ||
	       strstr(db->conninfo, "service=");
}

/*
 * A pooler may know no options, and a server before 14 not this one. Names of settings are
 * the same in all languages.
 */
static bool refuses_settings(const struct db *db, const char *message)
{
	return db->settings && (strstr(message, "client_connection_check_interval") ||
				strstr(message, "idle_in_transaction_session_timeout") ||
				strstr(message, "options"));
}

static int start(struct db *db, struct error *err)
{
	static const char settings[] = "-c idle_in_transaction_session_timeout=" DB_IDLE_TIMEOUT
				       " -c client_connection_check_interval=" DB_CHECK_INTERVAL;
	const char *keywords[10], *values[10];
	size_t nr = add_defaults(keywords, values, db);

	if (db->settings) {
		keywords[nr] = "options";
		values[nr++] = settings;
	}

	keywords[nr] = "dbname";
	values[nr++] = db->conninfo;
	keywords[nr] = "application_name";
	values[nr++] = db->application_name;
	keywords[nr] = "client_encoding";
	values[nr++] = "UTF8";
	keywords[nr] = values[nr] = NULL;
	conn_free(db->conn);
	db->conn = xcalloc(1, sizeof(*db->conn));
	db->conn->polling = PGRES_POLLING_WRITING;
	db->conn->pg = PQconnectStartParams(keywords, values, 1);
	if (!db->conn->pg)
		return error_set(err, "out of memory in libpq");
	PQsetNoticeReceiver(db->conn->pg, on_notice, &db->conn->notices);
	return 0;
}

/* Waits until the socket can be read or written; interrupts and time-outs end it. */
static int wait_socket(PGconn *pg, short events, int timeout_ms)
{
	struct pollfd fd = { .fd = PQsocket(pg), .events = events };

	return poll(&fd, 1, timeout_ms);
}

void db_prepare(void)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (libpq_load(&ignored) < 0)
		error_clear(&ignored);
}

/*
 * Sends the start-up packet if it can be sent without waiting, as through a unix socket:
 * the server then starts its process while we do other things.
 */
static void push_start(struct db *db)
{
	if (PQstatus(db->conn->pg) != CONNECTION_BAD && wait_socket(db->conn->pg, POLLOUT, 0) > 0)
		db->conn->polling = PQconnectPoll(db->conn->pg);
}

int db_open_start(struct db *db, const struct db_options *options, struct error *err)
{
	if (libpq_load(err) < 0)
		return -1;
	*db = (struct db){
		.environment = xstrdup(options->environment),
		.application_name = xstrdup(options->application_name),
		.conninfo = xstrdup(options->conninfo),
		.lock_timeout = xstrdup_or_null(options->lock_timeout),
		.statement_timeout = xstrdup_or_null(options->statement_timeout),
		.hurry = options->hurry,
	};
	db->settings = options->changing && !has_options(db);
	if (check_conninfo(db, err) < 0 || start(db, err) < 0)
		return -1;
	push_start(db);
	return 0;
}

/* 1: connected; 0: failed, and PQerrorMessage() says why; -1: interrupted. */
static int connect_wait(struct db *db)
{
	PostgresPollingStatusType status = db->conn->polling;
	int64_t deadline = connect_deadline(db);

	while (PQstatus(db->conn->pg) != CONNECTION_BAD) {
		if (interrupt_pending())
			return -1;
		if (status == PGRES_POLLING_OK)
			return 1;
		if (status == PGRES_POLLING_FAILED)
			return 0;
		if (clock_monotonic() > deadline) {
			db->conn->timed_out = true;
			return 0;
		}
		int ready = wait_socket(db->conn->pg,
					status == PGRES_POLLING_READING ? POLLIN : POLLOUT, 200);
		if (ready > 0)
			status = PQconnectPoll(db->conn->pg);
	}
	return 0;
}

/*
 * Can the failure pass? PQerrorMessage() is all there is before a connection stands: the
 * SQLSTATE is not kept. A server that is there and says no says "FATAL:".
 */
static bool may_pass(const char *message)
{
	static const char *const passing[] = {
		"Connection refused",
		"starting up",
		"shutting down",
		"too many clients",
		"too many connections",
		"remaining connection slots",
		"recovery mode",
		"not yet accepting",
		"timeout expired",
		"Connection timed out",
		"Connection reset",
		"No such file or directory",
		"server closed the connection",
	};

	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		if (strstr(message, passing[i]))
			return true;
	return false;
}

static void pause_before_retry(int attempt)
{
	/* 200 ms, then 800 ms. */
	struct timespec pause = { .tv_nsec = attempt == 1 ? 200000000L : 800000000L };

	nanosleep(&pause, NULL);
}

static int connection_error(struct db *db, struct error *err)
{
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addstr(&sb, db->conn->timed_out ? "timeout expired" : PQerrorMessage(db->conn->pg));
	strbuf_rtrim(&sb);
	char *further = strchr(sb.buf, '\n');
	if (further)
		*further++ = '\0';
	error_set(err, "could not connect to database '%s': %s", db->environment,
		  sb.len ? sb.buf : "no answer");
	if (further)
		error_detail(err, "%s", further + strspn(further, " \t"));
	return error_hint(err, "Check the connection settings of '%s' and that the server runs.",
			  db->environment);
}

/* What the server has reported of itself; only from 14 on, and through a pooler anything. */
static bool read_reported(struct db *db)
{
	PGconn *pg = db->conn->pg;
	const char *standby = PQparameterStatus(pg, "in_hot_standby");
	const char *read_only = PQparameterStatus(pg, "default_transaction_read_only");

	if (db->pooled || !standby || !read_only)
		return false;
	db->standby = !strcmp(standby, "on");
	db->read_only = !strcmp(read_only, "on");
	db->name = xstrdup(PQdb(pg));
	return true;
}

static int ask(struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db,
		     "SELECT pg_catalog.pg_is_in_recovery(),"
		     " pg_catalog.current_setting('default_transaction_read_only'),"
		     " pg_catalog.current_database()",
		     0, NULL, err) < 0)
		return -1;
	db->standby = db_bool(&res, 0, 0);
	db->read_only = !strcmp(db_value(&res, 0, 1), "on");
	db->name = xstrdup(db_value(&res, 0, 2));
	return 0;
}

/* The first functions that a new session looks up take it long: as few as can be. */
static int read_session(struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db, "SELECT pg_catalog.pg_backend_pid(), current_user", 0, NULL, err) <
	    0)
		return -1;
	db->backend_pid = (int)db_int(&res, 0, 0);
	db->user = xstrdup(db_value(&res, 0, 1));
	/* A pooler hands out cancel keys of its own, so the two numbers differ. */
	db->pooled = db->backend_pid != PQbackendPID(db->conn->pg);
	/* It hands on connections whose settings are others'. */
	db->settings = db->settings && !db->pooled;
	return read_reported(db) ? 0 : ask(db, err);
}

int db_identity(const char **ret, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (!db->identity) {
		if (db_query(&res, db, "SELECT (pg_catalog.pg_control_system()).system_identifier",
			     0, NULL, err) < 0)
			return -1;
		db->identity = xstrfmt("%s %s", db_value(&res, 0, 0), db->name);
	}
	*ret = db->identity;
	return 0;
}

int db_open_finish(struct db *db, struct error *err)
{
	for (int attempt = 1;; attempt++) {
		int connected = connect_wait(db);

		if (connected < 0)
			return error_interrupted(err);
		if (connected)
			break;
		if (refuses_settings(db, PQerrorMessage(db->conn->pg))) {
			db->settings = false;
			attempt--;
			if (start(db, err) < 0)
				return -1;
			continue;
		}
		if (db->hurry || attempt == ATTEMPTS ||
		    !(db->conn->timed_out || may_pass(PQerrorMessage(db->conn->pg))))
			return connection_error(db, err);
		pause_before_retry(attempt);
		if (interrupt_pending())
			return error_interrupted(err);
		if (start(db, err) < 0)
			return -1;
	}
	if (PQsetnonblocking(db->conn->pg, 1) < 0)
		return connection_error(db, err);
	db->version = PQserverVersion(db->conn->pg);
	if (db->version < OLDEST_VERSION) {
		error_set(err, "cannot work with PostgreSQL %d, which database '%s' runs",
			  db->version / 10000, db->environment);
		return error_hint(err, "PostgreSQL 13 or newer is needed.");
	}
	return read_session(db, err);
}

void db_close(struct db *db)
{
	conn_free(db->conn);
	free(db->environment);
	free(db->application_name);
	free(db->conninfo);
	free(db->lock_timeout);
	free(db->statement_timeout);
	free(db->name);
	free(db->user);
	free(db->identity);
	*db = (struct db)DB_INIT;
}

/* ---- For another program ------------------------------------------------------------- */

/* What it has of its own, and what is about how the data comes. */
static bool is_own(const char *keyword)
{
	static const char *const own[] = { "application_name", "fallback_application_name",
					   "client_encoding", "replication" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strcmp(keyword, own[i]))
			return true;
	return false;
}

/* Of several hosts, the one that we have come to. */
static const char *value_in_use(const struct db *db, const PQconninfoOption *option)
{
	PGconn *pg = db->conn->pg;

	if (!option->val || !strchr(option->val, ','))
		return option->val;
	if (!strcmp(option->keyword, "host"))
		return PQhost(pg);
	if (!strcmp(option->keyword, "hostaddr"))
		return PQhostaddr(pg);
	return !strcmp(option->keyword, "port") ? PQport(pg) : option->val;
}

static void add_keyword(struct strbuf *out, const char *keyword, const char *value)
{
	strbuf_addf(out, "%s%s='", out->len ? " " : "", keyword);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			strbuf_addch(out, '\\');
		strbuf_addch(out, *value);
	}
	strbuf_addch(out, '\'');
}

static int share(struct strbuf *conninfo, struct strvec *env, struct db *db,
		 const PQconninfoOption *options, struct error *err)
{
	for (; options->keyword; options++) {
		const char *value = value_in_use(db, options);
		/* As libpq has it: what is shown as stars. */
		bool secret = strchr(options->dispchar, '*') != NULL;

		if (!value || !*value || is_own(options->keyword) ||
		    (options->compiled && !strcmp(value, options->compiled)))
			continue;
		if (secret && !options->envvar)
			return error_set(err, "cannot pass on '%s' of database '%s' in secret",
					 options->keyword, db->environment);
		if (secret)
			strvec_pushf(env, "%s=%s", options->envvar, value);
		else
			add_keyword(conninfo, options->keyword, value);
	}
	return 0;
}

int db_share_connection(struct strbuf *ret_conninfo, struct strvec *ret_env, struct db *db,
			struct error *err)
{
	PQconninfoOption *options = PQconninfo(db->conn->pg);
	int ret;

	if (!options)
		return error_set(err, "out of memory in libpq");
	ret = share(ret_conninfo, ret_env, db, options, err);
	PQconninfoFree(options);
	return ret;
}

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

/* Asks the server to stop the running statement; its answer then is an error. */
static void cancel(struct db *db)
{
	PGcancel *handle = PQgetCancel(db->conn->pg);
	char reason[256];

	if (handle) {
		PQcancel(handle, reason, sizeof(reason));
		PQfreeCancel(handle);
	}
}

/*
 * Sends what is waiting and waits until a result can be had without blocking. An interrupt
 * cancels the statement; `*interrupted` tells the caller.
 */
static int wait_result(struct db *db, bool *interrupted, struct error *err)
{
	const int64_t again = 1000000; /* a cancel that comes between two statements is lost */
	PGconn *pg = db->conn->pg;
	int64_t cancelled = 0;

	for (;;) {
		int unsent = PQflush(pg);

		if (unsent < 0)
			return error_pg(err, db, NULL);
		if (!PQisBusy(pg))
			return 0;
		if (interrupt_pending() && (!cancelled || clock_monotonic() - cancelled > again)) {
			*interrupted = true;
			cancelled = clock_monotonic();
			cancel(db);
		}
		/* Wakes up now and then: a signal may come just before poll(). */
		wait_socket(pg, unsent ? POLLIN | POLLOUT : POLLIN, 100);
		if (!PQconsumeInput(pg))
			return error_pg(err, db, NULL);
	}
}

static PGresult *next_result(struct db *db, bool *interrupted, bool *failed, struct error *err)
{
	if (wait_result(db, interrupted, err) < 0) {
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
	bool interrupted = false, failed = false;
	struct error first CLEANUP(error_release) = ERROR_INIT;

	db->conn->error_position = 0;
	if (!PQsendQueryParams(db->conn->pg, sql, (int)nr, NULL, params, NULL, NULL, binary))
		return error_pg(err, db, NULL);
	for (;;) {
		PGresult *res = next_result(db, &interrupted, &failed, &first);

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
			error_pg(&first, db, res);
			failed = true;
		}
		if (kept)
			PQclear(kept);
		kept = res;
	}
	if (failed || error_is_set(&first)) {
		if (kept)
			PQclear(kept);
		if (interrupted)
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

/* The result of one command in a pipeline; it ends with a NULL result. */
static int batch_result(struct db *db, struct db_command *c, bool *interrupted, bool *broken,
			struct error *err)
{
	PGresult *res = next_result(db, interrupted, broken, err);

	if (!res) {
		*broken = true;
		return *broken && error_is_set(err) ? -1 :
						      error_set(err, "the server gave no answer");
	}
	int ret = is_good(res) ? 0 : error_pg(err, db, res);
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
	res = next_result(db, interrupted, broken, err); /* the NULL behind it */
	if (res)
		PQclear(res);
	return *broken ? -1 : ret;
}

/* Takes what is left until the synchronisation point, so that the connection is usable. */
static void batch_drain(struct db *db, bool *interrupted)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	bool broken = false;

	for (int nulls = 0; nulls < 2 && !broken;) {
		PGresult *res = next_result(db, interrupted, &broken, &ignored);
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

static bool send_part(PGconn *pg, const struct db_batch *batch, size_t from, size_t to)
{
	if (!PQenterPipelineMode(pg))
		return false;
	for (size_t i = from; i < to; i++) {
		const struct db_command *c = &batch->item[i];

		if (!PQsendQueryParams(pg, c->sql, (int)c->nr, NULL, (const char *const *)c->params,
				       NULL, NULL, c->binary))
			return false;
	}
	return PQpipelineSync(pg);
}

/*
 * Sends items [from, to) behind one synchronisation point and takes their answers. *ret_failed
 * is always set when it fails.
 */
static int batch_part(struct db *db, struct db_batch *batch, size_t from, size_t to,
		      size_t *ret_failed, struct error *err)
{
	PGconn *pg = db->conn->pg;
	bool interrupted = false, broken = false;
	struct error first CLEANUP(error_release) = ERROR_INIT;
	size_t done = from;

	*ret_failed = from;
	if (!send_part(pg, batch, from, to)) {
		/* Half a part is sent: there is no way back into step. */
		error_pg(err, db, NULL);
		db->conn->lost = true;
		return -1;
	}
	for (; done < to && !broken; done++)
		if (batch_result(db, &batch->item[done], &interrupted, &broken, &first) < 0)
			break;
	if (!broken)
		batch_drain(db, &interrupted);
	if (!broken && !PQexitPipelineMode(pg) && !error_is_set(&first))
		error_pg(&first, db, NULL);
	if (!error_is_set(&first))
		return 0;
	*ret_failed = done;
	if (interrupted)
		return error_interrupted(err);
	error_move(err, &first);
	return -1;
}

int db_batch_run(struct db *db, struct db_batch *batch, size_t *ret_failed, struct error *err)
{
	/* Parts, so that a long script is not held twice in memory. */
	const size_t part_commands = 512, part_bytes = 1 << 20;
	size_t failed;

	db->conn->error_position = 0;
	for (size_t from = 0; from < batch->nr;) {
		size_t to = from, bytes = 0;

		while (to < batch->nr && to - from < part_commands && bytes < part_bytes)
			bytes += strlen(batch->item[to++].sql);
		if (batch_part(db, batch, from, to, &failed, err) < 0) {
			if (ret_failed)
				*ret_failed = failed;
			return -1;
		}
		from = to;
	}
	return 0;
}

/* --- state -------------------------------------------------------------------------- */

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
