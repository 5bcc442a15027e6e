/* SPDX-License-Identifier: MIT */
#include "vcs/snapshot.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sort.h"
#include "vcs/attributes.h"
#include "vcs/git.h"
#include "vcs/mode.h"
#include "vcs/path.h"

/* A file to be stored, or that was. */
struct item {
	const char *path;		    /* the state's, or the request's */
	const struct worktree_entry *entry; /* NULL: not tracked */
	unsigned mode;			    /* 0: not there (any more), or left out */
	unsigned mark;			    /* of the blob; 0: `oid` names it */
	char *oid;
	struct stat stat;
	bool left_out;
	bool raw;      /* its bytes are kept, too */
	char *refusal; /* why git does not store it as its attributes say; or NULL */
};

struct paths {
	struct import_path *item;
	size_t nr, alloc;
	struct strvec names; /* that belong to nobody else */
};
#define PATHS_INIT                   \
	{                            \
		.names = STRVEC_INIT \
	}

static void paths_release(struct paths *paths)
{
	free(paths->item);
	strvec_release(&paths->names);
}

static void add_path(struct paths *to, const char *path, unsigned mode, unsigned mark,
		     const char *oid)
{
	ARRAY_GROW(to->item, to->nr + 1, to->alloc);
	to->item[to->nr++] =
		(struct import_path){ .path = path, .mode = mode, .mark = mark, .oid = oid };
}

/* What a capture has in its hands. */
struct capture {
	struct snapshot_capture *ret;
	struct worktree_state *state;
	struct import *import;
	const struct repo *repo;
	const struct snapshot_request *request;
	struct item *item; /* sorted by path */
	size_t nr, alloc;
	struct strvec absent;
	struct strvec named; /* commits that git's state files name */
	json_t *left_out;
	int top;    /* the worktree */
	char *base; /* of W and I: a commit, or ":<mark>" of an empty one */
	unsigned mark_index, mark_untracked, mark_payload, mark_worktree;
	struct error *err;
};

static void capture_release(struct capture *c)
{
	for (size_t i = 0; i < c->nr; i++) {
		free(c->item[i].oid);
		free(c->item[i].refusal);
	}
	free(c->item);
	strvec_release(&c->absent);
	strvec_release(&c->named);
	json_decref(c->left_out);
	free(c->base);
	if (c->top >= 0)
		close(c->top);
}

void snapshot_capture_release(struct snapshot_capture *capture)
{
	worktree_state_release(&capture->state);
	import_release(&capture->import);
	json_decref(capture->manifest);
	free(capture->commit);
	free(capture->index_tree);
	free(capture->worktree_tree);
	free(capture->untracked_tree);
	for (size_t i = 0; i < capture->nr; i++) {
		free(capture->file[i].path);
		free(capture->file[i].oid);
	}
	free(capture->file);
	*capture = (struct snapshot_capture)SNAPSHOT_CAPTURE_INIT;
}

/* ---- Which files ----------------------------------------------------------------------------- */

static void add_item(struct capture *c, const char *path, const struct worktree_entry *entry)
{
	ARRAY_GROW(c->item, c->nr + 1, c->alloc);
	c->item[c->nr++] = (struct item){ .path = path, .entry = entry };
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Does the worktree have something at a tracked path that the index has not? */
static bool must_be_stored(const struct worktree_entry *entry)
{
	if (!entry->changed || !entry->worktree_mode)
		return false;
	return entry->worktree_mode != MODE_SUBMODULE || entry->index_mode != MODE_SUBMODULE ||
	       entry->submodule_commit;
}

/* The entry of a path that the index has; it may be gone from there, and so belong to U. */
static const struct worktree_entry *find_tracked(const struct capture *c, const char *path)
{
	const struct worktree_entry *entry = worktree_find(c->state, path);

	return entry && (entry->index_mode || entry->changed) ? entry : NULL;
}

/* Paths that the caller wants whatever they are: ignored ones are not in the state. */
static void add_also(struct capture *c)
{
	const struct strvec *also = c->request->also;
	struct beneath top CLEANUP(beneath_release) = BENEATH_INIT(c->top);
	struct stat st;

	for (size_t i = 0; also && i < also->nr; i++) {
		const char *path = also->v[i];

		if (beneath_stat(&top, &st, path) < 0)
			strvec_push(&c->absent, path);
		else if (!S_ISDIR(st.st_mode))
			add_item(c, path, find_tracked(c, path));
	}
}

static void collect(struct capture *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->state->nr; i++)
		if (must_be_stored(&c->state->entry[i]))
			add_item(c, c->state->entry[i].path, &c->state->entry[i]);
	for (size_t i = 0; i < c->state->untracked.nr; i++)
		add_item(c, c->state->untracked.v[i], NULL);
	for (size_t i = 0; i < c->state->ignored.nr; i++)
		add_item(c, c->state->ignored.v[i], NULL);
	add_also(c);
	sort(c->item, c->nr, sizeof(*c->item), compare_items);
	for (size_t i = 0; i < c->nr; i++)
		if (!kept || strcmp(c->item[kept - 1].path, c->item[i].path) != 0)
			c->item[kept++] = c->item[i];
	c->nr = kept;
}

/* ---- Storing them ---------------------------------------------------------------------------- */

static void add_reason(json_t *array, const char *path, const char *reason)
{
	json_array_append_new(array, json_pack("{s:o, s:o}", "path", path_to_json(path), "reason",
					       json_text(reason)));
}

static void add_left_out(struct capture *c, const char *path, const char *reason)
{
	add_reason(c->left_out, path, reason);
}

/* An error that is set, about one path: it is the end, or the path is left out. */
static int leave_out(struct capture *c, const char *path, struct item *item)
{
	if (!c->request->may_leave_out)
		return -1;
	add_left_out(c, path, c->err->message);
	error_clear(c->err);
	if (item)
		item->left_out = true;
	return 0;
}

static int check_folders(struct capture *c)
{
	for (size_t i = 0; i < c->state->unreadable.nr; i++) {
		const char *path = c->state->unreadable.v[i];

		error_set(c->err, "cannot read '%s': %s", path, strerror(EACCES));
		if (leave_out(c, path, NULL) < 0)
			return -1;
	}
	return 0;
}

/* Such a checkpoint could be neither restored nor pushed. */
static void leave_out_names(struct capture *c)
{
	for (size_t i = 0; i < c->nr; i++)
		if (!c->item[i].entry && path_fault(c->item[i].path)) {
			c->item[i].left_out = true;
			add_left_out(c, c->item[i].path, "git takes no file of this name");
		}
}

/*
 * What stands there, as a FIFO, is not touched, and the file that git has there is not taken
 * for deleted.
 */
static bool leave_out_device(struct capture *c, struct item *item, const struct stat *st)
{
	if (!st->st_mode || S_ISREG(st->st_mode) || S_ISLNK(st->st_mode) || S_ISDIR(st->st_mode))
		return false;
	item->left_out = true;
	add_left_out(c, item->path, "it is neither file nor folder");
	return true;
}

/* The same where git status has seen it. */
static void leave_out_devices(struct capture *c)
{
	for (size_t i = 0; i < c->state->nr; i++)
		if (c->state->entry[i].device)
			add_left_out(c, c->state->entry[i].path, "it is neither file nor folder");
}

/* git would end at the first file that it may not read. */
static int check_files(struct capture *c)
{
	struct beneath top CLEANUP(beneath_release) = BENEATH_INIT(c->top);

	for (size_t i = 0; i < c->nr; i++) {
		const char *path = c->item[i].path, *name;
		int folder = beneath_find_folder(&top, &name, path);
		struct stat st;

		if (folder < 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    leave_out_device(c, &c->item[i], &st) || !S_ISREG(st.st_mode) ||
		    !faccessat(folder, name, R_OK, AT_EACCESS))
			continue;
		error_errno(c->err, "cannot read '%s'", path);
		if (leave_out(c, path, &c->item[i]) < 0)
			return -1;
	}
	return 0;
}

/* Untracked files that the request names were not among those that status has looked at. */
static bool may_have_attributes(const struct capture *c, const struct item *item,
				const char **known)
{
	if (c->state->attributes || item->entry)
		return c->state->attributes;
	if (attributes_above(c->top, item->path, *known))
		return true;
	*known = item->path;
	return false;
}

static bool is_submodule(const struct item *item)
{
	return item->entry && item->entry->worktree_mode == MODE_SUBMODULE;
}

/* Those that have to go through git: for their attributes, or as they are submodules. */
static int convert(struct capture *c)
{
	const char *known = NULL;
	struct attributes_file *file CLEANUP(free_p) = xcalloc(c->nr + 1, sizeof(*file));
	size_t nr = 0, at = 0;
	int ret;

	if (c->state->attributes && check_files(c) < 0)
		return -1;
	for (size_t i = 0; i < c->nr; i++) {
		const struct item *item = &c->item[i];

		if (!item->left_out && (is_submodule(item) || may_have_attributes(c, item, &known)))
			file[nr++] = (struct attributes_file){ .path = item->path,
							       .entry = item->entry,
							       .convert = is_submodule(item) };
	}
	ret = attributes_convert(file, nr, c->repo, c->state, c->import->quarantine, c->err);
	for (size_t i = 0; i < nr; i++) {
		while (c->item[at].path != file[i].path)
			at++;
		c->item[at].mode = file[i].mode;
		c->item[at].oid = file[i].oid;
		c->item[at].stat = file[i].stat;
		c->ret->converted |= file[i].oid != NULL;
		c->item[at].raw = file[i].raw;
		c->item[at].refusal = file[i].refusal;
		if (file[i].refusal &&
		    is_submodule(&c->item[at])) { /* nothing else has its commit */
			c->item[at].left_out = true;
			add_left_out(c, file[i].path, file[i].refusal);
		}
		if (!file[i].entry &&
		    file[i].mode) /* git adds none as executable without core.fileMode */
			c->item[at].mode = worktree_mode(c->state, &file[i].stat, 0);
	}
	return ret;
}

/* Where symlinks are not used, a file may stand for one; status has seen that. */
static unsigned mode_of(const struct capture *c, const struct item *item)
{
	unsigned before = item->entry ? item->entry->index_mode : 0;

	if (item->entry && item->entry->worktree_mode == MODE_LINK && before == MODE_LINK)
		return before;
	return worktree_mode(c->state, &item->stat, before);
}

static int store_item(struct capture *c, struct item *item)
{
	int result;

	item->mark = import_mark(c->import);
	result = import_file(c->import, item->mark, c->top, item->path, &item->stat, c->err);
	if (result == IMPORT_FILE_CHANGED)
		result = error_set(c->err, "could not read '%s': it keeps changing", item->path);
	if (result < 0)
		return c->import->broken ? -1 : leave_out(c, item->path, item);
	if (result == IMPORT_FILE_GONE && leave_out_device(c, item, &item->stat))
		return 0;
	item->mode = result == IMPORT_FILE_DONE ? mode_of(c, item) : 0;
	return 0;
}

static int store(struct capture *c)
{
	leave_out_names(c);
	leave_out_devices(c);
	if (check_folders(c) < 0 || convert(c) < 0)
		return -1;
	for (size_t i = 0; i < c->nr; i++)
		if (!c->item[i].oid && !c->item[i].left_out && store_item(c, &c->item[i]) < 0)
			return -1;
	return 0;
}

/* What was read, in the order of the items. */
static void list_files(struct capture *c)
{
	struct snapshot_capture *ret = c->ret;

	for (size_t i = 0; i < c->nr; i++) {
		const struct item *item = &c->item[i];

		if (!item->mode)
			continue;
		ARRAY_GROW(ret->file, ret->nr + 1, ret->alloc);
		ret->file[ret->nr++] = (struct snapshot_file){ .path = xstrdup(item->path),
							       .mode = item->mode,
							       .oid = xstrdup_or_null(item->oid),
							       .stat = item->stat,
							       .untracked = !item->entry };
	}
}

/* ---- Commits --------------------------------------------------------------------------------- */

static int make_commit(struct capture *c, unsigned mark, const char *message, const char *base,
		       const char *const *parent, size_t parents, const struct paths *paths)
{
	const struct import_commit commit = { .identity = c->request->identity,
					      .time = c->request->time,
					      .message = message,
					      .base = base,
					      .parent = parent,
					      .parents = parents,
					      .path = paths->item,
					      .paths = paths->nr };

	return import_commit(c->import, mark, &commit, c->err);
}

static int set_base(struct capture *c)
{
	const struct paths none = PATHS_INIT;
	unsigned mark;

	if (c->state->head) {
		c->base = xstrdup(c->state->head);
		return 0;
	}
	mark = import_mark(c->import);
	c->base = xstrfmt(":%u", mark);
	return make_commit(c, mark, "no commit yet", NULL, NULL, 0, &none);
}

/*
 * A path of HEAD's that is not to be in the tree. An unmerged path may be a folder of HEAD's
 * at the same time, and git would take all of that away.
 */
static int add_removal(struct capture *c, struct paths *paths, const char *path)
{
	char *below CLEANUP(free_p) = xstrfmt("%s/", path);
	bool folder = false;

	if (index_has_folder(&c->state->index, below) &&
	    import_has_folder(c->import, &folder, c->base, path, c->err) < 0)
		return -1;
	if (!folder)
		add_path(paths, path, 0, 0, NULL);
	return 0;
}

/* A path with what it is to be; a mode of 0 takes it away. */
static int add_change(struct capture *c, struct paths *paths, const char *path, unsigned mode,
		      unsigned mark, const char *oid)
{
	if (!mode)
		return add_removal(c, paths, path);
	add_path(paths, path, mode, mark, oid);
	return 0;
}

static int commit_index(struct capture *c)
{
	struct paths paths CLEANUP(paths_release) = PATHS_INIT;
	const char *parent[] = { c->base };

	for (size_t i = 0; i < c->state->nr; i++) {
		const struct worktree_entry *entry = &c->state->entry[i];

		if (entry->staged &&
		    add_change(c, &paths, entry->path, entry->index_mode, 0, entry->index_oid) < 0)
			return -1;
	}
	c->mark_index = import_mark(c->import);
	return make_commit(c, c->mark_index, "index", c->base, parent, 1, &paths);
}

static int commit_untracked(struct capture *c)
{
	struct paths paths CLEANUP(paths_release) = PATHS_INIT;

	for (size_t i = 0; i < c->nr; i++)
		if (!c->item[i].entry && c->item[i].mode)
			add_path(&paths, c->item[i].path, c->item[i].mode, c->item[i].mark,
				 c->item[i].oid);
	c->mark_untracked = import_mark(c->import);
	return make_commit(c, c->mark_untracked, "untracked files", NULL, NULL, 0, &paths);
}

static int commit_worktree(struct capture *c, const char *message)
{
	struct paths paths CLEANUP(paths_release) = PATHS_INIT;
	char *index CLEANUP(free_p) = xstrfmt(":%u", c->mark_index);
	char *untracked CLEANUP(free_p) = xstrfmt(":%u", c->mark_untracked);
	char *payload CLEANUP(free_p) = xstrfmt(":%u", c->mark_payload);
	const char *parent[] = { c->base, index, untracked, payload };
	size_t at = 0;
	int ret;

	for (size_t i = 0; i < c->state->nr; i++) {
		const struct worktree_entry *entry = &c->state->entry[i];

		while (at < c->nr && strcmp(c->item[at].path, entry->path) < 0)
			at++;
		const struct item *item =
			at < c->nr && c->item[at].entry == entry ? &c->item[at] : NULL;
		if (item && !item->left_out)
			ret = add_change(c, &paths, entry->path, item->mode, item->mark, item->oid);
		else if (entry->changed && !entry->worktree_mode && !entry->device)
			ret = add_removal(c, &paths, entry->path);
		else /* as the index has it, which may be HEAD's too */
			ret = add_change(c, &paths, entry->path, entry->index_mode, 0,
					 entry->index_oid);
		if (ret < 0)
			return -1;
	}
	c->mark_worktree = import_mark(c->import);
	return make_commit(c, c->mark_worktree, message, c->base, parent, ARRAY_SIZE(parent),
			   &paths);
}

/* ---- The payload ----------------------------------------------------------------------------- */

/* A file of M, and its digest in the manifest. */
static int add_part(struct capture *c, struct paths *paths, json_t *digests, const char *path,
		    const void *data, size_t len)
{
	unsigned mark = import_mark(c->import);

	if (digests) {
		json_t *key CLEANUP(json_decref_p) = path_to_json(path);
		char digest[DIGEST_HEX];

		digest_hex(digest, data, len);
		json_object_set_new(digests, json_string_value(key), json_string(digest));
	}
	strvec_push(&paths->names, path);
	add_path(paths, paths->names.v[paths->names.nr - 1], 0100644, mark, NULL);
	return import_blob(c->import, mark, data, len, c->err);
}

/* As `git status --short --untracked-files=all` prints it. */
static void show_status(struct strbuf *out, const struct worktree_state *state)
{
	for (size_t i = 0; i < state->nr; i++) {
		const struct worktree_entry *entry = &state->entry[i];
		char x = entry->code[0], y = entry->code[1];

		if (x == '.' && y == '.')
			continue; /* a flag hides it */
		if (entry->submodule && y == 'M' && !entry->submodule_commit)
			y = entry->submodule_dirty ? 'm' : '?';
		strbuf_addf(out, "%c%c ", x == '.' ? ' ' : x, y == '.' ? ' ' : y);
		path_show(out, entry->path);
		strbuf_addch(out, '\n');
	}
	for (size_t i = 0, k = 0; i < state->untracked.nr || k < state->nested.nr;) {
		bool nested = i == state->untracked.nr ||
			      (k < state->nested.nr &&
			       strcmp(state->nested.v[k], state->untracked.v[i]) < 0);

		strbuf_addstr(out, "?? ");
		path_show(out, nested ? state->nested.v[k++] : state->untracked.v[i++]);
		strbuf_addch(out, '\n');
	}
}

/* "<id>" on each line: commits that nothing else may reach. One that is not there cannot be kept. */
static int add_named(struct capture *c, const struct strbuf *text)
{
	for (const char *line = text->buf; *line;) {
		size_t len = strcspn(line, "\n");
		char *id CLEANUP(free_p) = xmemdupz(line, len), *oid CLEANUP(free_p) = NULL;
		bool known = false;
		int found = *id ? repo_commit(&oid, id, c->err) : COMMIT_MISSING;

		if (found < 0)
			return -1;
		for (size_t i = 0; i < c->named.nr && found == COMMIT_FOUND; i++)
			known |= !strcmp(c->named.v[i], oid);
		if (found == COMMIT_FOUND && !known)
			strvec_push(&c->named, oid);
		line += len + (line[len] == '\n');
	}
	return 0;
}

/* What git keeps of an operation in progress. */
static int add_state_files(struct capture *c, struct paths *paths, json_t *digests)
{
	for (size_t i = 0; i < SNAPSHOT_STATE_FILES; i++) {
		const struct snapshot_state_file *state = &snapshot_state_files[i];
		char *file CLEANUP(free_p) = xstrfmt("%s/%s", c->repo->git_dir, state->name);
		char *path CLEANUP(free_p) = xstrfmt("state/%s", state->name);
		struct strbuf data CLEANUP(strbuf_release) = STRBUF_INIT;
		int found = file_read(&data, file, c->err);

		if (found < 0 || (found == FILE_FOUND &&
				  add_part(c, paths, digests, path, data.buf, data.len) < 0))
			return -1;
		if (state->names_commits && add_named(c, &data) < 0)
			return -1;
	}
	return 0;
}

static int add_index(struct capture *c, struct paths *paths, json_t *digests)
{
	const struct index_file *index = &c->state->index;

	for (size_t i = 0; i < c->state->nr; i++) {
		const struct worktree_entry *entry = &c->state->entry[i];

		for (size_t n = 1; entry->unmerged && n <= 3; n++) {
			if (!entry->stage[n].oid)
				continue;
			strvec_pushf(&paths->names, "stages/%zu/%s", n, entry->path);
			add_path(paths, paths->names.v[paths->names.nr - 1], entry->stage[n].mode,
				 0, entry->stage[n].oid);
		}
	}
	if (!c->state->special_index)
		return 0;
	return add_part(c, paths, digests, "index", index->data, index->len);
}

/* Files that git would write otherwise, byte for byte. */
static int add_raw(struct capture *c, struct paths *paths)
{
	for (size_t i = 0; i < c->nr; i++) {
		struct item *item = &c->item[i];
		unsigned mark = item->mark;
		struct stat st;

		if (!item->raw || !item->mode || item->left_out)
			continue;
		if (!mark) { /* git has stored what it made of it */
			mark = import_mark(c->import);
			int result = import_file(c->import, mark, c->top, item->path, &st, c->err);

			if (result < 0)
				return -1;
			if (result != IMPORT_FILE_DONE || !file_is_same(&st, &item->stat))
				return error_set(c->err, "could not read '%s': it keeps changing",
						 item->path);
		}
		strvec_pushf(&paths->names, "raw/%s", item->path);
		add_path(paths, paths->names.v[paths->names.nr - 1], 0100644, mark, NULL);
	}
	return 0;
}

static json_t *describe_submodules(const struct capture *c)
{
	json_t *array = json_array();
	size_t at = 0;

	for (size_t i = 0; i < c->state->nr; i++) {
		const struct worktree_entry *entry = &c->state->entry[i];

		while (at < c->nr && strcmp(c->item[at].path, entry->path) < 0)
			at++;
		bool stored = at < c->nr && c->item[at].entry == entry;
		if (entry->worktree_mode == MODE_SUBMODULE)
			json_array_append_new(
				array,
				json_pack("{s:o, s:o, s:b}", "path", path_to_json(entry->path),
					  "commit",
					  json_text(stored ? c->item[at].oid : entry->index_oid),
					  "dirty",
					  entry->submodule_dirty || entry->submodule_untracked));
	}
	return array;
}

/* Those files of U that were asked for although they are ignored. */
static json_t *describe_ignored(const struct capture *c)
{
	json_t *array = json_array();
	size_t at = 0;

	for (size_t i = 0; i < c->nr; i++) {
		const struct item *item = &c->item[i];

		if (item->entry || !item->mode)
			continue;
		while (at < c->state->untracked.nr &&
		       strcmp(c->state->untracked.v[at], item->path) < 0)
			at++;
		if (at == c->state->untracked.nr ||
		    strcmp(c->state->untracked.v[at], item->path) != 0)
			json_array_append_new(array, path_to_json(item->path));
	}
	return array;
}

/* Those that are stored as they are on disk, since git refused them. */
static json_t *describe_unconverted(const struct capture *c)
{
	json_t *array = json_array();

	for (size_t i = 0; i < c->nr; i++)
		if (c->item[i].refusal && c->item[i].mode)
			add_reason(array, c->item[i].path, c->item[i].refusal);
	return array;
}

/* The permissions of untracked files, where git would not make them. */
static json_t *describe_modes(const struct capture *c)
{
	json_t *object = json_object();
	mode_t mask = umask(0);

	umask(mask);
	for (size_t i = 0; i < c->nr; i++) {
		const struct item *item = &c->item[i];
		unsigned mode = item->stat.st_mode & 0777;
		char text[8];

		if (item->entry || !S_ISREG(item->stat.st_mode) ||
		    mode == ((item->mode == 0100755 ? 0777 : 0666) & ~mask) ||
		    (item->mode != 0100644 && item->mode != 0100755))
			continue;
		json_t *key CLEANUP(json_decref_p) = path_to_json(item->path);
		snprintf(text, sizeof(text), "%o", mode);
		json_object_set_new(object, json_string_value(key), json_string(text));
	}
	return object;
}

/* Sets what is so; an empty list is not. Takes the value. */
static void set_list(json_t *manifest, const char *key, json_t *array)
{
	if (json_array_size(array))
		json_object_set_new(manifest, key, array);
	else
		json_decref(array);
}

static json_t *describe_head(const struct worktree_state *state)
{
	json_t *head = json_object();

	if (state->head)
		json_object_set_new(head, "commit", json_string(state->head));
	else
		json_object_set_new(head, "unborn", json_true());
	if (state->branch)
		json_object_set_new(head, "branch", json_text(state->branch));
	return head;
}

static json_t *make_manifest(struct capture *c)
{
	const struct worktree_state *state = c->state;
	json_t *manifest = json_pack("{s:i}", "format", 1);

	json_object_set_new(manifest, "created_at", json_time(c->request->time * 1000000));
	if (strcmp(c->repo->git_dir, c->repo->common_dir) != 0)
		json_object_set_new(manifest, "worktree",
				    json_text(strrchr(c->repo->git_dir, '/') + 1));
	json_object_set_new(manifest, "head", describe_head(state));
	json_object_set_new(manifest, "index",
			    json_pack("{s:s, s:b}", "tree", c->ret->index_tree, "file",
				      state->special_index));
	set_list(manifest, "in_progress", paths_to_json(&state->in_progress));
	set_list(manifest, "submodules", describe_submodules(c));
	set_list(manifest, "nested", paths_to_json(&state->nested));
	set_list(manifest, "empty_folders", paths_to_json(&state->empty_folders));
	set_list(manifest, "ignored", describe_ignored(c));
	set_list(manifest, "absent", paths_to_json(&c->absent));
	json_t *modes = describe_modes(c);
	if (json_object_size(modes))
		json_object_set(manifest, "modes", modes);
	json_decref(modes);
	set_list(manifest, "left_out", json_incref(c->left_out));
	set_list(manifest, "unconverted", describe_unconverted(c));
	if (c->request->worktree.no_untracked)
		json_object_set_new(manifest, "untracked", json_false());
	if (c->request->members)
		json_object_update(manifest, c->request->members);
	return manifest;
}

static int add_manifest(struct capture *c, struct paths *paths, json_t *digests)
{
	char *text CLEANUP(free_p) = NULL;

	json_object_set(c->ret->manifest, "parts", digests);
	text = json_format(c->ret->manifest);
	return add_part(c, paths, NULL, "manifest.json", text, strlen(text));
}

static int commit_payload(struct capture *c, struct strbuf *message)
{
	const struct snapshot_request *request = c->request;
	struct paths paths CLEANUP(paths_release) = PATHS_INIT;
	json_t *digests CLEANUP(json_decref_p) = json_object();
	struct strbuf status CLEANUP(strbuf_release) = STRBUF_INIT;

	c->ret->manifest = make_manifest(c);
	if (request->describe &&
	    request->describe(message, c->ret->manifest, c->ret, request->data, c->err) < 0)
		return -1;
	show_status(&status, c->state);
	if (add_part(c, &paths, digests, "status", status.buf, status.len) < 0 ||
	    add_state_files(c, &paths, digests) < 0 || add_index(c, &paths, digests) < 0 ||
	    add_raw(c, &paths) < 0)
		return -1;
	for (size_t i = 0; request->parts && i < request->parts->nr; i++) {
		const struct snapshot_part *part = &request->parts->item[i];

		if (add_part(c, &paths, digests, part->path, part->data.buf, part->data.len) < 0)
			return -1;
	}
	if (add_manifest(c, &paths, digests) < 0)
		return -1;
	c->mark_payload = import_mark(c->import);
	return make_commit(c, c->mark_payload, "payload", NULL, (const char *const *)c->named.v,
			   c->named.nr, &paths);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static int finish(struct capture *c)
{
	struct snapshot_capture *ret = c->ret;
	size_t at = 0;

	if (import_tree(c->import, &ret->untracked_tree, c->mark_untracked, c->err) < 0 ||
	    import_tree(c->import, &ret->worktree_tree, c->mark_worktree, c->err) < 0 ||
	    import_finish(c->import, c->err) < 0)
		return -1;
	ret->commit = xstrdup(import_oid(c->import, c->mark_worktree));
	for (size_t i = 0; i < c->nr; i++) {
		if (!c->item[i].mode)
			continue;
		if (!ret->file[at].oid)
			ret->file[at].oid = xstrdup(import_oid(c->import, c->item[i].mark));
		at++;
	}
	return 0;
}

static int capture(struct capture *c)
{
	struct strbuf message CLEANUP(strbuf_release) = STRBUF_INIT;

	/* git starts its work on the objects while status is read. */
	if (import_start(c->import, c->repo, c->request->quarantine, c->err) < 0 ||
	    worktree_read(c->state, c->repo, &c->request->worktree, c->err) < 0)
		return -1;
	c->top = open(c->repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->top < 0)
		return error_errno(c->err, "cannot open '%s'", c->repo->worktree);
	collect(c);
	if (c->request->inspect && c->request->inspect(c->state, c->request->data, c->err) < 0)
		return -1;
	if (store(c) < 0)
		return -1;
	list_files(c);
	if (set_base(c) < 0 || commit_index(c) < 0 ||
	    import_tree(c->import, &c->ret->index_tree, c->mark_index, c->err) < 0 ||
	    commit_untracked(c) < 0)
		return -1;
	if (c->request->subject)
		strbuf_addstr(&message, c->request->subject);
	if (commit_payload(c, &message) < 0 || commit_worktree(c, message.buf) < 0)
		return -1;
	return finish(c);
}

int snapshot_check(const struct snapshot_capture *capture, const struct repo *repo,
		   struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	bool lost;

	if (import_may_have_lost(&lost, &capture->import, err) < 0)
		return -1;
	if (!lost && !capture->converted)
		return SNAPSHOT_WHOLE;
	git_prepare(&git, repo, NULL);
	strvec_pushl(&git.argv, "rev-list", "--objects", "--quiet", "--missing=allow-promisor",
		     capture->commit, NULL);
	if (capture->state.head)
		strvec_pushf(&git.argv, "^%s", capture->state.head);
	if (process_run(&git, err) < 0)
		return -1;
	return git.status ? SNAPSHOT_BROKEN : SNAPSHOT_WHOLE;
}

int snapshot_capture(struct snapshot_capture *ret, const struct repo *repo,
		     const struct snapshot_request *request, struct error *err)
{
	struct capture c CLEANUP(capture_release) = { .ret = ret,
						      .state = &ret->state,
						      .import = &ret->import,
						      .repo = repo,
						      .request = request,
						      .absent = STRVEC_INIT,
						      .named = STRVEC_INIT,
						      .left_out = json_array(),
						      .top = -1,
						      .err = err };

	if (capture(&c) == 0)
		return 0;
	if (ret->import.quarantine)
		import_discard(&ret->import);
	snapshot_capture_release(ret);
	return -1;
}
