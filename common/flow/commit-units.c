/* SPDX-License-Identifier: MIT */
#include "flow/commit-units.h"

#include "base/memory.h"
#include "base/sort.h"

void commit_units_release(struct commit_units *units)
{
	for (size_t i = 0; i < units->nr; i++)
		free(units->item[i].oid);
	free(units->item);
	*units = (struct commit_units)COMMIT_UNITS_INIT;
}

static void add_commits(struct commit_units *ret, const struct evidence *evidence, struct unit unit)
{
	struct evidence_commits commits CLEANUP(evidence_commits_release) = EVIDENCE_COMMITS_INIT;

	evidence_find(&commits, evidence, &unit);
	for (size_t i = 0; i < commits.nr; i++) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct commit_unit){ .oid = xstrdup(commits.item[i].oid),
							     .unit = unit,
							     .level = commits.item[i].level,
							     .role = commits.item[i].role };
	}
}

/* The kinds are numbered from the largest to the smallest. */
static int compare(const void *a, const void *b)
{
	const struct commit_unit *x = a, *y = b;
	int order = strcmp(x->oid, y->oid);

	if (order)
		return order;
	if (x->level != y->level)
		return x->level > y->level ? -1 : 1;
	if (x->unit.kind != y->unit.kind)
		return x->unit.kind > y->unit.kind ? -1 : 1;
	if (x->unit.track != y->unit.track)
		return x->unit.track < y->unit.track ? -1 : 1;
	if (x->unit.phase != y->unit.phase)
		return x->unit.phase < y->unit.phase ? -1 : 1;
	return x->unit.task < y->unit.task ? -1 : x->unit.task > y->unit.task;
}

/* Does one that has been kept for the same commit already say it more exactly? */
static bool is_said(const struct commit_units *units, size_t first, size_t nr, size_t at)
{
	for (size_t i = first; i < nr; i++)
		if (unit_contains(&units->item[at].unit, &units->item[i].unit))
			return true;
	return false;
}

static void drop_larger(struct commit_units *units)
{
	size_t kept = 0, first = 0;

	for (size_t i = 0; i < units->nr; i++) {
		struct commit_unit it = units->item[i];

		if (kept > first && strcmp(units->item[first].oid, it.oid) != 0)
			first = kept;
		if (is_said(units, first, kept, i))
			free(it.oid);
		else
			units->item[kept++] = it;
	}
	units->nr = kept;
}

void commit_units_read(struct commit_units *ret, const struct evidence *evidence,
		       const struct tracks *tracks)
{
	for (size_t t = 0; t < tracks->nr; t++) {
		const struct plan_document *plan = &tracks->item[t].plan;

		add_commits(ret, evidence, unit_of_track(t));
		for (size_t i = 0; i < plan->phases; i++)
			add_commits(ret, evidence, unit_of_phase(t, i));
		for (size_t i = 0; i < plan->tasks; i++)
			add_commits(ret, evidence, unit_of_task(tracks, t, i));
	}
	sort(ret->item, ret->nr, sizeof(*ret->item), compare);
	drop_larger(ret);
}

const struct commit_unit *commit_units_find(const struct commit_units *units, const char *oid,
					    size_t *ret_nr)
{
	size_t low = 0, high = units->nr, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(units->item[middle].oid, oid) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < units->nr && !strcmp(units->item[end].oid, oid);)
		end++;
	*ret_nr = end - low;
	return end > low ? &units->item[low] : NULL;
}

void commit_units_describe(struct strbuf *out, const struct commit_units *units,
			   const struct tracks *tracks, const char *oid)
{
	size_t nr;
	const struct commit_unit *owner = commit_units_find(units, oid, &nr);

	for (size_t i = 0; i < nr; i++) {
		strbuf_addstr(out, i ? ", " : " (");
		unit_describe(out, tracks, &owner[i].unit);
	}
	strbuf_addstr(out, nr ? ")" : "");
}
