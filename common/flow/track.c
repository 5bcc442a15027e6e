/* SPDX-License-Identifier: MIT */
#include "flow/track.h"

#include "base/memory.h"
#include "flow/verdict.h"
#include "term/output.h"
#include "workflow/source.h"

int track_read_documents(struct tracks *ret, const struct checkpoint_session *s, const char *commit,
			 struct error *err)
{
	struct document_source source CLEANUP(document_source_release) = DOCUMENT_SOURCE_INIT;
	struct tracks_places places = { 0 };

	if (settings_string(&places.registry, &s->settings, "tracks.registry", err) < 0 ||
	    settings_string(&places.directory, &s->settings, "tracks.directory", err) < 0)
		return -1;
	if (commit)
		source_commit(&source, commit);
	else
		source_worktree(&source, &s->repo);
	return tracks_read(ret, &source, &places, err);
}

static int read_tracks(struct track_session *s, struct error *err)
{
	char *head CLEANUP(free_p) = NULL;
	int found;

	if (s->session.repo.worktree)
		return track_read_documents(&s->tracks, &s->session, NULL, err);
	found = repo_commit(&head, "HEAD", err);
	if (found != COMMIT_FOUND)
		return found < 0 ? -1 : 0;
	return track_read_documents(&s->tracks, &s->session, head, err);
}

void track_warn(const struct tracks *tracks)
{
	for (size_t i = 0; i < tracks->problem.nr; i++) {
		const struct document_problem *problem = &tracks->problem.item[i];

		if (problem->line)
			warning("%s:%zu: %s", problem->path, problem->line, problem->text);
		else
			warning("%s: %s", problem->path, problem->text);
	}
}

int track_session_open(struct track_session *s, const struct common_options *common,
		       struct error *err)
{
	if (checkpoint_session_open(&s->session, common, err) < 0)
		return -1;
	if (read_tracks(s, err) < 0)
		return -1;
	track_warn(&s->tracks);
	return 0;
}

void track_session_close(struct track_session *s)
{
	tracks_release(&s->tracks);
	checkpoint_session_close(&s->session);
}

/* ---- Which unit ----------------------------------------------------------------------- */

/* What was typed for that kind of unit. */
static const char *word_of(const struct unit_words *words, enum unit_kind kind)
{
	const char *const word[] = { [UNIT_TRACK] = words->track,
				     [UNIT_PHASE] = words->phase,
				     [UNIT_TASK] = words->task,
				     [UNIT_STORY] = words->story };

	return word[kind] ? word[kind] : "";
}

void track_print_failure(const struct error *failure, json_t *candidates)
{
	json_t *error = error_to_json(failure);
	json_t *json CLEANUP(json_decref_p) = NULL;

	if (candidates)
		json_object_set_new(error, "candidates", candidates);
	json = json_pack("{s:i, s:s, s:s, s:o}", "format", 1, "command", "revert-track", "outcome",
			 outcome_name(failure), "error", error);
	json_print(json);
}

/* To stderr, each on a line of its own; with --json to stdout as well. EXIT_NO. */
static int say_candidates(const struct track_session *s, const struct error *reason,
			  const struct units *candidates)
{
	json_t *list = json_array();

	error_line("%s%s", reason->message, candidates->nr ? ":" : "");
	for (size_t i = 0; i < candidates->nr; i++) {
		struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

		unit_describe(&text, &s->tracks, &candidates->item[i]);
		note("  %s", text.buf);
		json_array_append_new(list, track_unit_to_json(&s->tracks, &candidates->item[i]));
	}
	if (s->session.common->json)
		track_print_failure(reason, list);
	else
		json_decref(list);
	return EXIT_NO;
}

/* Messages alone may name a story. */
static int guess_story(struct unit *ret, struct track_session *s, const char *id)
{
	struct stories *stories = &s->tracks.stories;

	ARRAY_GROW(stories->item, stories->nr + 1, stories->alloc);
	stories->item[stories->nr] = (struct story){ .id = xstrdup(id),
						     .name = xstrdup(id),
						     .title = xstrdup(""),
						     .state = UNIT_OTHER,
						     .list = NO_INDEX,
						     .index = NO_INDEX };
	*ret = unit_of_story(stories->nr++);
	s->guessed = true;
	return UNIT_FOUND;
}

int track_deny_story(const struct track_session *s, const struct unit *unit)
{
	const struct stories *stories = &s->tracks.stories;
	struct units candidates CLEANUP(units_release) = UNITS_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	for (size_t i = 0; i < stories->nr; i++)
		if (i != unit->story)
			units_add(&candidates, unit_of_story(i));
	error_set(&reason, "there is no story '%s'%s", stories->item[unit->story].name,
		  candidates.nr ? "; there are" : "");
	return say_candidates(s, &reason, &candidates);
}

int track_find_unit(struct unit *ret, struct track_session *s, const struct unit_words *words,
		    struct error *err)
{
	struct units candidates CLEANUP(units_release) = UNITS_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	enum unit_kind missing;
	int found = unit_find(ret, &candidates, &missing, &s->tracks, words, err);

	if (found <= 0)
		return found;
	if (found == UNIT_MISSING && words->story)
		return guess_story(ret, s, words->story);
	if (found == UNIT_AMBIGUOUS)
		error_set(&reason, "%s '%s' may be any of these", unit_kind_name(missing),
			  word_of(words, missing));
	else
		error_set(&reason, "there is no %s '%s'%s", unit_kind_name(missing),
			  word_of(words, missing), candidates.nr ? "; there are" : "");
	return say_candidates(s, &reason, &candidates);
}

json_t *track_unit_to_json(const struct tracks *tracks, const struct unit *unit)
{
	const struct track *track = unit->track == NO_INDEX ? NULL : &tracks->item[unit->track];
	char *name CLEANUP(free_p) = track ? track_name(tracks, unit->track) : NULL;
	json_t *phase = unit->phase == NO_INDEX ? json_null() :
						  json_size(track->plan.phase[unit->phase].number);
	json_t *task = unit->task == NO_INDEX ? json_null() :
						json_size(track->plan.task[unit->task].number);
	json_t *ret = json_pack("{s:o, s:o, s:o, s:o, s:s}", "track", json_text(name), "phase",
				phase, "task", task, "title", json_text(unit_title(tracks, unit)),
				"kind", unit_kind_name(unit->kind));

	if (!ret)
		BUG("cannot pack a unit");
	if (unit->kind == UNIT_STORY) {
		const struct story *story = &tracks->stories.item[unit->story];

		json_object_set_new(ret, "story", json_text(story->id));
		json_object_set_new(ret, "list",
				    story->list == NO_INDEX ?
					    json_null() :
					    json_text(tracks->stories.list[story->list].path));
	}
	return ret;
}
