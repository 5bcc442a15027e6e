/* SPDX-License-Identifier: MIT */
/*
 * ignore: which paths git would ignore, had the worktree other .gitignore files.
 *
 * A folder with nothing in it but .gitignore files stands in for the worktree, and one
 * `git check-ignore --no-index` is asked; .git/info/exclude and core.excludesFile count as
 * they are now.
 */
#ifndef VCS_IGNORE_H
#define VCS_IGNORE_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "vcs/repo.h"
#include "vcs/treediff.h"

/*
 * Appends those of `paths` that are ignored; one that ends in "/" is a folder. The .gitignore
 * files are the worktree's, but where `changes` has one its new side counts; `changes` may be
 * NULL. `folder` is made, and left to the caller; `env` finds the objects.
 */
int ignore_find(struct strvec *ret, const struct strvec *paths, const struct tree_changes *changes,
		const struct repo *repo, const struct strvec *env, const char *folder,
		struct error *err) MUST_CHECK;

/* Those that are ignored now; what is tracked is not. */
int ignore_find_now(struct strvec *ret, const struct strvec *paths, const struct repo *repo,
		    const struct strvec *env, struct error *err) MUST_CHECK;

#endif
