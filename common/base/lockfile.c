/* SPDX-License-Identifier: MIT */
#include "base/lockfile.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

static char *read_holder(int fd)
{
	char text[512];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return *text ? text_escaped(text) : xstrdup("an unknown process");
}

/* Who only looks whether the lock is held has it for a moment: so once more, for 20 ms. */
static int try_lock(int fd)
{
	const int tries = 20, pause_us = 1000;

	for (int i = 1;; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK || i == tries)
			return -1;
		usleep((useconds_t)pause_us);
	}
}

int lockfile_take(struct lockfile *lock, const char *path, const char *what, char **ret_holder,
		  struct error *err)
{
	char host[256] = "";
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(err, "cannot open lock file '%s'", path);
	if (try_lock(fd) < 0) {
		int reason = errno;

		if (reason == EWOULDBLOCK)
			*ret_holder = read_holder(fd);
		close(fd);
		errno = reason;
		if (reason == EWOULDBLOCK)
			return LOCKFILE_BUSY;
		return error_errno(err, "cannot lock '%s'", path);
	}
	gethostname(host, sizeof(host) - 1);
	/* Only for messages: a disk that is full must not keep anyone from the lock. */
	if (ftruncate(fd, 0) == 0)
		dprintf(fd, "pid %ld on %s: %s\n", (long)getpid(), host, what);
	lock->fd = fd;
	return LOCKFILE_HELD;
}

/* A shared lock: those who only look do not stand in each other's way. */
int lockfile_is_held(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int ret = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : error_errno(err, "cannot open lock file '%s'", path);
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		ret = errno == EWOULDBLOCK ? 1 : error_errno(err, "cannot lock '%s'", path);
	close(fd);
	return ret;
}

void lockfile_release(struct lockfile *lock)
{
	if (lock->fd < 0)
		return;
	if (ftruncate(lock->fd, 0) < 0)
		errno = 0; /* the next holder overwrites it */
	close(lock->fd);
	lock->fd = -1;
}
