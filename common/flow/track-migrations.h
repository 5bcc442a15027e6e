/* SPDX-License-Identifier: MIT */
/*
 * track-migrations: what a revert does to migrations, and to the databases that have them.
 *
 * The sentence that rules it: the files of a migration must not go, or become others, under the feet
 * of a database that has it. No database is changed here; what has to be typed is said.
 *
 * By version, HEAD's migrations are compared with those that the revert would leave, and with what
 * each database has applied:
 *
 *               | not applied there    | applied as HEAD has it | as the revert leaves it | otherwise
 *   goes        | nothing              | harm: missing          |            -            | harm
 *   comes back  | pending then: told,  |           -            | it fits again           | changed then:
 *               | and if out of order  |                        |                         | told
 *   changes     | nothing              | harm: changed          | it fits again           | as wrong as
 *               |                      |                        |                         | before: told
 *   only down   | nothing              | told where git has no copy of a down script that goes
 *   renumbered  | the old number comes back, and this goes: one migration with two versions
 *
 * Harm is refused, but for --yes where git keeps the down script. First comes `git rollback-db` there;
 * then the revert; then `git apply-migration` of what comes back, or is another one then.
 * --forward-fix leaves a database as it is, and the files with it (flow/track-forward-fix.h):
 *
 *   goes        | a new migration undoes it; not where others that stay speak of what it makes
 *               | (sql/mention.h), where databases have different texts of it, or where there is no down
 *   changes     | cannot: to undo all of it would take away what was there before the change
 *   renumbered  | nothing is written: only the number is another, and it stays
 *
 * Undone: where a forward fix of it is among HEAD's migrations, a migration is reverted already: its
 * files stay, with the fix.
 * Conflict: files in conflict count as if they went back to what was before; the person who resolves
 * it may decide otherwise, so the stricter is assumed, and what is told says so.
 *
 * Use:    track_migrations_find(), track_migrations_ask(), then track_forward_fixes_plan(), then
 *         track_migrations_judge(). Before anything is changed track_migrations_unchanged(): under
 *         the lock, whether it is still so.
 * Owner:  the caller; track_migrations_release().
 * Files:  track-migrations.c finds, -ask.c asks, -judge.c says what of it, -show.c prints.
 */
#ifndef FLOW_TRACK_MIGRATIONS_H
#define FLOW_TRACK_MIGRATIONS_H

#include "base/json.h"
#include "config/settings.h"
#include "flow/environments.h"
#include "flow/verdict.h"
#include "migration/migrations.h"
#include "term/options.h"
#include "vcs/revert.h"

enum track_migration_change {
	TRACK_MIGRATION_GOES,	 /* its up script does */
	TRACK_MIGRATION_COMES,	 /* it is not there, and comes back */
	TRACK_MIGRATION_CHANGES, /* its up script is another one then, or has another name */
	TRACK_MIGRATION_DOWN	 /* only its down script comes, goes, or changes */
};

/* What an environment has of one migration. */
enum track_migration_fit {
	TRACK_FIT_UNKNOWN, /* it could not be asked */
	TRACK_FIT_PENDING,
	TRACK_FIT_NOW,	/* applied as HEAD has it; or nothing says with which text */
	TRACK_FIT_THEN, /* applied as the revert leaves it */
	TRACK_FIT_OTHER /* applied with another text */
};
struct track_migration_place {
	const struct ledger_entry *applied; /* NULL: it is not applied there, or that is not known */
	enum track_migration_fit fit;
	bool kept; /* git keeps the down script as it was applied: refs/rollback/applied */
};

/* Another one, later, that speaks of what this one makes. */
struct track_migration_use {
	const struct migration *by; /* in files */
	char *name;		    /* of what it speaks */
};

struct track_migration {
	const struct migration *now, *then; /* in files and in after; NULL: there is none */
	const struct migration *file;	    /* `now`, or where there is none `then` */
	enum track_migration_change change;
	bool conflict;
	char now_sum[DIGEST_HEX], then_sum[DIGEST_HEX]; /* of the up scripts; "": there is none */
	size_t twin; /* a renumbering: the index of what comes, or goes, for it; NO_TWIN */
	const struct migration *undone_by; /* in files; or NULL */
	struct track_migration_use *use;
	size_t uses, uses_alloc;
	bool stays;			     /* its files are left as HEAD has them */
	struct track_migration_place *place; /* one for each of the environments, once asked */
	bool applied;			     /* anywhere */
	/* What its down script does to rows: "keeps", "loses", "unknown"; NULL: there is none. */
	const char *down_rows;
};
#define NO_TWIN ((size_t)-1)

struct track_migrations {
	struct migrations files;      /* all that HEAD has */
	struct migrations after;      /* all that the revert would leave, were nothing kept */
	char *problem;		      /* why they cannot be read; or NULL */
	struct track_migration *item; /* in the order of versions */
	size_t nr, alloc;
	struct environments environments;
	bool forward; /* --forward-fix: what is applied stays, or cannot go */
};
#define TRACK_MIGRATIONS_INIT \
	{                     \
		0             \
	}

/*
 * Which migrations the series is about. `head` is a commit's full id, from which it starts; without
 * a series (NULL) only `files` are read.
 */
int track_migrations_find(struct track_migrations *ret, const struct settings *settings,
			  const char *head, const struct revert_series *series, struct error *err)
	MUST_CHECK;
/*
 * Where they are applied; asks no database where there are none. `names`: these and all that are
 * protected; none: all that are configured. What is not asked is an environment all the same, not
 * reachable.
 */
int track_migrations_ask(struct track_migrations *migrations, const struct settings *settings,
			 const struct strvec *names, struct error *err) MUST_CHECK;
void track_migrations_release(struct track_migrations *migrations);

/* Does what it makes go, now or by a new migration that is written? */
static inline bool track_migration_goes(const struct track_migration *it)
{
	return it->change == TRACK_MIGRATION_GOES && !it->undone_by && it->twin == NO_TWIN;
}
/* Would the revert take from this environment what it has? */
bool track_migration_harms(const struct track_migration *it, size_t environment);
/* Adds the paths of those that stay, of all their scripts. */
void track_migrations_kept(const struct track_migrations *migrations, struct strvec *ret);

struct track_migrations_wish {
	bool forward_fix;		     /* it was asked for */
	bool no_fix;			     /* it could not be */
	const struct common_options *common; /* --yes and --confirm */
};
/* Refuses, warns, and says what to type. */
void track_migrations_judge(const struct track_migrations *migrations,
			    const struct track_migrations_wish *wish, struct verdict *verdict);
/* "git rollback-db --database=<name> <version>...", one for each environment that has some. */
void track_migrations_commands(const struct track_migrations *migrations, struct strvec *ret);
/* "git apply-migration --database=<name>", for what comes back, or is another one, afterwards. */
void track_migrations_commands_after(const struct track_migrations *migrations, struct strvec *ret);

/* What was planned with, for the record: {"databases": [names], "applied": {version: {name: text}}}. */
json_t *track_migrations_state(const struct track_migrations *migrations,
			       const struct strvec *names) MUST_CHECK;
/*
 * Asks the databases of that record again. EXIT_REFUSED where one has a migration, or another text of
 * it, that was not known to be there; what was rolled back meanwhile is no harm. NULL: nothing to ask.
 */
int track_migrations_unchanged(const json_t *state, const struct settings *settings,
			       struct error *err) MUST_CHECK;

/* Sets "migrations", "environments" and "rollback_commands". */
void track_migrations_to_json(const struct track_migrations *migrations, json_t *plan);
void track_migrations_text(struct strbuf *out, const struct track_migrations *migrations);

#endif
