/* SPDX-License-Identifier: MIT */
/*
 * track-migrations: the migrations among the files that a revert changes, and where they are applied.
 *
 * The sentence that rules it: the files of a migration must not go under the feet of a database
 * that has it. No database is changed here; what has to be typed is said.
 *
 * Use:    track_migrations_find(), then track_migrations_ask(), then track_migrations_judge().
 * Owner:  the caller; track_migrations_release().
 */
#ifndef FLOW_TRACK_MIGRATIONS_H
#define FLOW_TRACK_MIGRATIONS_H

#include "base/json.h"
#include "config/settings.h"
#include "flow/environments.h"
#include "flow/verdict.h"
#include "migration/migrations.h"
#include "term/options.h"
#include "vcs/treediff.h"

enum track_migration_change {
	TRACK_MIGRATION_GOES,	 /* its up script does */
	TRACK_MIGRATION_CHANGES, /* its up script is another one then */
	TRACK_MIGRATION_DOWN,	 /* only its down script goes, or changes */
	TRACK_MIGRATION_KEPT	 /* it would go or change, and stays: a new one undoes it */
};

/* What one environment has of one migration. */
struct track_migration_place {
	const struct ledger_entry *applied; /* NULL: it is not applied there, or that is not known */
	bool kept; /* git keeps the down script as it was applied: refs/rollback/applied */
};
struct track_migration {
	const struct migration *file; /* in files, as HEAD has it */
	enum track_migration_change change;
	struct track_migration_place *place; /* one for each of the environments, once asked */
	bool applied;			     /* anywhere */
	/* What its down script does to rows: "keeps", "loses", "unknown"; NULL: there is none. */
	const char *down_rows;
};
struct track_migrations {
	struct migrations files;      /* all that HEAD has */
	char *problem;		      /* why they cannot be read; or NULL */
	struct track_migration *item; /* in the order of versions */
	size_t nr, alloc;
	struct environments environments;
};
#define TRACK_MIGRATIONS_INIT \
	{                     \
		0             \
	}

/* Which of HEAD's migrations the changes are about. `head` is a commit's full id. */
int track_migrations_find(struct track_migrations *ret, const struct settings *settings,
			  const char *head, const struct tree_changes *changes, struct error *err)
	MUST_CHECK;
/*
 * Where they are applied; asks no database where there are none. `names`: these and all that are
 * protected; none: all that are configured. What is not asked is an environment all the same, not
 * reachable.
 */
int track_migrations_ask(struct track_migrations *migrations, const struct settings *settings,
			 const struct strvec *names, struct error *err) MUST_CHECK;
void track_migrations_release(struct track_migrations *migrations);

struct track_migrations_wish {
	bool forward_fix;
	const struct common_options *common; /* --yes and --confirm */
};
/* Refuses, warns, and says what to type. */
void track_migrations_judge(const struct track_migrations *migrations,
			    const struct track_migrations_wish *wish, struct verdict *verdict);
/* Those that are applied somewhere are TRACK_MIGRATION_KEPT from here on. */
void track_migrations_keep(struct track_migrations *migrations);
/* Does its up script go, or become another one? */
bool track_migration_loses(const struct track_migration *migration);
/* "git rollback-db --database=<name> <version>...", one for each environment that has some. */
void track_migrations_commands(const struct track_migrations *migrations, struct strvec *ret);
/* Sets "migrations", "environments" and "rollback_commands". */
void track_migrations_to_json(const struct track_migrations *migrations, json_t *plan);
void track_migrations_text(struct strbuf *out, const struct track_migrations *migrations);
/* "goes", "changes", "down", "kept": for people and for JSON. */
const char *track_migration_change_name(enum track_migration_change change);

#endif
