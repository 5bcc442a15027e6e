/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-message: what the messages of a checkpoint's commit and of its tag say.
 *
 *	checkpoint: stage-3-start                 unnamed: "checkpoint on main"
 *
 *	<the message of -m>
 *
 *	Checkpoint-Stage: 3
 *	Checkpoint-Event: start                   or "complete"
 *	Checkpoint-Phase: 2
 *	Checkpoint-Story: S-12
 *	Checkpoint-Branch: main                   none where HEAD was detached
 *	Checkpoint-In-Progress: merge
 *	Checkpoint-Changes: 2 staged, 3 changed, 1 untracked
 *	Checkpoint-Snapshot: <id>                 in the tag alone
 *	Migration-Version: 20260112_003
 *	Schema-Fingerprint: <SHA-256>
 *
 * so that listing takes nothing but one `git for-each-ref`, and `git log` shows it to people.
 * What is not so is left out; Checkpoint-Changes is always there.
 * Trust: what is parsed may have come with a fetch; it is shown escaped, and nothing else.
 */
#ifndef FLOW_CHECKPOINT_MESSAGE_H
#define FLOW_CHECKPOINT_MESSAGE_H

#include "base/compat.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "vcs/worktree.h"

struct checkpoint_counts {
	size_t staged, changed, untracked;
};
struct checkpoint_message {
	char *subject, *text; /* `text`: of -m; NULL: none */
	char *stage, *event, *phase, *story, *branch, *in_progress, *snapshot;
	char *version, *fingerprint; /* of the database */
	struct checkpoint_counts counts;
	bool counted; /* Checkpoint-Changes was there */
};
#define CHECKPOINT_MESSAGE_INIT \
	{                       \
		0               \
	}
void checkpoint_message_release(struct checkpoint_message *message);

void checkpoint_message_parse(struct checkpoint_message *ret, const char *text);
void checkpoint_message_add_to(const struct checkpoint_message *message, struct strbuf *out);

/*
 * A commit as git stores it: when it was made (clock.h), and its first parent where it has
 * several, else NULL; free() it. Returns its message, which is a part of `text`.
 */
const char *checkpoint_commit_parse(const char *text, int64_t *ret_time, char **ret_head)
	MUST_CHECK;

/* Of a state: conflicts count as changed. */
struct checkpoint_counts checkpoint_counts_of(const struct worktree_state *state);
/* "2 staged, 1 untracked", or "nothing changed". */
void checkpoint_counts_add_to(const struct checkpoint_counts *counts, struct strbuf *out);
/* {"staged", "changed", "untracked"} */
json_t *checkpoint_counts_to_json(const struct checkpoint_counts *counts) MUST_CHECK;

#endif
