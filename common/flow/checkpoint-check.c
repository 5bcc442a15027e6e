/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/process.h"
#include "flow/checkpoint-message.h"
#include "vcs/object.h"
#include "vcs/path.h"
#include "vcs/stored-index.h"

#define MANIFEST "manifest.json"
#define INDEX	 "index"

void check_problems_release(struct check_problems *problems)
{
	for (size_t i = 0; i < problems->nr; i++) {
		free(problems->item[i].text);
		free(problems->item[i].path);
		free(problems->item[i].oid);
	}
	free(problems->item);
	*problems = (struct check_problems)CHECK_PROBLEMS_INIT;
}

struct check_problem *check_add(struct check_problems *ret, enum check_kind kind, const char *path,
				const char *oid, const char *fmt, ...)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct check_problem *problem;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	problem = &ret->item[ret->nr++];
	*problem = (struct check_problem){ .kind = kind,
					   .text = strbuf_detach(&text),
					   .path = xstrdup_or_null(path),
					   .oid = xstrdup_or_null(oid) };
	return problem;
}

const char *check_part_name(enum closure_part part)
{
	switch (part) {
	case CLOSURE_SNAPSHOT: return "the snapshot itself";
	case CLOSURE_WORKTREE: return "the tracked files";
	case CLOSURE_HEAD: return "the commit that HEAD was";
	case CLOSURE_INDEX: return "the index";
	case CLOSURE_UNTRACKED: return "the untracked files";
	case CLOSURE_PAYLOAD: return "the payload";
	case CLOSURE_NAMED: return "the commits that were being merged";
	}
	BUG("unknown part of a snapshot");
}

/* ---- Manifest and tag ---------------------------------------------------------------- */

static const char *member_of(const json_t *manifest, const char *object, const char *key)
{
	return json_member(json_object_get(manifest, object), key);
}

/* Says so where the manifest names another than there is. */
static void compare(struct check_problems *ret, const char *what, const char *named,
		    const char *there)
{
	if (!named)
		check_add(ret, CHECK_MANIFEST, NULL, NULL, "the manifest does not name %s", what);
	else if (strcmp(named, there) != 0)
		check_add(ret, CHECK_MANIFEST, NULL, there,
			  "the manifest names %s as %s, but it is %s", what, named, there);
}

void check_manifest(struct check_problems *ret, const struct snapshot *snapshot, const char *name)
{
	const json_t *manifest = snapshot->manifest;
	const char *own_name = json_member(manifest, "name");

	if (json_integer_value(json_object_get(manifest, "format")) != 1)
		check_add(ret, CHECK_MANIFEST, NULL, NULL, "the manifest has another format");
	if (!json_is_true(json_object_get(json_object_get(manifest, "head"), "unborn")))
		compare(ret, "HEAD's commit", member_of(manifest, "head", "commit"),
			snapshot->head);
	compare(ret, "the index's tree", member_of(manifest, "index", "tree"),
		snapshot->index_tree);
	if (name && own_name && strcmp(name, own_name) != 0)
		check_add(ret, CHECK_MANIFEST, NULL, NULL, "by its manifest it is checkpoint '%s'",
			  own_name);
}

static bool has_its_name(const struct object *object, const struct repo *repo)
{
	char hex[DIGEST_HEX];
	struct digest digest;

	object_digest_init(&digest, repo->object_format, object->type, object->data.len);
	digest_add(&digest, object->data.buf, object->data.len);
	digest_end(hex, &digest);
	return !strcmp(hex, object->oid);
}

/* "object <id>" is a tag's first line, and its message comes behind an empty one. */
static void compare_tag(struct check_problems *ret, const struct snapshot *snapshot,
			const struct object *tag)
{
	struct checkpoint_message message CLEANUP(checkpoint_message_release) =
		CHECKPOINT_MESSAGE_INIT;
	const char *text = strstr(tag->data.buf, "\n\n");
	size_t len = strlen(snapshot->head);

	if (strncmp(tag->data.buf, "object ", 7) != 0 ||
	    strncmp(tag->data.buf + 7, snapshot->head, len) != 0)
		check_add(ret, CHECK_TAG, NULL, tag->oid,
			  "the tag is not on the commit that HEAD was, %s", snapshot->head);
	checkpoint_message_parse(&message, text ? text + 2 : "");
	if (!message.snapshot || strcmp(message.snapshot, snapshot->commit) != 0)
		check_add(ret, CHECK_TAG, NULL, tag->oid, "the tag is of another snapshot, %s",
			  message.snapshot ? message.snapshot : "which it does not name");
}

int check_tag(struct check_problems *ret, const struct repo *repo, const struct snapshot *snapshot,
	      const char *tag, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	const struct object *object;

	objects_add(&objects, tag);
	if (objects_read(&objects, &reason) < 0) {
		if (interrupt_pending())
			return error_interrupted(err);
		check_add(ret, CHECK_TAG, NULL, tag, "the tag's object %s is damaged", tag);
		return 0;
	}
	object = &objects.item[0];
	if (!object->oid)
		check_add(ret, CHECK_TAG, NULL, tag, "the tag's object %s is not there", tag);
	else if (!has_its_name(object, repo))
		check_add(ret, CHECK_TAG, NULL, tag, "the tag's object %s is damaged", tag);
	else if (strcmp(object->type, "tag") != 0)
		check_add(ret, CHECK_TAG, NULL, tag,
			  "the tag is not the one that was made with it: it has no message");
	else
		compare_tag(ret, snapshot, object);
	return 0;
}

/* ---- Payload ------------------------------------------------------------------------- */

/* *ret_reason stays NULL where git reads it. */
static int try_index(char **ret_reason, const char *path, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	strvec_pushf(&env, "GIT_INDEX_FILE=%s", path);
	strvec_push(&env, "LC_ALL=C");
	strvec_pushl(&git.argv, "git", "ls-files", "--stage", "-z", NULL);
	git.env = &env;
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status)
		*ret_reason = process_reason(&git);
	return 0;
}

static int check_index(struct check_problems *ret, const struct repo *repo,
		       const struct snapshot *snapshot, const struct strbuf *index,
		       struct error *err)
{
	const char *folder = getenv("TMPDIR");
	char *path CLEANUP(free_p) =
		xstrfmt("%s/git-rollback-index-XXXXXX", folder && *folder ? folder : "/tmp");
	char *reason CLEANUP(free_p) = NULL;
	struct index_file file CLEANUP(index_file_release) = INDEX_FILE_INIT;
	struct strvec faults CLEANUP(strvec_release) = STRVEC_INIT;
	int fd = mkostemp(path, O_CLOEXEC), done;

	if (fd < 0)
		return error_errno(err, "cannot create a temporary file");
	close(fd);
	done = file_write(path, index->buf, index->len, 0600, FILE_SYNC_CONTENT, err);
	if (!done)
		done = try_index(&reason, path, err);
	unlink(path);
	if (reason)
		check_add(ret, CHECK_INDEX, INDEX, NULL, "git cannot read the index file: %s",
			  reason);
	if (reason || done < 0)
		return done;
	if (stored_index_read(&file, &faults, index, repo, snapshot->index_tree, err) < 0)
		return -1;
	for (size_t i = 0; i < faults.nr; i++)
		check_add(ret, CHECK_INDEX, INDEX, NULL, "%s", faults.v[i]);
	return 0;
}

/* One file of the payload against its digest in the manifest. */
static void check_part(struct check_problems *ret, const json_t *parts, const char *path,
		       const struct object *object)
{
	json_t *key CLEANUP(json_decref_p) = path_to_json(path);
	const char *expected = json_member(parts, json_string_value(key));
	char digest[DIGEST_HEX];

	if (!object->oid) { /* the closure has said so */
		return;
	}
	if (!strncmp(path, "stages/", strlen("stages/")) || !strncmp(path, "raw/", strlen("raw/")))
		return; /* their ids say enough */
	digest_hex(digest, object->data.buf, object->data.len);
	if (!expected)
		check_add(ret, CHECK_PART, path, object->oid,
			  "'%s' is in the payload, but not in the manifest", path);
	else if (strcmp(expected, digest) != 0)
		check_add(ret, CHECK_PART, path, object->oid,
			  "'%s' of the payload is not what the manifest says", path);
}

/* Those that the manifest names and that are not there. */
static void check_parts_missing(struct check_problems *ret, json_t *parts,
				const struct tree_files *files)
{
	const char *key;
	json_t *value;

	json_object_foreach(parts, key, value)
	{
		char *path CLEANUP(free_p) = path_from_json(key);
		bool found = false;

		for (size_t i = 0; i < files->nr && path && !found; i++)
			found = !strcmp(files->item[i].path, path);
		if (!found)
			check_add(ret, CHECK_PART, path, NULL,
				  "'%s' is in the manifest, but not in the payload", key);
	}
}

static int check_named(struct check_problems *ret, const struct snapshot *snapshot,
		       struct error *err)
{
	struct strvec missing CLEANUP(strvec_release) = STRVEC_INIT;

	if (snapshot_find_missing(&missing, snapshot, err) < 0)
		return -1;
	for (size_t i = 0; i < missing.nr; i++)
		check_add(ret, CHECK_MISSING, NULL, missing.v[i],
			  "the commit %s, which was being merged, is not there", missing.v[i]);
	return 0;
}

int check_payload(struct check_problems *ret, const struct repo *repo,
		  const struct snapshot *snapshot, struct error *err)
{
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	json_t *parts = json_object_get(snapshot->manifest, "parts");
	bool has_index = false;

	if (tree_list_all(&files, snapshot->payload_tree, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++)
		objects_add(&objects, files.item[i].oid);
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++) {
		const char *path = files.item[i].path;

		if (strcmp(path, MANIFEST) != 0)
			check_part(ret, parts, path, &objects.item[i]);
		if (strcmp(path, INDEX) != 0)
			continue;
		has_index = true;
		if (check_index(ret, repo, snapshot, &objects.item[i].data, err) < 0)
			return -1;
	}
	check_parts_missing(ret, parts, &files);
	if (!has_index &&
	    json_is_true(json_object_get(json_object_get(snapshot->manifest, "index"), "file")))
		check_add(ret, CHECK_INDEX, INDEX, NULL, "the index file is not in the payload");
	return check_named(ret, snapshot, err);
}

/* ---- git-lfs ------------------------------------------------------------------------- */

/* Where git-lfs keeps its objects (git-lfs-config(5): lfs.storage); free() it. */
static char *lfs_folder(const struct checkpoint_session *s)
{
	const char *storage = settings_git(&s->settings, "lfs.storage");

	if (!storage || !*storage)
		return xstrfmt("%s/lfs/objects", s->repo.common_dir);
	if (*storage == '/')
		return xstrfmt("%s/objects", storage);
	return xstrfmt("%s/%s/objects", s->repo.common_dir, storage);
}

static bool uses_lfs(const struct checkpoint_session *s, const char *folder)
{
	return !access(folder, F_OK) || settings_git(&s->settings, "filter.lfs.process") ||
	       settings_git(&s->settings, "filter.lfs.clean");
}

/* SHA-256 and size of a file of any size. False with errno: it cannot be read. */
static bool digest_file(char ret[DIGEST_HEX], uint64_t *ret_size, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct digest digest;
	char buffer[65536];
	ssize_t n = -1;
	int failure;

	if (fd < 0)
		return false;
	digest_init(&digest, DIGEST_SHA256);
	*ret_size = 0;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		digest_add(&digest, buffer, (size_t)n);
		*ret_size += (uint64_t)n;
	}
	failure = errno;
	close(fd);
	errno = failure;
	digest_end(ret, &digest);
	return n == 0;
}

static void check_pointer(struct check_problems *ret, const char *folder,
			  const struct closure_pointer *pointer)
{
	const char *oid = pointer->oid;
	char *path CLEANUP(free_p) = xstrfmt("%s/%.2s/%.2s/%s", folder, oid, oid + 2, oid);
	char digest[DIGEST_HEX];
	uint64_t size;

	if (!digest_file(digest, &size, path)) {
		if (errno == ENOENT || errno == ENOTDIR)
			check_add(ret, CHECK_LFS_MISSING, pointer->path, oid,
				  "git-lfs no longer has the content of '%s' in %s (%s)",
				  pointer->path, check_part_name(pointer->part), oid);
		else
			check_add(ret, CHECK_LFS_DAMAGED, pointer->path, oid,
				  "git-lfs's content of '%s' in %s cannot be read: %s (%s)",
				  pointer->path, check_part_name(pointer->part), strerror(errno),
				  oid);
		return;
	}
	if (size != pointer->size || strcmp(digest, oid) != 0)
		check_add(ret, CHECK_LFS_DAMAGED, pointer->path, oid,
			  "git-lfs's content of '%s' in %s is damaged (%s)", pointer->path,
			  check_part_name(pointer->part), oid);
}

int check_lfs(struct check_problems *ret, const struct checkpoint_session *s,
	      const struct closure *closure, struct error *err)
{
	char *folder CLEANUP(free_p) = lfs_folder(s);

	if (!closure->pointers || !uses_lfs(s, folder))
		return 0;
	for (size_t i = 0; i < closure->pointers; i++) {
		if (interrupt_pending())
			return error_interrupted(err);
		check_pointer(ret, folder, &closure->pointer[i]);
	}
	return 0;
}
