/* SPDX-License-Identifier: MIT */
#include "journal/workfolder.h"

#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

int workfolder_make(struct workfolder *ret, const char *common_dir, struct error *err)
{
	char *above CLEANUP(free_p) = xstrfmt("%s/rollback/work", common_dir);
	char *path CLEANUP(free_p) = xstrfmt("%s/%ld.XXXXXX", above, (long)getpid());

	if (file_make_folders(above, 0700, err) < 0)
		return -1;
	/* One at a time: nobody takes a folder away between its making and its lock. */
	int lock CLEANUP(fd_close_p) = file_open_folder(above);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return error_errno(err, "cannot lock '%s'", above);
	file_remove_unlocked(above, "");
	if (!mkdtemp(path))
		return error_errno(err, "cannot create a folder in '%s'", above);
	ret->path = STEAL(path);
	ret->fd = file_open_folder(ret->path);
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
