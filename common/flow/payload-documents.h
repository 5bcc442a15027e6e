/* SPDX-License-Identifier: MIT */
/*
 * payload-documents: the plan's documents and the environment template, as on disk.
 *
 * Kept under project/<path>: [stages] state and progress (found by looking, where they are
 * not set: master-project.json, cpo-progress.md), and all that [checkpoint] include names;
 * under env/<path> the environment templates, filtered (payload-environment.h).
 * Never: what is outside the worktree or inside .git, a symbolic link or what is below one,
 * what is no regular file, what has more bytes than [checkpoint] bigFile, a real .env.
 * What is left out although it was named is warned of, and stands in the manifest.
 *
 * Sets in `members`, each only where there is something to say:
 *	"documents": {"state": path, "progress": path}
 *	"environment": [{"path", "removed_lines"}]
 *	"documents_left_out": [{"path", "reason"}]
 */
#ifndef FLOW_PAYLOAD_DOCUMENTS_H
#define FLOW_PAYLOAD_DOCUMENTS_H

#include "flow/checkpoint.h"
#include "vcs/snapshot.h"

#define PAYLOAD_PROJECT	    "project/"
#define PAYLOAD_ENVIRONMENT "env/"

int payload_documents_collect(struct snapshot_parts *ret, json_t *members,
			      struct checkpoint_session *s, struct error *err) MUST_CHECK;

#endif
