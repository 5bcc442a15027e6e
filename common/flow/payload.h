/* SPDX-License-Identifier: MIT */
/*
 * payload: what a checkpoint keeps beside the files git knows: plan documents, the
 * environment template without its secrets, the status, and what the database is at.
 *
 * Documents are kept whether tracked, untracked or ignored. Of the environment template
 * (.env.example, .env.sample, .env.template) lines that assign to a name that says KEY,
 * SECRET, PASSWORD, TOKEN, CREDENTIAL or the like, or whose value holds a password in a
 * URL, are left out. Nothing of a real .env is ever kept here.
 * The database part: the ledger's migrations, the catalog's fingerprint, and
 * `pg_dump --schema-only`, all of one snapshot of the database.
 */
#ifndef FLOW_PAYLOAD_H
#define FLOW_PAYLOAD_H

#include "flow/checkpoint.h"
#include "vcs/snapshot.h"

enum payload_database {
	PAYLOAD_DATABASE_IF_REACHABLE,
	PAYLOAD_DATABASE_NEEDED,
	PAYLOAD_DATABASE_NONE
};

/*
 * Appends the parts, and sets "database" in `members` where one is configured: with
 * "reachable": false and the reason where it did not answer.
 */
int payload_collect(struct snapshot_parts *ret, json_t *members, struct checkpoint_session *s,
		    enum payload_database wanted, const char *database, struct error *err)
	MUST_CHECK;

#endif
