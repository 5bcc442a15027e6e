/* SPDX-License-Identifier: MIT */
/*
 * Where all entries of the index stay and files were written anew, the new index is the present
 * one but for the times of these files, which the scratch index has: bytes are exchanged in
 * place. git's update-index would read each of the files once more, and format every entry.
 */
#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "vcs/restore-parts.h"

/* An index file, and some of what it says. */
struct times {
	struct strbuf bytes;
	struct index_file index;
};
#define TIMES_INIT                                             \
	{                                                      \
		.bytes = STRBUF_INIT, .index = INDEX_FILE_INIT \
	}

static void times_release(struct times *times)
{
	strbuf_release(&times->bytes);
	index_file_release(&times->index);
}

static size_t hash_size(const struct restore *restore)
{
	return strcmp(restore->repo->object_format, "sha256") ? 20 : 32;
}

static int read_index(struct times *times, const struct restore *restore, const char *path,
		      struct error *err)
{
	int found = file_read(&times->bytes, path, err);

	if (found != FILE_FOUND)
		return found < 0 ? -1 : INDEX_OTHER;
	return index_file_parse(&times->index, (const unsigned char *)times->bytes.buf,
				times->bytes.len, hash_size(restore)) == INDEX_WHOLE ?
		       INDEX_WHOLE :
		       INDEX_OTHER;
}

static int compare_paths(const void *path, const void *entry)
{
	return strcmp(path, ((const struct index_entry *)entry)->path);
}

/* The same file in both: times, device and inode, then owner, group and size. */
static void exchange(struct times *to, const struct times *from)
{
	const struct index_entries *known = &to->index.found;

	for (size_t i = 0; i < from->index.found.nr && known->nr; i++) {
		const struct index_entry *new = &from->index.found.item[i];
		const struct index_entry *old = bsearch(new->path, known->item, known->nr,
							sizeof(*known->item), compare_paths);
		size_t rest = INDEX_MODE + 4;

		if (!old || old->mode != new->mode || strcmp(old->oid, new->oid) != 0)
			continue;
		to->index.recent -= old->mtime_sec >= (uint32_t)to->index.since;
		memcpy(to->bytes.buf + old->offset, from->bytes.buf + new->offset, INDEX_MODE);
		memcpy(to->bytes.buf + old->offset + rest, from->bytes.buf + new->offset + rest,
		       INDEX_STAT - rest);
	}
}

/* The digest at the file's end; with index.skipHash there are zeros, which stay. */
static void seal(struct strbuf *bytes, const struct restore *restore)
{
	size_t len = bytes->len - hash_size(restore);
	char hex[DIGEST_HEX];
	struct digest digest;
	bool any = false;

	for (size_t i = len; i < bytes->len; i++)
		any |= bytes->buf[i] != 0;
	if (!any)
		return;
	digest_init(&digest, hash_size(restore) == 20 ? DIGEST_SHA1 : DIGEST_SHA256);
	digest_add(&digest, bytes->buf, len);
	digest_end(hex, &digest);
	for (size_t i = len; i < bytes->len; i++) {
		unsigned byte = 0;

		sscanf(hex + 2 * (i - len), "%2x", &byte);
		bytes->buf[i] = (char)byte;
	}
}

int restore_exchange_times(const struct restore *restore, const char *path, struct error *err)
{
	char *scratch CLEANUP(free_p) = xstrfmt("%s/scratch-index", restore->request->folder);
	const struct index_file *captured = &restore->now.state.index;
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;
	struct times now CLEANUP(times_release) = TIMES_INIT;
	struct times written CLEANUP(times_release) = TIMES_INIT;
	int found;

	/* Those that git has not written itself, or not last, are of another time or size. */
	if (restore->index_kind != RESTORE_INDEX_REFRESH || restore->now.state.special_index ||
	    restore->rewritten.nr || restore_has_raw(restore) ||
	    restore_has_unconverted(restore, true))
		return INDEX_OTHER;
	for (size_t i = 0; i < restore->files.nr; i++)
		strvec_push(&paths, restore->files.item[i].path);
	now.index.wanted = &paths;
	now.index.since = captured->stat.st_mtim.tv_sec;
	written.index.all = true;
	found = read_index(&now, restore, restore->lock.index, err);
	if (found == INDEX_WHOLE)
		found = read_index(&written, restore, scratch, err);
	if (found != INDEX_WHOLE)
		return found;
	exchange(&now, &written);
	/*
	 * Of a file as recent as the index git has to compare the content, and by the index's time
	 * it knows; where it writes one itself, it takes care of that. Many a git looks at whole
	 * seconds alone.
	 */
	if (now.index.recent)
		return INDEX_OTHER;
	seal(&now.bytes, restore);
	return file_write(path, now.bytes.buf, now.bytes.len, captured->stat.st_mode & 07777,
			  FILE_SYNC_CONTENT, err) < 0 ?
		       -1 :
		       INDEX_WHOLE;
}
