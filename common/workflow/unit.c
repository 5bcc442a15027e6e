/* SPDX-License-Identifier: MIT */
#include "workflow/unit.h"

#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "workflow/plan-line.h"
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

/* From the best to none. Of what fits in part only, nothing is better than another. */
enum fit { FIT_ID, FIT_ID_BUT_CASE, FIT_NAME, FIT_NAME_BUT_CASE, FIT_PART, FIT_NONE };

static enum fit fit_text(const char *text, const char *word, enum fit same)
{
	return !*word		       ? FIT_NONE :
	       !strcmp(text, word)     ? same :
	       !strcasecmp(text, word) ? same + 1 :
	       strcasestr(text, word)  ? FIT_PART :
					 FIT_NONE;
}

static enum fit better(enum fit a, enum fit b)
{
	return a < b ? a : b;
}

/* The word as a line of a document is read: "Phase 2: API [checkpoint: 1a2b3c4]" is "API". */
static void read_word(struct plan_line *ret, enum line_kind kind, const char *word)
{
	const struct span all = { 0, strlen(word) };

	plan_line_parse(ret, kind, word, all, all);
}

/* A title, by a word with or without what stands in front of it in the document. */
static enum fit fit_line(const struct plan_line *line, const char *word,
			 const struct plan_line *as_line)
{
	enum fit plain = fit_text(line->title, word, FIT_NAME);

	if (as_line->label && (!line->label || strcasecmp(line->label, as_line->label) != 0))
		return plain;
	if (*as_line->title)
		return better(plain, fit_text(line->title, as_line->title, FIT_NAME));
	if (!as_line->label)
		return plain;
	return better(plain, *line->title ? FIT_PART : FIT_NAME); /* "Phase 2" */
}

/* What fits best, of those that were offered. */
struct best {
	struct units units;
	enum fit fit; /* of all in `units` */
	bool whole;   /* none that fits in part */
};

static void offer(struct best *best, struct unit unit, enum fit fit)
{
	if (fit == FIT_NONE || (best->whole && fit == FIT_PART) ||
	    (best->units.nr && fit > best->fit))
		return;
	if (best->units.nr && fit < best->fit)
		best->units.nr = 0;
	best->fit = fit;
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

static bool is_folder(const struct track *track, const char *word)
{
	return strchr(word, '/') && track_folder_ends(track, word);
}

static enum fit fit_track(const struct track *track, const char *word,
			  const struct plan_line *as_line)
{
	enum fit name = fit_text(track->description, word, FIT_NAME);

	if (is_folder(track, word))
		return FIT_ID;
	if (*as_line->title)
		name = better(name, fit_text(track->description, as_line->title, FIT_NAME));
	return better(fit_text(track->id, word, FIT_ID), name);
}

static size_t count_done(const struct plan_document *plan)
{
	size_t nr = 0;

	for (size_t i = 0; i < plan->tasks; i++)
		nr += plan->task[i].is.state == UNIT_DONE;
	return nr;
}

/* Most of the tasks are the same: one plan is a copy of the other, and not of another track. */
static bool is_copy(const struct plan_document *plan, const struct plan_document *other)
{
	size_t same = 0;

	for (size_t i = 0; i < plan->tasks; i++)
		same += plan_document_find_same_task(other, plan, i) != NO_INDEX;
	return 2 * same >= plan->tasks;
}

/* One of the two was archived by copying its folder. */
static bool are_copies(const struct track *it, const struct track *other)
{
	return it != other && it->home && other->home && !strcmp(it->home, other->home) &&
	       !strcasecmp(it->id, other->id) && it->archived != other->archived &&
	       is_copy(&it->plan, &other->plan);
}

/*
 * Is it what was left behind when the track was archived by copying its folder? Of the two, that
 * one is meant where more is done; of equals, the one where the work was.
 */
static bool is_left_behind(const struct tracks *tracks, size_t track)
{
	const struct track *it = &tracks->item[track];

	for (size_t i = 0; i < tracks->nr; i++) {
		const struct track *other = &tracks->item[i];
		size_t done = count_done(&it->plan), others = count_done(&other->plan);

		if ((others > done || (others == done && it->archived)) && are_copies(it, other))
			return true;
	}
	return false;
}

static void add_copy(struct units *ret, const struct tracks *tracks, const struct unit *unit,
		     size_t track)
{
	const struct plan_document *plan = &tracks->item[unit->track].plan;
	const struct plan_document *other = &tracks->item[track].plan;
	size_t same;

	if (unit->kind == UNIT_TRACK) {
		units_add(ret, unit_of_track(track));
		return;
	}
	same = unit->kind == UNIT_PHASE ? plan_document_find_same_phase(other, plan, unit->phase) :
					  plan_document_find_same_task(other, plan, unit->task);
	if (same != NO_INDEX)
		units_add(ret, unit->kind == UNIT_PHASE ? unit_of_phase(track, same) :
							  unit_of_task(tracks, track, same));
}

void units_add_copies(struct units *ret, const struct tracks *tracks, const struct unit *unit)
{
	/* A plan without tasks has nothing that tells it from another. */
	if (unit->kind == UNIT_STORY || !tracks->item[unit->track].plan.tasks)
		return;
	for (size_t i = 0; i < tracks->nr; i++)
		if (are_copies(&tracks->item[unit->track], &tracks->item[i]))
			add_copy(ret, tracks, unit, i);
}

static enum unit_found find_track(struct unit *ret, struct units *ret_candidates,
				  const struct tracks *tracks, const char *word, bool whole)
{
	struct plan_line as_line CLEANUP(plan_line_release);
	struct best best = { .whole = whole };
	enum unit_found found;

	read_word(&as_line, LINE_TRACK, word);
	for (size_t i = 0; i < tracks->nr; i++)
		if (is_folder(&tracks->item[i], word) || !is_left_behind(tracks, i))
			offer(&best, unit_of_track(i), fit_track(&tracks->item[i], word, &as_line));
	found = choose(ret, ret_candidates, &best);
	for (size_t i = 0; found == UNIT_MISSING && i < tracks->nr; i++)
		units_add(ret_candidates, unit_of_track(i));
	return found;
}

static enum unit_found find_story(struct unit *ret, struct units *ret_candidates,
				  const struct stories *stories, const char *word, bool whole)
{
	struct best best = { .whole = whole };
	enum unit_found found;

	for (size_t i = 0; i < stories->nr; i++) {
		const struct story *story = &stories->item[i];
		enum fit id = fit_text(story->id, word, FIT_ID);

		if (!strcmp(story->name, word))
			id = FIT_ID;
		else if (story->list != NO_INDEX && stories->list[story->list].archived &&
			 id < FIT_NAME)
			id = FIT_NAME; /* it stands back */
		offer(&best, unit_of_story(i), better(id, fit_text(story->title, word, FIT_NAME)));
	}
	found = choose(ret, ret_candidates, &best);
	for (size_t i = 0; found == UNIT_MISSING && i < stories->nr; i++)
		units_add(ret_candidates, unit_of_story(i));
	return found;
}

/* ---- Phases and tasks ---------------------------------------------------------------- */

/* Digits alone; what is too large for any plan is 0, which nothing has. */
static bool read_number(size_t *ret, const char *word, size_t len)
{
	size_t digits = strspn(word, "0123456789");

	if (!len || digits < len)
		return false;
	*ret = len > 6 ? 0 : (size_t)strtoul(word, NULL, 10);
	return true;
}

static enum unit_found find_phase(struct unit *ret, struct units *ret_candidates,
				  const struct tracks *tracks, size_t track, const char *word,
				  bool whole)
{
	const struct plan_document *plan = &tracks->item[track].plan;
	struct plan_line as_line CLEANUP(plan_line_release);
	struct best best = { .whole = whole };
	enum unit_found found;
	size_t number;
	bool by_number = read_number(&number, word, strlen(word));

	read_word(&as_line, LINE_PHASE, word);
	for (size_t p = 0; p < plan->phases; p++)
		offer(&best, unit_of_phase(track, p),
		      !by_number      ? fit_line(&plan->phase[p].is, word, &as_line) :
		      p + 1 == number ? FIT_ID :
					FIT_NONE);
	found = choose(ret, ret_candidates, &best);
	for (size_t p = 0; found == UNIT_MISSING && p < plan->phases; p++)
		units_add(ret_candidates, unit_of_phase(track, p));
	return found;
}

/* `phase` is NO_INDEX for all of the plan. */
static enum unit_found find_task_by_text(struct unit *ret, struct units *ret_candidates,
					 const struct tracks *tracks, size_t track, size_t phase,
					 const char *word, bool whole)
{
	const struct plan_document *plan = &tracks->item[track].plan;
	struct plan_line as_line CLEANUP(plan_line_release);
	struct best best = { .whole = whole };

	read_word(&as_line, LINE_TASK, word);
	for (size_t t = 0; t < plan->tasks; t++)
		if (phase == NO_INDEX || plan->task[t].phase == phase)
			offer(&best, unit_of_task(tracks, track, t),
			      fit_line(&plan->task[t].is, word, &as_line));
	return choose(ret, ret_candidates, &best);
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
			offer(&best, unit_of_task(tracks, track, t), FIT_ID);
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
		     const struct unit *in, const char *word, bool whole, struct error *err)
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
	} else {
		found = find_task_by_text(ret, ret_candidates, tracks, in->track, phase, word,
					  whole);
	}
	for (size_t t = 0; found == UNIT_MISSING && t < plan->tasks; t++)
		if (phase == NO_INDEX || plan->task[t].phase == phase)
			units_add(ret_candidates, unit_of_task(tracks, in->track, t));
	return (int)found;
}

int unit_find(struct unit *ret, struct units *ret_candidates, enum unit_kind *ret_missing,
	      const struct tracks *tracks, const struct unit_words *words, struct error *err)
{
	struct unit unit = unit_of_track(NO_INDEX);
	int found;

	if (words->story) {
		*ret_missing = UNIT_STORY;
		return (int)find_story(ret, ret_candidates, &tracks->stories, words->story,
				       words->whole);
	}
	*ret_missing = UNIT_TRACK;
	found = (int)find_track(&unit, ret_candidates, tracks, words->track, words->whole);
	if (found == UNIT_FOUND && words->phase) {
		*ret_missing = UNIT_PHASE;
		found = (int)find_phase(&unit, ret_candidates, tracks, unit.track, words->phase,
					words->whole);
	}
	if (found == UNIT_FOUND && words->task) {
		struct unit in = unit;

		*ret_missing = UNIT_TASK;
		found = find_task(&unit, ret_candidates, tracks, &in, words->task, words->whole,
				  err);
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
	char *name CLEANUP(free_p) = track_name(tracks, unit->track);

	strbuf_addstr(out, "track");
	add_title(out, name);
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
