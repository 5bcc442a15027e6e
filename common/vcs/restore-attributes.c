/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/object.h"
#include "vcs/restore-parts.h"
#include "vcs/rules.h"

#define NAME ".gitattributes"

static bool is_attributes(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(slash ? slash + 1 : path, NAME);
}

static bool attributes_differ(const struct restore *restore)
{
	for (size_t i = 0; i < restore->files.nr; i++)
		if (is_attributes(restore->files.item[i].path))
			return true;
	return false;
}

/* Is one of the files that change a .gitattributes of a folder that the path is in? */
static bool is_concerned(const struct restore *restore, const char *path)
{
	const char *end = path;

	do {
		char *rules CLEANUP(free_p) = xstrfmt("%.*s" NAME, (int)(end - path), path);

		if (tree_changes_find(&restore->files, rules))
			return true;
		end = strchr(end, '/');
		end += end != NULL;
	} while (end);
	return false;
}

/* What git would do to the files, as one text; paths in it are in the order they are given. */
static int ask(struct strbuf *ret, const struct restore *restore, const struct strvec *paths,
	       const char *folder, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; i < restore->env.nr; i++)
		strvec_push(&env, restore->env.v[i]);
	strvec_pushf(&env, "GIT_WORK_TREE=%s", folder);
	strvec_pushf(&env, "GIT_INDEX_FILE=%s/none", folder); /* git would look there, too */
	for (size_t i = 0; i < paths->nr; i++)
		strbuf_add(&input, paths->v[i], strlen(paths->v[i]) + 1);
	git_prepare(&git, restore->repo, &env);
	git.dir = folder;
	git.input = input.buf;
	git.input_len = input.len;
	strvec_pushl(&git.argv, "check-attr", "-z", "--stdin", "text", "crlf", "eol", "ident",
		     "filter", "working-tree-encoding", NULL);
	if (git_run(&git, "look at the attributes", err) < 0)
		return -1;
	strbuf_add(ret, git.out.buf, git.out.len);
	return 0;
}

enum { ATTRIBUTES = 6, FIELDS = 3 }; /* path, attribute, value */

/* The bytes that are said of the path that begins here. */
static size_t record_length(const char *at, const char *end)
{
	const char *from = at;

	for (int i = 0; i < ATTRIBUTES * FIELDS && at < end; i++)
		at += strlen(at) + 1;
	return (size_t)(at - from);
}

/* Leaves those of the paths of which the two texts say different things. */
static void keep_different(struct tree_changes *files, const struct strbuf *a,
			   const struct strbuf *b)
{
	const char *x = a->buf, *y = b->buf;

	for (size_t i = 0; i < files->nr && x < a->buf + a->len && y < b->buf + b->len; i++) {
		size_t n = record_length(x, a->buf + a->len);
		size_t m = record_length(y, b->buf + b->len);

		if (n == m && !memcmp(x, y, n))
			files->item[i].flags |= RESTORE_STAYS;
		x += n;
		y += m;
	}
	tree_changes_drop(files, RESTORE_STAYS);
}

/*
 * Tracked files below the changed rules whose blob is the same in both states. What git refuses
 * to convert it cannot write.
 */
static int find_candidates(struct restore *restore, struct error *err)
{
	const struct snapshot *target = restore->request->target;
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;
	struct strvec unconverted CLEANUP(strvec_release) = STRVEC_INIT;

	if (tree_list(&files, target->worktree_tree, "", err) < 0 ||
	    restore_manifest_paths(&unconverted, target->manifest, "unconverted", err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++) {
		struct tree_change *change;

		if (tree_changes_find(&restore->files, files.item[i].path) ||
		    strvec_has_sorted(&unconverted, files.item[i].path) ||
		    !is_concerned(restore, files.item[i].path))
			continue;
		change = tree_changes_add(&restore->rewritten, files.item[i].path);
		change->old_mode = change->new_mode = files.item[i].mode;
		change->old_oid = xstrdup(files.item[i].oid);
		change->new_oid = xstrdup(files.item[i].oid);
	}
	return 0;
}

int restore_plan_attributes(struct restore *restore, struct error *err)
{
	char *now CLEANUP(free_p) = xstrfmt("%s/attributes-now", restore->request->folder);
	char *then CLEANUP(free_p) = xstrfmt("%s/attributes-then", restore->request->folder);
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf a CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf b CLEANUP(strbuf_release) = STRBUF_INIT;

	if (restore->request->pathspecs || !attributes_differ(restore))
		return 0;
	if (find_candidates(restore, err) < 0)
		return -1;
	for (size_t i = 0; i < restore->rewritten.nr; i++)
		strvec_push(&paths, restore->rewritten.item[i].path);
	if (!paths.nr)
		return 0;
	if (rules_make(now, &paths, NAME, NULL, restore->repo, &restore->env, err) < 0 ||
	    rules_make(then, &paths, NAME, &restore->files, restore->repo, &restore->env, err) <
		    0 ||
	    ask(&a, restore, &paths, now, err) < 0 || ask(&b, restore, &paths, then, err) < 0)
		return -1;
	keep_different(&restore->rewritten, &a, &b);
	return 0;
}
