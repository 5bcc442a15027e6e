/* SPDX-License-Identifier: MIT */
/*
 * object: reading trees and blobs out of git, many at once.
 *
 * Use:    objects_read() takes any names that git understands (an id, "HEAD:dir/file",
 *         "refs/x:up.sql") and fills in what they hold, through one `git cat-file --batch`.
 *         tree_list() names the files of a commit.
 * Owner:  the caller; the _release() functions free all.
 * Errors: -1 when git fails; an object that is not there is `missing`.
 */
#ifndef VCS_OBJECT_H
#define VCS_OBJECT_H

#include "base/compat.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "base/strvec.h"

struct object {
	char *name; /* set by the caller; no line end in it */
	char *oid;  /* full; NULL when missing */
	char *type; /* "blob", "tree", ...; NULL when missing */
	struct strbuf data;
};
struct objects {
	struct object *item;
	size_t nr, alloc;
};
#define OBJECTS_INIT \
	{            \
		0    \
	}

/* Returns the index of the new item. */
size_t objects_add(struct objects *objects, const char *name);
int objects_read(struct objects *objects, struct error *err) MUST_CHECK;
void objects_release(struct objects *objects);

/*
 * The digest that is an object's name, where digest_end() comes behind all of its content;
 * `object_format` is a repository's.
 */
void object_digest_init(struct digest *digest, const char *object_format, const char *type,
			uint64_t size);

/* git knows it without its being stored. */
const char *object_empty_tree(const char *object_format);

/*
 * One after the other, as it turns out what is needed: through one `git cat-file --batch` that
 * starts with the first and stays. Of an object that is not there it is an error.
 */
struct object_reader {
	struct process git;
};
#define OBJECT_READER_INIT          \
	{                           \
		.git = PROCESS_INIT \
	}
/* Appends what it holds; `oid` is a full id. */
int object_read(struct object_reader *reader, struct strbuf *ret, const char *oid,
		struct error *err) MUST_CHECK;
/* Is there one of this name, as "<tree>:<path>"? No line end may be in it. */
int object_exists(struct object_reader *reader, bool *ret, const char *name, struct error *err)
	MUST_CHECK;
void object_reader_release(struct object_reader *reader);

struct tree_file {
	char *path; /* from the top of the tree */
	char *oid;
	unsigned mode; /* 0100644, 0100755; and, of tree_list_all(), 0120000, 0160000 */
};
struct tree_files {
	struct tree_file *item;
	size_t nr, alloc;
};
#define TREE_FILES_INIT \
	{               \
		0       \
	}

/* The regular files below `folder` ("" is all) of a tree-ish, sorted by path. */
int tree_list(struct tree_files *ret, const char *treeish, const char *folder, struct error *err)
	MUST_CHECK;
/*
 * All that is in it, symbolic links and submodules as well. Paths are as they are: unchecked.
 * `env` as struct process has it: NULL, or what finds the objects.
 */
int tree_list_all(struct tree_files *ret, const char *treeish, const struct strvec *env,
		  struct error *err) MUST_CHECK;
/*
 * What stands at these paths, which are taken literally; and with `below`, what is in those that
 * are folders. The others that are folders are not listed.
 */
int tree_list_paths(struct tree_files *ret, const char *treeish, const struct strvec *paths,
		    bool below, struct error *err) MUST_CHECK;
void tree_files_release(struct tree_files *files);

#endif
