/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

void fd_close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int file_read(struct strbuf *ret, const char *path, struct error *err)
{
	int fd CLEANUP(fd_close_p) = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ?
			       FILE_MISSING :
			       error_errno(err, "cannot open '%s'", path);
	return file_read_fd(ret, fd, path, err);
}

int file_read_fd(struct strbuf *ret, int fd, const char *path, struct error *err)
{
	return file_read_up_to(ret, fd, path, UINT64_MAX, err) < 0 ? -1 : FILE_FOUND;
}

int file_read_up_to(struct strbuf *ret, int fd, const char *path, uint64_t limit, struct error *err)
{
	char buffer[16384];
	size_t before = ret->len;
	struct stat st;
	ssize_t n;

	/* Its string has no more memory than it needs, and is not moved on its way. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size <= limit)
		strbuf_grow(ret, (size_t)st.st_size);
	do {
		n = read(fd, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_errno(err, "cannot read '%s'", path);
			strbuf_setlen(ret, before);
			return -1;
		}
		strbuf_add(ret, buffer, (size_t)n);
		if (ret->len - before > limit) {
			strbuf_setlen(ret, before);
			return FILE_TOO_LARGE;
		}
	} while (n < 0 || (size_t)n == sizeof(buffer));
	return FILE_READ;
}

int file_write_fd(int fd, const void *data, size_t len)
{
	const char *from = data;

	while (len) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The folder that `path` is in; free() it. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return xmemdupz(path, slash == path ? 1 : (size_t)(slash - path));
}

int file_sync_folder(const char *path, struct error *err)
{
	int fd CLEANUP(fd_close_p) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return error_errno(err, "cannot sync folder '%s'", path);
	return 0;
}

int file_write(const char *path, const void *data, size_t len, mode_t mode, enum file_sync sync,
	       struct error *err)
{
	char *temporary CLEANUP(free_p) = xstrfmt("%s.tmp-XXXXXX", path);
	char *folder CLEANUP(free_p) = folder_of(path);
	int fd = mkostemp(temporary, O_CLOEXEC);
	int ret = -1;

	if (fd < 0)
		return error_errno(err, "cannot create a file beside '%s'", path);
	if (fchmod(fd, mode) < 0 || file_write_fd(fd, data, len) < 0 ||
	    (sync != FILE_SYNC_NOT && fsync(fd) < 0))
		error_errno(err, "cannot write '%s'", path);
	else
		ret = 0;
	if (close(fd) < 0 && !ret)
		ret = error_errno(err, "cannot write '%s'", path);
	if (!ret && rename(temporary, path) < 0)
		ret = error_errno(err, "cannot replace '%s'", path);
	if (ret < 0) {
		unlink(temporary);
		return -1;
	}
	return sync == FILE_SYNC_NAME ? file_sync_folder(folder, err) : 0;
}

int file_make_folders(const char *path, mode_t mode, struct error *err)
{
	char *partial CLEANUP(free_p) = xstrdup(path);

	for (char *slash = partial + 1;; slash++) {
		char kept = *slash;

		if (kept != '/' && kept != '\0')
			continue;
		*slash = '\0';
		if (mkdir(partial, mode) < 0 && errno != EEXIST)
			return error_errno(err, "cannot create folder '%s'", partial);
		*slash = kept;
		if (!kept)
			return 0;
	}
}

static void dir_close_p(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int file_list(struct strvec *ret, const char *path, struct error *err)
{
	DIR *dir CLEANUP(dir_close_p) = opendir(path);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ?
			       FILE_MISSING :
			       error_errno(err, "cannot open folder '%s'", path);
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			strvec_push(ret, entry->d_name);
	if (errno)
		return error_errno(err, "cannot read folder '%s'", path);
	strvec_sort(ret);
	return FILE_FOUND;
}

/* ---- Temporary folders --------------------------------------------------------------- */

#define TEMPORARY "git-rollback-tmp-"

int file_open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void file_remove_unlocked(const char *parent, const char *prefix)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (file_list(&names, parent, &ignored) != FILE_FOUND)
		return;
	for (size_t i = 0; i < names.nr; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", parent, names.v[i]);
		struct error left CLEANUP(error_release) = ERROR_INIT;
		struct stat st;

		if (strncmp(names.v[i], prefix, strlen(prefix)) != 0)
			continue;
		int fd CLEANUP(fd_close_p) = file_open_folder(path);
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
		    flock(fd, LOCK_EX | LOCK_NB) == 0 && file_remove_folders(path, &left) < 0)
			error_clear(&left);
	}
}

int file_make_temporary_folder(char **ret, struct error *err)
{
	const char *parent = getenv("TMPDIR");

	parent = parent && *parent ? parent : "/tmp";
	file_remove_unlocked(parent, TEMPORARY);
	for (;;) {
		char *path CLEANUP(free_p) = xstrfmt("%s/" TEMPORARY "XXXXXX", parent);
		int fd;

		if (!mkdtemp(path))
			return error_errno(err, "cannot create a folder '%s'", path);
		fd = file_open_folder(path); /* and stays open */
		if (fd < 0 && errno != ENOENT)
			return error_errno(err, "cannot open '%s'", path);
		/* Where there are no such locks nobody removes it, either. */
		while (fd >= 0 && flock(fd, LOCK_SH) < 0 && errno == EINTR)
			;
		if (fd >= 0 && access(path, F_OK) == 0) {
			*ret = STEAL(path);
			return 0;
		}
		fd_close_p(&fd); /* before it was locked it was taken for a leftover */
	}
}

static int remove_name(const char *path, const struct stat *st UNUSED, int kind UNUSED,
		       struct FTW *where UNUSED)
{
	return remove(path);
}

int file_remove_folders(const char *path, struct error *err)
{
	if (nftw(path, remove_name, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove folder '%s'", path);
	return 0;
}

bool file_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}
