/* SPDX-License-Identifier: MIT */
#include "vcs/applied.h"

#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "vcs/object.h"

#define APPLIED_REF "refs/rollback/applied/"

static int git_failed(struct process *process, const char *what, struct error *err)
{
	char *reason CLEANUP(free_p) = process_reason(process);

	return error_set(err, "%s: %s", what, reason);
}

static void add_blob(struct strbuf *stream, size_t mark, const char *data, size_t len)
{
	strbuf_addf(stream, "blob\nmark :%zu\ndata %zu\n", mark, len);
	strbuf_add(stream, data, len);
	strbuf_addf(stream, "\nget-mark :%zu\n", mark);
}

/*
 * git fast-import takes any number of blobs from memory in one process, and says their
 * ids. Marks are 2i for an up script and 2i+1 for its down; a mark counts from 1.
 */
static int write_blobs(struct strbuf *ret_ids, const struct applied_scripts *item, size_t nr,
		       struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf stream CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < nr; i++) {
		add_blob(&stream, 2 * i + 1, item[i].up, item[i].up_len);
		if (item[i].down)
			add_blob(&stream, 2 * i + 2, item[i].down, item[i].down_len);
	}
	strvec_pushl(&process.argv, "git", "fast-import", "--quiet", NULL);
	process.input = stream.buf;
	process.input_len = stream.len;
	if (process_run(&process, err) < 0)
		return -1;
	if (process.status)
		return git_failed(&process, "cannot keep the scripts in git", err);
	strbuf_add(ret_ids, process.out.buf, process.out.len);
	return 0;
}

/* Takes a line off the front of *rest. */
static char *take_line(const char **rest)
{
	size_t len = strcspn(*rest, "\n");
	char *ret = xmemdupz(*rest, len);

	*rest += len + ((*rest)[len] == '\n');
	return ret;
}

char *applied_ref(const char *version, const char *checksum)
{
	return xstrfmt(APPLIED_REF "%s/%s", version, checksum);
}

void applied_unlock(const char *common_dir, const char *version, const char *checksum)
{
	char *ref CLEANUP(free_p) = applied_ref(version, checksum);
	char *path CLEANUP(free_p) = xstrfmt("%s/%s.lock", common_dir, ref);

	if (unlink(path) < 0)
		errno = 0; /* as it should be: there is none */
}

int applied_write(struct applied_scripts *item, size_t nr, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf ids CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf trees CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *rest;

	if (!nr)
		return 0;
	if (write_blobs(&ids, item, nr, err) < 0)
		return -1;
	rest = ids.buf;
	for (size_t i = 0; i < nr; i++) {
		char *up CLEANUP(free_p) = take_line(&rest);

		strbuf_addf(&trees, "100644 blob %s\tup.sql\n", up);
		if (item[i].down) {
			char *down CLEANUP(free_p) = take_line(&rest);

			strbuf_addf(&trees, "100644 blob %s\tdown.sql\n", down);
		}
		strbuf_addch(&trees, '\n');
	}
	strvec_pushl(&process.argv, "git", "mktree", "--batch", NULL);
	process.input = trees.buf;
	process.input_len = trees.len;
	if (process_run(&process, err) < 0)
		return -1;
	if (process.status)
		return git_failed(&process, "cannot keep the scripts in git", err);
	rest = process.out.buf;
	for (size_t i = 0; i < nr; i++) {
		free(item[i].tree);
		item[i].tree = take_line(&rest);
		if (!*item[i].tree)
			return error_set(err, "cannot keep the scripts in git: a tree is missing");
	}
	return 0;
}

int applied_prepare(struct applied_refs *refs, const struct applied_scripts *item, size_t nr,
		    struct error *err)
{
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addstr(&input, "start\n");
	for (size_t i = 0; i < nr; i++)
		strbuf_addf(&input, "update " APPLIED_REF "%s/%s %s\n", item[i].version,
			    item[i].checksum, item[i].tree);
	strbuf_addstr(&input, "prepare\n");
	strvec_pushl(&refs->git.argv, "git", "update-ref", "--stdin", NULL);
	refs->git.input = "";
	if (process_start(&refs->git, err) < 0)
		return -1;
	return process_write(&refs->git, input.buf, input.len, err);
}

int applied_commit(struct applied_refs *refs, struct error *err)
{
	static const char commit[] = "commit\n";

	if (process_write(&refs->git, commit, strlen(commit), err) < 0 ||
	    process_finish(&refs->git, err) < 0)
		return -1;
	if (refs->git.status)
		return git_failed(&refs->git, "cannot make refs for the applied scripts", err);
	return 0;
}

/* git lets go of its locks at the end of its input. */
void applied_abandon(struct applied_refs *refs)
{
	process_release(&refs->git);
	*refs = (struct applied_refs)APPLIED_REFS_INIT;
}

int applied_publish(const struct applied_scripts *item, size_t nr, struct error *err)
{
	struct applied_refs refs CLEANUP(applied_abandon) = APPLIED_REFS_INIT;

	if (!nr)
		return 0;
	return applied_prepare(&refs, item, nr, err) < 0 ? -1 : applied_commit(&refs, err);
}

void applied_found_release(struct applied_found *found)
{
	strbuf_release(&found->up);
	strbuf_release(&found->down);
	*found = (struct applied_found){ .up = STRBUF_INIT, .down = STRBUF_INIT };
}

/* Others' versions hold anything; refs of ours hold these alone, and an object's name is one line. */
static bool may_be_kept(const char *version, const char *checksum)
{
	static const char set[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";

	return !version[strspn(version, set)] && !checksum[strspn(checksum, set)];
}

int applied_read(struct applied_found *ret, const char *const *versions,
		 const char *const *checksums, size_t nr, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;

	for (size_t i = 0; i < nr; i++) {
		struct strbuf name CLEANUP(strbuf_release) = STRBUF_INIT;
		bool good = may_be_kept(versions[i], checksums[i]);
		const char *version = good ? versions[i] : "-", *checksum = good ? checksums[i] : "-";

		strbuf_addf(&name, APPLIED_REF "%s/%s:up.sql", version, checksum);
		objects_add(&objects, name.buf);
		strbuf_reset(&name);
		strbuf_addf(&name, APPLIED_REF "%s/%s:down.sql", version, checksum);
		objects_add(&objects, name.buf);
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < nr; i++) {
		struct object *up = &objects.item[2 * i], *down = &objects.item[2 * i + 1];

		ret[i] = (struct applied_found){ .found = up->oid != NULL,
						 .has_down = down->oid != NULL,
						 .up = up->data,
						 .down = down->data };
		up->data = down->data = (struct strbuf)STRBUF_INIT;
	}
	return 0;
}
