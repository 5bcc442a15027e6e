/* SPDX-License-Identifier: MIT */
#include <sys/random.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/confirm.h"
#include "flow/database-snapshot.h"
#include "pg/dump.h"
#include "term/output.h"

#define SCRATCH "git_rollback_verify_"

/* A database that is there only while something is restored into it. */
struct scratch {
	struct session *session;
	char *name;
	bool made;
	struct db db;
};

/* ---- The scratch database ------------------------------------------------------------ */

static int run_on(struct session *s, const char *command, const char *name, const char *rest,
		  struct error *err)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&sql, "%s ", command);
	db_quote_identifier(&sql, &s->db, name);
	strbuf_addstr(&sql, rest);
	return db_exec(&s->db, sql.buf, err);
}

/* Also when we were interrupted: nobody else would. */
static void scratch_drop(struct scratch *scratch)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	db_close(&scratch->db);
	if (scratch->made) {
		interrupt_hold(true);
		if (run_on(scratch->session, "DROP DATABASE IF EXISTS", scratch->name,
			   " WITH (FORCE)", &err) < 0) {
			warning("could not drop database '%s': %s", scratch->name, err.message);
			hint("The next 'git snapshot-db verify' does.");
		}
		interrupt_hold(false);
	}
	free(scratch->name);
}

/*
 * Those of verifications that were killed: a living one's connection has the database's name for
 * its application's.
 */
static int drop_leftovers(struct session *s, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, &s->db,
		     "SELECT d.datname FROM pg_catalog.pg_database AS d"
		     " JOIN pg_catalog.pg_roles AS r ON r.oid = d.datdba"
		     " WHERE d.datname LIKE 'git\\_rollback\\_verify\\_%' AND r.rolname = current_user"
		     " AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a"
		     "  WHERE a.application_name = d.datname)",
		     0, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < res.rows; i++) {
		struct error reason CLEANUP(error_release) = ERROR_INIT;
		const char *name = db_value(&res, i, 0);

		if (run_on(s, "DROP DATABASE IF EXISTS", name, "", &reason) < 0)
			warning("could not drop database '%s': %s", name, reason.message);
	}
	return 0;
}

static void add_locale(struct strbuf *out, struct db *db, const char *option, const char *value)
{
	if (!value)
		return;
	strbuf_addf(out, " %s ", option);
	db_quote_literal(out, db, value);
}

static int cannot_make(const struct session *s, struct error *err)
{
	if (strcmp(err->sqlstate, "42501") != 0)
		return error_prefix(err, "could not make a database to restore into");
	error_clear(err);
	error_set(err, "cannot restore it: role '%s' may not create databases", s->db.user);
	error_hint(err, "Name another server with --database, or use --no-restore to check the "
			"digests alone.");
	return error_code(err, EXIT_NO);
}

static int scratch_make(struct scratch *scratch, const struct database_snapshot *snapshot,
			struct error *err)
{
	struct session *s = scratch->session;
	struct strbuf rest CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *params[1];
	uint64_t random = 0;
	struct db_options options = {
		.conninfo = s->database.conninfo,
		.environment = s->database.name,
		.application_name = "git snapshot-db verify",
	};

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return error_errno(err, "cannot get random numbers");
	scratch->name = xstrfmt(SCRATCH "%016" PRIx64, random);
	params[0] = options.name = scratch->name;
	strbuf_addstr(&rest, " TEMPLATE template0");
	add_locale(&rest, &s->db, "ENCODING", json_member(snapshot->about, "encoding"));
	add_locale(&rest, &s->db, "LC_COLLATE", json_member(snapshot->about, "collate"));
	add_locale(&rest, &s->db, "LC_CTYPE", json_member(snapshot->about, "ctype"));
	if (db_query(NULL, &s->db, "SELECT pg_catalog.set_config('application_name', $1, false)", 1,
		     params, err) < 0)
		return -1;
	/* Before: when we are interrupted, it may have been made all the same. */
	scratch->made = true;
	if (run_on(s, "CREATE DATABASE", scratch->name, rest.buf, err) < 0) {
		scratch->made = err->exit_code == EXIT_INTERRUPTED;
		return cannot_make(s, err);
	}
	if (db_open_start(&scratch->db, &options, err) < 0)
		return -1;
	return db_open_finish(&scratch->db, err);
}

/* ---- Restoring ----------------------------------------------------------------------- */

static int restore(struct scratch *scratch, struct database_snapshot *snapshot, struct error *err)
{
	const json_t *part =
		database_snapshot_part(snapshot, snapshot->rows ? "archive" : "schema");
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	char *path CLEANUP(free_p) = NULL;

	if (snapshot->rows)
		return saved_part_path(&path, &snapshot->folder, part, err) < 0 ?
			       -1 :
			       dump_restore_archive(&scratch->db, path, err);
	if (saved_part_read_all(&text, &snapshot->folder, part, err) < 0)
		return -1;
	return dump_restore_text(&scratch->db, &text, err);
}

/* The tracking tables of then do not count. */
static int read_restored(struct catalog *ret, struct scratch *scratch,
			 const struct database_snapshot *snapshot, struct error *err)
{
	const json_t *tracking = json_object_get(snapshot->about, "tracking");
	struct catalog_relation_name names[2];
	struct catalog_scope scope = CATALOG_SCOPE_INIT;
	size_t i;
	json_t *table;

	json_array_foreach(tracking, i, table)
	{
		const char *schema = json_member(table, "schema");
		const char *name = json_member(table, "name");

		if (schema && name && scope.relation_nr < ARRAY_SIZE(names))
			names[scope.relation_nr++] = (struct catalog_relation_name){ schema, name };
	}
	scope.relation = names;
	return catalog_read(ret, &scratch->db, &scope, err);
}

/* Whose options were masked cannot be what it was. */
static bool may_be_masked(const char *kind)
{
	static const char *const kinds[] = { "server", "user mapping", "foreign table",
					     "foreign data wrapper" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

/* What is not in any dump of ours, or was masked, does not count. */
static void leave_out(struct catalog_changes *changes, const struct database_snapshot *snapshot)
{
	bool masked = json_object_get(snapshot->about, "masked") != NULL;
	struct catalog_changes kept = CATALOG_CHANGES_INIT;
	struct catalog_changes gone CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;

	for (size_t i = 0; i < changes->nr; i++) {
		struct catalog_change *c = &changes->item[i];
		bool out = !strcmp(c->kind, "subscription") || (masked && may_be_masked(c->kind));
		struct catalog_changes *to = out ? &gone : &kept;

		ARRAY_GROW(to->item, to->nr + 1, to->alloc);
		to->item[to->nr++] = *c;
	}
	free(changes->item);
	*changes = kept;
}

static int compare(struct catalog_changes *ret, struct session *s,
		   struct database_snapshot *snapshot, struct error *err)
{
	struct scratch scratch CLEANUP(scratch_drop) = { .session = s };
	struct catalog expected CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog actual CLEANUP(catalog_release) = CATALOG_INIT;

	if (database_snapshot_catalog(&expected, snapshot, err) < 0 ||
	    scratch_make(&scratch, snapshot, err) < 0 || restore(&scratch, snapshot, err) < 0 ||
	    read_restored(&actual, &scratch, snapshot, err) < 0)
		return -1;
	catalog_diff(ret, &expected, &actual);
	leave_out(ret, snapshot);
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------- */

struct verification {
	const struct database_snapshot_verb *verb;
	json_t *report;
	bool bad;
};

static int check_digests(struct database_snapshot *snapshot, struct error *err)
{
	size_t i;
	json_t *part;

	json_array_foreach(json_object_get(snapshot->folder.manifest, "parts"), i, part)
	{
		if (saved_part_verify(&snapshot->folder, part, err) < 0)
			return -1;
		if (interrupt_pending())
			return error_interrupted(err);
	}
	return 0;
}

static int check_restored(struct catalog_changes *ret, const struct verification *v,
			  struct database_snapshot *snapshot, struct error *err)
{
	struct session session CLEANUP(session_close) = SESSION_INIT;
	const struct session_request wanted = {
		.command = "snapshot-db",
		.database = v->verb->database ? v->verb->database : snapshot->database,
		.common = &v->verb->common,
	};

	if (session_open(&session, &wanted, err) < 0 ||
	    confirm_protected(&session.database, &v->verb->common, err) < 0 ||
	    drop_leftovers(&session, err) < 0)
		return -1;
	return compare(ret, &session, snapshot, err);
}

static void say(struct verification *v, const struct database_snapshot *snapshot, const char *state,
		const struct catalog_changes *changes, const struct error *reason)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	char *label CLEANUP(free_p) = text_escaped(snapshot->label);
	bool good = !changes->nr && !reason;

	v->bad |= !good;
	database_snapshot_changes_text(&text, changes);
	if (v->verb->common.json) {
		json_array_append_new(
			v->report, json_pack("{s:s, s:b, s:s, s:o, s:o}", "label", snapshot->label,
					     "good", good, "state", state, "differences",
					     catalog_changes_to_json(changes), "error",
					     reason ? error_to_json(reason) : json_null()));
		return;
	}
	if (!v->verb->common.quiet || !good)
		printf("%s %s: %s\n", mark_text(good ? MARK_DONE : MARK_FAILED, output_utf8()),
		       label, state);
	fputs(text.buf, stdout);
}

/* -1: it could not be found out, and the next one's turn will not come. */
static int verify_one(struct verification *v, struct database_snapshot *snapshot, struct error *err)
{
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	bool damaged = check_digests(snapshot, &reason) < 0;

	if (!damaged && v->verb->no_restore) {
		say(v, snapshot, "its digests are right", &changes, NULL);
		return 0;
	}
	if (!damaged && check_restored(&changes, v, snapshot, &reason) == 0) {
		say(v, snapshot,
		    changes.nr ? "restored, and it is not what it was" :
				 "restored, and it is what it was",
		    &changes, NULL);
		return 0;
	}
	if (reason.exit_code == EXIT_INTERRUPTED || reason.exit_code == EXIT_REFUSED) {
		error_move(err, &reason);
		return -1;
	}
	say(v, snapshot, damaged ? "damaged" : "not restored", &changes, &reason);
	if (!v->verb->common.json) {
		error_line("%s", reason.message);
		if (reason.hint)
			hint("%s", reason.hint);
	}
	return 0;
}

static int find_all(struct database_snapshots *ret, const struct database_snapshot_verb *verb,
		    const char *root, struct error *err)
{
	if (verb->all)
		return database_snapshots_read(ret, root, err);
	ret->item = xcalloc(verb->labels, sizeof(*ret->item));
	for (size_t i = 0; i < verb->labels; i++) {
		ret->item[i] = (struct database_snapshot)DATABASE_SNAPSHOT_INIT;
		if (database_snapshot_find(&ret->item[i], root, verb->label[i], err) < 0)
			return -1;
		ret->nr++;
	}
	return 0;
}

int database_snapshot_verify(const struct database_snapshot_verb *verb, struct error *err)
{
	struct database_snapshots all CLEANUP(database_snapshots_release) = DATABASE_SNAPSHOTS_INIT;
	json_t *report CLEANUP(json_decref_p) = json_array();
	struct verification v = { .verb = verb, .report = report };
	char *root CLEANUP(free_p) = NULL;

	if (database_snapshot_locate(&root, &verb->common, err) < 0 ||
	    find_all(&all, verb, root, err) < 0)
		return -1;
	for (size_t i = 0; i < all.nr; i++)
		if (verify_one(&v, &all.item[i], err) < 0)
			return -1;
	if (verb->common.json) {
		json_t *json CLEANUP(json_decref_p) = json_pack(
			"{s:i, s:b, s:O}", "format", 1, "good", !v.bad, "snapshots", report);

		json_print(json);
	}
	return v.bad ? EXIT_NO : EXIT_DONE;
}
