/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/revert-parts.h"

/* ---- The commits --------------------------------------------------------------------- */

static struct revert_source *find_source(const struct revert_series *series, const char *oid)
{
	for (size_t i = 0; i < series->request->nr; i++)
		if (!series->state->source[i].oid && !strcmp(series->request->commit[i].oid, oid))
			return &series->state->source[i];
	return NULL;
}

static const char *take_line(char **ret, const char *at)
{
	size_t len = strcspn(at, "\n");

	*ret = xmemdupz(at, len);
	return at + len + (at[len] == '\n');
}

/* The parent of that number, from 1; NULL: there are not so many. */
static char *nth_parent(const char *parents, unsigned n)
{
	for (; *parents && n > 1; n--) {
		parents += strcspn(parents, " ");
		parents += strspn(parents, " ");
	}
	return *parents ? xmemdupz(parents, strcspn(parents, " ")) : NULL;
}

static int choose_parent(struct revert_source *source, const char *parents, unsigned mainline,
			 struct error *err)
{
	source->merge = strchr(parents, ' ') != NULL;
	if (source->merge && !mainline) {
		error_set(err,
			  "commit %s is a merge: which of its parents is gone back to has "
			  "to be said",
			  source->abbreviated);
		return error_code(err, EXIT_USAGE);
	}
	source->parent = nth_parent(parents, mainline);
	if (!source->parent && mainline > 1) {
		error_set(err, "commit %s has no parent %u", source->abbreviated, mainline);
		return error_code(err, EXIT_USAGE);
	}
	return 0;
}

/* "<id>\n<abbreviated>\n<tree>\n<parents>\n<message>" */
static int parse_commit(const struct revert_series *series, const char *at, struct error *err)
{
	const struct revert_request *request = series->request;
	char *oid CLEANUP(free_p) = NULL, *parents CLEANUP(free_p) = NULL;
	struct revert_source *source;

	at = take_line(&oid, at);
	source = find_source(series, oid);
	if (!source)
		return error_set(err, "cannot read the commits: git says '%s'", oid);
	source->oid = STEAL(oid);
	at = take_line(&source->abbreviated, at);
	at = take_line(&source->tree, at);
	at = take_line(&parents, at);
	at += strspn(at, "\n");
	take_line(&source->subject, at);
	return choose_parent(source, parents,
			     request->commit[source - series->state->source].mainline, err);
}

static int read_messages(const struct revert_series *series, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < series->request->nr; i++)
		strbuf_addf(&input, "%s\n", series->request->commit[i].oid);
	strvec_pushl(&git.argv, "git", "log", "--no-walk=unsorted", "--stdin", "-z",
		     "--no-show-signature", "--no-color", "--no-notes", "--encoding=UTF-8",
		     "--format=tformat:%H%n%h%n%T%n%P%n%B", NULL);
	git.input = input.buf;
	git.input_len = input.len;
	if (git_run(&git, "read the commits", err) < 0)
		return -1;
	for (const char *at = git.out.buf; at < git.out.buf + git.out.len; at += strlen(at) + 1)
		if (parse_commit(series, at, err) < 0)
			return -1;
	for (size_t i = 0; i < series->request->nr; i++)
		if (!series->state->source[i].oid)
			return error_set(err,
					 "cannot revert commit '%s': it is named twice, or is "
					 "no commit",
					 series->request->commit[i].oid);
	return 0;
}

/* ---- Their trees --------------------------------------------------------------------- */

/* Where a clone is shallow git shows a commit at its border as one without parents. */
static int check_shallow(const struct revert_series *series, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/shallow", series->repo->common_dir);
	struct strbuf shallow CLEANUP(strbuf_release) = STRBUF_INIT;

	if (file_read(&shallow, path, err) < 0)
		return -1;
	for (size_t i = 0; i < series->request->nr; i++) {
		const struct revert_source *source = &series->state->source[i];

		if (source->parent || !strstr(shallow.buf, source->oid))
			continue;
		error_refused(err, "the parent of commit %s is not in this shallow clone",
			      source->abbreviated);
		return error_hint(err, "Get more of the history with 'git fetch --deepen=<n>' or "
				       "'git fetch --unshallow'.");
	}
	return 0;
}

static int read_trees(struct revert_series *series, struct error *err)
{
	struct revert_state *state = series->state;
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	char *onto CLEANUP(free_p) = xstrfmt("%s^{tree}", series->request->onto);
	size_t at = 0;

	objects_add(&objects, onto);
	for (size_t i = 0; i < series->request->nr; i++) {
		char *tree CLEANUP(free_p) = NULL;

		if (!state->source[i].parent)
			continue;
		tree = xstrfmt("%s^{tree}", state->source[i].parent);
		objects_add(&objects, tree);
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < objects.nr; i++)
		if (!objects.item[i].oid)
			return error_set(err, "cannot read '%s': it is missing",
					 objects.item[i].name);
	series->onto = xstrdup(objects.item[at++].oid);
	for (size_t i = 0; i < series->request->nr; i++) {
		struct revert_source *source = &state->source[i];

		source->parent_tree =
			xstrdup(source->parent ? objects.item[at++].oid :
						 object_empty_tree(series->repo->object_format));
		state->pair[i] = (struct tree_pair){ .old_tree = source->tree,
						     .new_tree = source->parent_tree };
	}
	return 0;
}

/* ---- What they touch ----------------------------------------------------------------- */

static void add_folders_above(struct strvec *ret, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
		strvec_push_nodup(ret, xmemdupz(path, (size_t)(slash - path)));
}

static void sort_once(struct strvec *paths)
{
	size_t left = 0;

	strvec_sort(paths);
	for (size_t i = 0; i < paths->nr; i++)
		if (left && !strcmp(paths->v[left - 1], paths->v[i]))
			free(paths->v[i]);
		else
			paths->v[left++] = paths->v[i];
	paths->nr = left;
	if (paths->v)
		paths->v[left] = NULL;
}

enum { TWICE = 1 << 8 };

/* As they are in `onto`. */
static void add_ours(struct tree_changes *ours, const struct tree_files *files)
{
	for (size_t i = 0; i < files->nr; i++) {
		const struct tree_file *file = &files->item[i];
		struct tree_change *change = tree_changes_add(ours, file->path);

		change->old_mode = change->new_mode = file->mode;
		change->old_oid = xstrdup(file->oid);
		change->new_oid = xstrdup(file->oid);
	}
	tree_changes_sort(ours);
	for (size_t i = 1; i < ours->nr; i++)
		if (!strcmp(ours->item[i - 1].path, ours->item[i].path))
			ours->item[i].flags = TWICE;
	tree_changes_drop(ours, TWICE);
}

/* Both what stands at the paths, and files that stand where they need a folder. */
static int read_ours(struct revert_series *series, struct error *err)
{
	struct revert_state *state = series->state;
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec above CLEANUP(strvec_release) = STRVEC_INIT;
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;

	for (size_t i = 0; i < series->request->nr; i++)
		for (size_t k = 0; k < state->pair[i].changes.nr; k++) {
			const struct tree_change *change = &state->pair[i].changes.item[k];

			strvec_push(&paths, change->path);
			if (!change->old_mode)
				add_folders_above(&above, change->path);
		}
	sort_once(&paths);
	sort_once(&above);
	if (tree_list_paths(&files, series->onto, &paths, true, err) < 0 ||
	    tree_list_paths(&files, series->onto, &above, false, err) < 0)
		return -1;
	add_ours(&state->ours, &files);
	return 0;
}

int revert_read_commits(struct revert_series *series, struct error *err)
{
	size_t nr = series->request->nr;

	series->state->source = xcalloc(nr, sizeof(*series->state->source));
	series->state->pair = xcalloc(nr, sizeof(*series->state->pair));
	if (nr && (read_messages(series, err) < 0 || check_shallow(series, err) < 0))
		return -1;
	if (read_trees(series, err) < 0)
		return -1;
	if (!nr)
		return 0;
	if (tree_pairs_compare(series->state->pair, nr, NULL, 0, NULL, err) < 0)
		return -1;
	return read_ours(series, err);
}
