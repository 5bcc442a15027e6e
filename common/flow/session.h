/* SPDX-License-Identifier: MIT */
/*
 * session: what every database command has in its hands once it has looked around: the
 * repository, the settings, one database, its ledger, and the migration files.
 *
 * session_open() changes nothing. While git and the server answer, other things are read.
 * Owner:  the caller; session_close() ends the connection and frees all.
 */
#ifndef FLOW_SESSION_H
#define FLOW_SESSION_H

#include "base/json.h"
#include "config/database.h"
#include "config/settings.h"
#include "journal/journal.h"
#include "migration/migrations.h"
#include "migration/status.h"
#include "pg/catalog.h"
#include "pg/db.h"
#include "pg/ledger.h"
#include "pg/rollback_log.h"
#include "term/options.h"
#include "vcs/repo.h"

struct session_request {
	const char *command;  /* "apply-migration" */
	const char *database; /* --database, or NULL */
	const char *rev;      /* read the files of this commit; NULL: the worktree's */
	bool optional;	      /* no database at all is fine */
	bool digest;	      /* the checksums of all up scripts are wanted */
	bool strict;   /* what is wrong with files is refused by the plan: no warning of it */
	bool changing; /* it is about to change the database */
	bool lock;     /* nobody is asked first: take the locks at once, where they are free */
	const struct common_options *common;
};

struct session {
	struct session_request request;
	struct repo repo;
	struct settings settings;
	struct database_setting database;
	bool has_database;
	struct db db;
	struct ledger_place place;
	struct ledger ledger;
	struct log_unfinished_list unfinished;
	struct migrations files;
	struct catalog_scope scope; /* the catalog without the tracking tables */
	struct catalog_relation_name tracking[2];
	json_t *open_operations;    /* journal_open() */
	struct operation operation; /* of a changing command: its id, and its lock if held */
	bool locked; /* both locks are held: what was read stays true until the change */
};

#define SESSION_INIT                                                   \
	{                                                              \
		.settings = SETTINGS_INIT, .operation = OPERATION_INIT \
	}

int session_open(struct session *s, const struct session_request *request, struct error *err)
	MUST_CHECK;
void session_close(struct session *s);
/*
 * One more connection to the session's database, as its own is: with the settings, and what
 * the server says is shown. `db` is the caller's to close.
 */
int session_connect(struct session *s, struct db *db, const char *application_name,
		    struct error *err) MUST_CHECK;
/* Reads ledger and log again, before anything points into them. */
int session_reread(struct session *s, struct error *err) MUST_CHECK;

/*
 * One digest over ledger and unfinished scripts as they are in the database by now; free()
 * it. Plans keep pointing into what was read first, which stays as it is; only whether the
 * tracking tables exist is brought up to date.
 */
int session_signature(char **ret, struct session *s, struct error *err) MUST_CHECK;
/* The same over what was read when the session was opened. */
char *session_planned_signature(const struct session *s) MUST_CHECK;

/* The migration files of a commit, by the session's settings. */
int session_read_files(struct migrations *ret, const struct session *s, const char *rev,
		       struct error *err) MUST_CHECK;
/* Has the migration's up script the same tokens, comments and white space aside? */
int session_same_tokens(bool *ret, const struct session *s, const struct migration *migration,
			const char *tokens, struct error *err) MUST_CHECK;

/* Warns of what was found on the way: withheld settings, problems of files, open operations. */
void session_warn(const struct session *s);

/* Refuses a database that cannot be written: a standby, a read-only role. */
int session_check_writable(const struct session *s, struct error *err) MUST_CHECK;

#endif
