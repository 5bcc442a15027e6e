/* SPDX-License-Identifier: MIT */
/*
 * registry-parts: what the files of the registry's reader share; nobody else's.
 */
#ifndef WORKFLOW_REGISTRY_PARTS_H
#define WORKFLOW_REGISTRY_PARTS_H

#include "workflow/markdown.h"
#include "workflow/registry.h"

/* Of each entry, while the document is read. */
struct registry_found {
	size_t block;	    /* where it begins */
	size_t first, last; /* its lines, from 0 */
};
struct registry_reader {
	struct registry *registry;
	struct markdown md;
	struct registry_found *found; /* as many as entries */
	size_t found_alloc;
	size_t heading; /* the entry by heading that we are in, or NO_INDEX */
	int level;	/* its level */
	bool archived;	/* below a heading that says so */
};

/* A new entry, without anything yet. */
struct registry_found *registry_add(struct registry_reader *r, size_t block);
/* Is the word in there, in any case? */
bool registry_says(const char *text, struct span in, const char *word);
/* Does it lead to a folder of tracks? */
bool registry_is_track_link(const char *url);
/* The last folder of a link: "./tracks/x/plan.md" is "x". free() it; NULL: there is none. */
char *registry_link_id(const char *url) MUST_CHECK;

/* The rows of a table, where that is about tracks. */
void registry_read_table(struct registry_reader *r, const struct markdown_block *paragraph);
/* Gives links that stand in no entry to those that have none. */
void registry_join_links(struct registry_reader *r);
/* Which lines go when an entry goes. */
void registry_find_sections(struct registry_reader *r);

#endif
