/* SPDX-License-Identifier: MIT */
/*
 * ledger: which migrations a database says it has run. All SQL on schema_migrations.
 *
 * Use:    ledger_locate() looks whether the tables are there, then ledger_read(); l.item is
 *         in no order yet (migration/status.h: ledger_order()).
 * Table:  schema_migrations (version VARCHAR(50) PRIMARY KEY, name VARCHAR(255) NOT NULL,
 *         applied_at TIMESTAMPTZ NOT NULL DEFAULT NOW(), checksum VARCHAR(64) NOT NULL,
 *         execution_time_ms INTEGER): others read it too, so nothing may be added. Where
 *         its name is configured without a schema it is looked for along search_path, and
 *         made in the first schema of that.
 * Owner:  the caller; the _release() functions free all.
 * Units:  applied_at is microseconds since 1970-01-01 UTC.
 * Errors: a table of that name that belongs to another tool is refused, with whose it
 *         seems to be. A database without the table is no error: `exists` is false.
 */
#ifndef PG_LEDGER_H
#define PG_LEDGER_H

#include "pg/db.h"

/* Where the tracking tables are; the log stands beside the ledger. */
struct ledger_place {
	char *schema, *table;
	char *log_schema, *log;
	bool exists, log_exists;
	char *quoted, *quoted_log; /* schema-qualified, for SQL */
};
#define LEDGER_PLACE_INIT \
	{                 \
		0         \
	}

/* `table` and `log`: as configured, each "name" or "schema.name" (SQL quoting allowed). */
int ledger_locate(struct ledger_place *ret, struct db *db, const char *table, const char *log,
		  struct error *err) MUST_CHECK;
void ledger_place_release(struct ledger_place *place);
/*
 * The same in two halves, for a batch together with others: `place` is empty at first. The
 * server looks the tables up as they are then, whatever the transaction's snapshot is.
 */
int ledger_add_locate(struct ledger_place *place, struct db_batch *batch, struct db *db,
		      const char *table, const char *log, struct error *err) MUST_CHECK;
int ledger_take_place(struct ledger_place *place, struct db *db, const struct db_result *res,
		      struct error *err) MUST_CHECK;
/* Creates what is missing, inside the caller's transaction. */
void ledger_add_create(struct db_batch *batch, const struct ledger_place *place);

struct ledger_entry {
	char *version, *name;
	char *checksum; /* NULL where another tool left it out */
	int64_t applied_at;
	int64_t execution_time_ms; /* -1: unknown */
};
struct ledger {
	struct ledger_entry *item;
	size_t nr, alloc;
	const struct ledger_entry **by_version; /* in the order of versions, from ledger_order() */
};
#define LEDGER_INIT \
	{           \
		0   \
	}

int ledger_read(struct ledger *ret, const struct ledger_place *place, struct db *db,
		struct error *err) MUST_CHECK;
void ledger_release(struct ledger *ledger);
/*
 * The same in two halves, for a batch together with others, where the table exists: what
 * fails there ledger_read() then explains.
 */
void ledger_add_read(struct db_batch *batch, const struct ledger_place *place);
int ledger_take(struct ledger *ret, const struct ledger_place *place, struct db *db,
		const struct db_result *res, struct error *err) MUST_CHECK;

/*
 * Add to a batch the statement that records a migration as applied, or takes the record
 * away. A time below 0 stands for the time since the transaction began. The DELETE must
 * change exactly one row: the caller checks db_command.rows.
 */
void ledger_add_insert(struct db_batch *batch, const struct ledger_place *place,
		       const char *version, const char *name, const char *checksum,
		       int64_t execution_time_ms);
/* The same of a record that was there before, with its own times. */
void ledger_add_entry(struct db_batch *batch, const struct ledger_place *place,
		      const struct ledger_entry *entry);
struct db_command *ledger_add_delete(struct db_batch *batch, const struct ledger_place *place,
				     const char *version);

#endif
