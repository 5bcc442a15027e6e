/* SPDX-License-Identifier: MIT */
/*
 * tracks: all tracks of a project, put together from registry, folders, plans and metadata.
 *
 * Use:    tracks_read(), then item[0 .. nr-1]: first those that a registry lists, in its order,
 *         then those that only have a folder, by path.
 * Layouts: a registry conductor/tracks.md (also in .conductor/, at the top or in any folder:
 *         src/conductor/, services/x/conductor/) with tracks in tracks/<id>/ and archive/<id>/, or
 *         whatever lies between them (tracks/<domain>/<id>/, tracks/archived/<id>/); a storage
 *         project storage-conductor/tracks.md with storages/<id>/; and what the configuration
 *         names; and what conductor/index.md links to as "Tracks Registry" and "Tracks Directory",
 *         and the registry as a track. A folder with a plan.md is a track, whether it is registered or not.
 * Links:  as people write them: from the registry, from the top of the worktree, to the folder or to
 *         a file in it, to the place before it was archived. A link that leads nowhere is
 *         looked for by its last folder's name; an entry without one by its title.
 * Owner:  the caller; tracks_release() frees all.
 * Errors: -1 when the source cannot be listed. A document that cannot be read is in `problem`.
 */
#ifndef WORKFLOW_TRACKS_H
#define WORKFLOW_TRACKS_H

#include "base/compat.h"
#include "base/error.h"
#include "workflow/metadata.h"
#include "workflow/plan-document.h"
#include "workflow/registry.h"
#include "workflow/source.h"
#include "workflow/story.h"
#include "workflow/unit.h"

/* One line of a registry that is about a track. */
struct track_entry {
	size_t registry, entry; /* in tracks.registry[], and there in entry[] */
};

struct track {
	char *id;	   /* as the folder is called, else as the registry has it; never NULL */
	char *description; /* the registry's, else the metadata's, else the plan's title, else the id */
	enum unit_state state; /* the registry's, else the metadata's, else that of its tasks */
	bool archived;
	char *folder; /* from the top, without '/' behind; NULL: there is none */
	char *home;   /* the layout's folder: "conductor", "src/conductor"; NULL with the folder */
	struct plan_document plan; /* plan.path is NULL where there is none, or not readable */
	bool unread;		   /* there is a plan, but what it says is not known */
	struct metadata metadata;  /* metadata.path is NULL where there is none, or not readable */
	struct track_entry *entry; /* as many as registries list it; often one */
	size_t entries, entries_alloc;
};

struct tracks {
	struct track *item;
	size_t nr, alloc;
	struct registry *registry;
	size_t registries, registries_alloc;
	struct stories stories; /* stories.lists is 0 where there is no prd.json */
	struct document_problems problem;
};
#define TRACKS_INIT \
	{           \
		0   \
	}

/* [tracks] of the configuration; NULL: found by looking. Both from the top. */
struct tracks_places {
	const char *registry, *directory;
};

int tracks_read(struct tracks *ret, struct document_source *source,
		const struct tracks_places *places, struct error *err) MUST_CHECK;
void tracks_release(struct tracks *tracks);

/*
 * What names this track alone: its id, or where others have the same, as one that was archived may,
 * as much of its folder's path as tells them apart: "archive/auth". free() it.
 */
char *track_name(const struct tracks *tracks, size_t track) MUST_CHECK;
/* Is this its folder, or are these the last parts of its path? */
bool track_folder_ends(const struct track *track, const char *end);

/* The track that a file is in, by its folder, or NO_INDEX. */
size_t tracks_find_by_path(const struct tracks *tracks, const char *path);
/*
 * Is it a document of the workflow, which is edited by meaning instead of being reverted as text:
 * plan, metadata or any other file in a track's folder, or a registry? *ret_track (may be NULL) is
 * whose it is, or NO_INDEX.
 */
bool tracks_own_path(const struct tracks *tracks, const char *path, size_t *ret_track);

#endif
