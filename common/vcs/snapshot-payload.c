/* SPDX-License-Identifier: MIT */
#include "vcs/snapshot-parts.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "vcs/mode.h"
#include "vcs/path.h"

/* A file of M, and its digest in the manifest. */
static int add_part(struct capture *c, struct capture_paths *paths, json_t *digests,
		    const char *path, const void *data, size_t len)
{
	unsigned mark = import_mark(c->import);

	if (digests) {
		json_t *key CLEANUP(json_decref_p) = path_to_json(path);
		char digest[DIGEST_HEX];

		digest_hex(digest, data, len);
		json_object_set_new(digests, json_string_value(key), json_string(digest));
	}
	strvec_push(&paths->names, path);
	capture_add_path(paths, paths->names.v[paths->names.nr - 1], MODE_FILE, mark, NULL);
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
static int add_state_files(struct capture *c, struct capture_paths *paths, json_t *digests)
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

static int add_index(struct capture *c, struct capture_paths *paths, json_t *digests)
{
	const struct index_file *index = &c->state->index;

	for (size_t i = 0; i < c->state->nr; i++) {
		const struct worktree_entry *entry = &c->state->entry[i];

		for (size_t n = 1; entry->unmerged && n <= 3; n++) {
			if (!entry->stage[n].oid)
				continue;
			strvec_pushf(&paths->names, "stages/%zu/%s", n, entry->path);
			capture_add_path(paths, paths->names.v[paths->names.nr - 1],
					 entry->stage[n].mode, 0, entry->stage[n].oid);
		}
	}
	if (!c->state->special_index)
		return 0;
	return add_part(c, paths, digests, "index", index->data, index->len);
}

/* Files that git would write otherwise, byte for byte. */
static int add_raw(struct capture *c, struct capture_paths *paths)
{
	for (size_t i = 0; i < c->nr; i++) {
		struct capture_item *item = &c->item[i];
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
		capture_add_path(paths, paths->names.v[paths->names.nr - 1], MODE_FILE, mark, NULL);
	}
	return 0;
}

static int add_manifest(struct capture *c, struct capture_paths *paths, json_t *digests)
{
	char *text CLEANUP(free_p) = NULL;

	json_object_set(c->ret->manifest, "parts", digests);
	text = json_format(c->ret->manifest);
	return add_part(c, paths, NULL, "manifest.json", text, strlen(text));
}

int capture_commit_payload(struct capture *c, struct strbuf *message)
{
	const struct snapshot_request *request = c->request;
	struct capture_paths paths CLEANUP(capture_paths_release) = CAPTURE_PATHS_INIT;
	json_t *digests CLEANUP(json_decref_p) = json_object();
	struct strbuf status CLEANUP(strbuf_release) = STRBUF_INIT;

	c->ret->manifest = capture_manifest(c);
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
	return capture_commit(c, c->mark_payload, "payload", NULL, (const char *const *)c->named.v,
			      c->named.nr, &paths);
}
