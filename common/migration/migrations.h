/* SPDX-License-Identifier: MIT */
/*
 * migrations: the migration files of the worktree or of a commit, paired and in order.
 *
 * Files:  <version>_<name>.up.sql and <version>_<name>.down.sql in one folder, or folders
 *         <version>_<name>/ holding up.sql and down.sql. An up and its down belong together
 *         by version. Other files are left alone.
 * Use:    migrations_read(), then m.item[0 .. m.nr-1] in the order of versions; each has an
 *         up or a down, or both. What is wrong with the files is in m.problem.
 *         migrations_load() gets a script's bytes.
 * Owner:  the caller; migrations_release() frees all.
 * Errors: -1 when the folder or the commit cannot be read. A folder that is not there is
 *         none: a branch that never had it is an ordinary thing.
 */
#ifndef MIGRATION_MIGRATIONS_H
#define MIGRATION_MIGRATIONS_H

#include "base/compat.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/strbuf.h"

struct migration_script {
	char *path; /* from the top of the worktree or tree; NULL: there is none */
	char *oid;  /* in a commit; NULL in the worktree */
	char *name; /* the part of the file's name behind the version */
};

struct migration {
	char *version, *name;
	struct migration_script up, down;
	char checksum[DIGEST_HEX]; /* of the up script; "" until migrations_digest() */
	bool unreadable;	   /* migrations_digest() could not use the up script */
};

enum migration_problem_kind {
	PROBLEM_SAME_VERSION, /* two files of one version: nothing can be applied */
	PROBLEM_UNREADABLE,   /* cannot be read, or is no UTF-8 */
	PROBLEM_NO_UP,
	PROBLEM_NO_DOWN,
	PROBLEM_NAMES_DIFFER,
	PROBLEM_NOT_A_VERSION /* *.up.sql or *.down.sql without a version in front */
};
struct migration_problem {
	enum migration_problem_kind kind;
	char *version; /* or NULL */
	char *text;    /* a sentence for people, with the paths in it */
};

struct migrations {
	struct migration *item;
	size_t nr, alloc;
	struct migration_problem *problem;
	size_t problems, problems_alloc;
	char *folder;	  /* from the top; NULL: none was found */
	char *configured; /* the setting, or NULL */
	char *root;	  /* the worktree's top; NULL when they came from a commit */
	char *commit;	  /* the commit's full id; NULL when they came from the worktree */
};
#define MIGRATIONS_INIT \
	{               \
		0       \
	}

enum migration_layout { LAYOUT_AUTO, LAYOUT_PAIR, LAYOUT_DIRECTORY };
/* From the setting's text; other tools' layouts are refused by name. */
int migration_layout_parse(enum migration_layout *ret, const char *text, struct error *err)
	MUST_CHECK;

/*
 * One of `root` (the worktree's top) and `commit` is NULL. `folder` is the setting, or NULL:
 * then the usual places are looked at, and more than one with migrations is refused.
 */
int migrations_read(struct migrations *ret, const char *root, const char *commit,
		    const char *folder, enum migration_layout layout, struct error *err) MUST_CHECK;
/*
 * Those of a list of files that is no commit's (vcs/object.h): only names are looked at, and scripts
 * have the ids that it has.
 */
struct tree_files;
int migrations_of_files(struct migrations *ret, const struct tree_files *files, const char *folder,
			enum migration_layout layout, struct error *err) MUST_CHECK;
void migrations_release(struct migrations *m);

/* Reads every up script and fills in the checksums; what cannot be used is a problem. */
int migrations_digest(struct migrations *m, struct error *err) MUST_CHECK;
/* Reads every down script; what cannot be used is a problem. */
int migrations_check_downs(struct migrations *m, struct error *err) MUST_CHECK;
/* The same for one of them, if it was not done before. */
int migrations_digest_one(struct migrations *m, struct migration *item, struct error *err)
	MUST_CHECK;

/* The version's migration (versions compare as numbers), or NULL. */
struct migration *migrations_find(const struct migrations *m, const char *version);

/* Appends the bytes of a script as the file has them. */
int migrations_load(struct strbuf *ret, const struct migrations *m,
		    const struct migration_script *script, struct error *err) MUST_CHECK;

/* SHA-256 of a script with CRLF read as LF and a byte order mark dropped. */
void migration_checksum(char ret[DIGEST_HEX], const char *bytes, size_t len);

/* Is it a file name, or a path, of a migration's up script? Then its version (free() it). */
char *migration_path_version(const char *path, bool *ret_is_up);

#endif
