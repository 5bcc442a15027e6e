/* SPDX-License-Identifier: MIT */
/*
 * dump: a database as pg_dump writes it, of an exported snapshot; and pg_restore of its archives.
 *
 * Use:    dump_start() (text) or dump_start_archive() with the id that pg_export_snapshot() gave,
 *         in a transaction that stays open until dump_finish(); other work may go on meanwhile,
 *         on that connection too. archive_*() read what dump_start_archive() wrote.
 * Program: pg_dump must not be older than the server. Of those in PATH the first that is
 *         not, else Debian's /usr/lib/postgresql/<version>/bin. Debian's wrapper in PATH is
 *         passed over: it takes longer to choose one than pg_dump needs. pg_restore and psql
 *         are those beside it.
 * Text:   the same schema gives the same bytes. Newer versions of pg_dump put a random key
 *         into \restrict and \unrestrict, which keeps what is in the database from running
 *         commands of psql; it is replaced by the digest of all the rest, which nothing
 *         inside can know either.
 * Archive: pg_dump's custom format, -Fc. With rows it has everything that is in the database,
 *         large objects too; how an archive's entries are picked, pg_restore(1) has.
 * Not in: what is kept for an undo (pg/keep.h).
 * Secrets: the password goes through the environment, nothing else does. Subscriptions are
 *         left out: their connection strings would be in the text. What options of foreign
 *         servers and user mappings say is in both.
 * Errors: -1 with the program's reason. It waits for a table's lock as long as the connection
 *         does, or two seconds. An interrupt ends it.
 */
#ifndef PG_DUMP_H
#define PG_DUMP_H

#include "base/process.h"
#include "pg/db.h"

struct dump {
	struct process process;
	struct strvec env;
	struct strvec options; /* the caller's own, for pg_dump; set before it is started */
};
#define DUMP_INIT                                                                   \
	{                                                                           \
		.process = PROCESS_INIT, .env = STRVEC_INIT, .options = STRVEC_INIT \
	}
void dump_release(struct dump *dump);

/* DUMP_NO_PROGRAM: there is no pg_dump that is new enough for this server. */
enum dump_started { DUMP_STARTED = 0, DUMP_NO_PROGRAM = 1 };
int dump_start(struct dump *dump, struct db *db, const char *snapshot, struct error *err)
	MUST_CHECK;
/* Without `rows` the schema alone. `fd` is a file, which stays the caller's: saved_part_fd(). */
int dump_start_archive(struct dump *dump, struct db *db, const char *snapshot, bool rows, int fd,
		       struct error *err) MUST_CHECK;
/* Appends the text; of an archive nothing. */
int dump_finish(struct strbuf *ret, struct dump *dump, struct error *err) MUST_CHECK;
/* The error for DUMP_NO_PROGRAM, with what to install. Returns -1. */
int dump_no_program(const struct db *db, struct error *err);

/* --- Archives ------------------------------------------------------------------------ */

/*
 * One entry of its table of contents. pg_dump's own number, then the object as in pg_depend, in
 * the database that was dumped; 0 where it is no object (ENCODING, and rows: "TABLE DATA").
 */
struct archive_entry {
	int id;
	uint32_t class_oid, oid;
	char *type; /* "TABLE", "FK CONSTRAINT", "ACL": as pg_restore -l has it */
	char *rest; /* schema, name and owner, separated by blanks; "-" for no schema */
	char *line; /* all of it */
};
struct archive_entries {
	struct archive_entry *item; /* in the order in which they are restored */
	size_t nr, alloc;
};
#define ARCHIVE_ENTRIES_INIT \
	{                    \
		0            \
	}
void archive_entries_release(struct archive_entries *entries);

/* `db` says how new pg_restore has to be. */
int archive_list(struct archive_entries *ret, const char *path, const struct db *db,
		 struct error *err) MUST_CHECK;
/*
 * Appends the SQL of entries, in the order in which they are given: of what `wanted` says
 * (as long as `entries`), or of all where that is NULL. Without psql's commands, so it can be
 * run on a connection; its first statements set the session's settings, search_path to ''.
 * Only of archives without rows, or of entries that are none.
 */
int archive_sql(struct strbuf *ret, const char *path, const struct db *db,
		const struct archive_entries *entries, const bool *wanted, struct error *err)
	MUST_CHECK;

/*
 * Restores into the database that `db` is connected to, in one transaction, all or nothing:
 * an archive by pg_restore, the text of dump_finish() by psql.
 */
int dump_restore_archive(struct db *db, const char *path, struct error *err) MUST_CHECK;
int dump_restore_text(struct db *db, const struct strbuf *text, struct error *err) MUST_CHECK;

#endif
