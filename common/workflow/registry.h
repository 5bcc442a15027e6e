/* SPDX-License-Identifier: MIT */
/*
 * registry: tracks.md, the list of the project's tracks.
 *
 * Use:    registry_parse(&registry, "conductor/tracks.md", text, len), then registry.entry[0 ..
 *         nr-1] in the order of the file. It cannot fail.
 * Forms:  headings ("## [x] Track: T"), items of a list ("- [x] **Track: T**"), rows of a table;
 *         the link to the track's folder in it, in the lines or items below it, or nowhere; the
 *         state as a box, in front or behind, or in words.
 * Owner:  the caller; registry_release() frees all. It keeps a copy of the text.
 */
#ifndef WORKFLOW_REGISTRY_H
#define WORKFLOW_REGISTRY_H

#include "base/compat.h"
#include "workflow/document.h"
#include "workflow/unit.h"

enum registry_form { REGISTRY_HEADING, REGISTRY_ITEM, REGISTRY_ROW };

struct registry_entry {
	enum registry_form form;
	char *title; /* "" when there is none */
	char *link;  /* as written, to a folder or a file in it; NULL: none */
	char *id;    /* from a column for it, else the folder that the link names; NULL: neither */
	bool labelled; /* it says "Track", or stands in a table for them: surely an entry */
	bool archived; /* it says so, or stands below a heading that does, or links to an archive */
	enum unit_state state;
	bool has_box;
	struct span mark;	  /* between the brackets of the box */
	struct span title_status; /* behind the title: "[COMPLETE]", with the blank in front */
	struct span status;	  /* the words of a field or a column for it */
	struct span title_end;	  /* where a status can be put in; length 0 */
	size_t line;
	struct span section; /* whole lines that go when the entry goes, with one separator */
};

struct registry {
	char *path, *text;
	size_t len;
	struct registry_entry *entry;
	size_t nr, alloc;
	struct document_problems problem;
};
#define REGISTRY_INIT \
	{             \
		0     \
	}

void registry_parse(struct registry *ret, const char *path, const char *text, size_t len);
void registry_release(struct registry *registry);

/*
 * Edits, as splices of registry.text. registry_set_state() takes UNIT_PENDING, UNIT_IN_PROGRESS or
 * UNIT_REVERTED, and changes box and words; a revert of an entry that has no words for its state
 * is said by " [Reverted]" behind its title.
 */
void registry_set_state(struct splices *ret, const struct registry *registry, size_t entry,
			enum unit_state state);
void registry_remove(struct splices *ret, const struct registry *registry, size_t entry);

#endif
