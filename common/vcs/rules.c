/* SPDX-License-Identifier: MIT */
#include "vcs/rules.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "vcs/git.h"
#include "vcs/mode.h"

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

/* Into a new file that nobody needs after a power cut. */
static int write_file(const char *path, const struct strbuf *text, struct error *err)
{
	FILE *out = fopen(path, "wxe");
	bool written = out && fwrite(text->buf, 1, text->len, out) == text->len;

	if (!out || fclose(out) != 0 || !written)
		return error_errno(err, "cannot write '%s'", path);
	return 0;
}

static int write_blob(const char *path, const char *oid, const struct repo *repo,
		      const struct strvec *env, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, repo, env);
	strvec_pushl(&git.argv, "cat-file", "blob", oid, NULL);
	if (git_run(&git, "read the rules of the snapshot", err) < 0)
		return -1;
	return write_file(path, &git.out, err);
}

/* git follows no symlink for one of these. */
static int copy_file(const char *to, const char *from, struct error *err)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct stat st;

	if (lstat(from, &st) < 0 || !S_ISREG(st.st_mode) || file_read(&text, from, err) < 0)
		return error_is_set(err) ? -1 : 0;
	return write_file(to, &text, err);
}

static int place(const char *below, const char *folder, const char *name,
		 const struct tree_changes *changes, const struct repo *repo,
		 const struct strvec *env, struct error *err)
{
	char *rules CLEANUP(free_p) = xstrfmt("%s%s", folder, name);
	char *to CLEANUP(free_p) = xstrfmt("%s/%s", below, rules);
	const struct tree_change *change = changes ? tree_changes_find(changes, rules) : NULL;
	char *from CLEANUP(free_p) = xstrfmt("%s/%s", repo->worktree, rules);

	if (!change)
		return copy_file(to, from, err);
	if (!mode_is_regular(change->new_mode))
		return 0;
	return write_blob(to, change->new_oid, repo, env, err);
}

int rules_make(const char *folder, const struct strvec *paths, const char *name,
	       const struct tree_changes *changes, const struct repo *repo,
	       const struct strvec *env, struct error *err)
{
	struct strvec folders CLEANUP(strvec_release) = STRVEC_INIT;

	add_folders(&folders, paths);
	if (file_remove_folders(folder, err) < 0 || file_make_folders(folder, 0700, err) < 0)
		return -1;
	/* From the top: where the rules are a file, no path below can be. */
	for (size_t i = 0; i < folders.nr; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", folder, folders.v[i]);

		if (*folders.v[i] && mkdir(path, 0700) < 0) {
			if (errno == EEXIST || errno == ENOTDIR)
				continue;
			return error_errno(err, "cannot create folder '%s'", path);
		}
		if (place(folder, folders.v[i], name, changes, repo, env, err) < 0)
			return -1;
	}
	return 0;
}
