/* SPDX-License-Identifier: MIT */
/*
 * promised: objects that a partial clone (git clone --filter) has left with its remote.
 *
 * git fetches one when it needs it, each by itself, which takes as many round trips as there
 * are. Who is going to need many asks for them first, all at once.
 */
#ifndef VCS_PROMISED_H
#define VCS_PROMISED_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "vcs/repo.h"

/* Is anything left with a remote? */
int promised_any(bool *ret, const struct repo *repo, struct error *err) MUST_CHECK;
/*
 * Appends the objects of these commits and of their parents, the history before them apart, that
 * are not here, sorted. Nothing where one is missing that nobody has promised.
 */
int promised_find(struct strvec *ret, const char *const *commit, size_t nr, struct error *err)
	MUST_CHECK;
/* Fetches those of `wanted`, sorted, that `commit` or a parent of it has, and that are not here. */
int promised_fetch(const struct strvec *wanted, const char *commit, const struct repo *repo,
		   struct error *err) MUST_CHECK;

#endif
