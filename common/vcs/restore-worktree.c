/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/path.h"
#include "vcs/restore-parts.h"

/* ---- The small trees ----------------------------------------------------------------- */

/* git makes the scratch trees beside the quarantine, whose objects they refer to. */
static int set_up_scratch(struct restore *restore, struct error *err)
{
	char *info CLEANUP(free_p) = xstrfmt("%s/info", restore->scratch);
	char *path CLEANUP(free_p) = xstrfmt("%s/alternates", info);
	char *line CLEANUP(free_p) = xstrfmt("%s\n", restore->quarantine);

	repo_environment(&restore->scratch_env, restore->repo);
	import_environment(&restore->scratch_env, restore->repo, restore->scratch);
	strvec_pushf(&restore->scratch_env, "GIT_INDEX_FILE=%s/scratch-index",
		     restore->request->folder);
	if (file_make_folders(restore->quarantine, 0700, err) < 0 ||
	    file_make_folders(info, 0700, err) < 0)
		return -1;
	return file_write(path, line, strlen(line), 0600, FILE_SYNC_NOT, err);
}

static void add_side(struct import_path *path, size_t *nr, const struct tree_change *change,
		     bool new_side)
{
	unsigned mode = new_side ? change->new_mode : change->old_mode;
	bool unconverted =
		change->flags & (new_side ? RESTORE_UNCONVERTED_THEN : RESTORE_UNCONVERTED_NOW);

	if (mode && !unconverted)
		path[(*nr)++] =
			(struct import_path){ .path = change->path,
					      .mode = mode,
					      .oid = new_side ? change->new_oid : change->old_oid };
}

/* One side of all files as a commit: it is a name for a tree. */
static int import_side(struct import *import, unsigned mark, const struct restore *restore,
		       bool new_side, struct error *err)
{
	const struct tree_changes *list[] = { &restore->files, &restore->rewritten };
	struct import_path *path CLEANUP(free_p) =
		xcalloc(restore->files.nr + restore->rewritten.nr, sizeof(*path));
	struct import_commit commit = { .identity = restore->request->identity,
					.message = "",
					.path = path };

	for (size_t k = 0; k < ARRAY_SIZE(list); k++)
		for (size_t i = 0; i < list[k]->nr; i++)
			add_side(path, &commit.paths, &list[k]->item[i], new_side);
	return import_commit(import, mark, &commit, err);
}

static int make_trees(struct restore *restore, struct error *err)
{
	struct import import CLEANUP(import_release) = IMPORT_INIT;
	unsigned from, to;

	import.scratch = true;
	if (set_up_scratch(restore, err) < 0 ||
	    import_start(&import, restore->repo, restore->scratch, err) < 0)
		return -1;
	from = import_mark(&import);
	to = import_mark(&import);
	if (import_side(&import, from, restore, false, err) < 0 ||
	    import_side(&import, to, restore, true, err) < 0 || import_finish(&import, err) < 0)
		return -1;
	restore->from = xstrdup(import_oid(&import, from));
	restore->to = xstrdup(import_oid(&import, to));
	return 0;
}

static bool is_nothing(const struct restore *restore)
{
	return !restore->files.nr && !restore->rewritten.nr;
}

/* ---- git's two-tree merge ------------------------------------------------------------ */

static void prepare_scratch(struct process *git, const struct restore *restore, const char *command)
{
	git_prepare(git, restore->repo, &restore->scratch_env);
	strvec_pushl(&git->argv, "-c", "core.splitIndex=false", "-c", "core.fsmonitor=false", "-c",
		     "core.ignoreStat=false", "-c", "submodule.recurse=false", command, NULL);
}

static int load_scratch(const struct restore *restore, const char *tree, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	prepare_scratch(&git, restore, "read-tree");
	strvec_pushl(&git.argv, "--no-sparse-checkout", tree, NULL);
	return git_run(&git, "look at the files", err);
}

static int changed_meanwhile(const char *reason, struct error *err)
{
	error_refused(err, "a file has changed meanwhile: %s", reason);
	return error_hint(err, "Nothing was changed. Try again.");
}

/* Fills in the times of the files that are what the tree says. */
static int start_refresh(struct restore *restore, struct error *err)
{
	prepare_scratch(&restore->refresh, restore, "update-index");
	strvec_push(&restore->refresh.argv, "--refresh");
	return process_start(&restore->refresh, err);
}

/* *ret_other is a file that is not what the tree says, or NULL. */
static int finish_refresh(char **ret_other, struct restore *restore, struct error *err)
{
	enum { NEEDS_UPDATE = 1 }; /* as git says, of some file; it dies with another one */
	struct process *git = &restore->refresh;

	if (process_finish(git, err) < 0)
		return -1;
	if (git->status && git->status != NEEDS_UPDATE)
		return process_error(git, err, "could not look at the files");
	*ret_other = git->status ? xmemdupz(git->out.buf, strcspn(git->out.buf, "\n")) : NULL;
	return 0;
}

int restore_check_worktree(struct restore *restore, struct error *err)
{
	char *other CLEANUP(free_p) = NULL;

	if (is_nothing(restore))
		return 0;
	if (restore_check_unconverted(restore, err) < 0 || restore_check_raw(restore, err) < 0 ||
	    (restore->refresh.pid <= 0 && start_refresh(restore, err) < 0) ||
	    finish_refresh(&other, restore, err) < 0)
		return -1;
	return other && restore->rewritten.nr ? changed_meanwhile(other, err) : 0;
}

/*
 * What the merge changes it looks at itself, by the times that are filled in from now on. Of what
 * it leaves alone nobody would know what comes between now and then.
 */
int restore_plan_worktree(struct restore *restore, struct error *err)
{
	if (is_nothing(restore))
		return 0;
	if (make_trees(restore, err) < 0 || load_scratch(restore, restore->from, err) < 0)
		return -1;
	return restore->rewritten.nr ? 0 : start_refresh(restore, err);
}

/* Below a symbolic link there is nothing of ours; a folder may have taken a file's place. */
static bool find_left(const char **ret, const struct restore *restore, int top)
{
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);
	struct stat st;

	for (size_t i = 0; i < restore->files.nr; i++) {
		const struct tree_change *change = &restore->files.item[i];

		if (change->new_mode || !mode_is_file(change->old_mode) ||
		    beneath_stat(&b, &st, change->path) < 0 || S_ISDIR(st.st_mode))
			continue;
		*ret = change->path;
		return true;
	}
	return false;
}

/* git warns of a file that it cannot remove, and calls it a success. */
static int check_removed(const struct restore *restore, const struct process *git,
			 struct error *err)
{
	char *reason CLEANUP(free_p) = process_reason(git);
	const char *left = NULL;
	bool found;
	int top;

	if (restore->now.state.ignore_case) /* it may be there under its new name */
		return 0;
	top = open(restore->repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return error_errno(err, "cannot open '%s'", restore->repo->worktree);
	found = find_left(&left, restore, top);
	close(top);
	return found ? error_set(err, "could not remove '%s': %s", left, reason) : 0;
}

static int merge(struct restore *restore, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	if (!restore->files.nr)
		return 0;
	prepare_scratch(&git, restore, "read-tree");
	strvec_pushl(&git.argv, "--no-sparse-checkout", "-m", "-u", restore->from, restore->to,
		     NULL);
	restore->moved = true;
	if (process_run(&git, err) < 0)
		return -1;
	if (!git.status)
		return check_removed(restore, &git, err);
	if (!git_refused_merge(&git))
		return process_error(&git, err, "could not write the files");
	restore->moved = false;
	char *reason CLEANUP(free_p) = process_reason(&git);
	return changed_meanwhile(reason, err);
}

/* ---- Empty folders ------------------------------------------------------------------- */

static int deepest_first(const void *a, const void *b)
{
	return -strcmp(*(char *const *)a, *(char *const *)b);
}

/* By now a file of the snapshot may be a link: nothing is followed. */
static int change_folders(struct restore *restore, struct strvec *remove, const struct strvec *make,
			  struct error *err)
{
	const char *worktree = restore->repo->worktree;
	int top CLEANUP(fd_close_p) = -1;

	if (!remove->nr && !make->nr)
		return 0;
	top = open(worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return error_errno(err, "cannot open '%s'", worktree);
	if (remove->nr)
		qsort(remove->v, remove->nr, sizeof(*remove->v), deepest_first);
	for (size_t i = 0; i < remove->nr; i++)
		beneath_remove_folders(top, remove->v[i]);
	for (size_t i = 0; i < make->nr; i++)
		if (beneath_make_folders(top, make->v[i], 0777, err) < 0)
			return -1;
	return 0;
}

/* Entries without times are checked out anew, by the attributes that are there by now. */
static int rewrite(const struct restore *restore, struct error *err)
{
	const struct tree_changes *files = &restore->rewritten;
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!files->nr)
		return 0;
	if (restore_feed_entries(restore, files, &restore->scratch_env, err) < 0)
		return -1;
	for (size_t i = 0; i < files->nr; i++)
		strbuf_add(&input, files->item[i].path, strlen(files->item[i].path) + 1);
	prepare_scratch(&git, restore, "checkout-index");
	strvec_pushl(&git.argv, "--force", "--quiet", "-z", "--stdin", NULL);
	git.input = input.buf;
	git.input_len = input.len;
	return git_run(&git, "write the files", err);
}

/*
 * Permissions that git does not keep, of the files that were written. Those that a file system
 * does not have are let be.
 */
static void set_modes(const struct restore *restore, json_t *manifest, bool back)
{
	int top CLEANUP(fd_close_p) =
		open(restore->repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *modes = json_object_get(manifest, "modes"), *value;
	const char *key;

	json_object_foreach(modes, key, value)
	{
		char *path CLEANUP(free_p) = path_from_json(key);
		const char *text = json_string_value(value);
		const struct tree_change *change =
			path ? tree_changes_find(&restore->files, path) : NULL;
		struct error ignored CLEANUP(error_release) = ERROR_INIT;
		int fd CLEANUP(fd_close_p) = -1;
		struct stat st;

		if (!change || !text || strspn(text, "01234567") != strlen(text) ||
		    !mode_is_regular(back ? change->old_mode : change->new_mode) ||
		    beneath_open(&fd, &st, top, path, &ignored) != BENEATH_FOUND)
			continue;
		if (fchmod(fd, (mode_t)strtoul(text, NULL, 8) & 0777) < 0)
			errno = 0;
	}
}

int restore_worktree(struct restore *restore, struct error *err)
{
	if (restore_remove_unconverted(restore, false, err) < 0 || merge(restore, err) < 0 ||
	    rewrite(restore, err) < 0)
		return -1;
	restore->moved = true;
	if (restore_write_unconverted(restore, false, err) < 0)
		return -1;
	if (restore_write_raw(restore, false, err) < 0)
		return -1;
	set_modes(restore, restore->request->target->manifest, false);
	return change_folders(restore, &restore->remove_folders, &restore->make_folders, err);
}

/* ---- Back ---------------------------------------------------------------------------- */

/* Those that git made for files, and that are empty again; one that had been there empty stays. */
static void remove_made_folders(const struct restore *restore)
{
	size_t top = strlen(restore->repo->worktree);

	for (size_t i = 0; i < restore->files.nr; i++) {
		const struct tree_change *change = &restore->files.item[i];
		char *path CLEANUP(free_p) =
			xstrfmt("%s/%s", restore->repo->worktree, change->path);

		if (change->old_mode || !change->new_mode)
			continue;
		do
			*strrchr(path, '/') = '\0';
		while (strlen(path) > top &&
		       !strvec_has(&restore->now.state.empty_folders, path + top + 1) &&
		       rmdir(path) == 0);
	}
}

/* What git could not write may be what had not changed. If so, clears the error. */
static bool is_back(const struct restore *restore, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct error second CLEANUP(error_release) = ERROR_INIT;

	prepare_scratch(&git, restore, "update-index");
	strvec_push(&git.argv, "--refresh");
	if (load_scratch(restore, restore->from, &second) < 0 || process_run(&git, &second) < 0 ||
	    git.status)
		return false;
	error_clear(err);
	return true;
}

/* Whatever the files are by now, half written ones too: what was captured is written again. */
static int merge_back(struct restore *restore, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	if (is_nothing(restore))
		return 0;
	if (load_scratch(restore, restore->to, err) < 0)
		return -1;
	prepare_scratch(&git, restore, "read-tree");
	strvec_pushl(&git.argv, "--no-sparse-checkout", "--reset", "-u", restore->from, NULL);
	if (git_run(&git, "put the files back", err) < 0 && !is_back(restore, err))
		return -1;
	return restore_write_raw(restore, true, err);
}

int restore_worktree_back(struct restore *restore, struct error *err)
{
	if (restore_remove_unconverted(restore, true, err) < 0 ||
	    (restore->moved && merge_back(restore, err) < 0) ||
	    restore_write_unconverted(restore, true, err) < 0)
		return -1;
	if (!restore->moved)
		return 0;
	set_modes(restore, restore->now.manifest, true);
	remove_made_folders(restore);
	if (change_folders(restore, &restore->make_folders, &restore->remove_folders, err) < 0)
		return -1;
	restore->moved = false;
	return 0;
}

int restore_back(struct restore *restore, struct error *err)
{
	if (restore_state_back(restore, err) < 0 || restore_index_back(restore, err) < 0)
		return -1;
	return restore_worktree_back(restore, err);
}
