/* SPDX-License-Identifier: MIT */
#include "vcs/snapshot-parts.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/memory.h"
#include "base/sort.h"
#include "vcs/attributes.h"
#include "vcs/mode.h"
#include "vcs/path.h"

/* ---- Which files ----------------------------------------------------------------------------- */

static void add_item(struct capture *c, const char *path, const struct worktree_entry *entry)
{
	ARRAY_GROW(c->item, c->nr + 1, c->alloc);
	c->item[c->nr++] = (struct capture_item){ .path = path, .entry = entry };
}

static int compare_items(const void *a, const void *b)
{
	const struct capture_item *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Does the worktree have something at a tracked path that the index has not? */
static bool must_be_stored(const struct worktree_entry *entry)
{
	if (!entry->changed || !entry->worktree_mode)
		return false;
	return entry->worktree_mode != MODE_SUBMODULE || entry->index_mode != MODE_SUBMODULE ||
	       entry->submodule_commit;
}

/* The entry of a path that the index has; it may be gone from there, and so belong to U. */
static const struct worktree_entry *find_tracked(const struct capture *c, const char *path)
{
	const struct worktree_entry *entry = worktree_find(c->state, path);

	return entry && (entry->index_mode || entry->changed) ? entry : NULL;
}

/* Paths that the caller wants whatever they are: ignored ones are not in the state. */
static void add_also(struct capture *c)
{
	const struct strvec *also = c->request->also;
	struct beneath top CLEANUP(beneath_release) = BENEATH_INIT(c->top);
	struct stat st;

	for (size_t i = 0; also && i < also->nr; i++) {
		const char *path = also->v[i];

		if (beneath_stat(&top, &st, path) < 0)
			strvec_push(&c->absent, path);
		else if (!S_ISDIR(st.st_mode))
			add_item(c, path, find_tracked(c, path));
	}
}

void capture_collect(struct capture *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->state->nr; i++)
		if (must_be_stored(&c->state->entry[i]))
			add_item(c, c->state->entry[i].path, &c->state->entry[i]);
	for (size_t i = 0; i < c->state->untracked.nr; i++)
		add_item(c, c->state->untracked.v[i], NULL);
	for (size_t i = 0; i < c->state->ignored.nr; i++)
		add_item(c, c->state->ignored.v[i], NULL);
	add_also(c);
	sort(c->item, c->nr, sizeof(*c->item), compare_items);
	for (size_t i = 0; i < c->nr; i++)
		if (!kept || strcmp(c->item[kept - 1].path, c->item[i].path) != 0)
			c->item[kept++] = c->item[i];
	c->nr = kept;
}

/* ---- Storing them ---------------------------------------------------------------------------- */

static void add_left_out(struct capture *c, const char *path, const char *reason)
{
	capture_add_reason(c->left_out, path, reason);
}

/* An error that is set, about one path: it is the end, or the path is left out. */
static int leave_out(struct capture *c, const char *path, struct capture_item *item)
{
	if (!c->request->may_leave_out)
		return -1;
	add_left_out(c, path, c->err->message);
	error_clear(c->err);
	if (item)
		item->left_out = true;
	return 0;
}

static int check_folders(struct capture *c)
{
	for (size_t i = 0; i < c->state->unreadable.nr; i++) {
		const char *path = c->state->unreadable.v[i];

		error_set(c->err, "cannot read '%s': %s", path, strerror(EACCES));
		if (leave_out(c, path, NULL) < 0)
			return -1;
	}
	return 0;
}

/* Such a checkpoint could be neither restored nor pushed. */
static void leave_out_names(struct capture *c)
{
	for (size_t i = 0; i < c->nr; i++)
		if (!c->item[i].entry && path_fault(c->item[i].path)) {
			c->item[i].left_out = true;
			add_left_out(c, c->item[i].path, "git takes no file of this name");
		}
}

/*
 * What stands there, as a FIFO, is not touched, and the file that git has there is not taken
 * for deleted.
 */
static bool leave_out_device(struct capture *c, struct capture_item *item, const struct stat *st)
{
	if (!st->st_mode || S_ISREG(st->st_mode) || S_ISLNK(st->st_mode) || S_ISDIR(st->st_mode))
		return false;
	item->left_out = true;
	add_left_out(c, item->path, "it is neither file nor folder");
	return true;
}

/* The same where git status has seen it. */
static void leave_out_devices(struct capture *c)
{
	for (size_t i = 0; i < c->state->nr; i++)
		if (c->state->entry[i].device)
			add_left_out(c, c->state->entry[i].path, "it is neither file nor folder");
}

/* git would end at the first file that it may not read. */
static int check_files(struct capture *c)
{
	struct beneath top CLEANUP(beneath_release) = BENEATH_INIT(c->top);

	for (size_t i = 0; i < c->nr; i++) {
		const char *path = c->item[i].path, *name;
		int folder = beneath_find_folder(&top, &name, path);
		struct stat st;

		if (folder < 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    leave_out_device(c, &c->item[i], &st) || !S_ISREG(st.st_mode) ||
		    !faccessat(folder, name, R_OK, AT_EACCESS))
			continue;
		error_errno(c->err, "cannot read '%s'", path);
		if (leave_out(c, path, &c->item[i]) < 0)
			return -1;
	}
	return 0;
}

/* Untracked files that the request names were not among those that status has looked at. */
static bool may_have_attributes(const struct capture *c, const struct capture_item *item,
				const char **known)
{
	if (c->state->attributes || item->entry)
		return c->state->attributes;
	if (attributes_above(c->top, item->path, *known))
		return true;
	*known = item->path;
	return false;
}

static bool is_submodule(const struct capture_item *item)
{
	return item->entry && item->entry->worktree_mode == MODE_SUBMODULE;
}

/* Those that have to go through git: for their attributes, or as they are submodules. */
static int convert(struct capture *c)
{
	const char *known = NULL;
	struct attributes_file *file CLEANUP(free_p) = xcalloc(c->nr + 1, sizeof(*file));
	size_t nr = 0, at = 0;
	int ret;

	if (c->state->attributes && check_files(c) < 0)
		return -1;
	for (size_t i = 0; i < c->nr; i++) {
		const struct capture_item *item = &c->item[i];

		if (!item->left_out && (is_submodule(item) || may_have_attributes(c, item, &known)))
			file[nr++] = (struct attributes_file){ .path = item->path,
							       .entry = item->entry,
							       .convert = is_submodule(item) };
	}
	ret = attributes_convert(file, nr, c->repo, c->state, c->import->quarantine, c->err);
	for (size_t i = 0; i < nr; i++) {
		while (c->item[at].path != file[i].path)
			at++;
		c->item[at].mode = file[i].mode;
		c->item[at].oid = file[i].oid;
		c->item[at].stat = file[i].stat;
		if (file[i].oid && file[i].mode != MODE_SUBMODULE)
			strvec_push(&c->ret->converted, file[i].oid);
		c->item[at].raw = file[i].raw;
		c->item[at].refusal = file[i].refusal;
		if (file[i].refusal &&
		    is_submodule(&c->item[at])) { /* nothing else has its commit */
			c->item[at].left_out = true;
			add_left_out(c, file[i].path, file[i].refusal);
		}
		if (!file[i].entry &&
		    file[i].mode) /* git adds none as executable without core.fileMode */
			c->item[at].mode = worktree_mode(c->state, &file[i].stat, 0);
	}
	return ret;
}

/* Where symlinks are not used, a file may stand for one; status has seen that. */
static unsigned mode_of(const struct capture *c, const struct capture_item *item)
{
	unsigned before = item->entry ? item->entry->index_mode : 0;

	if (item->entry && item->entry->worktree_mode == MODE_LINK && before == MODE_LINK)
		return before;
	return worktree_mode(c->state, &item->stat, before);
}

static int store_item(struct capture *c, struct capture_item *item)
{
	int result;

	item->mark = import_mark(c->import);
	result = import_file(c->import, item->mark, c->top, item->path, &item->stat, c->err);
	if (result == IMPORT_FILE_CHANGED)
		result = error_set(c->err, "could not read '%s': it keeps changing", item->path);
	if (result < 0)
		return c->import->broken ? -1 : leave_out(c, item->path, item);
	if (result == IMPORT_FILE_GONE && leave_out_device(c, item, &item->stat))
		return 0;
	item->mode = result == IMPORT_FILE_DONE ? mode_of(c, item) : 0;
	return 0;
}

int capture_store(struct capture *c)
{
	leave_out_names(c);
	leave_out_devices(c);
	if (check_folders(c) < 0 || convert(c) < 0)
		return -1;
	for (size_t i = 0; i < c->nr; i++)
		if (!c->item[i].oid && !c->item[i].left_out && store_item(c, &c->item[i]) < 0)
			return -1;
	return 0;
}
