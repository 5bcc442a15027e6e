/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/memory.h"
#include "vcs/object-stream.h"
#include "vcs/restore-parts.h"

/* They are on their way from git to the files, one after the other. */
struct writing {
	struct restore_blob *blob;
	size_t nr;
	int top, fd;
	struct error *err; /* the first that goes wrong */
};

static const char *name_of(void *data, size_t i)
{
	const struct writing *w = data;

	return i < w->nr && !error_is_set(w->err) ? w->blob[i].oid : NULL;
}

static int make_folders(const struct writing *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *above CLEANUP(free_p) = slash ? xmemdupz(path, (size_t)(slash - path)) : NULL;

	return above ? beneath_make_folders(w->top, above, 0777, w->err) : 0;
}

static void begin(void *data, size_t i, const char *type UNUSED, uint64_t size UNUSED)
{
	struct writing *w = data;
	struct restore_blob *blob = &w->blob[i];
	int flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
		    (blob->make ? O_CREAT | O_EXCL : O_TRUNC);
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(w->top);
	const char *name;
	int folder;

	if (error_is_set(w->err) || (blob->make && make_folders(w, blob->path) < 0))
		return;
	folder = beneath_find_folder(&b, &name, blob->path);
	w->fd = folder < 0 ?
			-1 :
			openat(folder, name, flags, blob->mode == MODE_EXECUTABLE ? 0777 : 0666);
	if (w->fd < 0)
		error_errno(w->err, "cannot write '%s'", blob->path);
	else
		blob->begun = true;
}

static void content(void *data, size_t i, const void *bytes, size_t len)
{
	struct writing *w = data;

	if (w->fd >= 0 && !error_is_set(w->err) && file_write_fd(w->fd, bytes, len) < 0)
		error_errno(w->err, "cannot write '%s'", w->blob[i].path);
}

static void end(void *data, size_t i, enum object_answer answer)
{
	struct writing *w = data;
	int fd = w->fd;

	w->fd = -1;
	if (fd >= 0 && close(fd) < 0 && !error_is_set(w->err))
		error_errno(w->err, "cannot write '%s'", w->blob[i].path);
	if (answer != OBJECT_READ && !error_is_set(w->err))
		error_set(w->err, "cannot read what '%s' was", w->blob[i].path);
}

int restore_write_blobs(const struct restore *restore, struct restore_blob *blob, size_t nr,
			struct error *err)
{
	static const struct object_stream_fns fns = { name_of, begin, content, end };
	struct error failed CLEANUP(error_release) = ERROR_INIT;
	int top CLEANUP(fd_close_p) = -1;
	int ret;

	if (!nr)
		return 0;
	top = restore_open_top(restore, err);
	if (top < 0)
		return -1;
	ret = object_stream(
		&fns,
		&(struct writing){ .blob = blob, .nr = nr, .top = top, .fd = -1, .err = &failed },
		err);
	if (ret < 0 || !error_is_set(&failed))
		return ret;
	error_move(err, &failed);
	return -1;
}
