/* SPDX-License-Identifier: MIT */
/*
 * settings: what the user, the team and the environment want; one namespace, four sources.
 *
 * Use:    settings_start(&s, err) starts git, other work may go on, settings_finish(&s,
 *         repo.worktree, repo.git_dir, err) collects it all; then the getters, by names as
 *         gitrollback(5) has them: "migrations.table", "database.production.url".
 * Order:  the command line, which is the caller's affair, then GIT_ROLLBACK_* variables,
 *         then git's configuration (rollback.*, all of it that git itself would read),
 *         then .gitrollback at the top of the worktree, then the default. For a list the
 *         strongest source that has the key gives all of it.
 * Trust:  what .gitrollback may not bring (trust.h) is withheld: it stays in the list with
 *         its reason, settings_warnings() reports it, and a getter that would return it
 *         fails with EXIT_REFUSED. It never falls through to a weaker value.
 * Errors: -1 with `err` set; they name the key and where it came from, and never show what
 *         a url says. A file that is not well-formed, or has unknown keys, gives nothing.
 *         Unknown keys in git's configuration are let alone, as git does.
 * Owner:  the caller; settings_release() frees all, and what the getters returned.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "base/compat.h"
#include "base/error.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "config/key.h"

#define SETTINGS_FILE ".gitrollback"

enum setting_source { SETTING_DEFAULT, SETTING_FILE, SETTING_GIT, SETTING_ENVIRONMENT };

struct setting {
	const struct setting_key *key;
	char *sub;   /* NULL but for KEY_NAMED */
	char *value; /* NULL: git's key without a value, which is true */
	enum setting_source source;
	size_t line;	    /* of SETTING_FILE */
	char *variable;	    /* of SETTING_ENVIRONMENT */
	const char *demand; /* why a tracked file needs trust to bring it; NULL: it does not */
	bool withheld;	    /* it needs trust, and there is none */
};

enum settings_trust {
	SETTINGS_NO_FILE,  /* also in a bare repository */
	SETTINGS_HARMLESS, /* nothing in the file needs trust */
	SETTINGS_TRUSTED,
	SETTINGS_UNTRUSTED
};

struct settings {
	struct setting *item; /* the weakest first */
	size_t nr, alloc;
	enum settings_trust trust;
	char *worktree, *git_dir; /* NULL where there is none */
	struct strbuf file;	  /* the bytes of .gitrollback that were read, once */
	char *blob;		  /* their id; NULL unless something in it needs trust */
	struct process git;	  /* its output is git's whole configuration */
};
#define SETTINGS_INIT                                    \
	{                                                \
		.file = STRBUF_INIT, .git = PROCESS_INIT \
	}

/* git finds the repository by itself, from where we are: this need not wait for repo_open(). */
int settings_start(struct settings *s, struct error *err) MUST_CHECK;
/* `worktree` and `git_dir` as in struct repo: absolute, NULL where there is none. */
int settings_finish(struct settings *s, const char *worktree, const char *git_dir,
		    struct error *err) MUST_CHECK;
void settings_release(struct settings *s);

/*
 * What a person should be told before the settings are used, as whole sentences: keys
 * that are withheld, passwords in a tracked file. Appends; often nothing.
 */
void settings_warnings(const struct settings *s, struct strvec *ret);
/* Only the part on passwords; never the passwords. */
void settings_secrets(const struct settings *s, struct strvec *ret);
/* Is anything withheld? Then SETTINGS_TRUST_HINT is due once. */
bool settings_withheld(const struct settings *s);
#define SETTINGS_TRUST_HINT "Read .gitrollback, then run 'git rollback trust' to honour all of it."

/*
 * Getters: 0, or -1. Where nothing sets the key it is the default of the table; without
 * one, a string is NULL, a list empty, a number 0. Strings belong to the settings. An
 * unknown name is a BUG.
 */
int settings_string(const char **ret, const struct settings *s, const char *name, struct error *err)
	MUST_CHECK;
int settings_bool(bool *ret, const struct settings *s, const char *name, struct error *err)
	MUST_CHECK;
int settings_integer(int64_t *ret, const struct settings *s, const char *name, struct error *err)
	MUST_CHECK;
/* Appends the values of a KEY_MULTI in their order; an empty one forgets those before. */
int settings_list(struct strvec *ret, const struct settings *s, const char *name, struct error *err)
	MUST_CHECK;
/* Does any source set it, withheld or not? */
bool settings_has(const struct settings *s, const char *name);
/* Appends the names in [section "name"], sorted, each once: those that set one of its keys. */
void settings_subsections(const struct settings *s, const char *section, struct strvec *ret);

/* The strongest source's last value, or NULL. Withheld ones too. */
const struct setting *settings_find(const struct settings *s, const char *name);
/* Appends ".gitrollback:7", "git config rollback.x.y" or "GIT_ROLLBACK_X_Y". */
void setting_origin(struct strbuf *out, const struct setting *setting);

/*
 * The last value of any key in git's configuration, such as "color.ui" (section and key in
 * lower case), "" when it has none; NULL: it is not set. Belongs to the settings.
 */
const char *settings_git(const struct settings *s, const char *key);
/* Is that set, and true as git reads it? */
bool settings_git_bool(const struct settings *s, const char *key);

#endif
