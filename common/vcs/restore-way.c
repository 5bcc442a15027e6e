/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "vcs/ignore.h"
#include "vcs/restore-parts.h"

struct way {
	struct restore *restore;
	struct strvec *also;
	struct strbuf clear;  /* a folder that was looked at and is one: "a/b/"; or "" */
	struct strbuf absent; /* one that is not there; or "" */
};

static int look_at(struct stat *st, const struct way *way, const char *path)
{
	char *full CLEANUP(free_p) = xstrfmt("%s/%s", way->restore->repo->worktree, path);

	return lstat(full, st);
}

static void need(struct way *way, const char *path)
{
	if (!way->also->nr || strcmp(way->also->v[way->also->nr - 1], path) != 0)
		strvec_push(way->also, path);
}

/* Something that is no folder, where it cannot stay. */
static void obstacle(struct way *way, const char *path, const struct stat *st)
{
	struct tree_change *change = tree_changes_find(&way->restore->files, path);

	if (change && change->old_mode)
		change->flags &= ~(unsigned)RESTORE_STAYS;
	else if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode))
		need(way, path);
	else
		restore_refuse(way->restore, "'%s' is in the way, and is neither file nor folder",
			       path);
}

static bool is_repository(struct way *way, const char *folder)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/.git", folder);
	struct stat st;

	if (!repo_owns(way->restore->repo, folder) && look_at(&st, way, path) < 0)
		return false;
	restore_refuse(way->restore, "'%s' is a repository of its own, and is in the way", folder);
	return true;
}

/* A folder where a file is going to be: all that is in it is in the way. */
static int clear_folder(struct way *way, const char *folder, struct error *err)
{
	char *full CLEANUP(free_p) = xstrfmt("%s/%s", way->restore->repo->worktree, folder);
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	if (is_repository(way, folder))
		return 0;
	if (file_list(&names, full, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", folder, names.v[i]);
		struct stat st;

		if (look_at(&st, way, path) < 0)
			return error_errno(err, "cannot look at '%s'", path);
		if (!S_ISDIR(st.st_mode))
			obstacle(way, path, &st);
		else if (clear_folder(way, path, err) < 0)
			return -1;
	}
	return 0;
}

/* The folders above the path: true when all of them are there, as folders of this worktree. */
static bool folders_are_there(struct way *way, const char *path)
{
	size_t from = 0;

	if (way->absent.len && !strncmp(path, way->absent.buf, way->absent.len))
		return false;
	if (way->clear.len && !strncmp(path, way->clear.buf, way->clear.len))
		from = way->clear.len;
	for (const char *end = strchr(path + from, '/'); end; end = strchr(end + 1, '/')) {
		char *folder CLEANUP(free_p) = xmemdupz(path, (size_t)(end - path));
		struct stat st;

		if (look_at(&st, way, folder) < 0) {
			strbuf_reset(&way->absent);
			strbuf_addf(&way->absent, "%s/", folder);
			return false;
		}
		if (!S_ISDIR(st.st_mode)) {
			obstacle(way, folder, &st);
			return false;
		}
		if (is_repository(way, folder))
			return false;
		strbuf_reset(&way->clear);
		strbuf_addf(&way->clear, "%s/", folder);
	}
	return true;
}

static int look_at_file(struct way *way, const char *path, struct error *err)
{
	struct stat st;

	if (!folders_are_there(way, path) || look_at(&st, way, path) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return clear_folder(way, path, err);
	obstacle(way, path, &st);
	return 0;
}

static void look_at_folder(struct way *way, const char *path)
{
	struct stat st;

	if (folders_are_there(way, path) && look_at(&st, way, path) == 0 && !S_ISDIR(st.st_mode))
		obstacle(way, path, &st);
}

static void look_for_file(struct way *way, struct strvec *found, const char *path)
{
	struct stat st;

	if (tree_changes_find(&way->restore->files, path) || !folders_are_there(way, path) ||
	    look_at(&st, way, path) < 0 || S_ISDIR(st.st_mode))
		return;
	strvec_push(found, path);
}

int restore_look_behind(struct restore *restore, struct strvec *also, struct error *err)
{
	const struct index_entries *special = &restore->index_flags.special;
	struct strvec obstacles CLEANUP(strvec_release) = STRVEC_INIT; /* above are others' */
	struct strvec found CLEANUP(strvec_release) = STRVEC_INIT;
	struct way way = {
		.restore = restore, .also = &obstacles, .clear = STRBUF_INIT, .absent = STRBUF_INIT
	};

	for (size_t i = 0; i < restore->unclean.nr; i++)
		if (!restore->unclean.item[i].new_mode)
			look_for_file(&way, &found, restore->unclean.item[i].path);
	for (size_t i = 0; i < restore->absent.nr; i++)
		look_for_file(&way, &found, restore->absent.v[i]);
	for (size_t i = 0; i < special->nr; i++)
		if (special->item[i].stage || special->item[i].intent_to_add)
			look_for_file(&way, &found, special->item[i].path);
	strbuf_release(&way.clear);
	strbuf_release(&way.absent);
	return ignore_find_now(also, &found, restore->repo, &restore->env, err);
}

int restore_look_ahead(struct restore *restore, struct strvec *also, struct error *err)
{
	struct way way = {
		.restore = restore, .also = also, .clear = STRBUF_INIT, .absent = STRBUF_INIT
	};
	int ret = 0;

	for (size_t i = 0; i < restore->files.nr && !ret; i++) {
		const struct tree_change *change = &restore->files.item[i];

		if (!change->old_mode && change->new_mode)
			ret = look_at_file(&way, change->path, err);
	}
	for (size_t i = 0; i < restore->make_folders.nr; i++)
		look_at_folder(&way, restore->make_folders.v[i]);
	strbuf_release(&way.clear);
	strbuf_release(&way.absent);
	return ret;
}

int restore_look_again(struct restore *restore, struct error *err)
{
	struct strvec also CLEANUP(strvec_release) = STRVEC_INIT;

	if (restore_look_ahead(restore, &also, err) < 0)
		return -1;
	if (also.nr)
		error_refused(err, "'%s' was made meanwhile, and is in the way", also.v[0]);
	else if (restore->refusal.nr)
		error_refused(err, "%s", restore->refusal.v[0]);
	else
		return 0;
	return error_hint(err, "Nothing was changed. Try again.");
}
