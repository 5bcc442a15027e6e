/* SPDX-License-Identifier: MIT */
#include "vcs/treediff.h"

#include "base/memory.h"
#include "base/process.h"
#include "base/sort.h"
#include "vcs/git.h"

static void change_release(struct tree_change *change)
{
	free(change->path);
	free(change->old_oid);
	free(change->new_oid);
}

void tree_changes_release(struct tree_changes *changes)
{
	for (size_t i = 0; i < changes->nr; i++)
		change_release(&changes->item[i]);
	free(changes->item);
	*changes = (struct tree_changes)TREE_CHANGES_INIT;
}

struct tree_change *tree_changes_add(struct tree_changes *changes, const char *path)
{
	ARRAY_GROW(changes->item, changes->nr + 1, changes->alloc);
	changes->item[changes->nr] = (struct tree_change){ .path = xstrdup(path) };
	return &changes->item[changes->nr++];
}

void tree_changes_drop(struct tree_changes *changes, unsigned flags)
{
	size_t left = 0;

	for (size_t i = 0; i < changes->nr; i++)
		if (changes->item[i].flags & flags)
			change_release(&changes->item[i]);
		else
			changes->item[left++] = changes->item[i];
	changes->nr = left;
}

static int by_path(const void *a, const void *b)
{
	const struct tree_change *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void tree_changes_sort(struct tree_changes *changes)
{
	sort(changes->item, changes->nr, sizeof(*changes->item), by_path);
}

static int path_of(const void *key, const void *item)
{
	return strcmp(key, ((const struct tree_change *)item)->path);
}

struct tree_change *tree_changes_find(const struct tree_changes *changes, const char *path)
{
	if (!changes->nr)
		return NULL;
	return bsearch(path, changes->item, changes->nr, sizeof(*changes->item), path_of);
}

/* A part of a header that ends in `end`; NULL in *ret stands for an id of zeros. */
static bool take_oid(char **ret, const char **at, char end)
{
	size_t len = strspn(*at, "0123456789abcdef");

	if (!len || (*at)[len] != end)
		return false;
	*ret = strspn(*at, "0") >= len ? NULL : xmemdupz(*at, len);
	*at += len + 1;
	return true;
}

static bool take_mode(unsigned *ret, const char **at)
{
	char *end;

	*ret = (unsigned)strtoul(*at, &end, 8);
	if (end == *at || *end != ' ')
		return false;
	*at = end + 1;
	return true;
}

/* ":<mode> <mode> <id> <id> <letter>\0<path>\0" */
static bool take_change(struct tree_changes *changes, const char **at)
{
	struct tree_change change = { 0 };

	(*at)++;
	if (!take_mode(&change.old_mode, at) || !take_mode(&change.new_mode, at) ||
	    !take_oid(&change.old_oid, at, ' ') || !take_oid(&change.new_oid, at, ' ') || !**at ||
	    (*at)[1]) {
		free(change.old_oid);
		free(change.new_oid);
		return false;
	}
	*at += 2;
	change.path = xstrdup(*at);
	*at += strlen(*at) + 1;
	ARRAY_GROW(changes->item, changes->nr + 1, changes->alloc);
	changes->item[changes->nr++] = change;
	return true;
}

/* Each pair begins with its two ids on a line. */
static bool parse(struct tree_pair *pair, size_t nr, const struct strbuf *out)
{
	const char *at = out->buf, *end = out->buf + out->len;

	for (size_t i = 0; i < nr; i++) {
		const char *line = at + strcspn(at, "\n");

		if (!*line)
			return false;
		for (at = line + 1; at < end && *at == ':';)
			if (!take_change(&pair[i].changes, &at))
				return false;
		tree_changes_sort(&pair[i].changes);
	}
	return at == end;
}

int tree_pairs_compare(struct tree_pair *pair, size_t nr, const char *const *pathspec,
		       size_t pathspecs, const struct strvec *env, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	git.env = env;
	strvec_pushl(&git.argv, "git", "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames",
		     "--no-ext-diff", "--ignore-submodules=none", "--no-relative", "--", NULL);
	for (size_t i = 0; i < pathspecs; i++)
		strvec_push(&git.argv, pathspec[i]);
	for (size_t i = 0; i < nr; i++)
		strbuf_addf(&input, "%s %s\n", pair[i].old_tree, pair[i].new_tree);
	git.input = input.buf;
	git.input_len = input.len;
	if (git_run(&git, "compare the trees", err) < 0)
		return -1;
	if (!parse(pair, nr, &git.out))
		return error_set(err, "could not compare the trees: git diff-tree says '%s'",
				 git.out.buf);
	return 0;
}

/* ---- Renames ------------------------------------------------------------------------- */

void tree_renames_release(struct tree_renames *renames)
{
	for (size_t i = 0; i < renames->nr; i++) {
		free(renames->item[i].from);
		free(renames->item[i].to);
		free(renames->item[i].new_oid);
	}
	free(renames->item);
	*renames = (struct tree_renames)TREE_RENAMES_INIT;
}

static int by_from(const void *a, const void *b)
{
	const struct tree_rename *x = a, *y = b;

	return strcmp(x->from, y->from);
}

void tree_renames_sort(struct tree_renames *renames)
{
	sort(renames->item, renames->nr, sizeof(*renames->item), by_from);
}

/* ":<mode> <mode> <id> <id> R<score>\0<from>\0<to>\0" */
static bool take_rename(struct tree_renames *ret, const char **at)
{
	struct tree_rename rename = { 0 };
	char *old_oid CLEANUP(free_p) = NULL;
	unsigned old_mode;

	if (*(*at)++ != ':' || !take_mode(&old_mode, at) || !take_mode(&rename.new_mode, at) ||
	    !take_oid(&old_oid, at, ' ') || !take_oid(&rename.new_oid, at, ' ') || **at != 'R') {
		free(rename.new_oid);
		return false;
	}
	*at += strlen(*at) + 1;
	rename.from = xstrdup(*at);
	*at += strlen(*at) + 1;
	rename.to = xstrdup(*at);
	*at += strlen(*at) + 1;
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	ret->item[ret->nr++] = rename;
	return true;
}

int tree_renames_find(struct tree_renames *ret, const char *old_tree, const char *new_tree,
		      unsigned limit, const struct strvec *env, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git.env = env;
	strvec_pushl(&git.argv, "git", "diff-tree", "-r", "-z", "--raw", "--find-renames",
		     "--diff-filter=R", "--no-ext-diff", "--no-relative",
		     "--ignore-submodules=none", NULL);
	strvec_pushf(&git.argv, "-l%u", limit);
	strvec_pushl(&git.argv, old_tree, new_tree, NULL);
	if (git_run(&git, "look for renamed files", err) < 0)
		return -1;
	for (const char *at = git.out.buf; at < git.out.buf + git.out.len;)
		if (!take_rename(ret, &at))
			return error_set(err, "could not look for renamed files: git diff-tree "
					      "says something else");
	tree_renames_sort(ret);
	return 0;
}

const struct tree_rename *tree_renames_from(const struct tree_renames *renames, const char *path)
{
	for (size_t low = 0, high = renames->nr; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, renames->item[middle].from);

		if (!order)
			return &renames->item[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
