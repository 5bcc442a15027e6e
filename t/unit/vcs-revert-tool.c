/* SPDX-License-Identifier: MIT */
/*
 * What t3000-revert.sh does with series of reverts. No test program itself.
 *
 *   vcs-revert-tool [<option>...] <commit>[:<mainline>]...
 *
 * Full ids, newest first. Prints for each step "step <outcome> [uncertain] [nothing] <subject>",
 * "kept <path>", "change <old mode> <new mode> <path>", and of its conflicts
 * "conflict <kind> <path> [<path in the commit>]", "stage <n> <mode> <id> <path>",
 * "hunk <ours> <base> <theirs>", each "<start>,<lines>", "cause <id> <subject>"; at last
 * "total <path>" for each path, and "tree <id>" of what it comes to.
 *	--keep=<path>, --stop, --causes
 *	--text=<folder>	writes there what a conflict leaves in each file
 *	--quiet		prints the outcomes alone
 *	--write		writes the objects, so that the tree is there
 */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "vcs/path.h"
#include "vcs/revert.h"

static struct error err = ERROR_INIT;
static struct repo repo = REPO_INIT;
static struct strvec keep = STRVEC_INIT;
static bool quiet, write_objects, causes;
static const char *text_folder;

static const char *value_of(const char *arg, const char *option)
{
	return strncmp(arg, option, strlen(option)) != 0 ? NULL : arg + strlen(option);
}

static bool take_option(struct revert_request *request, const char *arg)
{
	const char *value;

	if (!strcmp(arg, "--stop"))
		request->stop = true;
	else if (!strcmp(arg, "--quiet"))
		quiet = true;
	else if (!strcmp(arg, "--write"))
		write_objects = true;
	else if (!strcmp(arg, "--causes"))
		causes = true;
	else if ((value = value_of(arg, "--keep=")))
		strvec_push(&keep, value);
	else if ((value = value_of(arg, "--text=")))
		text_folder = value;
	else
		return false;
	return true;
}

static void show_path(const char *path)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	path_show(&text, path);
	printf(" %s", text.buf);
}

static int write_text(const struct revert_series *series, const struct revert_conflict *conflict)
{
	const struct strbuf *text = conflict->text ? revert_blob(series, conflict->text) : NULL;
	char *path CLEANUP(free_p) =
		text_folder ? xstrfmt("%s/%s", text_folder, conflict->path) : NULL;

	if (!text || !text_folder)
		return 0;
	for (char *slash = strchr(path + strlen(text_folder) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		int ret;

		*slash = '\0';
		ret = file_make_folders(path, 0700, &err);
		*slash = '/';
		if (ret < 0)
			return -1;
	}
	return file_write(path, text->buf, text->len, 0600, FILE_SYNC_NOT, &err);
}

static int show_conflict(const struct revert_series *series, const struct revert_conflict *conflict)
{
	printf("conflict %s", revert_conflict_name(conflict->kind));
	show_path(conflict->path);
	if (conflict->base_path)
		show_path(conflict->base_path);
	putchar('\n');
	for (int i = 0; i < 3; i++)
		if (conflict->stage[i].mode)
			printf("stage %d %06o %s %s\n", i + 1, conflict->stage[i].mode,
			       conflict->stage[i].oid,
			       conflict->stage[i].path ? conflict->stage[i].path : conflict->path);
	for (size_t i = 0; i < conflict->hunks; i++) {
		const struct revert_hunk *hunk = &conflict->hunk[i];

		printf("hunk %zu,%zu %zu,%zu %zu,%zu\n", hunk->ours, hunk->ours_lines, hunk->base,
		       hunk->base_lines, hunk->theirs, hunk->theirs_lines);
	}
	for (size_t i = 0; i < conflict->causes; i++)
		printf("cause %s %s\n", conflict->cause[i].commit, conflict->cause[i].subject);
	return write_text(series, conflict);
}

static int show_step(const struct revert_series *series, const struct revert_step *step)
{
	static const char *const outcome[] = { "clean", "empty", "conflict" };

	printf("step %s%s%s %s\n", outcome[step->outcome], step->uncertain ? " uncertain" : "",
	       step->nothing ? " nothing" : "", step->subject);
	if (quiet)
		return 0;
	for (size_t i = 0; i < step->kept.nr; i++)
		printf("kept %s\n", step->kept.v[i]);
	for (size_t i = 0; i < step->changes.nr; i++) {
		printf("change %06o %06o", step->changes.item[i].old_mode,
		       step->changes.item[i].new_mode);
		show_path(step->changes.item[i].path);
		putchar('\n');
	}
	for (size_t i = 0; i < step->conflicts; i++)
		if (show_conflict(series, &step->conflict[i]) < 0)
			return -1;
	return 0;
}

/* The tree of all that is left; nothing stays of it unless it is wanted. */
static int show_tree(const struct revert_series *series)
{
	struct import import CLEANUP(import_release) = IMPORT_INIT;
	struct import_path *path CLEANUP(free_p) = NULL;
	struct import_commit commit = { .identity = "A <a@example.com>",
					.message = "",
					.base = series->onto };
	char *tree CLEANUP(free_p) = NULL, *folder CLEANUP(free_p) = NULL;
	unsigned mark;
	int ret;

	if (!series->onto)
		return 0;
	if (!write_objects && file_make_temporary_folder(&folder, &err) < 0)
		return -1;
	path = revert_import_paths(&commit.paths, &series->total);
	commit.path = path;
	if (import_start(&import, &repo, folder, &err) < 0 ||
	    revert_import(series, &import, &err) < 0)
		return -1;
	mark = import_mark(&import);
	ret = import_commit(&import, mark, &commit, &err);
	if (!ret)
		ret = import_tree(&import, &tree, mark, &err);
	if (!ret)
		ret = import_finish(&import, &err);
	if (!ret)
		printf("tree %s\n", tree);
	if (folder)
		import_discard(&import);
	return ret;
}

static int run(struct revert_request *request)
{
	struct revert_series series CLEANUP(revert_series_release) = REVERT_SERIES_INIT;

	if (revert_compute(&series, &repo, request, &err) < 0 ||
	    (causes && revert_find_causes(&series, repo.head, 10, &err) < 0))
		return -1;
	for (size_t i = 0; i < series.nr; i++)
		if (show_step(&series, &series.step[i]) < 0)
			return -1;
	for (size_t i = 0; i < series.total.nr && !quiet; i++) {
		printf("total");
		show_path(series.total.item[i].path);
		putchar('\n');
	}
	return show_tree(&series);
}

static struct revert_commit take_commit(char *arg)
{
	char *colon = strchr(arg, ':');

	if (colon)
		*colon = '\0';
	return (struct revert_commit){ .oid = arg,
				       .mainline =
					       colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0 };
}

int main(int argc, char **argv)
{
	struct revert_commit *commit;
	struct revert_request request = { .keep = &keep };
	int ret;

	if (argc < 2) {
		puts("1..0 # SKIP not a test, but a helper of t3000-revert.sh");
		return 0;
	}
	if (repo_open(&repo, &err) < 0)
		return error_exit(&err);
	commit = xcalloc((size_t)argc, sizeof(*commit));
	request.commit = commit;
	for (int i = 1; i < argc; i++)
		if (!take_option(&request, argv[i]))
			commit[request.nr++] = take_commit(argv[i]);
	strvec_sort(&keep);
	request.onto = repo.head;
	ret = run(&request);
	if (ret < 0)
		ret = error_exit(&err);
	free(commit);
	repo_release(&repo);
	strvec_release(&keep);
	error_release(&err);
	return ret;
}
