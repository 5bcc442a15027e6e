/* SPDX-License-Identifier: MIT */
/*
 * unit: a piece of planned work (track, phase, task, story), its state, and how people name it.
 *
 * Use:    unit_find() takes the words of a command line and gives the unit, or what they could
 *         mean. unit_describe() is how it is called in messages.
 * Words:  <track> is an id, or its folder ("archive/auth"), or the end of its path; its description; or
 *         a part of either. <phase> is a number, counted from 1 in the order of the file, or a name,
 *         with or without what its heading has in front ("Phase 2: API"), or a part of one. <task> is
 *         a number; "2.3", which is the third task of the second phase; or (part of) its text. What
 *         is a number alone is never looked for in a text.
 *         What fits wholly goes before what fits in part, and ids before names; what fits in part
 *         must be the only one. Case does not matter but where it alone tells two apart that fit wholly.
 * Owner:  a unit owns nothing; its indexes are those of the struct tracks it was found in.
 */
#ifndef WORKFLOW_UNIT_H
#define WORKFLOW_UNIT_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "workflow/document.h"

struct tracks;

enum unit_kind { UNIT_TRACK, UNIT_PHASE, UNIT_TASK, UNIT_STORY };

enum unit_state {
	UNIT_PENDING,	  /* [ ], "new", "not started", "planned" */
	UNIT_IN_PROGRESS, /* [~], [/] */
	UNIT_DONE,	  /* [x], "completed" */
	UNIT_REVERTED,	  /* "Reverted" */
	UNIT_CANCELLED,	  /* [-], "cancelled" */
	UNIT_OTHER	  /* any other mark or word */
};
/* "pending", "in_progress", "done", "reverted", "cancelled", "other": for people and for JSON. */
const char *unit_state_name(enum unit_state state);
/* "track", "phase", "task", "story". */
const char *unit_kind_name(enum unit_kind kind);
/* Of what stands between the brackets of a check box. */
enum unit_state unit_state_of_mark(const char *mark, size_t len);
/* Of a word in a status field, in any case, with `_`, `-` or blanks, and with what comes behind it. */
enum unit_state unit_state_of_word(const char *word, size_t len);
/* How many bytes in front of the text are such a word; 0: none, and *ret is left alone. */
size_t unit_state_word(enum unit_state *ret, const char *text, size_t len);

struct unit {
	enum unit_kind kind;
	size_t track; /* in tracks.item; NO_INDEX for a story */
	size_t phase; /* in the plan's phase[]; NO_INDEX for a track, and for a task outside of all */
	size_t task;  /* in the plan's task[]; NO_INDEX for what is no task */
	size_t story; /* in stories.item; NO_INDEX for what is none */
};
struct units {
	struct unit *item;
	size_t nr, alloc;
};
#define UNITS_INIT \
	{          \
		0  \
	}
void units_add(struct units *units, struct unit unit);
void units_release(struct units *units);

/* All of them NULL but `track` or `story`: what was typed. */
struct unit_words {
	const char *track, *phase, *task, *story;
	bool whole; /* what fits in part does not fit */
};
enum unit_found {
	UNIT_FOUND = 0,
	UNIT_MISSING = 1,  /* nothing fits; ret_candidates: what there is at that level */
	UNIT_AMBIGUOUS = 2 /* ret_candidates: what fits */
};
/*
 * Where it is not FOUND, *ret_missing is the kind that was not found, or is ambiguous. -1 only for
 * words that make no sense together: a number and a phase in --task that contradict --phase.
 */
int unit_find(struct unit *ret, struct units *ret_candidates, enum unit_kind *ret_missing,
	      const struct tracks *tracks, const struct unit_words *words, struct error *err)
	MUST_CHECK;

/* By their indexes. */
struct unit unit_of_track(size_t track);
struct unit unit_of_phase(size_t track, size_t phase);
struct unit unit_of_task(const struct tracks *tracks, size_t track, size_t task);
struct unit unit_of_story(size_t story);

/*
 * Adds the same unit in copies of its track: what is left where a track was archived by copying its
 * folder, or the other way round. Tracks of one id whose plans differ are no copies.
 */
void units_add_copies(struct units *ret, const struct tracks *tracks, const struct unit *unit);

/* Is `inner` a part of `outer`, or the same? */
bool unit_contains(const struct unit *outer, const struct unit *inner);
/* Is it one of these, or a part of one? */
bool units_contain(const struct units *units, const struct unit *unit);
/* The smallest unit that both are parts of; `ret` may be one of them. False: there is none. */
bool unit_enclosing(struct unit *ret, const struct unit *a, const struct unit *b);
/* "track 'auth_20260107', phase 2 'API', task 3 'Add a login'". Escaped for a terminal. */
void unit_describe(struct strbuf *out, const struct tracks *tracks, const struct unit *unit);
/* Its own words, as typed: id, name, text. Never NULL; belongs to the tracks. */
const char *unit_title(const struct tracks *tracks, const struct unit *unit);
enum unit_state unit_state(const struct tracks *tracks, const struct unit *unit);

#endif
