/* SPDX-License-Identifier: MIT */
/*
 * key: every setting that there is, and what its values look like.
 *
 * A key is known by section and name: `migrations.lockTimeout`, or, in sections with a
 * name of their own, `database.<name>.url`. In git's configuration "rollback." stands in
 * front. The table is in key.c; gitrollback(5) describes each of its lines, and a test
 * compares the two.
 *
 * The type decides what a tracked file may bring before it is trusted: see trust.h.
 */
#ifndef CONFIG_KEY_H
#define CONFIG_KEY_H

#include "base/compat.h"
#include "base/strbuf.h"
#include "base/strvec.h"

enum key_type {
	KEY_STRING,
	KEY_BOOL,
	KEY_INTEGER,  /* with k, m, g as in git */
	KEY_DURATION, /* as PostgreSQL reads it: "5s", "2min"; a bare number is milliseconds */
	KEY_PATH,     /* from the top of the worktree */
	KEY_PATHSPEC, /* git's, from the top of the worktree */
	KEY_COMMAND,  /* for the shell */
	KEY_URL	      /* env:NAME, service=NAME, or a connection string */
};

enum key_flags {
	KEY_MULTI = 1 << 0,    /* each value adds to a list */
	KEY_NAMED = 1 << 1,    /* section.<name>.key */
	KEY_GIT_ONLY = 1 << 2, /* never from a tracked file or the environment */
};

struct setting_key {
	const char *section, *name;
	enum key_type type;
	unsigned flags;
	const char *fallback; /* NULL: none */
};

/* All of them; the last has no section. */
extern const struct setting_key setting_keys[];

/* NULL: there is none. `section` and `name` in lower case, the name without `_`. */
const struct setting_key *key_find(const char *section, bool named, const char *name);
/* Appends "section.sub.name", spelled as in the table. */
void key_spell(struct strbuf *out, const struct setting_key *key, const char *sub);
/* Appends GIT_ROLLBACK_SECTION_NAME: a new word at each capital. Not for KEY_NAMED. */
void key_variable(struct strbuf *out, const struct setting_key *key);
/* What was probably meant, as "Did you mean '...'?"; NULL: no idea. free() it. */
char *key_suggestion(const char *section, const char *name) MUST_CHECK;

/* NULL when `value` (NULL: git's key without one) fits the type, else what it should be. */
const char *key_expects(enum key_type type, const char *value);
/* These are false, and leave *ret alone, when it does not fit. */
bool key_bool(bool *ret, const char *value) MUST_CHECK;
bool key_integer(int64_t *ret, const char *value) MUST_CHECK;
/* Milliseconds. */
bool key_duration(int64_t *ret, const char *value) MUST_CHECK;

#endif
