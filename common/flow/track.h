/* SPDX-License-Identifier: MIT */
/*
 * track: what the verbs of `git revert-track` share: the project's units, and which one is meant;
 * and those that only look: list and show.
 */
#ifndef FLOW_TRACK_H
#define FLOW_TRACK_H

#include "base/json.h"
#include "flow/checkpoint.h"
#include "flow/evidence.h"
#include "term/options.h"
#include "workflow/tracks.h"
#include "workflow/unit.h"

/* What every verb has in its hands. */
struct track_session {
	struct checkpoint_session session;
	struct tracks tracks;
	bool guessed; /* the story that was asked for is in no list: its commits have to tell */
};
#define TRACK_SESSION_INIT                         \
	{                                          \
		.session = CHECKPOINT_SESSION_INIT \
	}
/*
 * Reads the documents of the worktree, or, where there is none, of HEAD. Documents that cannot be
 * read are reported, each with file and line, and left out.
 */
int track_session_open(struct track_session *s, const struct common_options *common,
		       struct error *err) MUST_CHECK;
void track_session_close(struct track_session *s);
/* Says which documents cannot be read, and why. */
void track_warn(const struct tracks *tracks);

/* The documents of a commit (full id), or of the worktree (NULL), by the session's settings. */
int track_read_documents(struct tracks *ret, const struct checkpoint_session *session,
			 const char *commit, struct error *err) MUST_CHECK;

/*
 * The unit that was asked for: UNIT_FOUND; else the reason and the candidates were printed to
 * stderr, and with --json to stdout, and it is EXIT_NO. A story that no list has is taken for one, and `guessed` says so:
 * whoever finds no commits of it calls track_deny_story().
 */
int track_find_unit(struct unit *ret, struct track_session *s, const struct unit_words *words,
		    struct error *err) MUST_CHECK;
/* Says that there is no such story, and which there are: EXIT_NO. */
int track_deny_story(const struct track_session *s, const struct unit *unit) MUST_CHECK;
/*
 * For --json: prints the object that tells of a failure. `candidates`, an array of units that may
 * have been meant, goes into its "error", and is taken over; or NULL.
 */
void track_print_failure(const struct error *failure, json_t *candidates);
/* {"track","phase","task","title","kind"}, and "story" of a story. */
json_t *track_unit_to_json(const struct tracks *tracks, const struct unit *unit) MUST_CHECK;

struct track_list_request {
	bool all; /* archived tracks, and what was not begun, too */
};
int track_list(const struct track_list_request *request, const struct common_options *common,
	       struct error *err) MUST_CHECK;

struct track_show_request {
	struct unit_words words;
	enum evidence_level min; /* what is less is left out */
};
int track_show(const struct track_show_request *request, const struct common_options *common,
	       struct error *err) MUST_CHECK;

#endif
