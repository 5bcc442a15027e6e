/* SPDX-License-Identifier: MIT */
#include "vcs/ignore.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "vcs/git.h"

#define HERE "./"

/* The folders that the paths are in, and those above, each once: "" and "a/", "a/b/". */
static void add_folders(struct strvec *ret, const struct strvec *paths)
{
	struct strvec all CLEANUP(strvec_release) = STRVEC_INIT;

	strvec_push(&all, "");
	for (size_t i = 0; i < paths->nr; i++)
		for (const char *end = strchr(paths->v[i], '/'); end; end = strchr(end + 1, '/'))
			strvec_pushf(&all, "%.*s", (int)(end - paths->v[i]) + 1, paths->v[i]);
	strvec_sort(&all);
	for (size_t i = 0; i < all.nr; i++)
		if (!i || strcmp(all.v[i - 1], all.v[i]) != 0)
			strvec_push(ret, all.v[i]);
}

/* A blob's bytes, into a new file. */
static int write_blob(const char *path, const char *oid, const struct repo *repo,
		      const struct strvec *env, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, repo, env);
	strvec_pushl(&git.argv, "cat-file", "blob", oid, NULL);
	if (git_run(&git, "read a .gitignore of the snapshot", err) < 0)
		return -1;
	return file_write(path, git.out.buf, git.out.len, 0600, FILE_SYNC_CONTENT, err);
}

/* git follows no symlink for one of these. */
static int copy_file(const char *to, const char *from, struct error *err)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct stat st;

	if (lstat(from, &st) < 0 || !S_ISREG(st.st_mode) || file_read(&text, from, err) < 0)
		return error_is_set(err) ? -1 : 0;
	return file_write(to, text.buf, text.len, 0600, FILE_SYNC_CONTENT, err);
}

static int place(const char *below, const char *name, const struct tree_changes *changes,
		 const struct repo *repo, const struct strvec *env, struct error *err)
{
	char *rules CLEANUP(free_p) = xstrfmt("%s.gitignore", name);
	char *to CLEANUP(free_p) = xstrfmt("%s/%s", below, rules);
	const struct tree_change *change = changes ? tree_changes_find(changes, rules) : NULL;
	char *from CLEANUP(free_p) = xstrfmt("%s/%s", repo->worktree, rules);
	struct stat st;

	if (lstat(to, &st) == 0)
		return 0; /* a folder, by the paths that are asked for */
	if (!change)
		return copy_file(to, from, err);
	if (change->new_mode != 0100644 && change->new_mode != 0100755)
		return 0;
	return write_blob(to, change->new_oid, repo, env, err);
}

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

/* `git` has its first arguments. */
static int ask(struct strvec *ret, struct process *git, const struct strvec *paths,
	       const struct strvec *env, struct error *err)
{
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strvec own CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; i < paths->nr; i++) {
		/*
		 * A path that begins with a colon would be magic, and to one that ends in a
		 * slash git applies the rules for what is in that folder.
		 */
		strbuf_addf(&input, HERE "%.*s", (int)bare_length(paths->v[i]), paths->v[i]);
		strbuf_addch(&input, '\0');
	}
	for (size_t i = 0; i < env->nr; i++)
		strvec_push(&own, env->v[i]);
	strvec_push(&own, "GIT_LITERAL_PATHSPECS=0"); /* check-ignore refuses to hear of it */
	strvec_pushl(&git->argv, "-z", "--stdin", NULL);
	git->env = &own;
	git->input = input.buf;
	git->input_len = input.len;
	if (process_run(git, err) < 0)
		return -1;
	if (git->status > 1) {
		char *reason CLEANUP(free_p) = process_reason(git);

		return error_set(err, "could not look at the ignore rules: %s", reason);
	}
	add_found(ret, paths, &git->out);
	return 0;
}

int ignore_find(struct strvec *ret, const struct strvec *paths, const struct tree_changes *changes,
		const struct repo *repo, const struct strvec *env, const char *folder,
		struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec folders CLEANUP(strvec_release) = STRVEC_INIT;

	if (!paths->nr)
		return 0;
	add_folders(&folders, paths);
	for (size_t i = 0; i < folders.nr; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", folder, folders.v[i]);

		if (file_make_folders(path, 0700, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < folders.nr; i++)
		if (place(folder, folders.v[i], changes, repo, env, err) < 0)
			return -1;
	strvec_push(&git.argv, "git");
	strvec_pushf(&git.argv, "--git-dir=%s", repo->git_dir);
	strvec_pushf(&git.argv, "--work-tree=%s", folder);
	strvec_pushl(&git.argv, "check-ignore", "--no-index", NULL);
	git.dir = folder;
	return ask(ret, &git, paths, env, err);
}

int ignore_find_now(struct strvec *ret, const struct strvec *paths, const struct repo *repo,
		    const struct strvec *env, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	if (!paths->nr)
		return 0;
	git_prepare(&git, repo, env);
	strvec_push(&git.argv, "check-ignore");
	return ask(ret, &git, paths, env, err);
}
