/* SPDX-License-Identifier: MIT */
#include "vcs/applied.h"

#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "vcs/object.h"

#define APPLIED_REF "refs/rollback/applied/"

static void add_file(struct strbuf *stream, size_t index, const char *name, const char *data,
		     size_t len)
{
	strbuf_addf(stream, "M 100644 inline %zu/%s\ndata %zu\n", index, name, len);
	strbuf_add(stream, data, len);
	strbuf_addch(stream, '\n');
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

/* "040000 tree <id>\t<path>\n": takes it off the front of *rest; NULL: it is none. */
static char *take_tree(const char **rest)
{
	static const char start[] = "040000 tree ";
	const char *id = *rest + strlen(start), *end;

	if (strncmp(*rest, start, strlen(start)) != 0 || !(end = strchr(id, '\n')))
		return NULL;
	*rest = end + 1;
	return xmemdupz(id, strcspn(id, "\t\n"));
}

int applied_write(struct applied_scripts *item, size_t nr, struct error *err)
{
	/* Of a branch that is empty in the end fast-import makes no ref. */
	static const char branch[] = "refs/rollback/writing";
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf stream CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *rest;

	if (!nr)
		return 0;
	/*
	 * One process for any number of scripts, and one pack, which git syncs: a ref must
	 * not outlive the objects behind it in a power cut. fast-import makes trees only
	 * for a commit; that one is left to gc.
	 */
	strbuf_addf(&stream, "commit %s\ncommitter git-rollback <git-rollback> 0 +0000\ndata 0\n",
		    branch);
	for (size_t i = 0; i < nr; i++) {
		add_file(&stream, i, "up.sql", item[i].up, item[i].up_len);
		if (item[i].down)
			add_file(&stream, i, "down.sql", item[i].down, item[i].down_len);
	}
	for (size_t i = 0; i < nr; i++)
		strbuf_addf(&stream, "ls \"%zu\"\n", i);
	strbuf_addf(&stream, "\nreset %s\n\n", branch);
	strvec_pushl(&process.argv, "git", "-c", "fastimport.unpackLimit=1", "fast-import",
		     "--quiet", NULL);
	process.input = stream.buf;
	process.input_len = stream.len;
	if (process_run(&process, err) < 0)
		return -1;
	if (process.status)
		return process_error(&process, err, "cannot keep the scripts in git");
	rest = process.out.buf;
	for (size_t i = 0; i < nr; i++) {
		free(item[i].tree);
		item[i].tree = take_tree(&rest);
		if (!item[i].tree)
			return error_set(err, "cannot keep the scripts in git: git named no tree");
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
		return process_error(&refs->git, err, "cannot make refs for the applied scripts");
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
	static const char set[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";

	return !version[strspn(version, set)] && !checksum[strspn(checksum, set)];
}

int applied_read(struct applied_found *ret, const char *const *versions,
		 const char *const *checksums, size_t nr, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;

	for (size_t i = 0; i < nr; i++) {
		struct strbuf name CLEANUP(strbuf_release) = STRBUF_INIT;
		bool good = may_be_kept(versions[i], checksums[i]);
		const char *version = good ? versions[i] : "-",
			   *checksum = good ? checksums[i] : "-";

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
