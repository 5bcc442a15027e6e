/* SPDX-License-Identifier: MIT */
/*
 * saved: what an operation saves before it destroys it: rows, schemas, scripts. One folder for
 * each operation, with a manifest that says what is in it.
 *
 * Place:  <root>/<id>/, mode 0700, files 0600; the root is <common dir>/rollback/saved, or a
 *         folder of the user's choice. Never in git's objects: rows must not travel with a push.
 *         Symbolic links below the root are not followed.
 * Format: manifest.json: {"format":1, "operation", "command", "created_at", "complete",
 *         "parts": [...], ...}. Each part is one file: {"file", "kind", "bytes" (as stored),
 *         "content_bytes", "sha256" (of the file as stored), "compression": "zstd"|"none", ...},
 *         and what its maker adds. Kinds and the other members are their makers' affair
 *         (flow/save.h, flow/database-snapshot.h).
 * Use:    saved_create(); for each part saved_part_begin(), saved_part_write(),
 *         saved_part_finish(); then saved_finish(), from which on it is durable and complete.
 *         saved_discard() takes away what is not to stay. To read: saved_open(), then
 *         saved_part_open() and saved_part_read().
 * Crash:  each part is written to a temporary name, synced and renamed when it is whole; the
 *         manifest is written last. A folder without one is a leftover, which saved_sweep()
 *         removes, unless the operation is still open, or the folder's maker alive: that one
 *         holds a flock(2) on the folder.
 * Owner:  the caller; saved_release() closes, and leaves the folder as it is.
 * Errors: -1 with `err` set: no space, a digest that is not what the manifest says (EXIT_NO).
 */
#ifndef JOURNAL_SAVED_H
#define JOURNAL_SAVED_H

#include "base/compat.h"
#include "base/error.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"

struct saved {
	char *path;	  /* of the folder */
	int fd;		  /* the folder itself */
	json_t *manifest; /* add members before saved_finish() */
	size_t parts;	  /* that were begun: they are numbered from 1 */
};
#define SAVED_INIT       \
	{                \
		.fd = -1 \
	}

/* <common dir>/rollback/saved; free() it. */
char *saved_root(const char *common_dir) MUST_CHECK;

/* Makes the folder for operation `id`, and the root; another is there already: -1. */
int saved_create(struct saved *ret, const char *root, const char *id, const char *command,
		 struct error *err) MUST_CHECK;
/* Writes the manifest, `complete`, and syncs the folders. May be called again with more members. */
int saved_finish(struct saved *saved, struct error *err) MUST_CHECK;
/* Removes the folder with all that is in it. */
int saved_discard(struct saved *saved, struct error *err) MUST_CHECK;
void saved_release(struct saved *saved);

enum saved_found { SAVED_FOUND = 0, SAVED_MISSING = 1 };
/* SAVED_MISSING: there is no folder of that operation, or no complete one. */
int saved_open(struct saved *ret, const char *root, const char *id, struct error *err) MUST_CHECK;
/* The ids that have a manifest, newest first. */
int saved_list(struct strvec *ret, const char *root, struct error *err) MUST_CHECK;
/* Removes the incomplete ones but those of the operations in `open` (ids; may be NULL). */
int saved_sweep(const char *root, const struct strvec *open, struct error *err) MUST_CHECK;
/*
 * For who has to look at all of them and then write: nobody makes or sweeps one meanwhile. Waits.
 * *ret_fd is the lock; close() it soon.
 */
int saved_lock(int *ret_fd, const char *root, struct error *err) MUST_CHECK;
/* Bytes that can still be written there, by an ordinary user; the root need not be there yet. */
int saved_space(int64_t *ret, const char *root, struct error *err) MUST_CHECK;

/* --- Parts ------------------------------------------------------------------------------ */

struct saved_part {
	struct saved *saved;
	char *name;		     /* of the file, in the folder */
	struct saved_stream *stream; /* zstd, digest and descriptor */
	int64_t content_bytes;	     /* that went in, or came out */
};
#define SAVED_PART_INIT \
	{               \
		0       \
	}

/*
 * `suffix` ends the file's name ("copy", "dump", "sql"; ".zst" is put behind it where it is
 * compressed); in front stands the part's number.
 */
int saved_part_begin(struct saved_part *ret, struct saved *saved, const char *suffix,
		     bool compressed, struct error *err) MUST_CHECK;
int saved_part_write(struct saved_part *part, const void *data, size_t len, struct error *err)
	MUST_CHECK;
/*
 * The file of a part that is not compressed, open for reading and writing, for another program
 * to write to instead of saved_part_write(). saved_part_finish() then reads it for the digest.
 */
int saved_part_fd(struct saved_part *part) MUST_CHECK;
/* `members` (an object; the reference is taken) become the part's in the manifest, "kind" too. */
int saved_part_finish(struct saved_part *part, json_t *members, struct error *err) MUST_CHECK;

/* `member` is one of the manifest's "parts". Its digest is checked as it is read, at the end. */
int saved_part_open(struct saved_part *ret, struct saved *saved, const json_t *member,
		    struct error *err) MUST_CHECK;
/* Up to `size` bytes of the content; *ret_len 0 is the end, and then the digest was right. */
int saved_part_read(struct saved_part *part, void *buf, size_t size, size_t *ret_len,
		    struct error *err) MUST_CHECK;
/* Appends the whole content. */
int saved_part_read_all(struct strbuf *ret, struct saved *saved, const json_t *member,
			struct error *err) MUST_CHECK;
/* Lets go of it; a part that was begun and not finished is removed. */
void saved_part_release(struct saved_part *part);

/* The part's file for another program to read, checked as saved_part_verify() does; free() it. */
int saved_part_path(char **ret, struct saved *saved, const json_t *member, struct error *err)
	MUST_CHECK;
/* Compares the file with its digest, without reading it as content. */
int saved_part_verify(struct saved *saved, const json_t *member, struct error *err) MUST_CHECK;

#endif
