/* SPDX-License-Identifier: MIT */
#include "base/beneath.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/memory.h"

static void fd_close(int fd)
{
	int kept = errno;

	close(fd);
	errno = kept;
}

/* Takes and closes `fd`; the folder `name` in it, or -1 with errno: ELOOP for a link. */
static int open_next(int fd, const char *name)
{
	int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	/* For a link Linux says ENOTDIR, as for a file. */
	if (next < 0 && errno == ENOTDIR && !fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		errno = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
	} else if (next < 0 && errno == EMLINK) { /* as some systems say it */
		errno = ELOOP;
	}
	fd_close(fd);
	return next;
}

int beneath_open_folder(int folder_fd, const char *path, size_t len)
{
	char *folders CLEANUP(free_p) = xmemdupz(path, len);
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (char *at = folders; fd >= 0 && *at;) {
		size_t name = strcspn(at, "/");
		char *next = at + name + (at[name] == '/');

		at[name] = '\0';
		fd = open_next(fd, at);
		at = next;
	}
	return fd;
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int beneath_find_folder(struct beneath *b, const char **ret_name, const char *path)
{
	const char *name = last_name(path);
	size_t len = (size_t)(name - path);

	*ret_name = name;
	if (b->folder >= 0 && b->path.len == len && !memcmp(b->path.buf, path, len))
		return b->folder;
	if (b->folder >= 0)
		close(b->folder);
	b->folder = beneath_open_folder(b->top, path, len);
	strbuf_reset(&b->path);
	strbuf_add(&b->path, path, len);
	return b->folder;
}

int beneath_stat(struct beneath *b, struct stat *ret, const char *path)
{
	const char *name;
	int folder = beneath_find_folder(b, &name, path);

	return folder < 0 ? -1 : fstatat(folder, name, ret, AT_SYMLINK_NOFOLLOW);
}

void beneath_release(struct beneath *b)
{
	if (b->folder >= 0)
		close(b->folder);
	strbuf_release(&b->path);
	b->folder = -1;
}

int beneath_open(int *ret_fd, struct stat *ret_stat, int folder_fd, const char *path,
		 struct error *err)
{
	const char *name = last_name(path);
	int folder = beneath_open_folder(folder_fd, path, (size_t)(name - path)), fd;

	fd = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (folder >= 0)
		fd_close(folder);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return BENEATH_MISSING;
	if (fd < 0 && (errno == ELOOP || errno == EMLINK))
		return BENEATH_LINK;
	if (fd < 0 && errno == ENXIO) /* a socket */
		return BENEATH_OTHER;
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (fstat(fd, ret_stat) < 0) {
		error_errno(err, "cannot read '%s'", path);
		fd_close(fd);
		return -1;
	}
	if (!S_ISREG(ret_stat->st_mode)) {
		fd_close(fd);
		return BENEATH_OTHER;
	}
	*ret_fd = fd;
	return BENEATH_FOUND;
}

/* Why the folder `name` cannot be there. */
static int name_error(const char *name, size_t len, struct error *err)
{
	if (errno == ELOOP)
		return error_set(err, "cannot create folder '%.*s': a symbolic link is in the way",
				 (int)len, name);
	return error_errno(err, "cannot create folder '%.*s'", (int)len, name);
}

int beneath_make_folders(int folder_fd, const char *path, mode_t mode, struct error *err)
{
	int fd = fcntl(folder_fd, F_DUPFD_CLOEXEC, 0);

	for (const char *at = path, *end; fd >= 0 && *at; at = end + (*end == '/')) {
		end = at + strcspn(at, "/");
		char *name CLEANUP(free_p) = xmemdupz(at, (size_t)(end - at));

		if (mkdirat(fd, name, mode) < 0 && errno != EEXIST) {
			name_error(path, (size_t)(end - path), err);
			close(fd);
			return -1;
		}
		fd = open_next(fd, name);
		if (fd < 0)
			return name_error(path, (size_t)(end - path), err);
	}
	if (fd < 0)
		return error_errno(err, "cannot create folder '%s'", path);
	close(fd);
	return 0;
}

void beneath_remove_folders(int folder_fd, const char *path)
{
	char *rest CLEANUP(free_p) = xstrdup(path);
	bool removed = true;

	while (removed && *rest) {
		const char *name = last_name(rest);
		int folder = beneath_open_folder(folder_fd, rest, (size_t)(name - rest));

		removed = folder >= 0 && unlinkat(folder, name, AT_REMOVEDIR) == 0;
		if (folder >= 0)
			close(folder);
		rest[name > rest ? name - rest - 1 : 0] = '\0';
	}
}
