/* SPDX-License-Identifier: MIT */
/*
 * track-documents: what becomes of the workflow's documents when units are reverted.
 *
 * They are not reverted as text, where every later edit of the file would conflict, but edited by
 * meaning: of a task, box and recorded commits; of a phase, those of its tasks, and its checkpoint;
 * of a track, all of that, and its status in plan, metadata.json and registry: "Reverted" where it
 * goes whole, else in progress, or pending where nothing done is left. A story is not passed any more.
 * One that cannot be edited is told of, and does not stop the others. Where a track was archived by
 * copying its folder, both are its documents.
 *
 * Use:    track_documents_plan(), then item[0 .. nr-1], sorted by path; nothing is written.
 * Owner:  the caller; track_documents_release(). `tracks` must outlive it.
 */
#ifndef FLOW_TRACK_DOCUMENTS_H
#define FLOW_TRACK_DOCUMENTS_H

#include "base/json.h"
#include "base/strvec.h"
#include "workflow/tracks.h"

enum track_documents_mode {
	TRACK_DOCUMENTS_DEFAULT, /* as TRACK_DOCUMENTS_MARK; of a phase, its heading says nothing */
	TRACK_DOCUMENTS_MARK,	 /* what is reverted says so */
	TRACK_DOCUMENTS_REMOVE,	 /* a track goes from the registry, with its folder */
	TRACK_DOCUMENTS_UNTOUCHED /* they stay as they are */
};

struct track_document {
	char *path;
	const char *old; /* borrowed from the tracks; NULL where it is removed unread */
	size_t old_len;
	bool removed;
	struct splices splices;
	struct strbuf text; /* as it is to be */
};
struct track_documents {
	struct track_document *item;
	size_t nr, alloc;
	struct document_problems problem; /* what cannot be edited, and stays as it is */
};
#define TRACK_DOCUMENTS_INIT \
	{                    \
		0            \
	}

/* The tracks are those of the commit `head` (full id): what is edited is what is committed. */
int track_documents_plan(struct track_documents *ret, const struct tracks *tracks,
			 const struct units *units, enum track_documents_mode mode,
			 const char *head, struct error *err) MUST_CHECK;
void track_documents_release(struct track_documents *documents);

/*
 * Adds what reverts leave alone, as struct revert_request has it: registries, the tracks' folders,
 * and the folders that a layout has for tracks, so that a document counts as one also where it
 * was before its track was archived or removed; and the places in `old`, as evidence_old_places() has
 * them. A document that cannot be read counts as well. Sorted.
 */
void track_documents_keep(struct strvec *ret, const struct tracks *tracks,
			  const struct strvec *old);
/* Is the path one of these, or below one? */
bool track_documents_kept(const struct strvec *keep, const char *path) MUST_CHECK;

/* [{"path", "change": "edited|removed", "edits": [{"line", "old", "new"}]}] */
json_t *track_documents_to_json(const struct track_documents *documents) MUST_CHECK;
/* For people; `verbose`: with the lines. */
void track_documents_text(struct strbuf *out, const struct track_documents *documents,
			  bool verbose);

#endif
