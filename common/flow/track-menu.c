/* SPDX-License-Identifier: MIT */
#include "flow/track-menu.h"

#include <unistd.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/sort.h"
#include "flow/evidence.h"
#include "flow/track-plan.h"
#include "term/output.h"
#include "term/prompt.h"

#define ITEMS_MAX 9
/* Of these, so that what was completed last is seen, too. */
#define IN_PROGRESS_MAX 6

struct item {
	struct unit unit;
	bool in_progress;
	int64_t last; /* seconds since 1970: of its newest commit; 0: it has none */
};
struct items {
	struct item *item;
	size_t nr, alloc;
};

static void items_release(struct items *items)
{
	free(items->item);
}

static void add_item(struct items *items, struct unit unit, bool in_progress,
		     const struct evidence *evidence)
{
	struct evidence_commits commits CLEANUP(evidence_commits_release) = EVIDENCE_COMMITS_INIT;

	evidence_find(&commits, evidence, &unit);
	ARRAY_GROW(items->item, items->nr + 1, items->alloc);
	items->item[items->nr++] =
		(struct item){ unit, in_progress, commits.nr ? commits.item[0].commit_time : 0 };
}

/* Of what is done the largest unit: of a phase that is, no task. */
static void add_tasks(struct items *items, const struct tracks *tracks, size_t track,
		      const struct evidence *evidence)
{
	const struct plan_document *plan = &tracks->item[track].plan;

	for (size_t i = 0; i < plan->tasks; i++) {
		enum unit_state state = plan->task[i].is.state;
		struct unit task = unit_of_task(tracks, track, i);
		bool in_done =
			task.phase != NO_INDEX && plan->phase[task.phase].is.state == UNIT_DONE;

		if (state == UNIT_IN_PROGRESS || (state == UNIT_DONE && !in_done))
			add_item(items, task, state == UNIT_IN_PROGRESS, evidence);
	}
}

static void add_track(struct items *items, const struct tracks *tracks, size_t track,
		      const struct evidence *evidence)
{
	const struct track *it = &tracks->item[track];

	if (it->state != UNIT_IN_PROGRESS && it->state != UNIT_DONE)
		return;
	add_item(items, unit_of_track(track), it->state == UNIT_IN_PROGRESS, evidence);
	if (it->state == UNIT_DONE)
		return;
	for (size_t i = 0; i < it->plan.phases; i++) {
		enum unit_state state = it->plan.phase[i].is.state;

		if (state == UNIT_IN_PROGRESS || state == UNIT_DONE)
			add_item(items, unit_of_phase(track, i), state == UNIT_IN_PROGRESS,
				 evidence);
	}
	add_tasks(items, tracks, track, evidence);
}

static void add_stories(struct items *items, const struct tracks *tracks,
			const struct evidence *evidence)
{
	const struct stories *stories = &tracks->stories;

	for (size_t i = 0; i < stories->nr; i++)
		if (stories->item[i].state == UNIT_DONE &&
		    !stories->list[stories->item[i].list].archived)
			add_item(items, unit_of_story(i), false, evidence);
}

static int compare_numbers(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

/* In progress first; the newest first; NO_INDEX is the largest number, and a track before its phases. */
static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->in_progress != y->in_progress)
		return x->in_progress ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	if (x->unit.track != y->unit.track)
		return compare_numbers(x->unit.track, y->unit.track);
	if (x->unit.kind != y->unit.kind)
		return x->unit.kind < y->unit.kind ? -1 : 1;
	if (x->unit.phase != y->unit.phase)
		return compare_numbers(x->unit.phase, y->unit.phase);
	return compare_numbers(x->unit.task, y->unit.task);
}

/* The list is in order. What was never committed cannot be reverted. */
static void shorten(struct items *items)
{
	size_t kept = 0, in_progress = 0;

	for (size_t i = 0; i < items->nr && kept < ITEMS_MAX; i++) {
		const struct item it = items->item[i];

		if (!it.last || (it.in_progress && in_progress == IN_PROGRESS_MAX))
			continue;
		in_progress += it.in_progress;
		items->item[kept++] = it;
	}
	items->nr = kept;
}

static void print_items(const struct items *items, const struct tracks *tracks)
{
	note("Which unit of work?");
	for (size_t i = 0; i < items->nr; i++) {
		struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

		unit_describe(&text, tracks, &items->item[i].unit);
		note("  %zu) %s (%s)", i + 1, text.buf,
		     items->item[i].in_progress ? "in progress" : "completed");
	}
	fputs("Number, or nothing to leave it: ", stderr);
	fflush(stderr);
}

static int choose(size_t *ret, const struct items *items, struct error *err)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
	char *end;
	unsigned long number;

	if (!prompt_read_line(STDIN_FILENO, &line))
		return interrupt_pending() ? error_interrupted(err) :
					     error_refused(err, "nothing was chosen");
	number = strtoul(line.buf, &end, 10);
	if (end == line.buf || *end || !number || number > items->nr)
		return error_refused(err, "nothing was chosen");
	*ret = number - 1;
	return 0;
}

void track_choice_release(struct track_choice *choice)
{
	free(choice->track);
	free(choice->phase);
	free(choice->task);
	free(choice->story);
}

/* By their numbers, which are never ambiguous. */
static void set_choice(struct track_choice *ret, const struct tracks *tracks,
		       const struct unit *unit)
{
	const struct track *track;

	if (unit->kind == UNIT_STORY) {
		ret->story = xstrdup(tracks->stories.item[unit->story].name);
		return;
	}
	track = &tracks->item[unit->track];
	ret->track = track_name(tracks, unit->track);
	if (unit->phase != NO_INDEX)
		ret->phase = xstrfmt("%zu", track->plan.phase[unit->phase].number);
	if (unit->task != NO_INDEX)
		ret->task = xstrfmt("%zu", track->plan.task[unit->task].number);
}

int track_menu(struct track_choice *ret, const struct checkpoint_session *s, struct error *err)
{
	struct tracks tracks CLEANUP(tracks_release) = TRACKS_INIT;
	struct evidence *evidence CLEANUP(evidence_free_p) = NULL;
	struct items items CLEANUP(items_release) = { 0 };
	const struct evidence_request request = { .repo = &s->repo, .tracks = &tracks };
	size_t chosen = 0;
	bool untracked;

	if (!prompt_may_ask() || !isatty(STDERR_FILENO)) {
		error_set(err, "which unit? Name a track, or a --story");
		return error_code(err, EXIT_USAGE);
	}
	if (s->repo.head && (track_read(&tracks, &untracked, s, err) < 0 ||
			     evidence_read(&evidence, &request, err) < 0))
		return -1;
	for (size_t t = 0; t < tracks.nr; t++)
		if (!tracks.item[t].archived)
			add_track(&items, &tracks, t, evidence);
	if (evidence)
		add_stories(&items, &tracks, evidence);
	sort(items.item, items.nr, sizeof(*items.item), compare_items);
	shorten(&items);
	if (!items.nr) {
		error_set(err, "no work is in progress, and none is completed");
		return error_code(err, EXIT_NO);
	}
	print_items(&items, &tracks);
	if (choose(&chosen, &items, err) < 0)
		return -1;
	set_choice(ret, &tracks, &items.item[chosen].unit);
	return 0;
}
