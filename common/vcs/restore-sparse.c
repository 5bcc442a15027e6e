/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include "base/memory.h"
#include "vcs/restore-parts.h"

static const struct index_entry *find_skipped(const struct index_entries *special, const char *path)
{
	size_t low = 0, high = special->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, special->item[middle].path);

		if (!order)
			return special->item[middle].skip_worktree ? &special->item[middle] : NULL;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool is_on_disk(const struct restore *restore, const char *path)
{
	char *full CLEANUP(free_p) = xstrfmt("%s/%s", restore->repo->worktree, path);
	struct stat st;

	return lstat(full, &st) == 0;
}

/* A file that the index says is left out of the worktree; one that differs from it was there. */
static bool was_left_out(const struct index_entry *entry, unsigned mode, const char *oid)
{
	return entry && mode == entry->mode && oid && !strcmp(oid, entry->oid);
}

static void part_change(struct restore *restore, struct tree_change *change)
{
	const struct index_entries *now = &restore->now.state.index.special;
	const struct index_entries *then = &restore->index_flags.special;

	if (was_left_out(find_skipped(then, change->path), change->new_mode, change->new_oid)) {
		change->new_mode = 0;
		free(STEAL(change->new_oid));
	}
	if (was_left_out(find_skipped(now, change->path), change->old_mode, change->old_oid) &&
	    !is_on_disk(restore, change->path)) {
		change->old_mode = 0;
		free(STEAL(change->old_oid));
	}
	if (!change->old_mode && !change->new_mode)
		change->flags |= RESTORE_STAYS;
}

/* Files with the same content in both states, of which one had them on disk. */
static void add_one_sided(struct restore *restore, size_t known, bool goes)
{
	const struct index_entries *now = &restore->now.state.index.special;
	const struct index_entries *then = &restore->index_flags.special;
	const struct index_entries *skipped = goes ? then : now;

	for (size_t i = 0; i < skipped->nr; i++) {
		const struct index_entry *entry = &skipped->item[i];
		/* What is added comes behind, unsorted. */
		const struct tree_changes compared = { .item = restore->files.item, .nr = known };
		struct tree_change *change;

		if (!entry->skip_worktree || find_skipped(goes ? now : then, entry->path) ||
		    tree_changes_find(&compared, entry->path) ||
		    is_on_disk(restore, entry->path) != goes)
			continue;
		change = tree_changes_add(&restore->files, entry->path);
		*(goes ? &change->old_mode : &change->new_mode) = entry->mode;
		*(goes ? &change->old_oid : &change->new_oid) = xstrdup(entry->oid);
	}
}

void restore_part_sparse(struct restore *restore)
{
	size_t known = restore->files.nr;

	if (!restore->now.state.index.special.nr && !restore->index_flags.special.nr)
		return;
	for (size_t i = 0; i < known; i++)
		part_change(restore, &restore->files.item[i]);
	if (restore->request->pathspecs) /* which of them these are, only git could tell */
		return;
	add_one_sided(restore, known, true);
	add_one_sided(restore, known, false);
	tree_changes_sort(&restore->files);
}
