/* SPDX-License-Identifier: MIT */
#include "vcs/object.h"

#include "base/memory.h"
#include "base/process.h"
#include "vcs/git.h"
#include "vcs/mode.h"

size_t objects_add(struct objects *objects, const char *name)
{
	ARRAY_GROW(objects->item, objects->nr + 1, objects->alloc);
	objects->item[objects->nr] = (struct object){ .name = xstrdup(name), .data = STRBUF_INIT };
	return objects->nr++;
}

void object_digest_init(struct digest *digest, const char *object_format, const char *type,
			uint64_t size)
{
	char *header CLEANUP(free_p) = xstrfmt("%s %" PRIu64, type, size);

	digest_init(digest, strcmp(object_format, "sha256") ? DIGEST_SHA1 : DIGEST_SHA256);
	digest_add(digest, header, strlen(header) + 1); /* with its NUL */
}

const char *object_empty_tree(const char *object_format)
{
	static const char sha1[] = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
	static const char sha256[] =
		"6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321";

	return strcmp(object_format, "sha256") ? sha1 : sha256;
}

void objects_release(struct objects *objects)
{
	for (size_t i = 0; i < objects->nr; i++) {
		free(objects->item[i].name);
		free(objects->item[i].oid);
		free(objects->item[i].type);
		strbuf_release(&objects->item[i].data);
	}
	free(objects->item);
	*objects = (struct objects)OBJECTS_INIT;
}

/*
 * One answer of cat-file --batch: "<oid> <type> <size>\n<bytes>\n", or "<name> missing\n"
 * (or "ambiguous"). Returns the bytes used, 0 when the text is no such answer.
 */
static size_t parse_answer(struct object *object, const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);
	size_t line = end ? (size_t)(end - text) : 0;
	size_t name = strlen(object->name);
	char type[32], oid[80];
	size_t size;

	if (!end)
		return 0;
	if (line > name && !strncmp(text, object->name, name) &&
	    (!strncmp(text + name, " missing", 8) || !strncmp(text + name, " ambiguous", 10)))
		return line + 1;
	if (sscanf(text, "%79s %31s %zu", oid, type, &size) != 3 || line + 1 + size + 1 > len)
		return 0;
	object->oid = xstrdup(oid);
	object->type = xstrdup(type);
	strbuf_add(&object->data, text + line + 1, size);
	return line + 1 + size + 1;
}

int objects_read(struct objects *objects, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf names CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t at = 0;

	if (!objects->nr)
		return 0;
	for (size_t i = 0; i < objects->nr; i++)
		strbuf_addf(&names, "%s\n", objects->item[i].name);
	strvec_pushl(&process.argv, "git", "cat-file", "--batch", NULL);
	process.input = names.buf;
	process.input_len = names.len;
	if (process_run(&process, err) < 0)
		return -1;
	for (size_t i = 0; i < objects->nr; i++) {
		size_t used =
			parse_answer(&objects->item[i], process.out.buf + at, process.out.len - at);

		if (!used)
			return git_error(&process, err, "cannot read '%s' from git",
					 objects->item[i].name);
		at += used;
	}
	return 0;
}

void tree_files_release(struct tree_files *files)
{
	for (size_t i = 0; i < files->nr; i++) {
		free(files->item[i].path);
		free(files->item[i].oid);
	}
	free(files->item);
	*files = (struct tree_files)TREE_FILES_INIT;
}

/* Regular files alone, or `all`. */
static int parse_files(struct tree_files *ret, const struct strbuf *out, const char *treeish,
		       bool all, struct error *err)
{
	for (size_t at = 0; at < out->len;) {
		const char *entry = out->buf + at;
		const char *tab = strchr(entry, '\t');
		char type[16], oid[80];
		unsigned mode;

		at += strlen(entry) + 1;
		if (!tab || sscanf(entry, "%o %15s %79s", &mode, type, oid) != 3)
			return error_set(err, "cannot list the files of '%s'", treeish);
		if (mode == MODE_TREE || (!all && (strcmp(type, "blob") != 0 || mode == MODE_LINK)))
			continue; /* submodules and symbolic links */
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct tree_file){ .path = xstrdup(tab + 1),
							   .oid = xstrdup(oid),
							   .mode = mode };
	}
	return 0;
}

static int run_ls_tree(struct process *process, const char *treeish, struct error *err)
{
	if (process_run(process, err) < 0)
		return -1;
	if (process->status)
		return git_error(process, err, "cannot list the files of '%s'", treeish);
	return 0;
}

static int list_files(struct tree_files *ret, const char *treeish, const char *folder, bool all,
		      const struct strvec *env, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strvec plain CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; env && i < env->nr; i++)
		strvec_push(&plain, env->v[i]);
	repo_plain_pathspecs(&plain); /* ls-tree refuses to hear of others */
	strvec_pushl(&process.argv, "git", "ls-tree", "-r", "-z", "--full-tree", treeish, NULL);
	process.env = &plain;
	if (*folder)
		strvec_pushf(&process.argv, "%s/", folder);
	if (run_ls_tree(&process, treeish, err) < 0)
		return -1;
	return parse_files(ret, &process.out, treeish, all, err);
}

int tree_list_paths(struct tree_files *ret, const char *treeish, const struct strvec *paths,
		    bool below, struct error *err)
{
	enum { ARGUMENTS = 65536 }; /* bytes of them for one process */
	struct strvec literal CLEANUP(strvec_release) = STRVEC_INIT;

	strvec_pushl(&literal, "GIT_LITERAL_PATHSPECS=1", "GIT_GLOB_PATHSPECS=0",
		     "GIT_NOGLOB_PATHSPECS=0", "GIT_ICASE_PATHSPECS=0", NULL);
	for (size_t i = 0; i < paths->nr;) {
		struct process process CLEANUP(process_release) = PROCESS_INIT;

		strvec_pushl(&process.argv, "git", "ls-tree", "-z", "--full-tree", NULL);
		if (below)
			strvec_push(&process.argv, "-r");
		strvec_pushl(&process.argv, treeish, "--", NULL);
		process.env = &literal;
		for (size_t len = 0; i < paths->nr && len < ARGUMENTS; i++) {
			strvec_push(&process.argv, paths->v[i]);
			len += strlen(paths->v[i]) + 1;
		}
		if (run_ls_tree(&process, treeish, err) < 0 ||
		    parse_files(ret, &process.out, treeish, true, err) < 0)
			return -1;
	}
	return 0;
}

int tree_list(struct tree_files *ret, const char *treeish, const char *folder, struct error *err)
{
	return list_files(ret, treeish, folder, false, NULL, err);
}

int tree_list_all(struct tree_files *ret, const char *treeish, const struct strvec *env,
		  struct error *err)
{
	return list_files(ret, treeish, "", true, env, err);
}

/* ---- One after the other ------------------------------------------------------------- */

static int start_reader(struct object_reader *reader, struct error *err)
{
	strvec_pushl(&reader->git.argv, "git", "cat-file", "--batch", NULL);
	reader->git.input = "";
	reader->git.stop = true;
	return process_start(&reader->git, err);
}

static int cannot_read(struct object_reader *reader, const char *oid, struct error *err)
{
	if (process_finish(&reader->git, err) < 0)
		return -1;
	return git_error(&reader->git, err, "cannot read '%s' from git", oid);
}

/* Asks for it. *ret: how long it is; FOUND, or MISSING. */
enum asked { MISSING = 0, FOUND = 1 };
static int ask(struct object_reader *reader, size_t *ret, const char *name, struct error *err)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
	char type[32], found[80];

	if (reader->git.pid <= 0 && start_reader(reader, err) < 0)
		return -1;
	strbuf_addf(&line, "%s\n", name);
	if (process_write(&reader->git, line.buf, line.len, err) < 0)
		return -1;
	strbuf_reset(&line);
	if (!process_read_line(&reader->git, &line))
		return cannot_read(reader, name, err);
	/* The name comes back, and may be of any words. */
	if (!strncmp(line.buf, name, strlen(name)) && !strcmp(line.buf + strlen(name), " missing"))
		return MISSING;
	return sscanf(line.buf, "%79s %31s %zu", found, type, ret) == 3 ? FOUND : MISSING;
}

/* Appends the answer. */
static int take_answer(struct object_reader *reader, struct strbuf *ret, size_t size,
		       const char *name, struct error *err)
{
	struct strbuf end CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!process_read(&reader->git, ret, size) || !process_read(&reader->git, &end, 1))
		return cannot_read(reader, name, err);
	return 0;
}

int object_read(struct object_reader *reader, struct strbuf *ret, const char *oid,
		struct error *err)
{
	size_t size;
	int found = ask(reader, &size, oid, err);

	if (found == MISSING)
		return error_set(err, "cannot read '%s' from git: it is missing", oid);
	return found < 0 ? -1 : take_answer(reader, ret, size, oid, err);
}

int object_exists(struct object_reader *reader, bool *ret, const char *name, struct error *err)
{
	struct strbuf data CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t size;
	int found = ask(reader, &size, name, err);

	if (found < 0 || (found == FOUND && take_answer(reader, &data, size, name, err) < 0))
		return -1;
	*ret = found == FOUND;
	return 0;
}

void object_reader_release(struct object_reader *reader)
{
	process_release(&reader->git);
	*reader = (struct object_reader)OBJECT_READER_INIT;
}
