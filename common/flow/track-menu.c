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

static void add_track(struct items *items, const struct tracks *tracks, size_t track,
		      const struct evidence *evidence)
{
	const struct track *it = &tracks->item[track];

	if (it->state != UNIT_IN_PROGRESS && it->state != UNIT_DONE)
		return;
	add_item(items, unit_of_track(track), it->state == UNIT_IN_PROGRESS, evidence);
	for (size_t i = 0; it->state == UNIT_IN_PROGRESS && i < it->plan.phases; i++)
		if (it->plan.phase[i].is.state == UNIT_IN_PROGRESS)
			add_item(items, unit_of_phase(track, i), true, evidence);
}

/* In progress first; the newest first. */
static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->in_progress != y->in_progress)
		return x->in_progress ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	if (x->unit.track != y->unit.track)
		return x->unit.track < y->unit.track ? -1 : 1;
	return x->unit.phase == NO_INDEX ? -1 : x->unit.phase > y->unit.phase;
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

int track_menu(char **ret_track, char **ret_phase, const struct checkpoint_session *s,
	       struct error *err)
{
	struct tracks tracks CLEANUP(tracks_release) = TRACKS_INIT;
	struct evidence *evidence CLEANUP(evidence_free_p) = NULL;
	struct items items CLEANUP(items_release) = { 0 };
	const struct evidence_request request = { .repo = &s->repo, .tracks = &tracks };
	const struct unit *unit;
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
		add_track(&items, &tracks, t, evidence);
	if (!items.nr) {
		error_set(err, "there is no track in progress, and none that is completed");
		return error_code(err, EXIT_NO);
	}
	sort(items.item, items.nr, sizeof(*items.item), compare_items);
	if (items.nr > ITEMS_MAX)
		items.nr = ITEMS_MAX;
	print_items(&items, &tracks);
	if (choose(&chosen, &items, err) < 0)
		return -1;
	unit = &items.item[chosen].unit;
	*ret_track = xstrdup(tracks.item[unit->track].id);
	if (unit->phase != NO_INDEX)
		*ret_phase = xstrfmt("%zu", unit->phase + 1);
	return 0;
}
