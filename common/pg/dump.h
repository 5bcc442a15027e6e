/* SPDX-License-Identifier: MIT */
/*
 * dump: a database's schema as `pg_dump --schema-only` writes it, of an exported snapshot.
 *
 * Use:    dump_start() with the id that pg_export_snapshot() gave, in a transaction that
 *         stays open until dump_finish(); other work may go on meanwhile, on that
 *         connection too.
 * Program: pg_dump must not be older than the server. Of those in PATH the first that is
 *         not, else Debian's /usr/lib/postgresql/<version>/bin. Debian's wrapper in PATH is
 *         passed over: it takes longer to choose one than pg_dump needs.
 * Text:   the same schema gives the same bytes. Newer versions of pg_dump put a random key
 *         into \restrict and \unrestrict, which keeps what is in the database from running
 *         commands of psql; it is replaced by the digest of all the rest, which nothing
 *         inside can know either.
 * Secrets: the password goes through the environment, nothing else does. Subscriptions are
 *         left out: their connection strings would be in the text.
 * Errors: -1 with pg_dump's reason. It waits for a table's lock as long as the connection
 *         does, or two seconds.
 */
#ifndef PG_DUMP_H
#define PG_DUMP_H

#include "base/process.h"
#include "pg/db.h"

struct dump {
	struct process process;
	struct strvec env;
};
#define DUMP_INIT                                           \
	{                                                   \
		.process = PROCESS_INIT, .env = STRVEC_INIT \
	}
void dump_release(struct dump *dump);

/* DUMP_NO_PROGRAM: there is no pg_dump that is new enough for this server. */
enum dump_started { DUMP_STARTED = 0, DUMP_NO_PROGRAM = 1 };
int dump_start(struct dump *dump, struct db *db, const char *snapshot, struct error *err)
	MUST_CHECK;
/* Appends the text. */
int dump_finish(struct strbuf *ret, struct dump *dump, struct error *err) MUST_CHECK;

#endif
