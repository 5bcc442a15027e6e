/* SPDX-License-Identifier: MIT */
#include "vcs/folders.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "vcs/git.h"

struct walk {
	const struct repo *repo;
	const struct index_file *index;
	struct strvec *empty, *unreadable;
	int top;     /* the worktree */
	size_t next; /* the first folder of the index that was not visited */
	bool sparse; /* a tracked folder may have no file */
	struct process ignore;
	struct strvec env;
	struct error *err;
};

/* ---- What is ignored ------------------------------------------------------------------------- */

/*
 * One `git check-ignore` that answers as it is asked. Nothing that is asked for is tracked,
 * so it need not read the index.
 */
static int ignore_start(struct walk *w)
{
	repo_environment(&w->env, w->repo);
	strvec_push(&w->env, "GIT_FLUSH=1");
	repo_plain_pathspecs(&w->env); /* check-ignore refuses to hear of others */
	git_prepare(&w->ignore, w->repo, &w->env);
	strvec_pushl(&w->ignore.argv, "check-ignore", "-z", "--stdin", "--verbose",
		     "--non-matching", "--no-index", NULL);
	w->ignore.input = "";
	return process_start(&w->ignore, w->err);
}

/* Reads `nr` strings with their NULs. */
static int read_strings(struct walk *w, struct strbuf *ret, size_t nr)
{
	while (nr) {
		char c;
		ssize_t n = read(w->ignore.out_fd, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set(w->err, "cannot ask git what is ignored");
		strbuf_addch(ret, c);
		nr -= !c;
	}
	return 0;
}

/* Answers are: source, line, pattern, path; the first three empty where no pattern fits. */
static int is_ignored(struct walk *w, const char *folder)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *line, *pattern;

	if (w->ignore.pid <= 0 && ignore_start(w) < 0)
		return -1;
	/*
	 * No path begins with the colon of a pathspec. Without the slash: with it, a rule for
	 * what is in the folder would be taken for one of its own.
	 */
	strbuf_addf(&text, "./%.*s", (int)strlen(folder) - 1, folder);
	if (process_write(&w->ignore, text.buf, text.len + 1, w->err) < 0)
		return -1;
	strbuf_reset(&text);
	if (read_strings(w, &text, 4) < 0)
		return -1;
	line = text.buf + strlen(text.buf) + 1;
	pattern = line + strlen(line) + 1;
	return *text.buf && *pattern != '!';
}

/* ---- Folders that git does not know ---------------------------------------------------------- */

struct content {
	struct strvec folders; /* names */
	bool empty, repository;
};
#define CONTENT_INIT                                  \
	{                                             \
		.folders = STRVEC_INIT, .empty = true \
	}

static bool is_folder(int fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return !fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

/* FILE_MISSING: there is no such folder (any more), or we may not read it: errno. */
static int content_read(struct content *ret, int top, const char *path)
{
	int fd = beneath_open_folder(top, path, strlen(path));
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return FILE_MISSING;
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		ret->empty = false;
		if (!strcmp(entry->d_name, ".git"))
			ret->repository = true;
		else if (is_folder(fd, entry))
			strvec_push(&ret->folders, entry->d_name);
	}
	closedir(dir);
	return FILE_FOUND;
}

static void add_folder(struct strvec *to, const char *path)
{
	strvec_push_nodup(to, xmemdupz(path, strlen(path) - 1));
}

/* `path` ends in a slash. */
static int visit_unknown(struct walk *w, const char *path)
{
	struct content content = CONTENT_INIT;
	int ret = 0;

	if (repo_owns(w->repo, path))
		return 0;
	if (content_read(&content, w->top, path) == FILE_MISSING) {
		if (errno == EACCES && !(ret = is_ignored(w, path)))
			add_folder(w->unreadable, path);
		return ret < 0 ? -1 : 0;
	}
	if (!content.repository && (content.empty || content.folders.nr)) {
		ret = is_ignored(w, path);
		if (!ret && content.empty)
			add_folder(w->empty, path);
		for (size_t i = 0; !ret && i < content.folders.nr; i++) {
			char *sub CLEANUP(free_p) = xstrfmt("%s%s/", path, content.folders.v[i]);

			ret = visit_unknown(w, sub);
		}
	}
	strvec_release(&content.folders);
	return ret < 0 ? -1 : 0;
}

/* ---- Folders that git knows ------------------------------------------------------------------ */

static bool is_below(const char *path, const char *folder)
{
	return !strncmp(path, folder, strlen(folder));
}

static int look_into(struct walk *w, const char *path)
{
	struct content content = CONTENT_INIT;
	int ret = 0;

	if (content_read(&content, w->top, path) == FILE_MISSING && errno == EACCES)
		add_folder(w->unreadable, *path ? path : "./");
	else if (content.empty && *path && w->sparse)
		add_folder(w->empty, path);
	for (size_t i = 0; !ret && i < content.folders.nr; i++) {
		char *sub CLEANUP(free_p) = xstrfmt("%s%s/", path, content.folders.v[i]);

		if (!index_has_folder(w->index, sub))
			ret = visit_unknown(w, sub);
	}
	strvec_release(&content.folders);
	return ret;
}

/*
 * Visits a folder of the index ("" is the top) and those below it. Returns whether it is
 * there, or -1.
 */
static int visit_known(struct walk *w, const char *path)
{
	const struct strvec *folders = &w->index->folders;
	nlink_t links = 2;
	struct stat st;
	/* With the slash at its end a symlink would be followed. */
	char *name CLEANUP(free_p) = *path ? xmemdupz(path, strlen(path) - 1) : xstrdup(".");
	bool there = !fstatat(w->top, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);

	if (there && *path && index_has_submodule(w->index, path))
		return true;
	while (w->next < folders->nr && is_below(folders->v[w->next], path)) {
		const char *below = folders->v[w->next++];
		int found = there ? visit_known(w, below) : 0;

		if (found < 0)
			return -1;
		links += (nlink_t)found;
	}
	if (!there)
		return false;
	/* Some file systems do not count, and say 1. */
	if ((st.st_nlink != links || w->sparse) && look_into(w, path) < 0)
		return -1;
	return true;
}

int folders_find(struct strvec *ret_empty, struct strvec *ret_unreadable, const struct repo *repo,
		 const struct index_file *index, struct error *err)
{
	struct walk w = { .repo = repo,
			  .index = index,
			  .empty = ret_empty,
			  .unreadable = ret_unreadable,
			  .ignore = PROCESS_INIT,
			  .env = STRVEC_INIT,
			  .err = err };
	int ret = 0;

	for (size_t i = 0; i < index->special.nr && !w.sparse; i++)
		w.sparse = index->special.item[i].skip_worktree;
	w.top = open(repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w.top < 0)
		return error_errno(err, "cannot open '%s'", repo->worktree);
	ret = visit_known(&w, "") < 0 ? -1 : 0;
	close(w.top);
	process_release(&w.ignore);
	strvec_release(&w.env);
	return ret;
}

void folders_find_left(struct strvec *ret_empty, int dirfd, const char *path)
{
	char *folder CLEANUP(free_p) = xstrdup(path);
	char *slash;

	while ((slash = strrchr(folder, '/'))) {
		struct content content = CONTENT_INIT;
		int found;

		*slash = '\0';
		found = content_read(&content, dirfd, folder);
		strvec_release(&content.folders);
		if (found == FILE_FOUND) {
			if (content.empty)
				strvec_push(ret_empty, folder);
			return;
		}
	}
}
