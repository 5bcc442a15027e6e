/* SPDX-License-Identifier: MIT */
/*
 * checkpoint: what the verbs of `git checkpoint` share: names, and one checkpoint's refs.
 *
 * A checkpoint <name> is the snapshot refs/checkpoint/<name> and, where it was given a name
 * and rollback.checkpoint.tag is not false, the annotated tag refs/tags/checkpoint/<name> on
 * the commit that HEAD was, whose message ends in trailers: Checkpoint-Snapshot,
 * Checkpoint-Branch, Checkpoint-Stage, Checkpoint-Event, Checkpoint-Phase,
 * Checkpoint-Story, Migration-Version, Schema-Fingerprint.
 */
#ifndef FLOW_CHECKPOINT_H
#define FLOW_CHECKPOINT_H

#include "base/json.h"
#include "config/settings.h"
#include "journal/journal.h"
#include "term/options.h"
#include "vcs/repo.h"
#include "vcs/snapshot.h"

/* What every verb has in its hands. */
struct checkpoint_session {
	struct repo repo;
	struct settings settings;
	const struct common_options *common;
};
#define CHECKPOINT_SESSION_INIT           \
	{                                 \
		.settings = SETTINGS_INIT \
	}
int checkpoint_session_open(struct checkpoint_session *s, const struct common_options *common,
			    struct error *err) MUST_CHECK;
void checkpoint_session_close(struct checkpoint_session *s);

/* Is it a name that git takes in a ref, and no option? */
int checkpoint_check_name(const char *name, struct error *err) MUST_CHECK;

/*
 * Finds the checkpoint that `name` means: its name, "checkpoint/<name>", or an operation's id
 * (its safety snapshot). Where there is none the error names the nearest. `*ret_ref` is in
 * full; free() it.
 */
int checkpoint_find(char **ret_ref, const char *name, struct error *err) MUST_CHECK;

#endif
