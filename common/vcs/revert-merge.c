/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/sort.h"
#include "vcs/git.h"
#include "vcs/revert-parts.h"
#include "vcs/textmerge.h"

/* ---- Contents ------------------------------------------------------------------------ */

static size_t find_blob(const struct revert_blobs *blobs, const char *oid)
{
	size_t low = 0, high = blobs->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(blobs->item[middle].oid, oid) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct strbuf *revert_blob(const struct revert_series *series, const char *oid)
{
	const struct revert_blobs *blobs = &series->state->blobs;
	size_t i = find_blob(blobs, oid);

	return i < blobs->nr && !strcmp(blobs->item[i].oid, oid) ? &blobs->item[i].data : NULL;
}

const char *revert_add_blob(struct revert_series *series, const char *data, size_t len)
{
	struct revert_blobs *blobs = &series->state->blobs;
	struct digest digest;
	char oid[DIGEST_HEX];
	size_t i;

	object_digest_init(&digest, series->repo->object_format, "blob", len);
	digest_add(&digest, data, len);
	digest_end(oid, &digest);
	i = find_blob(blobs, oid);
	if (i < blobs->nr && !strcmp(blobs->item[i].oid, oid))
		return blobs->item[i].oid;
	ARRAY_GROW(blobs->item, blobs->nr + 1, blobs->alloc);
	memmove(blobs->item + i + 1, blobs->item + i, (blobs->nr - i) * sizeof(*blobs->item));
	blobs->item[i] = (struct revert_blob_item){ .oid = xstrdup(oid), .data = STRBUF_INIT };
	strbuf_add(&blobs->item[i].data, data, len);
	blobs->nr++;
	return blobs->item[i].oid;
}

int revert_read_blob(const struct revert_series *series, struct strbuf *ret, const char *oid,
		     struct error *err)
{
	const struct strbuf *made = revert_blob(series, oid);

	if (!made)
		return object_read(&series->state->reader, ret, oid, err);
	strbuf_add(ret, made->buf, made->len);
	return 0;
}

int revert_import(const struct revert_series *series, struct import *import, struct error *err)
{
	const struct revert_blobs *blobs = &series->state->blobs;

	for (size_t i = 0; i < blobs->nr; i++)
		if (import_blob(import, import_mark(import), blobs->item[i].data.buf,
				blobs->item[i].data.len, err) < 0)
			return -1;
	return 0;
}

struct import_path *revert_import_paths(size_t *ret_nr, const struct tree_changes *changes)
{
	struct import_path *ret = xcalloc(changes->nr, sizeof(*ret));

	for (size_t i = 0; i < changes->nr; i++)
		ret[i] = (struct import_path){ .path = changes->item[i].path,
					       .mode = changes->item[i].new_mode,
					       .oid = changes->item[i].new_oid };
	*ret_nr = changes->nr;
	return ret;
}

/* ---- Attributes ---------------------------------------------------------------------- */

/* As git finds it: a driver of one's own may have the name of one that is built in. */
static enum revert_driver driver_of(const char *value, const struct revert_settings *settings)
{
	if (!strcmp(value, "set"))
		return REVERT_BY_LINES;
	if (!strcmp(value, "unset"))
		return REVERT_AS_BINARY;
	if (!strcmp(value, "unspecified"))
		value = settings->driver ? settings->driver : "text";
	if (strvec_has(&settings->drivers, value))
		return REVERT_BY_OTHER;
	if (!strcmp(value, "binary"))
		return REVERT_AS_BINARY;
	return !strcmp(value, "union") ? REVERT_BY_UNION : REVERT_BY_LINES;
}

/* "<path>\0<attribute>\0<value>\0", two for each path, in the order that they were asked for. */
static void parse_attributes(struct revert_attributes *ret, const struct strbuf *out,
			     const struct revert_settings *settings)
{
	for (const char *at = out->buf; at < out->buf + out->len;) {
		const char *path = at, *name = path + strlen(path) + 1;
		const char *value = name + strlen(name) + 1;
		struct revert_attribute *last = ret->nr ? &ret->item[ret->nr - 1] : NULL;

		at = value + strlen(value) + 1;
		if (!last || strcmp(last->path, path) != 0) {
			ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
			last = &ret->item[ret->nr++];
			*last = (struct revert_attribute){ .path = xstrdup(path) };
		}
		if (!strcmp(name, "merge")) {
			last->driver = driver_of(value, settings);
		} else {
			unsigned long size = strtoul(value, NULL, 10); /* 0: no number */

			last->marker_size = size < 1000 ? (unsigned)size : 0;
		}
	}
}

static int by_path(const void *a, const void *b)
{
	const struct revert_attribute *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* `paths`: each with a NUL behind it. */
static int ask_attributes(struct revert_series *series, const struct strbuf *paths,
			  struct error *err)
{
	struct revert_attributes *all = &series->state->attributes;
	const struct revert_settings *settings;
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, series->repo, NULL);
	strvec_pushl(&git.argv, "check-attr", "-z", "--stdin", "merge", "conflict-marker-size",
		     NULL);
	if (series->repo->bare)
		strvec_push(&git.argv, "--cached");
	git.input = paths->buf;
	git.input_len = paths->len;
	if (revert_read_settings(&settings, series, err) < 0 ||
	    git_run(&git, "read the attributes", err) < 0)
		return -1;
	parse_attributes(all, &git.out, settings);
	sort(all->item, all->nr, sizeof(*all->item), by_path);
	return 0;
}

static int path_of(const void *key, const void *item)
{
	return strcmp(key, ((const struct revert_attribute *)item)->path);
}

/* At the first that is needed those of all paths that are touched; the rest as it turns out. */
static int find_attribute(struct revert_attribute *ret, struct revert_series *series,
			  const char *path, struct error *err)
{
	const struct revert_attributes *all = &series->state->attributes;
	const struct tree_changes *ours = &series->state->ours;
	const struct revert_attribute *found = NULL;
	struct strbuf paths CLEANUP(strbuf_release) = STRBUF_INIT;

	if (all->nr)
		found = bsearch(path, all->item, all->nr, sizeof(*all->item), path_of);
	for (size_t i = 0; !all->nr && i < ours->nr; i++)
		strbuf_add(&paths, ours->item[i].path, strlen(ours->item[i].path) + 1);
	if (!found && (all->nr || !tree_changes_find(ours, path)))
		strbuf_add(&paths, path, strlen(path) + 1);
	if (!found && ask_attributes(series, &paths, err) < 0)
		return -1;
	if (!found && all->nr)
		found = bsearch(path, all->item, all->nr, sizeof(*all->item), path_of);
	*ret = found ? *found : (struct revert_attribute){ 0 };
	return 0;
}

int revert_has_driver(bool *ret, struct revert_series *series, const char *path, struct error *err)
{
	struct revert_attribute attribute;

	if (find_attribute(&attribute, series, path, err) < 0)
		return -1;
	*ret = attribute.driver == REVERT_BY_OTHER;
	return 0;
}

/* ---- By lines ------------------------------------------------------------------------ */

enum { OURS, BASE, THEIRS, SIDES };

/* The three files, as git merge-file wants them. */
struct sides {
	struct strbuf data[SIDES];
	char *file[SIDES], *label[SIDES];
};
#define SIDES_INIT                                                 \
	{                                                          \
		.data = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT }, \
	}

static void sides_release(struct sides *sides)
{
	for (int i = 0; i < SIDES; i++) {
		strbuf_release(&sides->data[i]);
		free(sides->file[i]);
		free(sides->label[i]);
	}
}

/* As `git revert` has them; with their paths where they differ. */
static void make_labels(struct sides *sides, const struct revert_merge *merge)
{
	const struct revert_source *source = merge->source;
	bool renamed = strcmp(merge->path, merge->base_path) != 0 ||
		       strcmp(merge->path, merge->theirs_path) != 0;

	sides->label[OURS] = xstrfmt("HEAD%s%s", renamed ? ":" : "", renamed ? merge->path : "");
	sides->label[BASE] = xstrfmt("%s (%s)%s%s", source->abbreviated, source->subject,
				     renamed ? ":" : "", renamed ? merge->base_path : "");
	sides->label[THEIRS] =
		xstrfmt("parent of %s (%s)%s%s", source->abbreviated, source->subject,
			renamed ? ":" : "", renamed ? merge->theirs_path : "");
}

int revert_work_folder(struct revert_series *series, struct error *err)
{
	if (series->state->folder)
		return 0;
	return file_make_temporary_folder(&series->state->folder, err);
}

static int write_sides(struct sides *sides, struct revert_series *series, struct error *err)
{
	static const char *const name[SIDES] = { "ours", "base", "theirs" };

	if (revert_work_folder(series, err) < 0)
		return -1;
	for (int i = 0; i < SIDES; i++) {
		sides->file[i] = xstrfmt("%s/%s", series->state->folder, name[i]);
		if (file_write(sides->file[i], sides->data[i].buf, sides->data[i].len, 0600,
			       FILE_SYNC_NOT, err) < 0)
			return -1;
	}
	return 0;
}

/* *ret_conflicts: how many; the text is in git->out. */
static int merge_file(struct process *git, const struct sides *sides, size_t *ret_conflicts,
		      struct error *err)
{
	enum { MANY = 127 }; /* as many as git tells; above that it has failed */

	strvec_push(&git->argv, "-p");
	for (int i = 0; i < SIDES; i++)
		strvec_pushl(&git->argv, "-L", sides->label[i], NULL);
	for (int i = 0; i < SIDES; i++)
		strvec_push(&git->argv, sides->file[i]);
	if (process_run(git, err) < 0)
		return -1;
	if (git->status > MANY)
		return git_error(git, err, "could not merge contents");
	*ret_conflicts = (size_t)git->status;
	return 0;
}

/* ---- Where the conflicts are --------------------------------------------------------- */

/* Longer than in anybody's file, so that a line of these is none of a file's. */
enum { MARKER = 97 };

static bool is_marker(const char *line, size_t len, char c)
{
	if (len < MARKER ||
	    (len > MARKER && line[MARKER] != ' ' && line[MARKER] != '\n' && line[MARKER] != '\r'))
		return false;
	for (size_t i = 0; i < MARKER; i++)
		if (line[i] != c)
			return false;
	return true;
}

struct lines {
	const char **at; /* starts of lines, and the end */
	size_t nr, alloc;
};

static void split(struct lines *ret, const struct strbuf *text)
{
	const char *at = text->buf, *end = text->buf + text->len;

	for (;;) {
		const char *lf = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;

		ARRAY_GROW(ret->at, ret->nr + 1, ret->alloc);
		ret->at[ret->nr++] = at;
		if (at >= end)
			break;
		at = lf ? lf + 1 : end;
	}
	ret->nr--; /* the end is no line */
}

static bool has_lines_at(const struct lines *file, size_t at, const struct lines *text, size_t from,
			 size_t nr)
{
	const char *a = file->at[at], *b = text->at[from];
	size_t len = (size_t)(text->at[from + nr] - b);
	size_t there = (size_t)(file->at[at + nr] - a);

	/* Where a file does not end in LF, the marker behind has added one. */
	return (len == there || (len == there + 1 && b[len - 1] == '\n')) && !memcmp(a, b, there);
}

/*
 * Which lines of a side the lines of the merged text are, not before `from`: of all that are the
 * same, those nearest to where they are about.
 */
static size_t locate(const struct lines *file, size_t from, size_t about, const struct lines *text,
		     size_t start, size_t nr)
{
	size_t best = about > from ? about : from, distance = SIZE_MAX;

	if (best + nr > file->nr)
		best = file->nr >= nr ? file->nr - nr : 0;
	if (!nr)
		return best;
	for (size_t at = from; at + nr <= file->nr; at++) {
		size_t away = at > about ? at - about : about - at;

		if (away < distance && has_lines_at(file, at, text, start, nr)) {
			best = at;
			distance = away;
		}
	}
	return best;
}

/* One conflict in the merged text: the lines of each part, between its markers. */
struct part {
	size_t start[SIDES], nr[SIDES];
	size_t end; /* the line behind it */
};

static bool find_part(struct part *ret, const struct lines *text, size_t from)
{
	static const char markers[] = "<|=>";
	size_t line = from, mark[4];

	for (int i = 0; i < 4; i++) {
		while (line < text->nr &&
		       !is_marker(text->at[line], (size_t)(text->at[line + 1] - text->at[line]),
				  markers[i]))
			line++;
		if (line == text->nr)
			return false;
		mark[i] = line++;
	}
	for (int i = 0; i < SIDES; i++) {
		ret->start[i] = mark[i] + 1;
		ret->nr[i] = mark[i + 1] - mark[i] - 1;
	}
	ret->end = line;
	return true;
}

/*
 * The hunks of the merged text, which is in diff3's form; and in `resolved` the text with our
 * side of each.
 */
static void take_hunks(struct revert_merge *merge, struct strbuf *resolved,
		       const struct sides *sides, const struct strbuf *merged)
{
	struct lines file[SIDES] = { { 0 } }, text = { 0 };
	size_t from[SIDES] = { 0 }, about[SIDES] = { 0 }, at = 0;
	struct part part;

	split(&text, merged);
	for (int i = 0; i < SIDES; i++)
		split(&file[i], &sides->data[i]);
	while (find_part(&part, &text, at)) {
		size_t before = part.start[OURS] - 1 - at;
		size_t where[SIDES];

		strbuf_add(resolved, text.at[at], (size_t)(text.at[at + before] - text.at[at]));
		for (int i = 0; i < SIDES; i++) {
			where[i] = locate(&file[i], from[i], about[i] + before, &text,
					  part.start[i], part.nr[i]);
			from[i] = about[i] = where[i] + part.nr[i];
		}
		strbuf_add(resolved, file[OURS].at[where[OURS]],
			   (size_t)(file[OURS].at[where[OURS] + part.nr[OURS]] -
				    file[OURS].at[where[OURS]]));
		ARRAY_GROW(merge->hunk, merge->hunks + 1, merge->alloc);
		merge->hunk[merge->hunks++] =
			(struct revert_hunk){ .ours = where[OURS] + 1,
					      .ours_lines = part.nr[OURS],
					      .base = where[BASE] + 1,
					      .base_lines = part.nr[BASE],
					      .theirs = where[THEIRS] + 1,
					      .theirs_lines = part.nr[THEIRS] };
		at = part.end;
	}
	strbuf_add(resolved, text.at[at], (size_t)(text.at[text.nr] - text.at[at]));
	for (int i = 0; i < SIDES; i++)
		free(file[i].at);
	free(text.at);
}

/* ---- Of contents --------------------------------------------------------------------- */

static void set_result(struct revert_merge *merge, unsigned mode, const char *oid)
{
	string_replace(&merge->made, oid);
	merge->result = (struct revert_side){ .mode = mode, .oid = merge->made };
}

static int take_conflict(struct revert_series *series, struct revert_merge *merge,
			 const struct sides *sides, const struct strbuf *text, unsigned mode,
			 struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf resolved CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t conflicts;

	strvec_pushl(&git.argv, "git", "merge-file", "--diff3", NULL);
	strvec_pushf(&git.argv, "--marker-size=%d", MARKER);
	if (merge_file(&git, sides, &conflicts, err) < 0)
		return -1;
	take_hunks(merge, &resolved, sides, &git.out);
	merge->conflict = true;
	merge->kind = merge->base.mode ? REVERT_CONTENT : REVERT_ADD_ADD;
	merge->text = xstrdup(revert_add_blob(series, text->buf, text->len));
	set_result(merge, mode, revert_add_blob(series, resolved.buf, resolved.len));
	return 0;
}

/* By how git looks at it. */
static bool is_binary(const struct strbuf *data)
{
	enum { FIRST = 8000 };

	return memchr(data->buf, 0, data->len < FIRST ? data->len : FIRST) != NULL;
}

static int stay_ours(struct revert_merge *merge, enum revert_conflict_kind kind)
{
	merge->conflict = true;
	merge->kind = kind;
	merge->result = merge->ours;
	return 0;
}

static int merge_lines(struct revert_series *series, struct revert_merge *merge,
		       const struct revert_attribute *attribute, struct sides *sides, unsigned mode,
		       struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf clean CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t conflicts;

	if (textmerge(&clean, &sides->data[OURS], &sides->data[BASE], &sides->data[THEIRS]) ==
	    TEXTMERGE_CLEAN) {
		set_result(merge, mode, revert_add_blob(series, clean.buf, clean.len));
		return 0;
	}
	make_labels(sides, merge);
	if (write_sides(sides, series, err) < 0)
		return -1;
	/* The style of conflicts is that of git's own settings. */
	strvec_pushl(&git.argv, "git", "merge-file", NULL);
	if (attribute->driver == REVERT_BY_UNION)
		strvec_push(&git.argv, "--union");
	if (attribute->marker_size)
		strvec_pushf(&git.argv, "--marker-size=%u", attribute->marker_size);
	if (merge_file(&git, sides, &conflicts, err) < 0)
		return -1;
	if (conflicts)
		return take_conflict(series, merge, sides, &git.out, mode, err);
	set_result(merge, mode, revert_add_blob(series, git.out.buf, git.out.len));
	return 0;
}

static int merge_contents(struct revert_series *series, struct revert_merge *merge, unsigned mode,
			  struct error *err)
{
	const struct revert_side *side[SIDES] = { &merge->ours, &merge->base, &merge->theirs };
	struct sides sides CLEANUP(sides_release) = SIDES_INIT;
	struct revert_attribute attribute;
	bool binary = false;

	series->state->contested = true;
	if (find_attribute(&attribute, series, merge->path, err) < 0)
		return -1;
	if (attribute.driver == REVERT_BY_OTHER)
		return stay_ours(merge, REVERT_DRIVER);
	for (int i = 0; i < SIDES && attribute.driver != REVERT_AS_BINARY; i++) {
		if (!side[i]->mode)
			continue;
		if (revert_read_blob(series, &sides.data[i], side[i]->oid, err) < 0)
			return -1;
		binary = binary || is_binary(&sides.data[i]);
	}
	if (binary || attribute.driver == REVERT_AS_BINARY)
		return stay_ours(merge, REVERT_BINARY);
	return merge_lines(series, merge, &attribute, &sides, mode, err);
}

/* ---- Of modes ------------------------------------------------------------------------ */

static bool is_same_type(unsigned a, unsigned b)
{
	return (a & MODE_TYPE) == (b & MODE_TYPE);
}

static bool is_same_content(const struct revert_side *a, const struct revert_side *b)
{
	return a->oid && b->oid && !strcmp(a->oid, b->oid);
}

int revert_merge(struct revert_series *series, struct revert_merge *merge, struct error *err)
{
	const struct revert_side *base = &merge->base, *ours = &merge->ours;
	const struct revert_side *theirs = &merge->theirs;
	/* Of what two can have changed there are two values: the other, or the same. */
	unsigned mode = ours->mode == base->mode ? theirs->mode : ours->mode;

	if (!is_same_type(ours->mode, theirs->mode) ||
	    (base->mode && !is_same_type(base->mode, ours->mode)))
		return stay_ours(merge, REVERT_TYPE);
	if (!base->mode && ours->mode != theirs->mode)
		mode = ours->mode;
	if (is_same_content(ours, theirs) || is_same_content(base, theirs)) {
		set_result(merge, mode, ours->oid);
		if (!base->mode && ours->mode != theirs->mode)
			return stay_ours(merge, REVERT_MODE);
		return 0;
	}
	if (is_same_content(base, ours)) {
		set_result(merge, mode, theirs->oid);
		return 0;
	}
	if (mode_is_regular(mode))
		return merge_contents(series, merge, mode, err);
	return stay_ours(merge, mode == MODE_LINK ? REVERT_LINK : REVERT_SUBMODULE);
}
