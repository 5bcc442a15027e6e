/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/memory.h"
#include "vcs/object.h"
#include "vcs/restore-parts.h"

static int write_all(int fd, const struct strbuf *data)
{
	for (size_t at = 0; at < data->len;) {
		ssize_t n = write(fd, data->buf + at, data->len - at);

		if (n < 0 && errno != EINTR)
			return -1;
		at += n < 0 ? 0 : (size_t)n;
	}
	return 0;
}

/* Into the file that git has just written, which so keeps its mode. */
static int overwrite(int top, const char *path, const struct strbuf *data, struct error *err)
{
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);
	const char *name;
	int folder = beneath_find_folder(&b, &name, path);
	int fd CLEANUP(fd_close_p) =
		folder < 0 ? -1 :
			     openat(folder, name,
				    O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || write_all(fd, data) < 0)
		return error_errno(err, "cannot write '%s'", path);
	return 0;
}

static bool was_written(const struct restore *restore, const char *path, bool back)
{
	const struct tree_change *change = tree_changes_find(&restore->files, path);

	if (!change)
		change = tree_changes_find(&restore->rewritten, path);
	return change && ((back ? change->old_mode : change->new_mode) & 0170000) == 0100000;
}

int restore_write_raw(struct restore *restore, bool back, struct error *err)
{
	const char *commit = back ? restore->now.commit : restore->request->target->commit;
	char *payload CLEANUP(free_p) = xstrfmt("%s^4", commit);
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	int top CLEANUP(fd_close_p) = -1;
	size_t at = 0;

	if (tree_list(&files, payload, "raw", err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++)
		if (was_written(restore, files.item[i].path + strlen("raw/"), back))
			objects_add(&objects, files.item[i].oid);
	if (!objects.nr)
		return 0;
	restore->raw_written = true;
	top = open(restore->repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return error_errno(err, "cannot open '%s'", restore->repo->worktree);
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++) {
		const char *path = files.item[i].path + strlen("raw/");

		if (!was_written(restore, path, back))
			continue;
		const struct object *object = &objects.item[at++];
		if (!object->oid)
			return error_set(err, "the bytes of '%s' are missing", path);
		if (overwrite(top, path, &object->data, err) < 0)
			return -1;
	}
	return 0;
}
