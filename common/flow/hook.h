/* SPDX-License-Identifier: MIT */
/*
 * hook: pre-rollback and post-rollback in git's folder of hooks; and git's own, where we do
 * what git would do.
 *
 * A hook gets JSON on standard input: the plan before, the report after. It belongs to the
 * repository's owner as git's own hooks do: core.hooksPath counts, and nothing that is
 * tracked is run.
 */
#ifndef FLOW_HOOK_H
#define FLOW_HOOK_H

#include "base/json.h"
#include "config/settings.h"
#include "vcs/repo.h"

/*
 * Runs the hook when there is one that can be executed; one that cannot is told of, unless
 * git's advice.ignoredHook is false. -1 with EXIT_REFUSED when it ended
 * with another status than 0. What it prints goes to stderr.
 */
int hook_run(const char *name, const struct repo *repo, const struct settings *settings,
	     const json_t *input, struct error *err) MUST_CHECK;

/* The same of one of git's own hooks: with these arguments (up to a NULL), and no input. */
int hook_run_git(const char *name, const char *const *args, const struct strvec *env,
		 const struct repo *repo, const struct settings *settings, struct error *err)
	MUST_CHECK;

/* Is there perhaps one? Finding out for certain may take a process. */
bool hook_may_run(const char *name, const struct repo *repo, const struct settings *settings)
	MUST_CHECK;

#endif
