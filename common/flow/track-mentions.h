/* SPDX-License-Identifier: MIT */
/*
 * track-mentions: files that stay, and still name what goes with a migration.
 *
 * A table, view, type or function that only migrations make which go is looked for as a word, in the
 * worktree, by `git grep`; of a column that goes from a table which stays, files that name both. That is
 * no proof of anything, but where a person has to look: a query that fails from then on. Documents,
 * migrations, schema files (track-schema.h) and files that the revert changes are left out.
 *
 * Owner: the caller; track_mentions_release().
 */
#ifndef FLOW_TRACK_MENTIONS_H
#define FLOW_TRACK_MENTIONS_H

#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"

struct track_plan;

struct track_mention {
	char *what; /* "table 'users'", "column 'users.email'" */
	struct strvec paths;
};
struct track_mentions {
	struct track_mention *item;
	size_t nr, alloc;
};
#define TRACK_MENTIONS_INIT \
	{                   \
		0           \
	}

/* Migrations and files of the plan have been found. */
int track_mentions_find(struct track_mentions *ret, const struct track_plan *plan,
			struct error *err) MUST_CHECK;
void track_mentions_release(struct track_mentions *mentions);
/* [{"what", "paths"}] */
json_t *track_mentions_to_json(const struct track_mentions *mentions) MUST_CHECK;
void track_mentions_text(struct strbuf *out, const struct track_mentions *mentions, bool verbose);

#endif
