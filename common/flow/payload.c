/* SPDX-License-Identifier: MIT */
#include "flow/payload.h"

#include "flow/payload-database.h"
#include "flow/payload-documents.h"

int payload_collect(struct snapshot_parts *ret, json_t *members, struct checkpoint_session *s,
		    enum payload_database wanted, const char *database, struct error *err)
{
	if (s->repo.worktree && payload_documents_collect(ret, members, s, err) < 0)
		return -1;
	if (wanted == PAYLOAD_DATABASE_NONE)
		return 0;
	return payload_database_collect(ret, members, s, wanted, database, err);
}
