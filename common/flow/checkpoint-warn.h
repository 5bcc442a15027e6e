/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-warn: what a person should know of a state that is going to be kept: files that
 * are big, or look like secrets, since a checkpoint that is pushed carries them; and what no
 * checkpoint holds.
 *
 * Secrets: files of well-known names (.env and .env.*, but no template of one; *.pem, *.key,
 * id_rsa and the like), and those that rollback.checkpoint.secret adds, which are not in HEAD.
 * Nothing is read of them.
 */
#ifndef FLOW_CHECKPOINT_WARN_H
#define FLOW_CHECKPOINT_WARN_H

#include "flow/checkpoint.h"

struct checkpoint_warnings {
	struct strvec big, secret; /* paths from the top */
	struct strvec sizes;	   /* of `big`, for people */
};
void checkpoint_warnings_release(struct checkpoint_warnings *warnings);

int checkpoint_warnings_find(struct checkpoint_warnings *ret, const struct worktree_state *state,
			     const struct checkpoint_session *s, struct error *err) MUST_CHECK;
/* To stderr. */
void checkpoint_warnings_print(const struct checkpoint_warnings *warnings,
			       const struct worktree_state *state);
/* "big" and "secret", where there are any. */
void checkpoint_warnings_to_manifest(const struct checkpoint_warnings *warnings, json_t *manifest);
/* What could not be read, or not be converted; to stderr. */
void checkpoint_warn_of_left_out(const json_t *manifest);

/* Does the path look like a secret? `more`: patterns for a name, or with a slash for a path. */
bool checkpoint_is_secret(const char *path, const struct strvec *more);

#endif
