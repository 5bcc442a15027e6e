/* SPDX-License-Identifier: MIT */
#include "journal/workfolder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/strvec.h"

static int open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Those whose lock is free have no owner any more. What cannot be removed is let lie. */
static void remove_leftovers(const char *above)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (file_list(&names, above, &ignored) != FILE_FOUND)
		return;
	for (size_t i = 0; i < names.nr; i++) {
		struct error left CLEANUP(error_release) = ERROR_INIT;
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", above, names.v[i]);
		int fd CLEANUP(fd_close_p) = open_folder(path);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		    file_remove_folders(path, &left) < 0)
			error_clear(&left);
	}
}

int workfolder_make(struct workfolder *ret, const char *common_dir, struct error *err)
{
	char *above CLEANUP(free_p) = xstrfmt("%s/rollback/work", common_dir);
	char *path CLEANUP(free_p) = xstrfmt("%s/%ld.XXXXXX", above, (long)getpid());

	if (file_make_folders(above, 0700, err) < 0)
		return -1;
	/* One at a time: nobody takes a folder away between its making and its lock. */
	int lock CLEANUP(fd_close_p) = open_folder(above);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return error_errno(err, "cannot lock '%s'", above);
	remove_leftovers(above);
	if (!mkdtemp(path))
		return error_errno(err, "cannot create a folder in '%s'", above);
	ret->path = STEAL(path);
	ret->fd = open_folder(ret->path);
	if (ret->fd < 0 || flock(ret->fd, LOCK_SH | LOCK_NB) < 0)
		return error_errno(err, "cannot lock '%s'", ret->path);
	return 0;
}

void workfolder_release(struct workfolder *work)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (work->path && file_remove_folders(work->path, &ignored) < 0)
		error_clear(&ignored); /* whoever makes the next one removes it */
	if (work->fd >= 0)
		close(work->fd);
	free(work->path);
	*work = (struct workfolder)WORKFOLDER_INIT;
}
