/* SPDX-License-Identifier: MIT */
/*
 * layout: where among a project's files its tracks are, by the files' paths alone.
 *
 * What is found is said in tracks.h. Paths are from the top, with '/'.
 */
#ifndef WORKFLOW_LAYOUT_H
#define WORKFLOW_LAYOUT_H

#include "base/compat.h"
#include "base/strvec.h"

struct layout_folder {
	char *path;	       /* a track's folder */
	char *home;	       /* what its layout is in: "conductor"; "": the top */
	char *plan, *metadata; /* paths; NULL where there is none */
};
struct layout {
	struct layout_folder *folder; /* sorted by path */
	size_t nr, alloc;
	struct strvec registry; /* paths */
	struct strvec stories;	/* paths of prd.json, the outermost first */
};
#define LAYOUT_INIT \
	{           \
		0   \
	}

/* `paths` are sorted by this. `registry` and `directory` are the configuration's, or NULL. */
void layout_find(struct layout *ret, struct strvec *paths, const char *registry,
		 const char *directory);
void layout_release(struct layout *layout);
/*
 * Adds the tracks that a link leads to: the folder `place` itself, where it has a plan or metadata;
 * else, when it is a `directory` of tracks, the folders below it. Each is in no other, and its home is
 * `place`. False: there is none that was not known.
 */
bool layout_follow(struct layout *layout, const struct strvec *paths, const char *place,
		   bool directory);

/* Is `path` in `folder`, or itself that? "" is the top, which has all. */
bool layout_is_below(const char *path, const char *folder);
/* Is it called as a layout's folder is: "conductor", "a/.conductor"? */
bool layout_is_home(const char *folder);
/* The last part of a path. Belongs to it. */
const char *layout_name(const char *path);
/*
 * A link's path as one from the top, when it is meant from `folder`: without ".", "..", and '/' at
 * the end; NULL where it leads out of the top. free() it.
 */
char *layout_resolve(const char *folder, const char *link) MUST_CHECK;
/* The folder that a path is in; "" is the top. free() it. */
char *layout_parent(const char *path) MUST_CHECK;

#endif
