/* SPDX-License-Identifier: MIT */
#include "vcs/ignore.h"

#include "base/memory.h"
#include "base/process.h"
#include "vcs/git.h"
#include "vcs/rules.h"

#define HERE "./"

/* Without the slash at the end of a folder. */
static size_t bare_length(const char *path)
{
	size_t len = strlen(path);

	return len && path[len - 1] == '/' ? len - 1 : len;
}

/* The answers, each as it was asked for: they come in the same order. */
static void add_found(struct strvec *ret, const struct strvec *paths, const struct strbuf *out)
{
	size_t i = 0;

	for (const char *at = out->buf; at < out->buf + out->len; at += strlen(at) + 1) {
		const char *found = at + strlen(HERE);

		while (i < paths->nr && (strlen(found) != bare_length(paths->v[i]) ||
					 strncmp(found, paths->v[i], strlen(found)) != 0))
			i++;
		if (i < paths->nr)
			strvec_push(ret, paths->v[i]);
	}
}

static void make_environment(struct strvec *ret, const struct strvec *env)
{
	for (size_t i = 0; i < env->nr; i++)
		strvec_push(ret, env->v[i]);
	repo_plain_pathspecs(ret); /* check-ignore refuses to hear of others */
}

/* `git` has its first arguments, and its environment. */
static int ask(struct strvec *ret, struct process *git, const struct strvec *paths,
	       struct error *err)
{
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < paths->nr; i++) {
		/*
		 * A path that begins with a colon would be magic, and to one that ends in a
		 * slash git applies the rules for what is in that folder.
		 */
		strbuf_addf(&input, HERE "%.*s", (int)bare_length(paths->v[i]), paths->v[i]);
		strbuf_addch(&input, '\0');
	}
	strvec_pushl(&git->argv, "-z", "--stdin", NULL);
	git->input = input.buf;
	git->input_len = input.len;
	if (process_run(git, err) < 0)
		return -1;
	if (git->status > 1)
		return process_error(git, err, "could not look at the ignore rules");
	add_found(ret, paths, &git->out);
	return 0;
}

int ignore_find(struct strvec *ret, const struct strvec *paths, const struct tree_changes *changes,
		const struct repo *repo, const struct strvec *env, const char *folder,
		struct error *err)
{
	struct strvec own CLEANUP(strvec_release) = STRVEC_INIT;
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	if (!paths->nr)
		return 0;
	if (rules_make(folder, paths, ".gitignore", changes, repo, env, err) < 0)
		return -1;
	strvec_push(&git.argv, "git");
	strvec_pushf(&git.argv, "--git-dir=%s", repo->git_dir);
	strvec_pushf(&git.argv, "--work-tree=%s", folder);
	strvec_pushl(&git.argv, "check-ignore", "--no-index", NULL);
	git.dir = folder;
	make_environment(&own, env);
	git.env = &own;
	return ask(ret, &git, paths, err);
}

int ignore_find_now(struct strvec *ret, const struct strvec *paths, const struct repo *repo,
		    const struct strvec *env, struct error *err)
{
	struct strvec own CLEANUP(strvec_release) = STRVEC_INIT;
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	if (!paths->nr)
		return 0;
	make_environment(&own, env);
	git_prepare(&git, repo, &own);
	strvec_push(&git.argv, "check-ignore");
	return ask(ret, &git, paths, err);
}
