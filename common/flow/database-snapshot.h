/* SPDX-License-Identifier: MIT */
/*
 * database-snapshot: what a database was, kept in a file: `git snapshot-db`.
 *
 * Kept:   journal/saved.h, in a folder for each, beside what other operations save, or below
 *         [snapshots] directory. The manifest has, besides: "snapshot": {"label", "database" (the
 *         environment's name), "data" (with rows), "fingerprint", "objects" (how many),
 *         "server_version", "encoding", "collate", "ctype", "version" (the highest that is
 *         applied), "applied" (how many), "masked" (passwords), "tracking": [{"schema", "name"}]
 *         (tables that do not count)}. That member tells a snapshot from what others saved.
 * Parts:  "schema", pg_dump's text, passwords in options masked (payload-schema.h); or
 *         "archive", pg_dump's custom format, with rows, in which nothing is masked;
 *         "catalog", {"format":1, "objects": catalog_to_json()} with definitions;
 *         "migrations", as database/migrations.json of a checkpoint.
 *         All of them are of one exported snapshot.
 * Labels: unique in their folder; by rule what git takes in a ref.
 * Files:  database-snapshot.c takes, finds and reads them; -list.c, -diff.c and -verify.c are
 *         the other verbs.
 */
#ifndef FLOW_DATABASE_SNAPSHOT_H
#define FLOW_DATABASE_SNAPSHOT_H

#include "flow/session.h"
#include "journal/saved.h"
#include "pg/catalog.h"

/* One that is there. The strings belong to its manifest. */
struct database_snapshot {
	struct saved folder;
	const char *id, *label, *created_at, *database, *fingerprint;
	const json_t *about; /* "snapshot" of the manifest */
	bool rows;
	char *file; /* pg_dump's, absolute */
};
#define DATABASE_SNAPSHOT_INIT        \
	{                             \
		.folder = SAVED_INIT, \
	}
void database_snapshot_release(struct database_snapshot *snapshot);

struct database_snapshots {
	struct database_snapshot *item; /* newest first */
	size_t nr, alloc;
};
#define DATABASE_SNAPSHOTS_INIT \
	{                       \
		0               \
	}
void database_snapshots_release(struct database_snapshots *snapshots);

/* Is it a name that git takes in a ref, and no option? Else an error with EXIT_USAGE. */
int database_snapshot_check_label(const char *label, struct error *err) MUST_CHECK;

/* Where they are; free() it. Nothing need be there. */
int database_snapshot_root(char **ret, const struct settings *settings, const struct repo *repo,
			   struct error *err) MUST_CHECK;

/*
 * Takes one of the session's database, outside of a transaction: it begins one of its own, and
 * ends it. `label` NULL: the time. It is there as a whole, or not at all.
 */
struct database_snapshot_request {
	const char *label;
	bool rows;
	const char *command; /* on whose behalf: "snapshot-db", "apply-migration" */
};
int database_snapshot_take(struct database_snapshot *ret, struct session *s,
			   const struct database_snapshot_request *request, struct error *err)
	MUST_CHECK;
/*
 * The same with a change, where the environment wants it (database_setting.snapshot), with the
 * label "<when>-<operation>"; *ret_label (free() it) stays NULL where it does not. Says so.
 */
int database_snapshot_for_change(char **ret_label, struct session *s, const char *when,
				 const char *operation, struct error *err) MUST_CHECK;

/* All of them; one that cannot be read is warned of. */
int database_snapshots_read(struct database_snapshots *ret, const char *root, struct error *err)
	MUST_CHECK;
/* By label or id. Where there is none the error names the nearest. */
int database_snapshot_find(struct database_snapshot *ret, const char *root, const char *name,
			   struct error *err) MUST_CHECK;
/* The member of "parts" of that kind, or NULL. */
const json_t *database_snapshot_part(const struct database_snapshot *snapshot, const char *kind);
int database_snapshot_catalog(struct catalog *ret, struct database_snapshot *snapshot,
			      struct error *err) MUST_CHECK;
/* {"label", "file", "created_at", "database", "fingerprint", "data"}. */
json_t *database_snapshot_to_json(const struct database_snapshot *snapshot) MUST_CHECK;

/* ---- The verbs; each prints, and returns an exit code or -1 ---------------------------- */

struct database_snapshot_verb {
	const char *database; /* --database, or NULL */
	const char **label;
	size_t labels;
	struct database_snapshot_request create;
	bool live;	 /* diff: with the database as it is now */
	bool all;	 /* verify */
	bool no_restore; /* verify: the digests alone */
	bool exit_code;	 /* diff: EXIT_NO where there are differences */
	long keep;	 /* prune: the newest so many */
	struct common_options common;
};
#define DATABASE_SNAPSHOT_VERB_INIT                        \
	{                                                  \
		.keep = -1, .common = COMMON_OPTIONS_INIT, \
	}
int database_snapshot_create(const struct database_snapshot_verb *verb, struct error *err)
	MUST_CHECK;
int database_snapshot_list(const struct database_snapshot_verb *verb, struct error *err) MUST_CHECK;
int database_snapshot_show(const struct database_snapshot_verb *verb, struct error *err) MUST_CHECK;
int database_snapshot_diff(const struct database_snapshot_verb *verb, struct error *err) MUST_CHECK;
int database_snapshot_verify(const struct database_snapshot_verb *verb, struct error *err)
	MUST_CHECK;
int database_snapshot_prune(const struct database_snapshot_verb *verb, struct error *err)
	MUST_CHECK;

/* Where they are, for verbs that need no database. */
int database_snapshot_locate(char **ret_root, const struct common_options *common,
			     struct error *err) MUST_CHECK;
/* Appends one line for each change: "+ table public.t", "- ...", "~ table public.t: ...". */
void database_snapshot_changes_text(struct strbuf *out, const struct catalog_changes *changes);

#endif
