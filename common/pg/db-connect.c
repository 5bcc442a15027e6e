/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <time.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "pg/db-state.h"

#define OLDEST_VERSION 130000
#define ATTEMPTS       3

static void conn_free(struct pg_conn *conn)
{
	if (!conn)
		return;
	if (conn->pg)
		PQfinish(conn->pg);
	prepared_release(&conn->prepared);
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
	const char *keywords[11], *values[11];
	size_t nr = add_defaults(keywords, values, db);

	if (db->settings) {
		keywords[nr] = "options";
		values[nr++] = settings;
	}

	keywords[nr] = "dbname";
	values[nr++] = db->conninfo;
	if (db->other) { /* only the first may be a connection string, and the last one counts */
		keywords[nr] = "dbname";
		values[nr++] = db->other;
	}
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
	PQsetNoticeReceiver(db->conn->pg, db_receive_notice, db->conn);
	return 0;
}

void db_prepare(void)
{
	libpq_load_start();
}

/*
 * Sends the start-up packet if it can be sent without waiting, as through a unix socket:
 * the server then starts its process while we do other things.
 */
static void push_start(struct db *db)
{
	if (PQstatus(db->conn->pg) != CONNECTION_BAD &&
	    db_wait_socket(db->conn->pg, POLLOUT, 0) > 0)
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
		.other = xstrdup_or_null(options->name),
		.lock_timeout = xstrdup_or_null(options->lock_timeout),
		.statement_timeout = xstrdup_or_null(options->statement_timeout),
		.hurry = options->hurry,
	};
	db->changing = options->changing;
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
		int ready = db_wait_socket(db->conn->pg,
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

static const char session_sql[] = "SELECT pg_catalog.pg_backend_pid(), current_user";
/* Who is going to change the database will ask for its identity: then in the same breath. */
static const char identity_sql[] = "SELECT pg_catalog.pg_backend_pid(), current_user,"
				   " (pg_catalog.pg_control_system()).system_identifier";

/* The first functions that a new session looks up take it long: as few as can be. */
static void add_session(struct db_batch *batch, const struct db *db)
{
	const char *sql = db->changing ? identity_sql : session_sql;

	db_batch_add(batch, sql, strlen(sql), 0, NULL)->wanted = true;
}

static int take_session(struct db *db, const struct db_result *res, struct error *err)
{
	db->backend_pid = (int)db_int(res, 0, 0);
	db->user = xstrdup(db_value(res, 0, 1));
	/* A pooler hands out cancel keys of its own, so the two numbers differ. */
	db->pooled = db->backend_pid != db_announced_pid(db);
	/* It hands on connections whose settings are others'. */
	db->settings = db->settings && !db->pooled;
	if (!read_reported(db) && ask(db, err) < 0)
		return -1;
	if (res->columns > 2)
		db_set_identity(db, db_value(res, 0, 2));
	return 0;
}

static int read_session(struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	return db_query(&res, db, session_sql, 0, NULL, err) < 0 ? -1 : take_session(db, &res, err);
}

int db_first_batch(struct db *db, struct db_batch *batch, size_t *ret_failed, struct error *err)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	size_t failed = 0;

	add_session(batch, db);
	if (db_batch_run(db, batch, &failed, &reason) == 0)
		return take_session(db, &batch->item[batch->nr - 1].result, err);
	*ret_failed = failed;
	/* Not everybody may, where PUBLIC was told so: db_identity() says it when it matters. */
	if (failed == batch->nr - 1 && db->changing && !strcmp(reason.sqlstate, "42501"))
		return read_session(db, err);
	error_move(err, &reason);
	return -1;
}

int db_open_wait(struct db *db, struct error *err)
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
	return 0;
}

int db_open_finish(struct db *db, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	size_t failed;

	return db_open_wait(db, err) < 0 ? -1 : db_first_batch(db, &batch, &failed, err);
}

void db_close(struct db *db)
{
	conn_free(db->conn);
	free(db->environment);
	free(db->application_name);
	free(db->conninfo);
	free(db->other);
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
