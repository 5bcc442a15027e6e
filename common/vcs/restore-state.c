/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "vcs/object.h"
#include "vcs/restore-parts.h"

static void content_free(struct strbuf *content)
{
	if (content)
		strbuf_release(content);
	free(content);
}

void restore_state_release(struct restore *restore)
{
	for (size_t i = 0; i < restore->state_nr; i++) {
		content_free(restore->state[i].now);
		content_free(restore->state[i].then);
	}
	free(restore->state);
	restore->state = NULL;
	restore->state_nr = 0;
}

static struct strbuf *content_new(void)
{
	struct strbuf *ret = xmalloc(sizeof(*ret));

	*ret = (struct strbuf)STRBUF_INIT;
	return ret;
}

static char *path_of(const struct restore *restore, size_t i)
{
	return xstrfmt("%s/%s", restore->repo->git_dir, restore->state[i].name);
}

static int read_now(struct restore *restore, size_t i, struct error *err)
{
	char *path CLEANUP(free_p) = path_of(restore, i);
	struct strbuf *content = content_new();
	int found = file_read(content, path, err);

	if (found == FILE_FOUND)
		restore->state[i].now = content;
	else
		content_free(content);
	return found < 0 ? -1 : 0;
}

static struct strbuf *copy_of(const struct strbuf *from)
{
	struct strbuf *ret = content_new();

	strbuf_add(ret, from->buf, from->len);
	return ret;
}

/* The manifest knows all parts: most snapshots have none of these, and git need not be asked. */
static int read_then(struct restore *restore, struct error *err)
{
	const struct snapshot *target = restore->request->target;
	const json_t *parts = json_object_get(target->manifest, "parts");
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	size_t of[SNAPSHOT_STATE_FILES]; /* which of them each object is */

	for (size_t i = 0; i < restore->state_nr; i++) {
		char *part CLEANUP(free_p) = xstrfmt("state/%s", restore->state[i].name);
		char *name CLEANUP(free_p) = xstrfmt("%s:%s", target->payload_tree, part);

		if (json_object_get(parts, part))
			of[objects_add(&objects, name)] = i;
	}
	if (objects.nr && objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < objects.nr; i++) {
		struct restore_state_file *file = &restore->state[of[i]];

		if (!objects.item[i].oid)
			return error_set(err, "the snapshot's '%s' is missing", file->name);
		file->then = copy_of(&objects.item[i].data);
	}
	return 0;
}

/* A snapshot that has a sparse checkout's entries and no patterns says nothing of them. */
static void keep_patterns(struct restore *restore)
{
	const struct index_entries *special = &restore->index_flags.special;
	bool sparse = false;

	for (size_t i = 0; i < special->nr && !sparse; i++)
		sparse = special->item[i].skip_worktree;
	for (size_t i = 0; i < restore->state_nr && sparse; i++) {
		struct restore_state_file *file = &restore->state[i];

		if (snapshot_state_files[i].sparse && file->now && !file->then)
			file->then = copy_of(file->now);
	}
}

/* The commits that these files name have to be there: git takes them for damaged otherwise. */
static int check_named(const struct restore *restore, struct error *err)
{
	struct strvec missing CLEANUP(strvec_release) = STRVEC_INIT;

	if (snapshot_find_missing(&missing, restore->request->target, err) < 0)
		return -1;
	if (!missing.nr)
		return 0;
	error_set(err, "the commit '%s', which the snapshot was merging, is missing", missing.v[0]);
	error_hint(err, "Nothing was changed.");
	return error_code(err, EXIT_NO);
}

int restore_plan_state(struct restore *restore, struct error *err)
{
	restore->state = xcalloc(SNAPSHOT_STATE_FILES, sizeof(*restore->state));
	restore->state_nr = SNAPSHOT_STATE_FILES;
	for (size_t i = 0; i < restore->state_nr; i++) {
		restore->state[i].name = snapshot_state_files[i].name;
		if (read_now(restore, i, err) < 0)
			return -1;
	}
	if (read_then(restore, err) < 0)
		return -1;
	keep_patterns(restore);
	return check_named(restore, err);
}

static bool is_same(const struct strbuf *a, const struct strbuf *b)
{
	return !a ? !b : b && a->len == b->len && !memcmp(a->buf, b->buf, a->len);
}

bool restore_state_is_same(const struct restore *restore)
{
	for (size_t i = 0; i < restore->state_nr; i++)
		if (!is_same(restore->state[i].now, restore->state[i].then))
			return false;
	return true;
}

mode_t restore_file_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int put(const struct restore *restore, size_t i, const struct strbuf *content,
	       struct error *err)
{
	char *path CLEANUP(free_p) = path_of(restore, i);
	char *folder CLEANUP(free_p) = xmemdupz(path, (size_t)(strrchr(path, '/') - path));

	if (content && file_make_folders(folder, 0777, err) < 0)
		return -1;
	if (content)
		return file_write(path, content->buf, content->len, restore_file_mode(),
				  FILE_SYNC_NAME, err);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s'", path);
	return 0;
}

int restore_state(struct restore *restore, struct error *err)
{
	bool any = false;

	for (size_t i = 0; i < restore->state_nr; i++) {
		if (is_same(restore->state[i].now, restore->state[i].then))
			continue;
		restore->state_moved = i + 1;
		any = true;
		if (put(restore, i, restore->state[i].then, err) < 0)
			return -1;
	}
	return any ? file_sync_folder(restore->repo->git_dir, err) : 0;
}

int restore_state_back(struct restore *restore, struct error *err)
{
	for (; restore->state_moved; restore->state_moved--) {
		size_t i = restore->state_moved - 1;

		if (!is_same(restore->state[i].now, restore->state[i].then) &&
		    put(restore, i, restore->state[i].now, err) < 0)
			return -1;
	}
	return 0;
}
