/* SPDX-License-Identifier: MIT */
#include "vcs/git.h"

#include "base/memory.h"
#include "base/strbuf.h"

void git_prepare(struct process *process, const struct repo *repo, const struct strvec *env)
{
	process->env = env;
	process->dir = repo->worktree;
	strvec_pushl(&process->argv, "git", "-c", "core.hooksPath=/dev/null", "-c",
		     "core.bigFileThreshold=8m", NULL);
}

int git_error(const struct process *process, struct error *err, const char *fmt, ...)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	process_error(process, err, "%s", text.buf);
	if (strstr(process->err.buf, "promisor remote"))
		error_hint(err, "This is a partial clone, and an object is only with its remote: "
				"try again when that can be reached.");
	return -1;
}

int git_finish(struct process *process, const char *what, struct error *err)
{
	if (process_finish(process, err) < 0)
		return -1;
	if (!process->status)
		return 0;
	return git_error(process, err, "could not %s", what);
}

int git_run(struct process *process, const char *what, struct error *err)
{
	if (process_start(process, err) < 0)
		return -1;
	return git_finish(process, what, err);
}

int git_relax_filters(struct strvec *argv, const struct repo *repo, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, repo, NULL);
	strvec_pushl(&git.argv, "config", "-z", "--name-only", "--get-regexp",
		     "^filter\\..*\\.required$", NULL);
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status > 1) /* 1: there are none */
		return process_error(&git, err, "cannot read git's settings of filters");
	for (const char *at = git.out.buf; at < git.out.buf + git.out.len; at += strlen(at) + 1) {
		strvec_push(argv, "-c");
		strvec_pushf(argv, "%s=false", at);
	}
	return 0;
}

bool git_refused_merge(const struct process *process)
{
	const char *text = process->err.buf;

	return process->status == 128 &&
	       (strstr(text, "Cannot merge") || strstr(text, "by merge") ||
		strstr(text, "would lose untracked"));
}
