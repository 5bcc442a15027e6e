/* SPDX-License-Identifier: MIT */
/*
 * save: what a change is about to destroy, saved before it does: the schema as it is, the rows of
 * tables and columns that go or are changed, the positions of sequences, and the scripts.
 *
 * Use:    save_begin(), once the operation is begun; in each transaction of it save_table() and
 *         save_column() for what is known to go, and save_run(), which locks and copies; then the
 *         scripts, and save_check(): did they destroy anything else, whatever its means? Then
 *         the caller takes them back to a savepoint, calls save_run() again for the rest, and
 *         runs them anew. save_after() looks at what is left of changed tables, and save_finish()
 *         makes it all durable: before COMMIT.
 * Rows:   of READ COMMITTED, behind LOCK TABLE ... IN EXCLUSIVE MODE, which lets others read but
 *         not write until the transaction ends: so not one falls between. In COPY's text format, or
 *         its binary one, which only the same version with the same types reads again; with
 *         row_security off, so that a policy hides none without an error. Generated columns are
 *         left out.
 * Schema: one pg_dump, of a snapshot that is exported once the locks are held.
 * Kept:   journal/saved.h, under the operation's id. Its manifest has, besides:
 *         "database", "identity", "fingerprint_before", "fingerprint_after";
 *         "objects", what each transaction did to the catalog (pg/catalog.h), or null;
 *         "migrations": [{"version", "name", "checksum", "applied_at" (RFC 3339),
 *         "applied_at_us", "execution_time_ms", "up" (file), "group",
 *         "unwatched" (its script may change rows, and ran outside of a transaction)}...], in the order of
 *         execution; "sequences": [{"sequence", "last_value", "is_called"}...], without those
 *         that the role may not read, of which a warning tells;
 *         "foreign_keys": [{"oid", "table", "name", "switched"}...], those whose triggers are not
 *         switched as by default (pg/relation.h), where there are such;
 *         "inserted": [{"oid", "schema", "name", "rows"}...], tables that only got rows;
 *         and of the parts of kind "rows": "table" (identity), "schema", "name", "oid", "group"
 *         (the transaction, from 1), "why", "whole" (else the key and some columns), "columns",
 *         "saved_columns" (those that go), "key", "format" ("text"|"binary"), "rows", "digest"
 *         (digest_sum over them), "after" (the same of the table at the transaction's end, and of
 *         those columns that it has: {"oid", "table", "columns", "rows", "digest"}; null where
 *         it is gone), "place" (OID of what was left under its name; where there was such). Of kind "up": "version". "kept": tables that were moved,
 *         and not saved (flow/keep.h). The schema's are save-schema.h's.
 * Files:  save.c, save-after.c: what is left of the tables.
 * Errors: -1 with `err` set: then nothing may be destroyed.
 */
#ifndef FLOW_SAVE_H
#define FLOW_SAVE_H

#include "flow/session.h"
#include "journal/saved.h"
#include "pg/relation.h"
#include "term/progress.h"

struct save_target {
	uint32_t oid;
	struct strvec columns;
	/* As of struct relation_loss: columns that were seen to be left, or, once it is saved, may
	   be left: those that are not saved. Or NULL. */
	char *left;
	char *why;
	bool whole, saved;
};

struct save {
	struct session *session;
	char *root;
	struct saved folder;
	bool rows, schema; /* what is wanted */
	bool binary;	   /* COPY's binary format, not text; set it before save_run() */
	bool has_schema;   /* it is saved */
	struct save_target *target;
	size_t nr, alloc;
	struct relation_witness witness;
	size_t group;	  /* transactions that save, from 1 */
	bool looked_back; /* at tables that the witness did not know */
	struct progress progress;
	int meter; /* of common_options.progress */
	/* For the report: */
	size_t tables;
	int64_t saved_rows;
};
#define SAVE_INIT                                                                                 \
	{                                                                                         \
		.folder = SAVED_INIT, .witness = RELATION_WITNESS_INIT, .progress = PROGRESS_INIT \
	}

/* With neither rows nor schema there is nothing to do, and no folder; the others do nothing then. */
int save_begin(struct save *save, struct session *s, const char *operation, const char *command,
	       bool rows, bool schema, struct error *err) MUST_CHECK;
/* Begins a transaction that saves: what an earlier one saved may be other rows by now. */
void save_group(struct save *save);
/* `why` as in struct impact_item. What is saved as a whole already needs no more. */
void save_table(struct save *save, uint32_t oid, const char *why);
void save_column(struct save *save, uint32_t oid, const char *column, const char *why);
/* In the open transaction, which keeps the locks. */
int save_run(struct save *save, struct error *err) MUST_CHECK;

enum save_checked { SAVE_ALL = 0, SAVE_MORE = 1 };
/* SAVE_MORE: something else was destroyed, and is a target now: save_run() after a step back. */
int save_check(struct save *save, struct error *err) MUST_CHECK;
/* Before COMMIT: what is there now of the tables of which this transaction saved rows. */
int save_after(struct save *save, struct error *err) MUST_CHECK;
/* Adds a script's text, as a part of its own; *ret_file is its name. */
int save_script(struct save *save, const char *version, const char *text, const char **ret_file,
		struct error *err) MUST_CHECK;
/* Writes the manifest, with these members (the reference is taken); may be called again. */
int save_finish(struct save *save, json_t *members, struct error *err) MUST_CHECK;
/* This transaction did not happen, though others of the run did: its rows are no part of it. */
int save_take_back(struct save *save, struct error *err) MUST_CHECK;
/* The change did not happen: what was saved goes. A failure is a warning. */
void save_discard(struct save *save);
void save_release(struct save *save);
/* {"path", "tables", "rows", "schema"}, or null where nothing was saved. */
json_t *save_to_json(const struct save *save) MUST_CHECK;

#endif
