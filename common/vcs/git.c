/* SPDX-License-Identifier: MIT */
#include "vcs/git.h"

#include "base/memory.h"

void git_prepare(struct process *process, const struct repo *repo, const struct strvec *env)
{
	process->env = env;
	process->dir = repo->worktree;
	strvec_pushl(&process->argv, "git", "-c", "core.hooksPath=/dev/null", "-c",
		     "core.bigFileThreshold=8m", NULL);
}

int git_finish(struct process *process, const char *what, struct error *err)
{
	if (process_finish(process, err) < 0)
		return -1;
	if (!process->status)
		return 0;
	return process_error(process, err, "could not %s", what);
}

int git_run(struct process *process, const char *what, struct error *err)
{
	if (process_start(process, err) < 0)
		return -1;
	return git_finish(process, what, err);
}
