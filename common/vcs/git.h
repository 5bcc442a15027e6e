/* SPDX-License-Identifier: MIT */
/*
 * git: running git's plumbing in a given repository and worktree.
 *
 * Use:    git_prepare() for each process, then its command, arguments and input; git_finish() or
 *         git_run(), for which any status but 0 is an error. The environment is that of
 *         repo_environment(), and what the caller adds.
 * Quiet:  no hooks run, as they would from plumbing too.
 */
#ifndef VCS_GIT_H
#define VCS_GIT_H

#include "base/compat.h"
#include "base/error.h"
#include "base/process.h"
#include "base/strvec.h"
#include "vcs/repo.h"

/* `git -c ...` at the top of the worktree; the command comes next. `env` stays the caller's. */
void git_prepare(struct process *process, const struct repo *repo, const struct strvec *env);
/*
 * Adds "-c", "filter.<name>.required=false" for each filter that is required: git goes on without
 * one that fails, as where it only has to find out whether a file has changed.
 */
int git_relax_filters(struct strvec *argv, const struct repo *repo, struct error *err) MUST_CHECK;
/*
 * process_error(); and where git could not fetch what a partial clone has left with its remote, it
 * says so.
 */
PRINTF(3, 4)
int git_error(const struct process *process, struct error *err, const char *fmt, ...);
/* -1 with "could not <what>: <git's reason>". */
int git_finish(struct process *process, const char *what, struct error *err) MUST_CHECK;
int git_run(struct process *process, const char *what, struct error *err) MUST_CHECK;

/* Did `git read-tree -m -u` look at everything, and then do nothing? By what it says. */
bool git_refused_merge(const struct process *process) MUST_CHECK;

#endif
