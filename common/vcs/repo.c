/* SPDX-License-Identifier: MIT */
#include "vcs/repo.h"

#include "base/memory.h"
#include "base/strbuf.h"
#include "vcs/path.h"

void repo_release(struct repo *repo)
{
	free(repo->git_dir);
	free(repo->common_dir);
	free(repo->worktree);
	free(repo->prefix);
	free(repo->head);
	free(repo->object_format);
	*repo = (struct repo)REPO_INIT;
}

int repo_start(struct process *process, struct error *err)
{
	/*
	 * A path may hold line ends. The object format, which is known, stands behind each
	 * as its mark. --show-toplevel and HEAD are last, since it ends there where there is
	 * no worktree, or no commit.
	 */
	strvec_pushl(&process->argv, "git", "rev-parse", "--path-format=absolute",
		     "--show-object-format", "--is-bare-repository", "--git-dir",
		     "--show-object-format", "--git-common-dir", "--show-object-format",
		     "--show-prefix", "--show-object-format", "--show-toplevel",
		     "--show-object-format", "HEAD", NULL);
	return process_start(process, err);
}

void repo_plain_pathspecs(struct strvec *env)
{
	strvec_pushl(env, "GIT_LITERAL_PATHSPECS=0", "GIT_GLOB_PATHSPECS=0",
		     "GIT_NOGLOB_PATHSPECS=0", "GIT_ICASE_PATHSPECS=0", NULL);
}

void repo_environment(struct strvec *env, const struct repo *repo)
{
	strvec_push(env, "LC_ALL=C");
	strvec_pushf(env, "GIT_DIR=%s", repo->git_dir);
	if (repo->worktree)
		strvec_pushf(env, "GIT_WORK_TREE=%s", repo->worktree);
}

/* Where the folder is below the worktree, from its top; NULL: it is not. */
static const char *below_worktree(const struct repo *repo, const char *folder)
{
	size_t top = repo->worktree ? strlen(repo->worktree) : 0;

	if (top == 1)
		top = 0; /* the root ends in its slash */
	if (!repo->worktree || strncmp(folder, repo->worktree, top) != 0 || folder[top] != '/')
		return NULL;
	return folder + top + 1;
}

/* Is the path, from the top of the worktree, `folder` or in it? */
static bool is_in(const struct repo *repo, const char *path, const char *folder)
{
	const char *own = below_worktree(repo, folder);
	size_t len = own ? strlen(own) : 0;

	return own && !strncmp(path, own, len) && (!path[len] || path[len] == '/');
}

bool repo_owns(const struct repo *repo, const char *path)
{
	return is_in(repo, path, repo->git_dir) || is_in(repo, path, repo->common_dir);
}

void repo_exclude_own(struct strvec *pathspecs, const struct repo *repo)
{
	const char *const folder[] = { repo->git_dir, repo->common_dir };

	for (size_t i = 0; i < ARRAY_SIZE(folder); i++) {
		struct strbuf pathspec CLEANUP(strbuf_release) = STRBUF_INIT;
		const char *own = below_worktree(repo, folder[i]);

		if (!own || path_fault(own)) /* a ".git" is git's own to everybody */
			continue;
		strbuf_addstr(&pathspec, ":(exclude,top,glob)");
		for (; *own; own++)
			strbuf_addf(&pathspec, *own == '/' ? "%c" : "\\%c", *own);
		strbuf_addstr(&pathspec, "/**");
		strvec_push(pathspecs, pathspec.buf);
	}
}

const char *repo_path_fault(const struct repo *repo, const char *path)
{
	const char *fault = path_fault(path);

	return !fault && repo_owns(repo, path) ? "it is in this repository's own folder" : fault;
}

/* Takes the text up to "\n<mark>\n" off the front of *rest; NULL when there is no mark. */
static char *take_marked(const char **rest, const char *mark)
{
	char *needle CLEANUP(free_p) = xstrfmt("\n%s\n", mark);
	const char *end = strstr(*rest, needle);
	char *ret;

	if (!end)
		return NULL;
	ret = xmemdupz(*rest, (size_t)(end - *rest));
	*rest = end + strlen(needle);
	return ret;
}

static int parse(struct repo *repo, const char *text)
{
	size_t len = strcspn(text, "\n");

	if (!text[len])
		return -1;
	repo->object_format = xmemdupz(text, len);
	text += len + 1;
	repo->bare = !strncmp(text, "true\n", 5);
	text += strcspn(text, "\n");
	text += *text == '\n';
	repo->git_dir = take_marked(&text, repo->object_format);
	repo->common_dir = repo->git_dir ? take_marked(&text, repo->object_format) : NULL;
	repo->prefix = repo->common_dir ? take_marked(&text, repo->object_format) : NULL;
	if (!repo->prefix)
		return -1;
	repo->worktree = take_marked(&text, repo->object_format);
	len = strcspn(text, "\n");
	/* Where there is no commit it is the word HEAD. */
	if (repo->worktree && len == strlen(text) - 1 && strspn(text, "0123456789abcdef") == len)
		repo->head = xmemdupz(text, len);
	return 0;
}

int repo_finish(struct repo *ret, struct process *process, struct error *err)
{
	struct repo repo = REPO_INIT;

	if (process_finish(process, err) < 0)
		return error_hint(err, "Install git.");
	if (memchr(process->out.buf, '\0', process->out.len) ||
	    parse(&repo, process->out.buf) < 0) {
		char *reason CLEANUP(free_p) = process_reason(process);

		repo_release(&repo);
		return error_set(err, "%s", reason);
	}
	*ret = repo;
	return 0;
}

int repo_open(struct repo *ret, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;

	if (repo_start(&process, err) < 0)
		return -1;
	return repo_finish(ret, &process, err);
}

int repo_commit(char **ret_oid, const char *rev, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;

	strvec_pushl(&process.argv, "git", "rev-parse", "--verify", "--quiet", "--end-of-options",
		     NULL);
	strvec_pushf(&process.argv, "%s^{commit}", rev);
	if (process_run(&process, err) < 0)
		return -1;
	strbuf_rtrim(&process.out);
	if (process.status || !process.out.len)
		return COMMIT_MISSING;
	*ret_oid = strbuf_detach(&process.out);
	return COMMIT_FOUND;
}
