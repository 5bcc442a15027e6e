/* SPDX-License-Identifier: MIT */
#include <strings.h>

#include "base/memory.h"
#include "vcs/restore-parts.h"

/* A name that will be there; `stays`: it is there, and is not written. */
struct folded {
	const char *path;
	bool stays;
};
struct folded_list {
	struct folded *item;
	size_t nr, alloc;
};

static void add_folded(struct folded_list *to, const char *path, bool stays)
{
	ARRAY_GROW(to->item, to->nr + 1, to->alloc);
	to->item[to->nr++] = (struct folded){ .path = path, .stays = stays };
}

/* What is there already comes last. */
static int compare_folded(const void *a, const void *b)
{
	const struct folded *x = a, *y = b;
	int order = strcasecmp(x->path, y->path);

	return order ? order : (int)x->stays - (int)y->stays;
}

static void add_staying(struct folded_list *to, const struct restore *restore,
			const struct index_file *index)
{
	const struct strvec *untracked = &restore->now.state.untracked;

	for (size_t i = 0; i < index->found.nr; i++) {
		const struct index_entry *entry = &index->found.item[i];

		if (!entry->skip_worktree && !tree_changes_find(&restore->files, entry->path))
			add_folded(to, entry->path, true);
	}
	for (size_t i = 0; i < untracked->nr; i++)
		if (!tree_changes_find(&restore->files, untracked->v[i]))
			add_folded(to, untracked->v[i], true);
}

static void refuse_same(struct restore *restore, struct folded_list *list)
{
	qsort(list->item, list->nr, sizeof(*list->item), compare_folded);
	for (size_t i = 1; i < list->nr; i++) {
		const struct folded *a = &list->item[i - 1], *b = &list->item[i];

		if (!a->stays && !strcasecmp(a->path, b->path))
			restore_refuse(restore, "'%s' and '%s' are one file here (core.ignoreCase)",
				       a->path, b->path);
	}
}

/* Of two names for one file git would write one, and say nothing of the other. */
int restore_check_case(struct restore *restore, struct error *err)
{
	struct index_file index CLEANUP(index_file_release) = INDEX_FILE_INIT;
	struct folded_list list = { 0 };

	if (!restore->now.state.ignore_case)
		return 0;
	for (size_t i = 0; i < restore->files.nr; i++)
		if (restore->files.item[i].new_mode)
			add_folded(&list, restore->files.item[i].path, false);
	if (!list.nr)
		return 0;
	index.all = true;
	if (index_file_read(&index, restore->repo, err) < 0) {
		free(list.item);
		return -1;
	}
	add_staying(&list, restore, &index);
	refuse_same(restore, &list);
	free(list.item);
	return 0;
}
