/* SPDX-License-Identifier: MIT */
#include "vcs/closure.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "vcs/mode.h"
#include "vcs/object-stream.h"
#include "vcs/object.h"
#include "vcs/promised.h"

#define RAW_MAX	    32
#define HEX_MAX	    (2 * RAW_MAX + 1)
#define POINTER_MAX 1024 /* bytes; git-lfs reads no more either */
#define NO_PARENT   SIZE_MAX

enum type { TYPE_COMMIT, TYPE_TREE, TYPE_BLOB };
static const char *const type_names[] = { "commit", "tree", "blob" };

/* One object; its path is its folders' names and its own. */
struct node {
	unsigned char raw[RAW_MAX];
	enum type type;
	enum closure_part part;
	size_t parent; /* the tree that it was found in, or NO_PARENT */
	char *name;    /* there; NULL for a commit and its tree */
};

struct walk {
	struct closure *closure;
	closure_progress_fn *progress; /* or NULL */
	void *progress_data;
	const char *object_format;
	size_t raw_len;
	struct node *node; /* in the order in which they are read */
	size_t nr, alloc;
	size_t *slot; /* hash table of indices + 1, open addressing */
	size_t slots;
	struct strvec promised; /* ids, sorted */
	char hex[HEX_MAX];
	/* Of the one that is being read: */
	struct digest digest;
	struct strbuf content; /* all of a commit or a tree, the front of a blob */
	uint64_t size;
	bool wrong_type;
};

static void walk_release(struct walk *w)
{
	for (size_t i = 0; i < w->nr; i++)
		free(w->node[i].name);
	free(w->node);
	free(w->slot);
	strvec_release(&w->promised);
	strbuf_release(&w->content);
}

void closure_release(struct closure *closure)
{
	for (size_t i = 0; i < closure->faults; i++) {
		free(closure->fault[i].oid);
		free(closure->fault[i].path);
	}
	for (size_t i = 0; i < closure->pointers; i++) {
		free(closure->pointer[i].oid);
		free(closure->pointer[i].path);
	}
	free(closure->fault);
	free(closure->pointer);
	*closure = (struct closure)CLOSURE_INIT;
}

/* ---- Ids ----------------------------------------------------------------------------- */

static void to_hex(char *ret, const unsigned char *raw, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*ret++ = digits[raw[i] >> 4];
		*ret++ = digits[raw[i] & 15];
	}
	*ret = '\0';
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(unsigned char *ret, const char *hex, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = digit(hex[2 * i]), low = high < 0 ? -1 : digit(hex[2 * i + 1]);

		if (low < 0)
			return false;
		ret[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* ---- What is to be read -------------------------------------------------------------- */

/* The slot that has the id, or where it belongs. */
static size_t *find_slot(const struct walk *w, const unsigned char *raw)
{
	size_t hash;

	memcpy(&hash, raw, sizeof(hash)); /* digests are random enough */
	for (size_t i = hash & (w->slots - 1);; i = (i + 1) & (w->slots - 1))
		if (!w->slot[i] || !memcmp(w->node[w->slot[i] - 1].raw, raw, w->raw_len))
			return &w->slot[i];
}

static void grow_table(struct walk *w)
{
	free(w->slot);
	w->slots = w->slots ? 2 * w->slots : 1024;
	w->slot = xcalloc(w->slots, sizeof(*w->slot));
	for (size_t i = 0; i < w->nr; i++)
		*find_slot(w, w->node[i].raw) = i + 1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_promised(struct walk *w, const struct node *node)
{
	const char *name = w->hex;

	if (!w->promised.nr)
		return false;
	to_hex(w->hex, node->raw, w->raw_len);
	return bsearch(&name, w->promised.v, w->promised.nr, sizeof(name), compare_names) != NULL;
}

/* Each object is read once, by whatever way it is reached first. */
static void add(struct walk *w, const struct node *node, const char *name)
{
	size_t *slot;

	if (is_promised(w, node))
		return;
	if (2 * (w->nr + 1) > w->slots)
		grow_table(w);
	slot = find_slot(w, node->raw);
	if (*slot)
		return;
	ARRAY_GROW(w->node, w->nr + 1, w->alloc);
	w->node[w->nr] = *node;
	w->node[w->nr].name = xstrdup_or_null(name);
	*slot = ++w->nr;
}

/* NULL for a commit. */
static char *path_of(const struct walk *w, size_t i)
{
	struct strbuf path CLEANUP(strbuf_release) = STRBUF_INIT;

	if (w->node[i].type == TYPE_COMMIT)
		return NULL;
	for (; w->node[i].name; i = w->node[i].parent) {
		struct strbuf longer = STRBUF_INIT;

		strbuf_addf(&longer, "%s%s%s", w->node[i].name, path.len ? "/" : "", path.buf);
		strbuf_release(&path);
		path = longer;
	}
	return strbuf_detach(&path);
}

static void add_fault(struct walk *w, size_t i, enum closure_kind kind)
{
	struct closure *c = w->closure;

	ARRAY_GROW(c->fault, c->faults + 1, c->faults_alloc);
	to_hex(w->hex, w->node[i].raw, w->raw_len);
	c->fault[c->faults++] = (struct closure_fault){
		.kind = kind,
		.part = w->node[i].part,
		.type = type_names[w->node[i].type],
		.oid = xstrdup(w->hex),
		.path = path_of(w, i),
	};
}

/* ---- What it leads to ---------------------------------------------------------------- */

/* The id behind `key` at the start of a commit's line; advances *line. */
static bool read_commit_id(struct node *ret, const struct walk *w, const char **line,
			   const char *key)
{
	size_t n = strlen(key);

	if (strncmp(*line, key, n) != 0 || strlen(*line + n) <= 2 * w->raw_len ||
	    !from_hex(ret->raw, *line + n, w->raw_len) || (*line)[n + 2 * w->raw_len] != '\n')
		return false;
	*line += n + 2 * w->raw_len + 1;
	return true;
}

/*
 * A snapshot's parents have fixed places. Those of its payload's commit are commits that the
 * payload names; those of any others are history.
 */
static bool follow_commit(struct walk *w, size_t i)
{
	static const enum closure_part parts[] = { CLOSURE_HEAD, CLOSURE_INDEX, CLOSURE_UNTRACKED,
						   CLOSURE_PAYLOAD };
	enum closure_part part = w->node[i].part;
	struct node node = { .type = TYPE_TREE, .parent = NO_PARENT };
	const char *line = w->content.buf;

	node.part = part == CLOSURE_SNAPSHOT ? CLOSURE_WORKTREE : part;
	if (!read_commit_id(&node, w, &line, "tree "))
		return false;
	add(w, &node, NULL);
	node.type = TYPE_COMMIT;
	node.part = CLOSURE_NAMED;
	while (part == CLOSURE_PAYLOAD && read_commit_id(&node, w, &line, "parent "))
		add(w, &node, NULL);
	if (part != CLOSURE_SNAPSHOT)
		return true;
	for (size_t k = 0; k < ARRAY_SIZE(parts) && read_commit_id(&node, w, &line, "parent ");
	     k++) {
		node.part = parts[k];
		add(w, &node, NULL);
	}
	return true;
}

/* "<octal mode> <name>" NUL <raw id>, again and again. */
static bool follow_tree(struct walk *w, size_t i)
{
	const char *at = w->content.buf, *end = at + w->content.len;

	while (at < end) {
		char *name;
		unsigned long mode = strtoul(at, &name, 8);
		const char *nul = memchr(at, '\0', (size_t)(end - at));
		struct node node = { .part = w->node[i].part, .parent = i };

		if (!nul || *name != ' ' || !name[1] || (size_t)(end - nul) <= w->raw_len)
			return false;
		memcpy(node.raw, nul + 1, w->raw_len);
		node.type = (mode & MODE_TYPE) == MODE_TREE ? TYPE_TREE : TYPE_BLOB;
		if ((mode & MODE_TYPE) != MODE_SUBMODULE)
			add(w, &node, name + 1);
		at = nul + 1 + w->raw_len;
	}
	return true;
}

static void note_pointer(struct walk *w, size_t i)
{
	static const char version[] = "version https://git-lfs.github.com/spec/v1\n";
	static const char key[] = "\noid sha256:";
	struct closure *c = w->closure;
	const char *oid, *size;
	unsigned char raw[RAW_MAX];

	if (strncmp(w->content.buf, version, strlen(version)) != 0)
		return;
	oid = strstr(w->content.buf, key);
	size = strstr(w->content.buf, "\nsize ");
	if (!oid || !size || strlen(oid) < strlen(key) + 64 ||
	    !from_hex(raw, oid + strlen(key), sizeof(raw)))
		return;
	ARRAY_GROW(c->pointer, c->pointers + 1, c->pointers_alloc);
	c->pointer[c->pointers++] = (struct closure_pointer){
		.part = w->node[i].part,
		.path = path_of(w, i),
		.oid = xmemdupz(oid + strlen(key), 64),
		.size = strtoull(size + 6, NULL, 10),
	};
}

/* False: the content is not what such an object has. */
static bool follow(struct walk *w, size_t i)
{
	switch (w->node[i].type) {
	case TYPE_COMMIT: return follow_commit(w, i);
	case TYPE_TREE: return follow_tree(w, i);
	case TYPE_BLOB:
		if (w->size < POINTER_MAX)
			note_pointer(w, i);
		return true;
	}
	BUG("unknown type of object");
}

/* ---- The stream ---------------------------------------------------------------------- */

static const char *stream_name(void *data, size_t i)
{
	struct walk *w = data;

	if (i == w->nr)
		return NULL;
	to_hex(w->hex, w->node[i].raw, w->raw_len);
	return w->hex;
}

static void stream_begin(void *data, size_t i, const char *type, uint64_t size)
{
	struct walk *w = data;

	strbuf_reset(&w->content);
	w->size = size;
	w->wrong_type = strcmp(type, type_names[w->node[i].type]) != 0;
	object_digest_init(&w->digest, w->object_format, type, size);
}

static void stream_content(void *data, size_t i, const void *bytes, size_t len)
{
	struct walk *w = data;

	digest_add(&w->digest, bytes, len);
	if (w->wrong_type || (w->node[i].type == TYPE_BLOB && w->size >= POINTER_MAX))
		return;
	strbuf_add(&w->content, bytes, len);
}

static bool has_its_name(struct walk *w, size_t i)
{
	char digest[DIGEST_HEX];

	digest_end(digest, &w->digest);
	to_hex(w->hex, w->node[i].raw, w->raw_len);
	return !strcmp(digest, w->hex);
}

static void stream_end(void *data, size_t i, enum object_answer answer)
{
	struct walk *w = data;

	if (w->progress)
		w->progress(i + 1, w->progress_data);
	if (answer == OBJECT_MISSING) {
		add_fault(w, i, CLOSURE_MISSING);
		return;
	}
	if (answer == OBJECT_UNREADABLE || !has_its_name(w, i) || w->wrong_type || !follow(w, i)) {
		add_fault(w, i, CLOSURE_DAMAGED);
		return;
	}
	w->closure->objects++;
	w->closure->bytes += w->size;
}

/* ---- All of it ----------------------------------------------------------------------- */

int closure_read(struct closure *ret, const struct repo *repo, const char *const *commit, size_t nr,
		 closure_progress_fn *progress, void *data, struct error *err)
{
	static const struct object_stream_fns fns = { stream_name, stream_begin, stream_content,
						      stream_end };
	struct closure closure = CLOSURE_INIT;
	struct walk w CLEANUP(walk_release) = {
		.closure = &closure,
		.progress = progress,
		.progress_data = data,
		.object_format = repo->object_format,
		.raw_len = strcmp(repo->object_format, "sha256") ? 20 : 32,
		.content = STRBUF_INIT,
	};
	bool partial;

	if (promised_any(&partial, repo, err) < 0 ||
	    (partial && promised_find(&w.promised, commit, nr, err) < 0))
		return -1;
	closure.promised = w.promised.nr;
	for (size_t i = 0; i < nr; i++) {
		struct node node = { .type = TYPE_COMMIT,
				     .part = CLOSURE_SNAPSHOT,
				     .parent = NO_PARENT };

		if (strlen(commit[i]) != 2 * w.raw_len || !from_hex(node.raw, commit[i], w.raw_len))
			BUG("'%s' is no full id", commit[i]);
		add(&w, &node, NULL);
	}
	if (object_stream(&fns, &w, err) < 0) {
		closure_release(&closure);
		return -1;
	}
	*ret = closure;
	return 0;
}

int closure_check_history(char **ret_gap, const char *const *commit, size_t nr, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf names CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < nr; i++)
		strbuf_addf(&names, "%s\n", commit[i]);
	/* The commit-graph knows of commits that are gone. */
	strvec_pushl(&git.argv, "git", "-c", "core.commitGraph=false", "rev-list", "--quiet",
		     "--stdin", NULL);
	git.input = names.buf;
	git.input_len = names.len;
	if (process_run(&git, err) < 0)
		return -1;
	*ret_gap = git.status ? process_reason(&git) : NULL;
	return 0;
}
