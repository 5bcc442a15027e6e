/* SPDX-License-Identifier: MIT */
/*
 * track-dependents: what was built on the work that a revert takes away: units that changed the
 * same lines later, that are so in the way, and units whose migrations come after.
 *
 * And whose work else is in the files that the revert changes.
 *
 * Owner: the caller; the _release() functions free all.
 */
#ifndef FLOW_TRACK_DEPENDENTS_H
#define FLOW_TRACK_DEPENDENTS_H

#include "base/json.h"
#include "flow/commit-units.h"
#include "flow/track-migrations.h"
#include "vcs/repo.h"
#include "vcs/revert.h"

struct track_dependency {
	bool migration; /* else: lines */
	char *what;	/* the file, or the migration's version and name */
	char *uses;	/* of a migration: what it speaks of that one of these makes; or NULL */
	char *commit;	/* that did it */
};
struct track_dependent {
	struct unit unit;
	struct track_dependency *because;
	size_t nr, alloc;
	struct evidence_commits commits; /* --with-dependents adds those of the level */
};
struct track_dependents {
	struct track_dependent *item;
	size_t nr, alloc;
	enum evidence_level level; /* of the commits to be added, at least */
};
#define TRACK_DEPENDENTS_INIT \
	{                     \
		0             \
	}
void track_dependents_release(struct track_dependents *dependents);

struct track_dependents_request {
	const struct repo *repo;
	const struct tracks *tracks;
	const struct evidence *evidence;
	const struct commit_units *owners;
	const struct units *reverted; /* none of these, and no part of them, is a dependent */
	const struct revert_series *series;
	const struct track_migrations *migrations;
	enum evidence_level level; /* of the commits to be added, at least */
};
/* The causes of the conflicts have been found: revert_find_causes(). */
int track_dependents_find(struct track_dependents *ret,
			  const struct track_dependents_request *request, struct error *err)
	MUST_CHECK;
json_t *track_dependents_to_json(const struct track_dependents *dependents,
				 const struct tracks *tracks) MUST_CHECK;
void track_dependents_text(struct strbuf *out, const struct track_dependents *dependents,
			   const struct tracks *tracks);

/* Whose else a file is. */
struct track_file {
	struct strvec tracks; /* ids, sorted: those whose commits changed it, but for our own */
};
/*
 * `ret` has one for each of the changes; free() what it points to by track_files_free(). Of units
 * of the track `own` nothing is said; NO_INDEX: there is none.
 */
int track_files_find(struct track_file **ret, const struct track_dependents_request *request,
		     const struct tree_changes *changes, size_t own, struct error *err) MUST_CHECK;
void track_files_free(struct track_file *files, size_t nr);

#endif
