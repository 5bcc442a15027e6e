/* SPDX-License-Identifier: MIT */
/*
 * Pathspecs, which git matches; and what a tree cannot hold of an index's entries, such as the sides of a conflict, for the paths
 * of a pathspec: a new index is made of the entries that match as the snapshot has them, and of
 * all others as they are.
 */
#include "base/file.h"
#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/restore-parts.h"
#include "vcs/stored-index.h"

/* ---- What they match ----------------------------------------------------------------- */

/* ":!x" and the like take away from the others. */
static bool is_exclusion(const char *pathspec)
{
	return !strncmp(pathspec, ":!", 2) || !strncmp(pathspec, ":^", 2) ||
	       !strncmp(pathspec, ":(exclude", 9);
}

const char *restore_empty_tree(const struct restore *restore)
{
	return object_empty_tree(restore->repo->object_format);
}

/* Does it match anything in either state? */
static int matches(bool *ret, const struct restore *restore, const char *pathspec,
		   struct error *err)
{
	const char *empty = restore_empty_tree(restore);
	const struct snapshot *target = restore->request->target;
	const struct snapshot_capture *now = &restore->now;
	struct tree_pair pair[] = {
		{ .new_tree = now->worktree_tree },	{ .new_tree = now->untracked_tree },
		{ .new_tree = now->index_tree },	{ .new_tree = target->worktree_tree },
		{ .new_tree = target->untracked_tree }, { .new_tree = target->index_tree }
	};
	int done;

	for (size_t i = 0; i < ARRAY_SIZE(pair); i++)
		pair[i].old_tree = empty;
	done = tree_pairs_compare(pair, ARRAY_SIZE(pair), &pathspec, 1, &restore->env, err);
	for (size_t i = 0; i < ARRAY_SIZE(pair); i++) {
		*ret = *ret || pair[i].changes.nr;
		tree_changes_release(&pair[i].changes);
	}
	return done;
}

int restore_check_pathspecs(const struct restore *restore, struct error *err)
{
	const struct restore_request *request = restore->request;

	if (request->pathspecs == 1 && !restore_is_nothing(restore))
		return 0; /* what changes is what it matches */
	for (size_t i = 0; i < request->pathspecs; i++) {
		bool found = is_exclusion(request->pathspec[i]);

		if (!found && matches(&found, restore, request->pathspec[i], err) < 0)
			return -1;
		if (found)
			continue;
		error_set(err, "pathspec '%s' did not match any file, of now or of the checkpoint",
			  request->pathspec[i]);
		return error_code(err, EXIT_NO);
	}
	return 0;
}

/* ---- What no tree can hold ----------------------------------------------------------- */

/* The paths in an index (NULL: the present one) that match; sorted, as the index is. */
static int match(struct strvec *ret, const struct restore *restore, const char *index,
		 struct error *err)
{
	const struct restore_request *request = restore->request;
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; i < restore->env.nr; i++)
		strvec_push(&env, restore->env.v[i]);
	if (index)
		strvec_pushf(&env, "GIT_INDEX_FILE=%s", index);
	git.env = &env; /* and from where we are, as pathspecs are */
	strvec_pushl(&git.argv, "git", "ls-files", "-z", "--full-name", "--cached", "--", NULL);
	for (size_t i = 0; i < request->pathspecs; i++)
		strvec_push(&git.argv, request->pathspec[i]);
	if (git_run(&git, "match the paths", err) < 0)
		return -1;
	for (const char *at = git.out.buf; at < git.out.buf + git.out.len; at += strlen(at) + 1)
		if (!ret->nr || strcmp(ret->v[ret->nr - 1], at) != 0) /* once, of all stages */
			strvec_push(ret, at);
	return 0;
}

static int match_then(struct strvec *ret, const struct restore *restore, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/index.then", restore->request->folder);
	struct strbuf bytes CLEANUP(strbuf_release) = STRBUF_INIT;

	stored_index_format(&bytes, &restore->index_flags.found, restore->repo);
	if (file_write(path, bytes.buf, bytes.len, 0600, FILE_SYNC_CONTENT, err) < 0)
		return -1;
	return match(ret, restore, path, err);
}

static bool has(const struct strvec *sorted, const char *path)
{
	size_t low = 0, high = sorted->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, sorted->v[middle]);

		if (!order)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* What is left out of a sparse checkout is the same entry, and decided elsewhere. */
static bool is_special(const struct index_entry *entry)
{
	return entry->stage || entry->intent_to_add || entry->assume_unchanged;
}

/* The next special entry from `*at` on that matches, or NULL. */
static const struct index_entry *next_special(const struct index_entries *entries, size_t *at,
					      const struct strvec *matching)
{
	while (*at < entries->nr) {
		const struct index_entry *entry = &entries->item[(*at)++];

		if (is_special(entry) && has(matching, entry->path))
			return entry;
	}
	return NULL;
}

static bool is_same_entry(const struct index_entry *a, const struct index_entry *b)
{
	return !strcmp(a->path, b->path) && a->stage == b->stage && a->mode == b->mode &&
	       !strcmp(a->oid, b->oid);
}

static bool differ(const struct restore *restore, const struct strvec *now,
		   const struct strvec *then)
{
	size_t i = 0, k = 0;

	for (;;) {
		const struct index_entry *a =
			next_special(&restore->now.state.index.special, &i, now);
		const struct index_entry *b = next_special(&restore->index_flags.special, &k, then);

		if (!a || !b)
			return a != b;
		if (!is_same_entry(a, b) || a->intent_to_add != b->intent_to_add ||
		    a->assume_unchanged != b->assume_unchanged)
			return true;
	}
}

/* Does one of the paths want to be where a folder is, or the other way round? */
static bool is_in_the_way(const char *path, const struct strvec *paths,
			  const struct strvec *folders)
{
	if (has(folders, path))
		return true;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *above CLEANUP(free_p) = xmemdupz(path, (size_t)(slash - path));

		if (has(paths, above))
			return true;
	}
	return false;
}

static void add_folders(struct strvec *ret, const struct strvec *paths)
{
	for (size_t i = 0; i < paths->nr; i++) {
		const char *path = paths->v[i];

		for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
			size_t len = (size_t)(slash - path);
			const char *last = ret->nr ? ret->v[ret->nr - 1] : "";

			/* Those of the path before are the same for the most part. */
			if (strncmp(last, path, len) != 0 || (last[len] && last[len] != '/'))
				strvec_push_nodup(ret, xmemdupz(path, len));
		}
	}
	strvec_sort(ret);
}

static int compare_entries(const void *a, const void *b)
{
	const struct index_entry *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : (int)x->stage - (int)y->stage;
}

static void take(struct index_entries *to, struct index_entry *entry)
{
	ARRAY_GROW(to->item, to->nr + 1, to->alloc);
	to->item[to->nr++] = *entry;
	entry->path = entry->oid = NULL;
}

/* Makes the entries of `then`, which the new index is written from, those of both. */
static void merge(struct index_entries *then, struct index_entries *now,
		  const struct strvec *matching_now, const struct strvec *matching_then)
{
	struct strvec folders CLEANUP(strvec_release) = STRVEC_INIT;
	struct index_entries both = { 0 };

	add_folders(&folders, matching_then);
	for (size_t i = 0, k = 0; i < then->nr; i++) {
		struct index_entry *entry = &then->item[i];

		if (!has(matching_then, entry->path))
			continue;
		while (k < now->nr && compare_entries(&now->item[k], entry) < 0)
			k++;
		if (k < now->nr && is_same_entry(&now->item[k], entry))
			entry->skip_worktree = now->item[k].skip_worktree;
		take(&both, entry);
	}
	for (size_t i = 0; i < now->nr; i++)
		if (!has(matching_now, now->item[i].path) &&
		    !has(matching_then, now->item[i].path) &&
		    !is_in_the_way(now->item[i].path, matching_then, &folders))
			take(&both, &now->item[i]);
	if (both.nr)
		qsort(both.item, both.nr, sizeof(*both.item), compare_entries);
	for (size_t i = 0; i < then->nr; i++) {
		free(then->item[i].path);
		free(then->item[i].oid);
	}
	free(then->item);
	*then = both;
}

int restore_merge_index(struct restore *restore, struct strvec *ret_special, struct error *err)
{
	struct index_entries *then = &restore->index_flags.found;
	struct index_file now CLEANUP(index_file_release) = INDEX_FILE_INIT;
	struct strvec matching_now CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec matching_then CLEANUP(strvec_release) = STRVEC_INIT;

	if (!restore->now.state.index.special.nr && !restore->index_flags.special.nr)
		return 0;
	if (match(&matching_now, restore, NULL, err) < 0 ||
	    (then->nr && match_then(&matching_then, restore, err) < 0))
		return -1;
	if (!differ(restore, &matching_now, &matching_then))
		return 0;
	if (!then->nr) { /* all of its entries are plain */
		*ret_special = matching_now;
		matching_now = (struct strvec)STRVEC_INIT;
		return 0;
	}
	now.all = true;
	if (index_file_read(&now, restore->repo, err) < 0)
		return -1;
	merge(then, &now.found, &matching_now, &matching_then);
	restore->index_kind = RESTORE_INDEX_FILE;
	return 0;
}
