/* SPDX-License-Identifier: MIT */
/*
 * What t1600-copy.sh does with COPY. No test program itself.
 *
 *   out URL SQL          rows to stdout, their number to stderr
 *   in URL SQL           rows from stdin, their number to stderr
 *   MODE:N, with MODE    the same, and after N bytes the own function fails (out-fail, in-fail),
 *                        or a signal comes (out-signal, in-signal), or the connection is ended
 *                        (out-kill, in-kill)
 *
 * Afterwards it says "usable" when the connection can still be used, else "lost".
 */
#include <signal.h>
#include <unistd.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "pg/copy.h"

static struct db db = DB_INIT, other = DB_INIT;
static size_t done, limit = SIZE_MAX;
static const char *event = "";

static void connect_to(struct db *ret, const char *url)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct db_options options = {
		.conninfo = url,
		.environment = "test",
		.application_name = "pg-copy-tool",
	};

	if (db_open_start(ret, &options, &err) < 0 || db_open_finish(ret, &err) < 0)
		exit(error_exit(&err));
}

static int happen(struct error *err)
{
	if (done < limit)
		return 0;
	limit = SIZE_MAX;
	if (!strcmp(event, "fail"))
		return error_set(err, "no more of it");
	if (!strcmp(event, "signal"))
		raise(SIGTERM);
	if (!strcmp(event, "kill")) {
		char *sql CLEANUP(free_p) =
			xstrfmt("SELECT pg_catalog.pg_terminate_backend(%d, 5000)", db.backend_pid);

		return db_exec(&other, sql, err);
	}
	return 0;
}

static int sink(void *data UNUSED, const void *bytes, size_t len, struct error *err)
{
	done += len;
	if (fwrite(bytes, 1, len, stdout) != len)
		return error_errno(err, "cannot write");
	return happen(err);
}

static int source(void *data UNUSED, void *buf, size_t size, size_t *ret_len, struct error *err)
{
	if (happen(err) < 0)
		return -1;
	*ret_len = fread(buf, 1, size, stdin);
	done += *ret_len;
	return 0;
}

int main(int argc, char **argv)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct error after CLEANUP(error_release) = ERROR_INIT;
	char *colon = argc == 4 ? strchr(argv[1], ':') : NULL;
	int64_t rows = -1;
	int ret;

	if (argc != 4) {
		puts("1..0 # SKIP not a test, but a helper of t1600-copy.sh");
		return 0;
	}
	if (colon) {
		*colon = '\0';
		limit = strtoul(colon + 1, NULL, 10);
		event = strchr(argv[1], '-') + 1;
	}
	interrupt_catch();
	connect_to(&db, argv[2]);
	connect_to(&other, argv[2]);
	ret = !strncmp(argv[1], "out", 3) ? copy_out(&rows, &db, argv[3], sink, NULL, &err) :
					    copy_in(&rows, &db, argv[3], source, NULL, &err);
	fflush(stdout);
	if (ret == 0)
		fprintf(stderr, "%" PRId64 " rows\n", rows);
	else
		ret = error_exit(&err);
	/* A signal that is still there would cancel this, too: not the connection's fault. */
	fputs(!db_is_lost(&db) && (interrupt_pending() || db_exec(&db, "SELECT 1", &after) == 0) ?
		      "usable\n" :
		      "lost\n",
	      stderr);
	db_close(&db);
	db_close(&other);
	return ret;
}
