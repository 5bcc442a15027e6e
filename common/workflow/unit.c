/* SPDX-License-Identifier: MIT */
#include "workflow/unit.h"

#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "workflow/tracks.h"

void units_add(struct units *units, struct unit unit)
{
	ARRAY_GROW(units->item, units->nr + 1, units->alloc);
	units->item[units->nr++] = unit;
}

void units_release(struct units *units)
{
	free(units->item);
	*units = (struct units)UNITS_INIT;
}

/* ---- How well a text fits a word ----------------------------------------------------- */

/* From the best to none. */
enum fit { FIT_SAME, FIT_SAME_BUT_CASE, FIT_PART, FIT_PART_BUT_CASE, FIT_NONE };

static enum fit fit(const char *text, const char *word)
{
	return !*word		       ? FIT_NONE :
	       !strcmp(text, word)     ? FIT_SAME :
	       !strcasecmp(text, word) ? FIT_SAME_BUT_CASE :
	       strstr(text, word)      ? FIT_PART :
	       strcasestr(text, word)  ? FIT_PART_BUT_CASE :
					 FIT_NONE;
}

/* What fits best, of those that were offered. */
struct best {
	struct units units;
	unsigned rank; /* of all in `units`; the lower the better */
};

static void offer(struct best *best, struct unit unit, unsigned rank)
{
	if (best->units.nr && rank > best->rank)
		return;
	if (best->units.nr && rank < best->rank)
		best->units.nr = 0;
	best->rank = rank;
	units_add(&best->units, unit);
}

static enum unit_found choose(struct unit *ret, struct units *ret_candidates, struct best *best)
{
	enum unit_found found = best->units.nr == 1 ? UNIT_FOUND :
				best->units.nr	    ? UNIT_AMBIGUOUS :
						      UNIT_MISSING;

	if (found == UNIT_FOUND)
		*ret = best->units.item[0];
	for (size_t i = 0; found == UNIT_AMBIGUOUS && i < best->units.nr; i++)
		units_add(ret_candidates, best->units.item[i]);
	units_release(&best->units);
	return found;
}

/* ---- Tracks and stories -------------------------------------------------------------- */

struct unit unit_of_track(size_t track)
{
	return (struct unit){ .kind = UNIT_TRACK,
			      .track = track,
			      .phase = NO_INDEX,
			      .task = NO_INDEX,
			      .story = NO_INDEX };
}

struct unit unit_of_phase(size_t track, size_t phase)
{
	struct unit ret = unit_of_track(track);

	ret.kind = UNIT_PHASE;
	ret.phase = phase;
	return ret;
}

struct unit unit_of_task(const struct tracks *tracks, size_t track, size_t task)
{
	struct unit ret = unit_of_phase(track, tracks->item[track].plan.task[task].phase);

	ret.kind = UNIT_TASK;
	ret.task = task;
	return ret;
}

struct unit unit_of_story(size_t story)
{
	struct unit ret = unit_of_track(NO_INDEX);

	ret.kind = UNIT_STORY;
	ret.story = story;
	return ret;
}

/* The whole id, the whole description, a part of the id, a part of the description. */
static unsigned track_rank(const struct track *track, const char *word)
{
	enum fit id = fit(track->id, word), description = fit(track->description, word);

	if (track->folder && !strcmp(track->folder, word))
		return 0;
	if (id <= FIT_SAME_BUT_CASE)
		return 2 * id + track->archived;
	if (description <= FIT_SAME_BUT_CASE)
		return 4 + description;
	if (id < FIT_NONE)
		return 4 + id;
	return description < FIT_NONE ? 6 + description : UINT32_MAX;
}

static size_t count_done(const struct plan_document *plan)
{
	size_t nr = 0;

	for (size_t i = 0; i < plan->tasks; i++)
		nr += plan->task[i].is.state == UNIT_DONE;
	return nr;
}

/*
 * Is it what was left behind when the track was archived by copying its folder? Of the two, that
 * one is meant where more is done; of equals, the one where the work was.
 */
static bool is_left_behind(const struct tracks *tracks, size_t track)
{
	const struct track *it = &tracks->item[track];

	for (size_t i = 0; it->home && i < tracks->nr; i++) {
		const struct track *other = &tracks->item[i];
		size_t done = count_done(&it->plan), others = count_done(&other->plan);

		if (i != track && other->home && !strcmp(it->home, other->home) &&
		    !strcasecmp(it->id, other->id) && it->archived != other->archived &&
		    (others > done || (others == done && it->archived)))
			return true;
	}
	return false;
}

static enum unit_found find_track(struct unit *ret, struct units *ret_candidates,
				  const struct tracks *tracks, const char *word)
{
	struct best best = { 0 };
	enum unit_found found;

	for (size_t i = 0; i < tracks->nr; i++) {
		const char *folder = tracks->item[i].folder;
		unsigned rank = track_rank(&tracks->item[i], word);

		if (rank != UINT32_MAX &&
		    ((folder && !strcmp(folder, word)) || !is_left_behind(tracks, i)))
			offer(&best, unit_of_track(i), rank);
	}
	found = choose(ret, ret_candidates, &best);
	for (size_t i = 0; found == UNIT_MISSING && i < tracks->nr; i++)
		units_add(ret_candidates, unit_of_track(i));
	return found;
}

static enum unit_found find_story(struct unit *ret, struct units *ret_candidates,
				  const struct stories *stories, const char *word)
{
	struct best best = { 0 };
	enum unit_found found;

	for (size_t i = 0; i < stories->nr; i++) {
		const struct story *story = &stories->item[i];
		enum fit id = fit(story->id, word), title = fit(story->title, word);
		bool archived = story->list != NO_INDEX && stories->list[story->list].archived;

		if (!strcmp(story->name, word))
			offer(&best, unit_of_story(i), 0);
		else if (id < FIT_NONE)
			offer(&best, unit_of_story(i), 1 + 2 * id + archived);
		else if (title < FIT_NONE)
			offer(&best, unit_of_story(i), 1 + 2 * FIT_NONE + 2 * title + archived);
	}
	found = choose(ret, ret_candidates, &best);
	for (size_t i = 0; found == UNIT_MISSING && i < stories->nr; i++)
		units_add(ret_candidates, unit_of_story(i));
	return found;
}

/* ---- Phases and tasks ---------------------------------------------------------------- */

/* Digits alone; false for what is none, or too large for any plan. */
static bool read_number(size_t *ret, const char *word, size_t len)
{
	size_t digits = strspn(word, "0123456789");

	if (!len || digits < len || len > 6)
		return false;
	*ret = (size_t)strtoul(word, NULL, 10);
	return true;
}

static enum unit_found find_phase(struct unit *ret, struct units *ret_candidates,
				  const struct tracks *tracks, size_t track, const char *word)
{
	const struct plan_document *plan = &tracks->item[track].plan;
	struct best best = { 0 };
	enum unit_found found;
	size_t number;

	if (read_number(&number, word, strlen(word)) && number && number <= plan->phases) {
		*ret = unit_of_phase(track, number - 1);
		return UNIT_FOUND;
	}
	for (size_t p = 0; p < plan->phases; p++) {
		enum fit fits = fit(plan->phase[p].is.title, word);

		if (fits < FIT_NONE)
			offer(&best, unit_of_phase(track, p), fits);
	}
	found = choose(ret, ret_candidates, &best);
	for (size_t p = 0; found == UNIT_MISSING && p < plan->phases; p++)
		units_add(ret_candidates, unit_of_phase(track, p));
	return found;
}

/* `phase` is NO_INDEX for all of the plan. */
static enum unit_found find_task_by_text(struct unit *ret, struct units *ret_candidates,
					 const struct tracks *tracks, size_t track, size_t phase,
					 const char *word)
{
	const struct plan_document *plan = &tracks->item[track].plan;
	struct best best = { 0 };
	enum unit_found found;

	for (size_t t = 0; t < plan->tasks; t++) {
		enum fit fits = fit(plan->task[t].is.title, word);

		if (fits < FIT_NONE && (phase == NO_INDEX || plan->task[t].phase == phase))
			offer(&best, unit_of_task(tracks, track, t), fits);
	}
	found = choose(ret, ret_candidates, &best);
	for (size_t t = 0; found == UNIT_MISSING && t < plan->tasks; t++)
		if (phase == NO_INDEX || plan->task[t].phase == phase)
			units_add(ret_candidates, unit_of_task(tracks, track, t));
	return found;
}

/* Without a phase it is the task with that number of each: one, several, or none. */
static enum unit_found find_task_by_number(struct unit *ret, struct units *ret_candidates,
					   const struct tracks *tracks, size_t track, size_t phase,
					   size_t number)
{
	const struct plan_document *plan = &tracks->item[track].plan;
	struct best best = { 0 };

	for (size_t t = 0; t < plan->tasks; t++)
		if (plan->task[t].number == number &&
		    (phase == NO_INDEX || plan->task[t].phase == phase))
			offer(&best, unit_of_task(tracks, track, t), 0);
	return choose(ret, ret_candidates, &best);
}

/* "2.3"; false when it is not that. */
static bool read_pair(size_t *ret_phase, size_t *ret_task, const char *word)
{
	const char *dot = strchr(word, '.');

	return dot && read_number(ret_phase, word, (size_t)(dot - word)) &&
	       read_number(ret_task, dot + 1, strlen(dot + 1));
}

static int find_task(struct unit *ret, struct units *ret_candidates, const struct tracks *tracks,
		     const struct unit *in, const char *word, struct error *err)
{
	const struct plan_document *plan = &tracks->item[in->track].plan;
	size_t phase = in->phase, number, paired;
	enum unit_found found = UNIT_MISSING;

	if (read_pair(&paired, &number, word)) {
		if (phase != NO_INDEX && phase + 1 != paired)
			return error_set(err, "task '%s' is not in phase %zu", word, phase + 1);
		if (paired && paired <= plan->phases)
			found = find_task_by_number(ret, ret_candidates, tracks, in->track,
						    paired - 1, number);
	} else if (read_number(&number, word, strlen(word))) {
		found = find_task_by_number(ret, ret_candidates, tracks, in->track, phase, number);
	}
	if (found != UNIT_MISSING)
		return (int)found;
	return (int)find_task_by_text(ret, ret_candidates, tracks, in->track, phase, word);
}

int unit_find(struct unit *ret, struct units *ret_candidates, enum unit_kind *ret_missing,
	      const struct tracks *tracks, const struct unit_words *words, struct error *err)
{
	struct unit unit = unit_of_track(NO_INDEX);
	int found;

	if (words->story) {
		*ret_missing = UNIT_STORY;
		return (int)find_story(ret, ret_candidates, &tracks->stories, words->story);
	}
	*ret_missing = UNIT_TRACK;
	found = (int)find_track(&unit, ret_candidates, tracks, words->track);
	if (found == UNIT_FOUND && words->phase) {
		*ret_missing = UNIT_PHASE;
		found = (int)find_phase(&unit, ret_candidates, tracks, unit.track, words->phase);
	}
	if (found == UNIT_FOUND && words->task) {
		struct unit in = unit;

		*ret_missing = UNIT_TASK;
		found = find_task(&unit, ret_candidates, tracks, &in, words->task, err);
	}
	if (found == UNIT_FOUND)
		*ret = unit;
	return found;
}

/* ---- What a unit is ------------------------------------------------------------------ */

bool unit_contains(const struct unit *outer, const struct unit *inner)
{
	if (outer->kind == UNIT_STORY || inner->kind == UNIT_STORY)
		return outer->kind == inner->kind && outer->story == inner->story;
	if (outer->track != inner->track || outer->kind > inner->kind)
		return false;
	return outer->kind == UNIT_TRACK ? true :
	       outer->kind == UNIT_PHASE ? outer->phase == inner->phase :
					   outer->task == inner->task;
}

bool units_contain(const struct units *units, const struct unit *unit)
{
	for (size_t i = 0; i < units->nr; i++)
		if (unit_contains(&units->item[i], unit))
			return true;
	return false;
}

bool unit_enclosing(struct unit *ret, const struct unit *a, const struct unit *b)
{
	if (unit_contains(a, b) || unit_contains(b, a)) {
		*ret = unit_contains(a, b) ? *a : *b;
		return true;
	}
	if (a->kind == UNIT_STORY || b->kind == UNIT_STORY || a->track != b->track)
		return false;
	*ret = a->phase == b->phase && a->phase != NO_INDEX ? unit_of_phase(a->track, a->phase) :
							      unit_of_track(a->track);
	return true;
}

const char *unit_title(const struct tracks *tracks, const struct unit *unit)
{
	if (unit->kind == UNIT_STORY)
		return tracks->stories.item[unit->story].title;

	const struct track *track = &tracks->item[unit->track];

	return unit->kind == UNIT_TRACK ? track->description :
	       unit->kind == UNIT_PHASE ? track->plan.phase[unit->phase].is.title :
					  track->plan.task[unit->task].is.title;
}

enum unit_state unit_state(const struct tracks *tracks, const struct unit *unit)
{
	if (unit->kind == UNIT_STORY)
		return tracks->stories.item[unit->story].state;

	const struct track *track = &tracks->item[unit->track];

	return unit->kind == UNIT_TRACK ? track->state :
	       unit->kind == UNIT_PHASE ? track->plan.phase[unit->phase].is.state :
					  track->plan.task[unit->task].is.state;
}

static void add_title(struct strbuf *out, const char *title)
{
	char *escaped CLEANUP(free_p) = text_escaped(title);

	if (*escaped)
		strbuf_addf(out, " '%s'", escaped);
}

void unit_describe(struct strbuf *out, const struct tracks *tracks, const struct unit *unit)
{
	if (unit->kind == UNIT_STORY) {
		const struct story *story = &tracks->stories.item[unit->story];

		strbuf_addstr(out, "story");
		add_title(out, story->name);
		add_title(out, story->title);
		return;
	}

	const struct track *track = &tracks->item[unit->track];

	strbuf_addstr(out, "track");
	add_title(out, track->id);
	if (unit->phase != NO_INDEX) {
		strbuf_addf(out, ", phase %zu", track->plan.phase[unit->phase].number);
		add_title(out, track->plan.phase[unit->phase].is.title);
	}
	if (unit->task == NO_INDEX)
		return;
	strbuf_addstr(out, ", task");
	if (track->plan.task[unit->task].number)
		strbuf_addf(out, " %zu", track->plan.task[unit->task].number);
	add_title(out, track->plan.task[unit->task].is.title);
}
