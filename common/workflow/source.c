/* SPDX-License-Identifier: MIT */
#include "workflow/source.h"

#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/mode.h"
#include "vcs/object.h"
#include "workflow/document.h"

void document_source_release(struct document_source *source)
{
	if (source->release)
		source->release(source);
	*source = (struct document_source)DOCUMENT_SOURCE_INIT;
}

/* An index by that name is found in any documentation: only that of a layout is one of ours. */
static const char *const names[] = { "tracks.md",
				     "plan.md",
				     "metadata.json",
				     "prd.json",
				     "conductor/index.md",
				     ".conductor/index.md",
				     "storage-conductor/index.md" };

bool source_is_document(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		if (len >= n && !strcasecmp(path + len - n, names[i]) &&
		    (len == n || path[len - n - 1] == '/'))
			return true;
	}
	return false;
}

/* ---- The worktree -------------------------------------------------------------------- */

/* Appends the documents below the folders (NULL at the end) that git lists with these options. */
static int list_files(const struct repo *repo, struct strvec *ret, const char *const *options,
		      const char *const *folders, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	repo_environment(&env, repo);
	repo_plain_pathspecs(&env);
	git_prepare(&git, repo, &env);
	strvec_pushl(&git.argv, "ls-files", "-z", "--others", NULL);
	for (; *options; options++)
		strvec_push(&git.argv, *options);
	strvec_push(&git.argv, "--");
	for (; *folders; folders++) {
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			strvec_pushf(&git.argv, ":(glob,icase)%s**/%s", *folders, names[i]);
		if (**folders)
			strvec_pushf(&git.argv, ":(glob,icase)%sindex.md", *folders);
	}
	if (git_run(&git, "list the plan documents", err) < 0)
		return -1;
	for (size_t at = 0; at < git.out.len; at += strlen(git.out.buf + at) + 1) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", repo->worktree, git.out.buf + at);
		struct stat st;

		if (!lstat(path, &st)) /* one that is deleted is still tracked */
			strvec_push(ret, git.out.buf + at);
	}
	return 0;
}

static int worktree_list(struct document_source *source, struct strvec *ret, struct error *err)
{
	static const char *const tracked[] = { "--cached", "--exclude-standard", NULL };
	static const char *const ignored[] = { "--ignored", "--exclude-standard", NULL };
	static const char *const all[] = { "", NULL };
	static const char *const usual[] = { "conductor/", ".conductor/", "storage-conductor/",
					     NULL };

	if (list_files(source->data, ret, tracked, all, err) < 0)
		return -1;
	return list_files(source->data, ret, ignored, usual, err);
}

static int worktree_read(struct document_source *source, const char *path, struct strbuf *ret,
			 struct error *err)
{
	const struct repo *repo = source->data;
	int top CLEANUP(fd_close_p) = open(repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd CLEANUP(fd_close_p) = -1;
	struct stat st;
	int found;

	if (top < 0)
		return error_errno(err, "cannot open '%s'", repo->worktree);
	if (repo_path_fault(repo, path))
		return error_set(err, "%s", repo_path_fault(repo, path));
	found = beneath_open(&fd, &st, top, path, err);
	if (found < 0)
		return -1;
	if (found == BENEATH_MISSING)
		return SOURCE_MISSING;
	if (found != BENEATH_FOUND)
		return error_set(err, found == BENEATH_LINK ?
					      "it is a symbolic link, or below one" :
					      "it is no regular file");
	if (file_read_up_to(ret, fd, path, DOCUMENT_MAX, err) == FILE_TOO_LARGE)
		return error_set(err, "it is larger than %zu MiB", DOCUMENT_MAX >> 20);
	return error_is_set(err) ? -1 : SOURCE_FOUND;
}

void source_worktree(struct document_source *ret, const struct repo *repo)
{
	union {
		const struct repo *borrowed;
		void *data;
	} pointer = { .borrowed = repo };

	*ret = (struct document_source){
		.list = worktree_list,
		.read = worktree_read,
		.data = pointer.data,
	};
}

/* ---- A commit ------------------------------------------------------------------------ */

/* All documents are read at once, by the first that is asked for. */
struct commit_source {
	char *treeish;
	struct tree_files files; /* the documents */
	struct objects objects;	 /* as many, once they are read */
	bool listed;
};

static void commit_release(struct document_source *source)
{
	struct commit_source *data = source->data;

	free(data->treeish);
	tree_files_release(&data->files);
	objects_release(&data->objects);
	free(data);
}

static int load_list(struct commit_source *data, struct error *err)
{
	struct tree_files all = TREE_FILES_INIT;

	if (data->listed)
		return 0;
	if (tree_list_all(&all, data->treeish, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < all.nr; i++) {
		if (!source_is_document(all.item[i].path))
			continue;
		ARRAY_GROW(data->files.item, data->files.nr + 1, data->files.alloc);
		data->files.item[data->files.nr++] = all.item[i];
		all.item[i] = (struct tree_file){ 0 };
	}
	tree_files_release(&all);
	data->listed = true;
	return 0;
}

static int commit_list(struct document_source *source, struct strvec *ret, struct error *err)
{
	struct commit_source *data = source->data;

	if (load_list(data, err) < 0)
		return -1;
	for (size_t i = 0; i < data->files.nr; i++)
		strvec_push(ret, data->files.item[i].path);
	return 0;
}

/* Hands an object's bytes over. */
static int give(struct strbuf *ret, const struct object *object, struct error *err)
{
	if (!object->type || strcmp(object->type, "blob") != 0)
		return SOURCE_MISSING;
	if (object->data.len > DOCUMENT_MAX)
		return error_set(err, "it is larger than %zu MiB", DOCUMENT_MAX >> 20);
	strbuf_add(ret, object->data.buf, object->data.len);
	return SOURCE_FOUND;
}

/* As in the worktree, links are not followed. */
static int give_file(struct strbuf *ret, const struct commit_source *data, size_t file,
		     struct error *err)
{
	unsigned mode = data->files.item[file].mode;

	if (mode == MODE_LINK)
		return error_set(err, "it is a symbolic link");
	if (!mode_is_regular(mode))
		return error_set(err, "it is no regular file");
	return give(ret, &data->objects.item[file], err);
}

static int read_one(const struct commit_source *data, const char *path, struct strbuf *ret,
		    struct error *err)
{
	struct objects one CLEANUP(objects_release) = OBJECTS_INIT;
	char *name CLEANUP(free_p) = xstrfmt("%s:%s", data->treeish, path);

	if (strchr(path, '\n'))
		return error_set(err, "it has a line end in its name");
	objects_add(&one, name);
	if (objects_read(&one, err) < 0)
		return -1;
	return give(ret, &one.item[0], err);
}

static int commit_read(struct document_source *source, const char *path, struct strbuf *ret,
		       struct error *err)
{
	struct commit_source *data = source->data;

	if (load_list(data, err) < 0)
		return -1;
	if (!data->objects.nr && data->files.nr) {
		for (size_t i = 0; i < data->files.nr; i++)
			objects_add(&data->objects, data->files.item[i].oid);
		if (objects_read(&data->objects, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < data->files.nr; i++)
		if (!strcmp(data->files.item[i].path, path))
			return give_file(ret, data, i, err);
	return read_one(data, path, ret, err);
}

void source_commit(struct document_source *ret, const char *treeish)
{
	struct commit_source *data = xcalloc(1, sizeof(*data));

	data->treeish = xstrdup(treeish);
	*ret = (struct document_source){
		.list = commit_list,
		.read = commit_read,
		.release = commit_release,
		.data = data,
	};
}
