/* SPDX-License-Identifier: MIT */
/*
 * workfolder: a folder of one command's own for what it makes on its way, inside the
 * repository's file system, so that what is made there can be moved into the repository.
 *
 * Place:  <common dir>/rollback/work/<pid>.<six characters>, mode 0700.
 * Use:    workfolder_make(), then .path; workfolder_release() removes all that is in it.
 *         What commands left that were killed, the next one that makes a folder removes: each
 *         holds flock(2) on its own as long as it lives.
 */
#ifndef JOURNAL_WORKFOLDER_H
#define JOURNAL_WORKFOLDER_H

#include "base/compat.h"
#include "base/error.h"

struct workfolder {
	char *path; /* absolute; NULL: there is none */
	int fd;
};
#define WORKFOLDER_INIT  \
	{                \
		.fd = -1 \
	}

int workfolder_make(struct workfolder *ret, const char *common_dir, struct error *err) MUST_CHECK;
void workfolder_release(struct workfolder *work);

#endif
