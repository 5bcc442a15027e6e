/* SPDX-License-Identifier: MIT */
/*
 * payload-database: what a database is at, all of one snapshot of it.
 *
 *	database/migrations.json   {"format": 1, "table", "migrations": [{"version", "name",
 *	                           "applied_at", "checksum", "execution_time_ms"}]}, in the
 *	                           order they were applied
 *	database/fingerprint.json  {"format": 1, "fingerprint", "objects": [{"kind",
 *	                           "identity", "digest", "order": true}]}; what has "order"
 *	                           does not count in the fingerprint. The tracking tables are
 *	                           in none of it.
 *	database/schema.sql        what pg_dump --schema-only writes, owners and privileges
 *	                           included, for these are schema too; without
 *	                           subscriptions, whose connections have passwords, and
 *	                           with passwords in options masked (payload-schema.h)
 *
 * "database" in `members`: {"name" (of the environment), "reachable", "reason" (why not),
 * "server_version", "version" (the highest that is applied), "applied" (how many),
 * "fingerprint", "masked" (how many passwords), "left_out": [{"part", "reason"}]}.
 *
 * Quick where nobody answers: one attempt of three seconds.
 */
#ifndef FLOW_PAYLOAD_DATABASE_H
#define FLOW_PAYLOAD_DATABASE_H

#include "flow/payload.h"
#include "pg/ledger.h"

#define PAYLOAD_SCHEMA	    "database/schema.sql"
#define PAYLOAD_MIGRATIONS  "database/migrations.json"
#define PAYLOAD_FINGERPRINT "database/fingerprint.json"

int payload_database_collect(struct snapshot_parts *ret, json_t *members,
			     struct checkpoint_session *s, enum payload_database wanted,
			     const char *name, struct error *err) MUST_CHECK;

/*
 * What a database is at now, to compare with what a manifest says of it: "name", "version",
 * "applied", and where it did not answer "reachable": false and the reason. Nothing is said.
 */
int payload_database_now(json_t **ret, const struct checkpoint_session *s, const char *name,
			 struct error *err) MUST_CHECK;

/* What else keeps says what a ledger says in the same words: the file, and in a manifest. */
json_t *payload_migrations_to_json(const struct ledger_place *place, const struct ledger *ledger)
	MUST_CHECK;
/* Sets "version" (not where none is applied) and "applied". */
void payload_describe_ledger(json_t *database, const struct ledger *ledger);

#endif
