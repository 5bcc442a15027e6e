/* SPDX-License-Identifier: MIT */
/*
 * rules: a folder that stands in for a worktree whose .gitignore or .gitattributes files are
 * others, so that git can be asked what it would make of some paths there.
 */
#ifndef VCS_RULES_H
#define VCS_RULES_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "vcs/repo.h"
#include "vcs/treediff.h"

/*
 * Makes `folder`, anew where it is there, with all folders that `paths` are in, and in those the files called `name`:
 * the worktree's, but where `changes` has one its new side; `changes` may be NULL. `env`
 * finds the objects. A path that ends in "/" is a folder.
 */
int rules_make(const char *folder, const struct strvec *paths, const char *name,
	       const struct tree_changes *changes, const struct repo *repo,
	       const struct strvec *env, struct error *err) MUST_CHECK;

#endif
