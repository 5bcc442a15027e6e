/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/memory.h"
#include "vcs/object-stream.h"
#include "vcs/restore-parts.h"

static int mark(struct restore *restore, const json_t *manifest, unsigned flag, struct error *err)
{
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;

	if (restore_manifest_paths(&paths, manifest, "unconverted", err) < 0)
		return -1;
	for (size_t i = 0; i < paths.nr; i++) {
		struct tree_change *change = tree_changes_find(&restore->files, paths.v[i]);

		if (change)
			change->flags |= flag;
	}
	return 0;
}

int restore_plan_unconverted(struct restore *restore, struct error *err)
{
	if (mark(restore, restore->now.manifest, RESTORE_UNCONVERTED_NOW, err) < 0)
		return -1;
	return mark(restore, restore->request->target->manifest, RESTORE_UNCONVERTED_THEN, err);
}

static bool goes(const struct tree_change *change)
{
	return change->flags & RESTORE_UNCONVERTED_NOW && mode_is_file(change->old_mode);
}

static bool comes(const struct tree_change *change)
{
	return change->flags & RESTORE_UNCONVERTED_THEN && mode_is_file(change->new_mode);
}

bool restore_has_unconverted(const struct restore *restore, bool then)
{
	for (size_t i = 0; i < restore->files.nr; i++)
		if (then ? comes(&restore->files.item[i]) : goes(&restore->files.item[i]))
			return true;
	return false;
}

static int open_top(const struct restore *restore, struct error *err)
{
	int top = open(restore->repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return top < 0 ? error_errno(err, "cannot open '%s'", restore->repo->worktree) : top;
}

/* ---- Those of now -------------------------------------------------------------------- */

static int by_path(const void *key, const void *file)
{
	return strcmp(key, ((const struct snapshot_file *)file)->path);
}

static int check(const struct restore *restore, struct beneath *top, const char *path,
		 struct error *err)
{
	const struct snapshot_capture *now = &restore->now;
	const struct snapshot_file *file =
		bsearch(path, now->file, now->nr, sizeof(*now->file), by_path);
	struct stat st;

	if (file && beneath_stat(top, &st, path) == 0 && file_is_same(&file->stat, &st))
		return 0;
	error_refused(err, "a file has changed meanwhile: '%s'", path);
	return error_hint(err, "Nothing was changed. Try again.");
}

int restore_check_unconverted(const struct restore *restore, struct error *err)
{
	int top CLEANUP(fd_close_p) = open_top(restore, err);
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);

	if (top < 0)
		return -1;
	for (size_t i = 0; i < restore->files.nr; i++)
		if (goes(&restore->files.item[i]) &&
		    check(restore, &b, restore->files.item[i].path, err) < 0)
			return -1;
	return 0;
}

static int remove_file(int top, const char *path, struct error *err)
{
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);
	const char *name, *slash = strrchr(path, '/');
	int folder = beneath_find_folder(&b, &name, path);

	if (folder < 0 || unlinkat(folder, name, 0) < 0)
		return error_errno(err, "cannot remove '%s'", path);
	if (slash) {
		char *above CLEANUP(free_p) = xmemdupz(path, (size_t)(slash - path));

		beneath_remove_folders(top, above);
	}
	return 0;
}

int restore_remove_unconverted(struct restore *restore, bool back, struct error *err)
{
	int top CLEANUP(fd_close_p) = open_top(restore, err);
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);

	if (top < 0)
		return -1;
	for (size_t i = 0; i < restore->files.nr; i++) {
		struct tree_change *change = &restore->files.item[i];

		if (back ? !(change->flags & RESTORE_WRITTEN) : !goes(change))
			continue;
		if ((!back && check(restore, &b, change->path, err) < 0) ||
		    remove_file(top, change->path, err) < 0)
			return -1;
		change->flags ^= back ? RESTORE_WRITTEN : RESTORE_REMOVED;
	}
	return 0;
}

/* ---- Those of the snapshot ----------------------------------------------------------- */

/* They are on their way from git to the files, one after the other. */
struct writing {
	struct tree_change **change;
	size_t nr, alloc;
	bool back;
	int top, fd;
	struct error *err; /* the first that goes wrong */
};

static const char *name_of(void *data, size_t i)
{
	const struct writing *w = data;

	if (i >= w->nr)
		return NULL;
	return w->back ? w->change[i]->old_oid : w->change[i]->new_oid;
}

static void begin(void *data, size_t i, const char *type UNUSED, uint64_t size UNUSED)
{
	struct writing *w = data;
	struct tree_change *change = w->change[i];
	const char *slash = strrchr(change->path, '/'), *name;
	char *above CLEANUP(free_p) =
		slash ? xmemdupz(change->path, (size_t)(slash - change->path)) : NULL;
	unsigned mode = w->back ? change->old_mode : change->new_mode;
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(w->top);
	int folder;

	if (error_is_set(w->err) ||
	    (above && beneath_make_folders(w->top, above, 0777, w->err) < 0))
		return;
	folder = beneath_find_folder(&b, &name, change->path);
	w->fd = folder < 0 ?
			-1 :
			openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			       mode == MODE_EXECUTABLE ? 0777 : 0666);
	if (w->fd < 0)
		error_errno(w->err, "cannot create '%s'", change->path);
	else
		change->flags ^= w->back ? RESTORE_REMOVED : RESTORE_WRITTEN;
}

static void content(void *data, size_t i, const void *bytes, size_t len)
{
	struct writing *w = data;
	const char *at = bytes;

	while (len && w->fd >= 0 && !error_is_set(w->err)) {
		ssize_t n = write(w->fd, at, len);

		if (n < 0 && errno != EINTR)
			error_errno(w->err, "cannot write '%s'", w->change[i]->path);
		at += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (size_t)n;
	}
}

static void end(void *data, size_t i, enum object_answer answer)
{
	struct writing *w = data;
	int fd = w->fd;

	w->fd = -1;
	if (fd >= 0 && close(fd) < 0 && !error_is_set(w->err))
		error_errno(w->err, "cannot write '%s'", w->change[i]->path);
	if (answer != OBJECT_READ && !error_is_set(w->err))
		error_set(w->err, "cannot read what '%s' was", w->change[i]->path);
}

static int write_all(struct writing *w, const struct restore *restore, struct error *err)
{
	static const struct object_stream_fns fns = { name_of, begin, content, end };
	struct error failed CLEANUP(error_release) = ERROR_INIT;

	w->err = &failed;
	w->top = open_top(restore, err);
	if (w->top < 0)
		return -1;
	int ret = object_stream(&fns, w, err);
	close(w->top);
	if (ret < 0 || !error_is_set(&failed))
		return ret;
	error_move(err, &failed);
	return -1;
}

int restore_write_unconverted(struct restore *restore, bool back, struct error *err)
{
	struct writing w = { .back = back, .fd = -1 };
	int ret = 0;

	for (size_t i = 0; i < restore->files.nr; i++) {
		struct tree_change *change = &restore->files.item[i];
		bool wanted = back ? change->flags & RESTORE_REMOVED :
				     change->flags & RESTORE_UNCONVERTED_THEN &&
					      mode_is_file(change->new_mode);

		if (!wanted)
			continue;
		ARRAY_GROW(w.change, w.nr + 1, w.alloc);
		w.change[w.nr++] = change;
	}
	if (w.nr)
		ret = write_all(&w, restore, err);
	free(w.change);
	return ret;
}
