/* SPDX-License-Identifier: MIT */
#include "vcs/snapshot.h"

#include "base/memory.h"
#include "base/process.h"
#include "vcs/object.h"

struct strbuf *snapshot_parts_add(struct snapshot_parts *parts, const char *path)
{
	struct snapshot_part *part;

	ARRAY_GROW(parts->item, parts->nr + 1, parts->alloc);
	part = &parts->item[parts->nr++];
	*part = (struct snapshot_part){ .path = xstrdup(path), .data = STRBUF_INIT };
	return &part->data;
}

void snapshot_parts_release(struct snapshot_parts *parts)
{
	for (size_t i = 0; i < parts->nr; i++) {
		free(parts->item[i].path);
		strbuf_release(&parts->item[i].data);
	}
	free(parts->item);
	*parts = (struct snapshot_parts)SNAPSHOT_PARTS_INIT;
}

int snapshot_identity(char **ret, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	const char *end;

	strvec_pushl(&process.argv, "git", "var", "GIT_COMMITTER_IDENT", NULL);
	if (process_run(&process, err) < 0)
		return -1;
	end = strrchr(process.out.buf, '>'); /* behind it are time and zone */
	*ret = !process.status && end ?
		       xmemdupz(process.out.buf, (size_t)(end + 1 - process.out.buf)) :
		       xstrdup("git checkpoint <git@checkpoint>");
	return 0;
}

const struct snapshot_state_file snapshot_state_files[SNAPSHOT_STATE_FILES] = {
	{ "MERGE_HEAD", true },
	{ "MERGE_MSG", false },
	{ "MERGE_MODE", false },
	{ "CHERRY_PICK_HEAD", true },
	{ "REVERT_HEAD", true },
	{ "SQUASH_MSG", false },
	{ "info/sparse-checkout", .sparse = true },
};

void snapshot_release(struct snapshot *snapshot)
{
	free(snapshot->commit);
	free(snapshot->head);
	free(snapshot->index);
	free(snapshot->untracked);
	free(snapshot->payload);
	free(snapshot->worktree_tree);
	free(snapshot->index_tree);
	free(snapshot->untracked_tree);
	free(snapshot->payload_tree);
	json_decref(snapshot->manifest);
	*snapshot = (struct snapshot)SNAPSHOT_INIT;
}

/* What one `git cat-file` is asked for. */
enum wanted {
	COMMIT,
	HEAD,
	INDEX,
	UNTRACKED,
	PAYLOAD,
	FIFTH,
	WORKTREE_TREE,
	INDEX_TREE,
	UNTRACKED_TREE,
	PAYLOAD_TREE,
	MANIFEST
};
static const char *const suffix[] = {
	[COMMIT] = "^{commit}",
	[HEAD] = "^1",
	[INDEX] = "^2",
	[UNTRACKED] = "^3",
	[PAYLOAD] = "^4",
	[FIFTH] = "^5",
	[WORKTREE_TREE] = "^{tree}",
	[INDEX_TREE] = "^2^{tree}",
	[UNTRACKED_TREE] = "^3^{tree}",
	[PAYLOAD_TREE] = "^4^{tree}",
	[MANIFEST] = "^4:manifest.json",
};

static int take_manifest(struct snapshot *ret, const struct object *object, const char *rev,
			 struct error *err)
{
	char *what CLEANUP(free_p) = xstrfmt("the manifest of '%s'", rev);

	if (json_parse(&ret->manifest, what, object->data.buf, object->data.len, err) < 0)
		return -1;
	if (json_integer_value(json_object_get(ret->manifest, "format")) != 1)
		return error_set(err, "cannot read %s: its format is not known here", what);
	return 0;
}

int snapshot_read(struct snapshot *ret, const char *rev, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	struct snapshot snapshot CLEANUP(snapshot_release) = SNAPSHOT_INIT;
	char **to[] = { &snapshot.commit,	 &snapshot.head,       &snapshot.index,
			&snapshot.untracked,	 &snapshot.payload,    NULL,
			&snapshot.worktree_tree, &snapshot.index_tree, &snapshot.untracked_tree,
			&snapshot.payload_tree };

	for (size_t i = 0; i < ARRAY_SIZE(suffix); i++) {
		char *name CLEANUP(free_p) = xstrfmt("%s%s", rev, suffix[i]);

		objects_add(&objects, name);
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < objects.nr; i++)
		if (!objects.item[i].oid != (i == FIFTH))
			return error_set(err, "'%s' is no snapshot", rev);
	for (size_t i = 0; i < ARRAY_SIZE(to); i++)
		if (to[i])
			*to[i] = STEAL(objects.item[i].oid);
	if (take_manifest(&snapshot, &objects.item[MANIFEST], rev, err) < 0)
		return -1;
	*ret = snapshot;
	snapshot = (struct snapshot)SNAPSHOT_INIT;
	return 0;
}

/* "<id>" on each line. */
static void add_commits(struct objects *to, const struct strbuf *text)
{
	for (const char *line = text->buf; *line;) {
		size_t len = strcspn(line, "\n");
		char *name CLEANUP(free_p) = xstrfmt("%.*s^{commit}", (int)len, line);

		if (len)
			objects_add(to, name);
		line += len + (line[len] == '\n');
	}
}

int snapshot_find_missing(struct strvec *ret, const struct snapshot *snapshot, struct error *err)
{
	const json_t *known = json_object_get(snapshot->manifest, "parts");
	struct objects files CLEANUP(objects_release) = OBJECTS_INIT;
	struct objects commits CLEANUP(objects_release) = OBJECTS_INIT;

	for (size_t i = 0; i < SNAPSHOT_STATE_FILES; i++) {
		char *part CLEANUP(free_p) = xstrfmt("state/%s", snapshot_state_files[i].name);
		char *name CLEANUP(free_p) = xstrfmt("%s:%s", snapshot->payload_tree, part);

		if (snapshot_state_files[i].names_commits && json_object_get(known, part))
			objects_add(&files, name);
	}
	if (!files.nr)
		return 0;
	if (objects_read(&files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++)
		if (files.item[i].oid)
			add_commits(&commits, &files.item[i].data);
	if (commits.nr && objects_read(&commits, err) < 0)
		return -1;
	for (size_t i = 0; i < commits.nr; i++)
		if (!commits.item[i].oid)
			strvec_push_nodup(ret, xmemdupz(commits.item[i].name,
							strcspn(commits.item[i].name, "^")));
	return 0;
}
