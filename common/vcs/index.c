/* SPDX-License-Identifier: MIT */
#include "vcs/index.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "vcs/git.h"
#include "vcs/mode.h"

/* The format is described in gitformat-index(5). */
enum { HEADER = 12 };

static void entries_release(struct index_entries *entries)
{
	for (size_t i = 0; i < entries->nr; i++) {
		free(entries->item[i].path);
		free(entries->item[i].oid);
	}
	free(entries->item);
}

static void unmap(const unsigned char *data, size_t len)
{
	void *map;

	memcpy(&map, &data, sizeof(map)); /* munmap() wants it without const */
	munmap(map, len);
}

void index_file_release(struct index_file *index)
{
	entries_release(&index->special);
	entries_release(&index->found);
	entries_release(&index->attributes);
	strvec_release(&index->folders);
	strvec_release(&index->submodules);
	if (index->data)
		unmap(index->data, index->len);
	*index = (struct index_file)INDEX_FILE_INIT;
}

char *index_path(const struct repo *repo)
{
	const char *path = getenv("GIT_INDEX_FILE");

	if (!path || !*path)
		return xstrfmt("%s/index", repo->git_dir);
	/* git reads it from the top of the worktree, to which it goes first. */
	return *path == '/' || !repo->worktree ? xstrdup(path) :
						 xstrfmt("%s/%s", repo->worktree, path);
}

static uint32_t get32(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static unsigned get16(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* Where the reader is. */
struct cursor {
	const unsigned char *file, *at, *end;
	unsigned version;
	size_t hash;	    /* bytes of an object id */
	struct strbuf path; /* of the entry */
	size_t folder;	    /* so much of it, with the slash, is in the list of folders */
	size_t wanted;	    /* the first of the wanted paths that may come yet */
};

static void cursor_release(struct cursor *cursor)
{
	strbuf_release(&cursor->path);
}

static bool get_varint(struct cursor *c, size_t *ret)
{
	size_t value;

	if (c->at == c->end)
		return false;
	value = *c->at & 127;
	while (*c->at++ & 128) {
		if (c->at == c->end || value >= SIZE_MAX >> 8)
			return false;
		value = (value + 1) << 7 | (*c->at & 127);
	}
	*ret = value;
	return true;
}

/* How many bytes two strings have in common from their beginning. */
static size_t common_length(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

/*
 * Reads the name that stands at the cursor into c->path; `start` is where its entry does.
 * Returns how much of the name before is also in this one, -1 where the file is damaged.
 */
static ssize_t read_name(struct cursor *c, const unsigned char *start)
{
	const unsigned char *nul;
	size_t kept, strip;

	if (c->version == 4) {
		if (!get_varint(c, &strip) || strip > c->path.len)
			return -1;
		nul = memchr(c->at, '\0', (size_t)(c->end - c->at));
		if (!nul)
			return -1;
		kept = c->path.len - strip;
		strbuf_setlen(&c->path, kept);
		strbuf_add(&c->path, c->at, (size_t)(nul - c->at));
		c->at = nul + 1;
		return (ssize_t)kept;
	}
	nul = memchr(c->at, '\0', (size_t)(c->end - c->at));
	if (!nul)
		return -1;
	kept = common_length(c->path.buf, (const char *)c->at);
	strbuf_setlen(&c->path, kept);
	strbuf_add(&c->path, c->at + kept, (size_t)(nul - c->at) - kept);
	size_t used = ((size_t)(nul - start) + 8) & ~(size_t)7;
	if (used > (size_t)(c->end - start))
		return -1;
	c->at = start + used;
	return (ssize_t)kept;
}

/* Adds the folders of c->path that the entry before, alike for `kept` bytes, was not in. */
static void add_folders(struct index_file *index, struct cursor *c, size_t kept)
{
	size_t from = kept < c->folder ? kept : c->folder;

	c->folder = from;
	while (c->folder && c->path.buf[c->folder - 1] != '/')
		c->folder--;
	for (const char *slash = c->path.buf + c->folder; (slash = strchr(slash, '/')); slash++) {
		c->folder = (size_t)(slash - c->path.buf) + 1;
		strvec_push_nodup(&index->folders, xmemdupz(c->path.buf, c->folder));
	}
}

static void add_entry(struct index_entries *to, const struct cursor *c, const unsigned char *start,
		      unsigned flags, unsigned extended)
{
	static const char digits[] = "0123456789abcdef";
	struct strbuf oid = STRBUF_INIT;

	for (size_t i = 0; i < c->hash; i++) {
		strbuf_addch(&oid, digits[start[INDEX_STAT + i] >> 4]);
		strbuf_addch(&oid, digits[start[INDEX_STAT + i] & 15]);
	}
	ARRAY_GROW(to->item, to->nr + 1, to->alloc);
	to->item[to->nr++] = (struct index_entry){ .path = xmemdupz(c->path.buf, c->path.len),
						   .oid = strbuf_detach(&oid),
						   .mode = get32(start + INDEX_MODE),
						   .stage = flags >> 12 & 3,
						   .assume_unchanged = flags & INDEX_ASSUME_VALID,
						   .skip_worktree = extended & INDEX_SKIP_WORKTREE,
						   .intent_to_add = extended & INDEX_INTENT_TO_ADD,
						   .mtime_sec = get32(start + 8),
						   .mtime_nsec = get32(start + 12),
						   .inode = get32(start + 20),
						   .size = get32(start + 36),
						   .offset = (size_t)(start - c->file) };
}

static bool is_attributes(const struct strbuf *path)
{
	static const char name[] = ".gitattributes";
	size_t len = strlen(name);

	return path->len >= len && !memcmp(path->buf + path->len - len, name, len) &&
	       (path->len == len || path->buf[path->len - len - 1] == '/');
}

static bool is_wanted(const struct index_file *index, struct cursor *c)
{
	int order = index->all ? 0 : -1;

	while (index->wanted && c->wanted < index->wanted->nr) {
		order = strcmp(index->wanted->v[c->wanted], c->path.buf);
		if (order >= 0)
			break;
		c->wanted++;
	}
	return !order;
}

static int read_entry(struct index_file *index, struct cursor *c)
{
	const unsigned char *start = c->at;
	size_t fixed = INDEX_STAT + c->hash + 2;
	unsigned flags, extended = 0;
	ssize_t kept;

	if ((size_t)(c->end - c->at) < fixed + 2)
		return -1;
	flags = get16(start + INDEX_STAT + c->hash);
	if (flags & INDEX_EXTENDED) {
		extended = get16(start + fixed);
		fixed += 2;
	}
	c->at = start + fixed;
	kept = read_name(c, start);
	if (kept < 0)
		return -1;
	add_folders(index, c, (size_t)kept);
	index->recent += get32(start + 8) >= (uint32_t)index->since;
	if ((get32(start + INDEX_MODE) & MODE_TYPE) == MODE_SUBMODULE) {
		strvec_pushf(&index->submodules, "%s/", c->path.buf);
		strvec_pushf(&index->folders, "%s/", c->path.buf);
	}
	if (flags & (INDEX_ASSUME_VALID | 0x3000) ||
	    extended & (INDEX_SKIP_WORKTREE | INDEX_INTENT_TO_ADD))
		add_entry(&index->special, c, start, flags, extended);
	if (is_wanted(index, c))
		add_entry(&index->found, c, start, flags, extended);
	if (is_attributes(&c->path) && !(flags & 0x3000))
		add_entry(&index->attributes, c, start, flags, extended);
	return 0;
}

/* Looks through the extensions that follow the entries. */
static int find_layout(const struct cursor *c)
{
	const unsigned char *at = c->at, *end = c->end;

	while ((size_t)(end - at) >= 8) {
		size_t size = get32(at + 4);

		if (!memcmp(at, "link", 4) || !memcmp(at, "sdir", 4))
			return INDEX_OTHER;
		if (size > (size_t)(end - at) - 8)
			return -1;
		at += 8 + size;
	}
	return INDEX_WHOLE;
}

int index_file_parse(struct index_file *ret, const unsigned char *data, size_t len, size_t hash)
{
	struct cursor c CLEANUP(cursor_release) = { .hash = hash, .path = STRBUF_INIT };

	if (len < HEADER + hash || memcmp(data, "DIRC", 4) != 0)
		return -1;
	c.version = get32(data + 4);
	c.file = data;
	c.at = data + HEADER;
	c.end = data + len - hash;
	if (c.version < 2 || c.version > 4)
		return -1;
	for (uint32_t nr = get32(data + 8); nr; nr--)
		if (read_entry(ret, &c) < 0)
			return -1;
	/* A submodule's folder comes where its entry does: "sub" before "sub-b/x". */
	strvec_sort(&ret->folders);
	return find_layout(&c);
}

static int map(struct index_file *ret, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *data = NULL;

	if (fd < 0 && errno == ENOENT)
		return FILE_MISSING;
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (fstat(fd, &ret->stat) < 0) {
		error_errno(err, "cannot read '%s'", path);
		close(fd);
		return -1;
	}
	ret->len = (size_t)ret->stat.st_size;
	/* git replaces an index, and never writes into one. */
	if (ret->len)
		data = mmap(NULL, ret->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED) {
		error_errno(err, "cannot read '%s'", path);
		close(fd);
		return -1;
	}
	ret->data = data;
	close(fd);
	return FILE_FOUND;
}

/* Has git write the whole of a split or sparse index to `to`. */
static int write_whole(const struct repo *repo, const char *from, const char *to, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf data CLEANUP(strbuf_release) = STRBUF_INIT;

	if (file_read(&data, from, err) < 0 ||
	    file_write(to, data.buf, data.len, 0600, FILE_SYNC_NOT, err) < 0)
		return -1;
	repo_environment(&env, repo);
	strvec_pushf(&env, "GIT_INDEX_FILE=%s", to);
	git_prepare(&process, repo, &env);
	strvec_pushl(&process.argv, "-c", "core.splitIndex=false", "-c", "index.sparse=false", "-c",
		     "core.fsmonitor=false", "update-index", "--no-split-index",
		     "--force-write-index", NULL);
	return git_run(&process, "read the index", err);
}

static int read_whole(struct index_file *ret, const struct repo *repo, const char *path,
		      struct error *err)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	char *folder CLEANUP(free_p) = NULL, *copy CLEANUP(free_p) = NULL;
	struct stat st = ret->stat;
	int found;

	index_file_release(ret);
	if (file_make_temporary_folder(&folder, err) < 0)
		return -1;
	copy = xstrfmt("%s/index", folder);
	found = write_whole(repo, path, copy, err) < 0 ? -1 : map(ret, copy, err);
	if (file_remove_folders(folder, &ignored) < 0)
		error_clear(&ignored);
	if (found < 0)
		return -1;
	ret->stat = st;
	return 0;
}

int index_file_read(struct index_file *ret, const struct repo *repo, struct error *err)
{
	struct index_file index CLEANUP(index_file_release) = INDEX_FILE_INIT;
	size_t hash = !strcmp(repo->object_format, "sha256") ? 32 : 20;
	char *path CLEANUP(free_p) = index_path(repo);
	int found = map(&index, path, err), layout;

	if (found < 0)
		return -1;
	index.wanted = ret->wanted;
	index.all = ret->all;
	index.missing = found == FILE_MISSING;
	layout =
		index.missing ? INDEX_WHOLE : index_file_parse(&index, index.data, index.len, hash);
	if (layout == INDEX_OTHER) {
		if (read_whole(&index, repo, path, err) < 0)
			return -1;
		index.wanted = ret->wanted;
		index.all = ret->all;
		layout = index_file_parse(&index, index.data, index.len, hash);
	}
	if (layout != INDEX_WHOLE)
		return error_set(err,
				 "cannot read the index '%s': it is damaged, or of a format"
				 " that is not known here",
				 path);
	*ret = index;
	index = (struct index_file)INDEX_FILE_INIT;
	return 0;
}

bool index_entry_is_fresh(const struct index_file *index, const struct index_entry *entry,
			  const struct stat *st)
{
	/* An edit in the tick in which the index was written keeps the file's times. */
	bool racy = entry->mtime_sec > (uint32_t)index->stat.st_mtim.tv_sec ||
		    (entry->mtime_sec == (uint32_t)index->stat.st_mtim.tv_sec &&
		     entry->mtime_nsec >= (uint32_t)index->stat.st_mtim.tv_nsec);
	bool executable = st->st_mode & 0100;

	return !racy && entry->mtime_sec == (uint32_t)st->st_mtim.tv_sec &&
	       entry->mtime_nsec == (uint32_t)st->st_mtim.tv_nsec &&
	       entry->inode == (uint32_t)st->st_ino && entry->size == (uint32_t)st->st_size &&
	       (S_ISLNK(st->st_mode) ? entry->mode == MODE_LINK :
				       entry->mode == (executable ? MODE_EXECUTABLE : MODE_FILE));
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(a, *(char *const *)b);
}

static bool has(const struct strvec *sorted, const char *s)
{
	return sorted->nr && bsearch(s, sorted->v, sorted->nr, sizeof(*sorted->v), compare_strings);
}

bool index_has_folder(const struct index_file *index, const char *path)
{
	return has(&index->folders, path);
}

bool index_has_submodule(const struct index_file *index, const char *path)
{
	return has(&index->submodules, path);
}
