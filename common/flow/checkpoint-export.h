/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-export: a checkpoint's payload as plain files in a folder, for people and for
 * other tools:
 *
 *	master-project-<name>.json   the state of the stages ([stages] state, its extension)
 *	git-ref-<name>.txt           the commit that HEAD was
 *	git-status-<name>.txt        git status --short
 *	env-<name>.env               the environment template without its secrets
 *	schema-<name>.sql            the database's schema
 *	checkpoint-<name>/           the rest of the payload, under the paths that it has there
 *
 * each where the checkpoint has it. A slash in the name is a dash here.
 * Nothing is written unless all can be: a file that exists already refuses everything but
 * for `force`, and so does a path in the payload that leads out of the folder.
 */
#ifndef FLOW_CHECKPOINT_EXPORT_H
#define FLOW_CHECKPOINT_EXPORT_H

#include "flow/checkpoint.h"

struct checkpoint_export_request {
	const char *name; /* as checkpoint_find() takes it */
	const char *directory;
	bool force; /* replace files that exist */
};

/* Returns an exit code, or -1. */
int checkpoint_export(struct checkpoint_session *s, const struct checkpoint_export_request *request,
		      struct error *err) MUST_CHECK;

#endif
