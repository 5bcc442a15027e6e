/* SPDX-License-Identifier: MIT */
/*
 * payload: what a checkpoint keeps beside the files that git knows: plan documents, the
 * environment template, and what the database is at.
 *
 * payload-documents.h and payload-database.h say what exactly, and how it stands in the
 * manifest. What was named and cannot be kept is left out, said on stderr, and recorded with
 * the reason; no secret is in any of that.
 */
#ifndef FLOW_PAYLOAD_H
#define FLOW_PAYLOAD_H

#include "flow/checkpoint.h"
#include "vcs/snapshot.h"

enum payload_database {
	PAYLOAD_DATABASE_IF_REACHABLE,
	PAYLOAD_DATABASE_NEEDED, /* what cannot be had of it is an error */
	PAYLOAD_DATABASE_NONE
};

/*
 * Appends the parts, and sets "documents", "environment" and "documents_left_out", and
 * "database" where one is configured. `database` is --database, or NULL. In a bare repository
 * there are no documents.
 */
int payload_collect(struct snapshot_parts *ret, json_t *members, struct checkpoint_session *s,
		    enum payload_database wanted, const char *database, struct error *err)
	MUST_CHECK;

#endif
