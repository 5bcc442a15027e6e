/* SPDX-License-Identifier: MIT */
#include "vcs/index-lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "vcs/index.h"

#define LOCK_TEXT "git-rollback "

void index_lock_init(struct index_lock *lock, const struct repo *repo)
{
	lock->index = index_path(repo);
	lock->path = xstrfmt("%s.lock", lock->index);
}

int index_lock_let_go(struct index_lock *lock, struct error *err)
{
	bool held = lock->held;

	lock->held = false;
	if (!held || unlink(lock->path) == 0 || errno == ENOENT) /* somebody took it for stale */
		return 0;
	error_errno(err, "cannot remove '%s'", lock->path);
	return error_hint(err, "No git can change the index until that file is removed.");
}

void index_lock_release(struct index_lock *lock)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (index_lock_let_go(lock, &ignored) < 0)
		error_clear(&ignored);
	free(lock->index);
	free(lock->path);
	*lock = (struct index_lock)INDEX_LOCK_INIT;
}

static int is_taken(const struct index_lock *lock, struct error *err)
{
	error_refused(err, "the index is locked: '%s' exists", lock->path);
	return error_hint(
		err, "Another git is at work, or was killed; where none is, remove that file.");
}

/* Where there are no hard links it is not there with its text in one step. */
static int create(struct index_lock *lock, const char *text, struct error *err)
{
	int fd = open(lock->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		return errno == EEXIST ? is_taken(lock, err) :
					 error_errno(err, "cannot create '%s'", lock->path);
	if (dprintf(fd, "%s", text) < 0)
		error_errno(err, "cannot write '%s'", lock->path);
	close(fd);
	lock->held = true;
	return error_is_set(err) ? -1 : 0;
}

int index_lock_take(struct index_lock *lock, const char *folder, const char *id, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/lock", folder);
	char *text CLEANUP(free_p) = xstrfmt(LOCK_TEXT "%s\n", id);
	mode_t mask = umask(077);

	umask(mask);
	if (file_write(path, text, strlen(text), 0666 & ~mask, FILE_SYNC_CONTENT, err) < 0)
		return -1;
	if (link(path, lock->path) < 0)
		return errno == EEXIST ? is_taken(lock, err) : create(lock, text, err);
	lock->held = true;
	return 0;
}

int index_lock_sync(const struct index_lock *lock, struct error *err)
{
	const char *slash = strrchr(lock->index, '/');
	char *folder CLEANUP(free_p) = xmemdupz(lock->index, (size_t)(slash - lock->index));

	return file_sync_folder(folder, err);
}

int index_copy(const char *to, const char *from, struct error *err)
{
	char buffer[65536];
	int in CLEANUP(fd_close_p) = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (in < 0)
		return errno == ENOENT ? 0 : error_errno(err, "cannot open '%s'", from);
	int out CLEANUP(fd_close_p) = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0 || fstat(in, &st) < 0 || fchmod(out, st.st_mode & 07777) < 0)
		return error_errno(err, "cannot create '%s'", to);
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, (size_t)n) != n)
			return error_errno(err, "cannot write '%s'", to);
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	if (n < 0 || futimens(out, times) < 0)
		return error_errno(err, "cannot copy '%s'", from);
	return 0;
}

int index_lock_owner(char **ret_id, const struct repo *repo, struct error *err)
{
	char *index CLEANUP(free_p) = index_path(repo);
	char *path CLEANUP(free_p) = xstrfmt("%s.lock", index);
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct stat st;

	*ret_id = NULL;
	/* git's own can be as large as an index. */
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > 200)
		return 0;
	if (file_read(&text, path, err) < 0)
		return -1;
	strbuf_rtrim(&text);
	if (!strncmp(text.buf, LOCK_TEXT, strlen(LOCK_TEXT)))
		*ret_id = xstrdup(text.buf + strlen(LOCK_TEXT));
	return 0;
}

int index_lock_remove(const struct repo *repo, struct error *err)
{
	char *index CLEANUP(free_p) = index_path(repo);
	char *path CLEANUP(free_p) = xstrfmt("%s.lock", index);

	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s'", path);
	return 0;
}
