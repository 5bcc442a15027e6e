/* SPDX-License-Identifier: MIT */
#include "migration/status.h"

#include "base/memory.h"
#include "base/sort.h"
#include "migration/history.h"
#include "migration/version.h"
#include "vcs/applied.h"

static const char *const state_names[] = {
	[STATE_INTERRUPTED] = "interrupted", [STATE_MISSING] = "missing",
	[STATE_CHANGED] = "changed",	     [STATE_OUT_OF_ORDER] = "out-of-order",
	[STATE_NO_DOWN] = "no-down",	     [STATE_APPLIED] = "applied",
	[STATE_PENDING] = "pending",
};

const char *migration_state_name(enum migration_state state)
{
	return state_names[state];
}

void migration_statuses_release(struct migration_statuses *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		free(s->item[i].found_at);
		free(s->item[i].detail);
	}
	free(s->item);
	*s = (struct migration_statuses)MIGRATION_STATUSES_INIT;
}

static int compare_application(const void *a, const void *b)
{
	const struct ledger_entry *x = a, *y = b;

	if (x->applied_at != y->applied_at)
		return x->applied_at < y->applied_at ? -1 : 1;
	return version_compare(x->version, y->version);
}

static int compare_versions(const void *a, const void *b)
{
	return version_compare((*(const struct ledger_entry *const *)a)->version,
			       (*(const struct ledger_entry *const *)b)->version);
}

void ledger_order(struct ledger *ledger)
{
	sort(ledger->item, ledger->nr, sizeof(*ledger->item), compare_application);
	free(ledger->by_version);
	ledger->by_version = xcalloc(ledger->nr, sizeof(*ledger->by_version));
	for (size_t i = 0; i < ledger->nr; i++)
		ledger->by_version[i] = &ledger->item[i];
	sort(ledger->by_version, ledger->nr, sizeof(*ledger->by_version), compare_versions);
}

static int compare_key(const void *version, const void *entry)
{
	return version_compare(version, (*(const struct ledger_entry *const *)entry)->version);
}

const struct ledger_entry *ledger_find(const struct ledger *ledger, const char *version)
{
	const struct ledger_entry **found = NULL;

	if (ledger->nr)
		found = bsearch(version, ledger->by_version, ledger->nr,
				sizeof(*ledger->by_version), compare_key);
	return found ? *found : NULL;
}

static struct migration_status *add(struct migration_statuses *s, const char *version,
				    const char *name)
{
	ARRAY_GROW(s->item, s->nr + 1, s->alloc);
	s->item[s->nr] = (struct migration_status){ .version = version, .name = name };
	return &s->item[s->nr++];
}

/* Both lists are in the order of versions: one walk over both, as in a merge. */
static void merge(struct migration_statuses *s, const struct migrations *files,
		  const struct ledger *ledger)
{
	const struct ledger_entry *const *sorted = ledger->by_version;
	size_t f = 0, l = 0;

	while (f < files->nr || l < ledger->nr) {
		int order = f == files->nr ?
				    1 :
			    l == ledger->nr ?
				    -1 :
				    version_compare(files->item[f].version, sorted[l]->version);
		struct migration_status *status;

		if (order <= 0)
			status = add(s, files->item[f].version, files->item[f].name);
		else
			status = add(s, sorted[l]->version, sorted[l]->name);
		if (order <= 0)
			status->file = &files->item[f++];
		if (order >= 0) {
			status->applied = sorted[l++];
			/* The database's own spelling of a version is what its rows go by. */
			status->version = status->applied->version;
		}
	}
}

/* A script that was begun and has no row in the ledger and perhaps no file either. */
static void attach_unfinished(struct migration_statuses *s, const struct log_unfinished_list *list)
{
	for (size_t i = 0; list && i < list->nr; i++) {
		const struct log_unfinished *u = &list->item[i];
		size_t at = 0;

		while (at < s->nr && version_compare(s->item[at].version, u->version) < 0)
			at++;
		if (at == s->nr || version_compare(s->item[at].version, u->version) != 0) {
			add(s, u->version, u->name);
			struct migration_status moved = s->item[s->nr - 1];
			memmove(&s->item[at + 1], &s->item[at], (s->nr - 1 - at) * sizeof(moved));
			s->item[at] = moved;
		}
		s->item[at].unfinished = u;
	}
}

static enum migration_state decide(const struct migration_status *status, const char *newest)
{
	const struct migration *file = status->file;
	bool has_up = file && file->up.path, has_down = file && file->down.path;

	if (status->unfinished)
		return STATE_INTERRUPTED;
	if (status->applied && !has_up)
		return STATE_MISSING;
	if (status->applied && status->applied->checksum &&
	    strcmp(status->applied->checksum, file->checksum) != 0)
		return STATE_CHANGED;
	if (!status->applied && newest && version_compare(status->version, newest) < 0)
		return STATE_OUT_OF_ORDER;
	if (!has_down)
		return STATE_NO_DOWN;
	return status->applied ? STATE_APPLIED : STATE_PENDING;
}

static char *describe(const struct migration_status *status)
{
	const struct log_unfinished *u = status->unfinished;

	if (u && u->begun > u->done)
		return xstrfmt("%s stopped in statement %zu of %zu", u->down ? "rollback" : "apply",
			       u->begun, u->statements);
	if (u)
		return xstrfmt("%s stopped after statement %zu of %zu",
			       u->down ? "rollback" : "apply", u->done, u->statements);
	if (status->state == STATE_NO_DOWN)
		return xstrdup(status->applied ? "applied, without a down script" :
						 "pending, without a down script");
	return NULL;
}

void migration_statuses_build(struct migration_statuses *ret, const struct migrations *files,
			      const struct ledger *ledger,
			      const struct log_unfinished_list *unfinished)
{
	const char *newest = NULL;
	size_t kept = 0;

	merge(ret, files, ledger);
	attach_unfinished(ret, unfinished);
	for (size_t i = 0; i < ledger->nr; i++)
		if (!newest || version_compare(ledger->item[i].version, newest) > 0)
			newest = ledger->item[i].version;
	for (size_t i = 0; i < ret->nr; i++) {
		struct migration_status *status = &ret->item[i];

		/* A down script alone, of nothing that was applied, is a problem, not a migration. */
		if (!status->applied && !status->unfinished && !status->file->up.path)
			continue;
		status->state = decide(status, newest);
		status->detail = describe(status);
		ret->count[status->state]++;
		ret->item[kept++] = *status;
	}
	ret->nr = kept;
}

/* No branch has it: perhaps what was kept when it was applied. */
static int locate_kept(struct migration_statuses *s, struct error *err)
{
	const char **versions CLEANUP(free_p) = xcalloc(s->nr, sizeof(*versions));
	const char **checksums CLEANUP(free_p) = xcalloc(s->nr, sizeof(*checksums));
	struct migration_status **wanted CLEANUP(free_p) =
		xcalloc(s->nr, sizeof(struct migration_status *));
	struct applied_found *found CLEANUP(free_p) = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < s->nr; i++) {
		struct migration_status *status = &s->item[i];

		if (status->state != STATE_MISSING || status->found_at ||
		    !status->applied->checksum)
			continue;
		versions[nr] = status->version;
		checksums[nr] = status->applied->checksum;
		wanted[nr++] = status;
	}
	if (!nr)
		return 0;
	found = xcalloc(nr, sizeof(*found));
	if (applied_read(found, versions, checksums, nr, err) < 0)
		return -1;
	for (size_t i = 0; i < nr; i++) {
		if (found[i].found)
			wanted[i]->found_at = applied_ref(versions[i], checksums[i]);
		applied_found_release(&found[i]);
	}
	return 0;
}

int migration_statuses_locate(struct migration_statuses *s, struct error *err)
{
	struct history_search search CLEANUP(history_search_release) = HISTORY_SEARCH_INIT;

	for (size_t i = 0; i < s->nr; i++)
		if (s->item[i].state == STATE_MISSING)
			history_search_add(&search, s->item[i].version,
					   s->item[i].applied->checksum);
	if (history_search_run(&search, false, err) < 0)
		return -1;
	for (size_t i = 0, next = 0; i < s->nr; i++) {
		if (s->item[i].state != STATE_MISSING)
			continue;
		const struct history_match *match = &search.item[next++];
		if (match->found)
			s->item[i].found_at = xstrdup(match->place);
	}
	return locate_kept(s, err);
}
