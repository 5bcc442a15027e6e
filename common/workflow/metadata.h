/* SPDX-License-Identifier: MIT */
/*
 * metadata: a track's metadata.json.
 *
 * Use:    metadata_parse(); what is not in it is NULL. Keys are spelled in many ways, and values
 *         are what people made of them: the status says little where the registry says another.
 * Owner:  the caller; metadata_release() frees all. It keeps a copy of the text.
 * Errors: -1 for what is no JSON object, with the line.
 */
#ifndef WORKFLOW_METADATA_H
#define WORKFLOW_METADATA_H

#include "base/compat.h"
#include "base/error.h"
#include "workflow/document.h"
#include "workflow/plan-document.h"
#include "workflow/unit.h"

struct metadata {
	char *path, *text; /* path: NULL while nothing was parsed */
	size_t len;
	char *id;	   /* track_id, trackId, storage_id, storageId, id */
	char *description; /* description, title, name: the first that has text */
	char *type;
	char *status;	       /* as written */
	enum unit_state state; /* UNIT_OTHER without a status */
	char *created_at, *updated_at;
};
#define METADATA_INIT \
	{             \
		0     \
	}

int metadata_parse(struct metadata *ret, const char *path, const char *text, size_t len,
		   struct error *err) MUST_CHECK;
void metadata_release(struct metadata *metadata);

/*
 * The edit that sets the status: to a word for `state` in the spelling that the value has now
 * ("In Progress", "in_progress", "in-progress"). Only the value's bytes are replaced; where there is
 * no status, a member is added in the way of the others. It is read back: all other values are as
 * they were.
 */
int metadata_set_state(struct splices *ret, const struct metadata *metadata, enum unit_state state,
		       struct error *err) MUST_CHECK;

/*
 * The edits that say that a phase, a task of it, or (both NO_INDEX) all of them are pending, where
 * they are listed: objects in "phases" and the like, and in "tasks" within those or by themselves. Which
 * is which is told by the title, as the plan has it; else by the place, where there are as many as in
 * the plan. Changed are a "status" or "state", and "completed" and "done" that are true.
 */
int metadata_reopen_parts(struct splices *ret, const struct metadata *metadata,
			  const struct plan_document *plan, size_t phase, size_t task,
			  struct error *err) MUST_CHECK;

#endif
