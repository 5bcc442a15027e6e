/* SPDX-License-Identifier: MIT */
/*
 * Files that were renamed while the work went on: all commits are seen as if they changed them under
 * the names of the end. Where a rename is, only commits show that are looked at, and only where the
 * content stays the same.
 */
#include "base/memory.h"
#include "base/digest.h"
#include "base/sort.h"
#include "flow/evidence-parts.h"
#include "workflow/layout.h"

/* So many are followed: a project that moves more at a time does not say much by files. */
#define RENAMES_MAX 1000

/* Of the files that are gone: the one with that content, if it is the only one or keeps its name. */
static const struct log_change *find_source(const struct log_commit *commit,
					    const struct log_change *to)
{
	const struct log_change *found = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < commit->changes; i++) {
		const struct log_change *from = &commit->change[i];

		if (from->status != 'D' || strcmp(from->old_oid, to->new_oid) != 0)
			continue;
		if (!strcmp(layout_name(from->path), layout_name(to->path)))
			return from;
		found = from;
		nr++;
	}
	return nr == 1 ? found : NULL;
}

void evidence_note_renames(struct evidence *e, const struct log_commit *commit, uint32_t known)
{
	for (size_t i = 0; i < commit->changes && e->renames < RENAMES_MAX; i++) {
		const struct log_change *to = &commit->change[i];
		const struct log_change *from = to->status == 'A' ? find_source(commit, to) : NULL;

		if (!from || evidence_is_document(e, to->path))
			continue;
		ARRAY_GROW(e->rename, e->renames + 1, e->renames_alloc);
		e->rename[e->renames++] = (struct file_rename){ known, digest_number(from->path),
								digest_number(to->path) };
	}
}

/* Puts a number in the place of another, in order; of two that are the same one goes. */
static void replace_file(struct known_commit *commit, uint64_t from, uint64_t to)
{
	size_t at = 0, kept = 0;

	while (at < commit->files && commit->file[at] < from)
		at++;
	if (at == commit->files || commit->file[at] != from)
		return;
	commit->file[at] = to;
	sort(commit->file, commit->files, sizeof(*commit->file), evidence_compare_files);
	for (size_t i = 0; i < commit->files; i++)
		if (!i || commit->file[i] != commit->file[kept - 1])
			commit->file[kept++] = commit->file[i];
	commit->files = kept;
}

/* The oldest first; `data` of qsort_r(). */
static int compare_age(const void *a, const void *b, void *data)
{
	const struct evidence *e = data;
	const struct file_rename *x = a, *y = b;
	uint32_t m = e->commit[x->commit].order, n = e->commit[y->commit].order;

	return m > n ? -1 : m < n;
}

void evidence_follow_renames(struct evidence *e)
{
	if (e->renames)
		qsort_r(e->rename, e->renames, sizeof(*e->rename), compare_age, e);
	for (size_t i = 0; i < e->renames; i++) {
		const struct file_rename *it = &e->rename[i];

		for (size_t k = 0; k < e->commits; k++)
			if (k != it->commit && e->commit[k].order >= e->commit[it->commit].order)
				replace_file(&e->commit[k], it->from, it->to);
	}
}
