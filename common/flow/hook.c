/* SPDX-License-Identifier: MIT */
#include "flow/hook.h"

#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "term/output.h"

/* Where git looks for it: free() it. Only a configured folder takes a process to find. */
static int hook_path(char **ret, const char *name, const struct repo *repo, bool configured,
		     struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;

	if (!configured) {
		*ret = xstrfmt("%s/hooks/%s", repo->common_dir, name);
		return 0;
	}
	strvec_pushl(&process.argv, "git", "rev-parse", "--git-path", NULL);
	strvec_pushf(&process.argv, "hooks/%s", name);
	if (process_run(&process, err) < 0)
		return -1;
	if (process.out.len && process.out.buf[process.out.len - 1] == '\n')
		strbuf_setlen(&process.out, process.out.len - 1);
	*ret = strbuf_detach(&process.out);
	return 0;
}

/* git's own key for it. */
static bool is_advised(const struct settings *settings)
{
	const char *value = settings_git(settings, "advice.ignoredhook");

	return !value || (strcasecmp(value, "false") != 0 && strcasecmp(value, "no") != 0 &&
			  strcasecmp(value, "off") != 0 && strcmp(value, "0") != 0);
}

bool hook_may_run(const char *name, const struct repo *repo, const struct settings *settings)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/hooks/%s", repo->common_dir, name);

	return settings_git(settings, "core.hookspath") || !access(path, X_OK);
}

/* The hook to be run, free() it; NULL: there is none. It runs in another folder. */
static int find_hook(char **ret, const char *name, const struct repo *repo,
		     const struct settings *settings, struct error *err)
{
	char *path CLEANUP(free_p) = NULL;
	struct stat st;

	*ret = NULL;
	if (hook_path(&path, name, repo, settings_git(settings, "core.hookspath") != NULL, err) < 0)
		return -1;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (access(path, X_OK) < 0) {
		if (is_advised(settings))
			advise("ignoredHook",
			       "The hook '%s' was ignored because it is not set as executable.",
			       name);
		return 0;
	}
	/* Never is it a program of that name elsewhere. */
	*ret = realpath(path, NULL);
	return *ret ? 0 : error_errno(err, "cannot run hook '%s'", path);
}

/* `process` has the input, and what follows the hook's name. */
static int run(struct process *process, const char *name, const struct repo *repo,
	       struct error *err)
{
	process->dir = repo->worktree ? repo->worktree : repo->git_dir;
	process->inherit_stderr = true;
	if (process_run(process, err) < 0)
		return -1;
	fputs(process->out.buf, stderr);
	if (process->status)
		return error_refused(err, "hook '%s' ended with status %d", name, process->status);
	return 0;
}

int hook_run(const char *name, const struct repo *repo, const struct settings *settings,
	     const json_t *input, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	char *path CLEANUP(free_p) = NULL;
	char *text CLEANUP(free_p) = NULL;

	if (find_hook(&path, name, repo, settings, err) < 0)
		return -1;
	if (!path)
		return 0;
	text = json_format(input);
	strvec_push(&process.argv, path);
	process.input = text;
	process.input_len = strlen(text);
	return run(&process, name, repo, err);
}

int hook_run_git(const char *name, const char *const *args, const struct strvec *env,
		 const struct repo *repo, const struct settings *settings, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	char *path CLEANUP(free_p) = NULL;

	if (find_hook(&path, name, repo, settings, err) < 0)
		return -1;
	if (!path)
		return 0;
	strvec_push(&process.argv, path);
	for (; *args; args++)
		strvec_push(&process.argv, *args);
	process.env = env;
	return run(&process, name, repo, err);
}
