/* SPDX-License-Identifier: MIT */
#include "flow/payload-database.h"

#include "base/memory.h"
#include "config/database.h"
#include "flow/payload-schema.h"
#include "migration/status.h"
#include "migration/version.h"
#include "pg/catalog.h"
#include "pg/dump.h"
#include "pg/ledger.h"
#include "pg/transaction.h"
#include "term/output.h"

#define HURRY	     3 /* seconds to connect */
#define LOCK_TIMEOUT "2s"
#define LEDGER	     "list of migrations"

/* One look at a database. */
struct look {
	const struct checkpoint_session *session;
	enum payload_database wanted;
	struct snapshot_parts *parts;
	json_t *database; /* of the manifest */
	struct database_setting setting;
	struct db db;
	struct ledger_place place;
	struct dump dump;
	bool has_ledger; /* `place` is ours */
	bool dumping;
};

static void look_release(struct look *look)
{
	dump_release(&look->dump);
	ledger_place_release(&look->place);
	db_close(&look->db);
	database_setting_release(&look->setting);
	json_decref(look->database);
}

static bool is_interrupted(const struct error *err)
{
	return err->exit_code == EXIT_INTERRUPTED;
}

/*
 * A part that cannot be had. It is an error where the database was asked for, and otherwise
 * said and recorded.
 */
static int leave_out(struct look *look, const char *part, struct error *reason, struct error *err)
{
	json_t *left_out = json_object_get(look->database, "left_out");

	if (look->wanted == PAYLOAD_DATABASE_NEEDED || is_interrupted(reason)) {
		error_move(err, reason);
		return -1;
	}
	if (!left_out) {
		left_out = json_array();
		json_object_set_new(look->database, "left_out", left_out);
	}
	json_array_append_new(left_out, json_pack("{s:s, s:o}", "part", part, "reason",
						  json_text(reason->message)));
	warning("no %s of database '%s' is kept: %s", part, look->setting.name, reason->message);
	return 0;
}

static void add_json(struct look *look, const char *path, const json_t *json)
{
	char *text CLEANUP(free_p) = json_format(json);

	strbuf_addstr(snapshot_parts_add(look->parts, path), text);
}

/* ---- The parts ----------------------------------------------------------------------- */

static json_t *entry_to_json(const struct ledger_entry *entry)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "version", json_text(entry->version), "name",
			 json_text(entry->name), "applied_at", json_time(entry->applied_at),
			 "checksum", json_text(entry->checksum), "execution_time_ms",
			 entry->execution_time_ms < 0 ? json_null() :
							json_integer(entry->execution_time_ms));
}

static const char *highest_version(const struct ledger *ledger)
{
	const char *highest = NULL;

	for (size_t i = 0; i < ledger->nr; i++)
		if (!highest || version_compare(ledger->item[i].version, highest) > 0)
			highest = ledger->item[i].version;
	return highest;
}

void payload_describe_ledger(json_t *database, const struct ledger *ledger)
{
	if (ledger->nr)
		json_object_set_new(database, "version", json_text(highest_version(ledger)));
	json_object_set_new(database, "applied", json_size(ledger->nr));
}

static int locate_ledger(struct look *look, struct ledger *ret, struct error *err)
{
	const struct settings *settings = &look->session->settings;
	const char *table, *log;

	if (settings_string(&table, settings, "migrations.table", err) < 0 ||
	    settings_string(&log, settings, "migrations.logTable", err) < 0 ||
	    ledger_locate(&look->place, &look->db, table, log, err) < 0)
		return -1;
	return ledger_read(ret, &look->place, &look->db, err);
}

/*
 * Is it ours? That is found out before the transaction: to tell whose it is otherwise takes
 * queries after one that has failed.
 */
static int find_ledger(struct look *look, struct error *err)
{
	struct ledger ledger CLEANUP(ledger_release) = LEDGER_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	look->has_ledger = locate_ledger(look, &ledger, &reason) == 0;
	if (look->has_ledger)
		return 0;
	if (!db_is_lost(&look->db))
		return leave_out(look, LEDGER, &reason, err);
	error_move(err, &reason);
	return -1;
}

json_t *payload_migrations_to_json(const struct ledger_place *place, const struct ledger *ledger)
{
	json_t *migrations = json_array();

	for (size_t i = 0; i < ledger->nr; i++)
		json_array_append_new(migrations, entry_to_json(&ledger->item[i]));
	return json_pack("{s:i, s:o, s:o}", "format", 1, "table", json_text(place->quoted),
			 "migrations", migrations);
}

static int keep_ledger(struct look *look, struct error *err)
{
	struct ledger ledger CLEANUP(ledger_release) = LEDGER_INIT;
	json_t *json CLEANUP(json_decref_p) = NULL;

	if (ledger_read(&ledger, &look->place, &look->db, err) < 0)
		return -1;
	ledger_order(&ledger);
	json = payload_migrations_to_json(&look->place, &ledger);
	add_json(look, PAYLOAD_MIGRATIONS, json);
	payload_describe_ledger(look->database, &ledger);
	return 0;
}

static int keep_catalog(struct look *look, struct error *err)
{
	/* Where another tool has the name of the ledger, nothing is left out. */
	const struct catalog_relation_name tracking[] = {
		{ look->place.schema, look->place.table },
		{ look->place.log_schema, look->place.log },
	};
	const struct catalog_scope scope = { .relation = tracking,
					     .relation_nr = ARRAY_SIZE(tracking) };
	struct catalog catalog CLEANUP(catalog_release) = CATALOG_INIT;
	json_t *json CLEANUP(json_decref_p) = NULL;

	if (catalog_read(&catalog, &look->db, look->has_ledger ? &scope : NULL, err) < 0)
		return error_prefix(err, "could not read the catalog");
	json = json_pack("{s:i, s:s, s:o}", "format", 1, "fingerprint",
			 catalog_fingerprint(&catalog), "objects",
			 catalog_to_json(&catalog, false));
	add_json(look, PAYLOAD_FINGERPRINT, json);
	json_object_set_new(look->database, "fingerprint",
			    json_string(catalog_fingerprint(&catalog)));
	return 0;
}

/* pg_dump works while we read. */
static int start_dump(struct look *look, struct error *err)
{
	char *snapshot CLEANUP(free_p) = NULL;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	int started;

	if (transaction_begin_snapshot(&snapshot, &look->db, err) < 0)
		return -1;
	started = dump_start(&look->dump, &look->db, snapshot, &reason);
	look->dumping = started == DUMP_STARTED;
	if (started == DUMP_NO_PROGRAM)
		dump_no_program(&look->db, &reason);
	if (look->dumping)
		return 0;
	if (reason.hint && look->wanted != PAYLOAD_DATABASE_NEEDED)
		hint("%s", reason.hint);
	return leave_out(look, "schema", &reason, err);
}

static int keep_dump(struct look *look, struct error *err)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	size_t masked;

	if (!look->dumping)
		return 0;
	if (dump_finish(&text, &look->dump, &reason) < 0)
		return leave_out(look, "schema", &reason, err);
	masked = payload_schema_mask(snapshot_parts_add(look->parts, PAYLOAD_SCHEMA), text.buf,
				     text.len);
	if (masked)
		json_object_set_new(look->database, "masked", json_size(masked));
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------- */

/* Each in a savepoint: what fails must not take the others with it. */
static int keep(struct look *look, const char *part,
		int (*collect)(struct look *look, struct error *err), struct error *err)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	if (db_exec(&look->db, "SAVEPOINT part", err) < 0)
		return -1;
	if (collect(look, &reason) == 0)
		return db_exec(&look->db, "RELEASE SAVEPOINT part", err);
	if (db_is_lost(&look->db)) {
		error_move(err, &reason);
		return -1;
	}
	if (leave_out(look, part, &reason, err) < 0)
		return -1;
	return db_exec(&look->db, "ROLLBACK TO SAVEPOINT part", err);
}

static int connect_to(struct look *look, struct error *err)
{
	struct db_options options = {
		.conninfo = look->setting.conninfo,
		.environment = look->setting.name,
		.application_name = "git checkpoint",
		.lock_timeout =
			look->setting.lock_timeout ? look->setting.lock_timeout : LOCK_TIMEOUT,
		.statement_timeout = look->setting.statement_timeout,
		.hurry = HURRY,
	};

	if (db_open_start(&look->db, &options, err) < 0)
		return -1;
	return db_open_finish(&look->db, err);
}

static int read_all(struct look *look, struct error *err)
{
	char *version CLEANUP(free_p) = NULL;

	if (connect_to(look, err) < 0)
		return -1;
	version = xstrfmt("%d.%d", look->db.version / 10000, look->db.version % 10000);
	json_object_set_new(look->database, "server_version", json_string(version));
	if (find_ledger(look, err) < 0 || start_dump(look, err) < 0 ||
	    (look->has_ledger && keep(look, LEDGER, keep_ledger, err) < 0) ||
	    keep(look, "fingerprint", keep_catalog, err) < 0 || keep_dump(look, err) < 0)
		return -1;
	db_rollback(&look->db);
	return 0;
}

/* It did not answer, or went away on the way: then nothing of it counts. */
static int not_reached(struct look *look, struct snapshot_parts *read, struct error *reason,
		       struct error *err)
{
	const char *name = look->setting.name;

	if (look->wanted == PAYLOAD_DATABASE_NEEDED || is_interrupted(reason)) {
		error_move(err, reason);
		return -1;
	}
	snapshot_parts_release(read);
	json_object_clear(look->database);
	if (name)
		json_object_set_new(look->database, "name", json_text(name));
	json_object_set_new(look->database, "reachable", json_false());
	json_object_set_new(look->database, "reason", json_text(reason->message));
	warning("nothing of the database is kept: %s", reason->message);
	return 0;
}

static void move_parts(struct snapshot_parts *to, struct snapshot_parts *from)
{
	for (size_t i = 0; i < from->nr; i++) {
		struct strbuf *data = snapshot_parts_add(to, from->item[i].path);

		*data = from->item[i].data;
		from->item[i].data = (struct strbuf)STRBUF_INIT;
	}
}

static int no_database(const struct look *look, struct error *err)
{
	if (look->wanted != PAYLOAD_DATABASE_NEEDED)
		return 0;
	error_set(err, "no database is configured");
	return error_hint(err, "Set DATABASE_URL, or rollback.database.<name>.url; "
			       "see gitrollback(5).");
}

int payload_database_collect(struct snapshot_parts *ret, json_t *members,
			     struct checkpoint_session *s, enum payload_database wanted,
			     const char *name, struct error *err)
{
	struct snapshot_parts parts CLEANUP(snapshot_parts_release) = SNAPSHOT_PARTS_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	struct look look CLEANUP(look_release) = {
		.session = s,
		.wanted = wanted,
		.parts = &parts,
		.database = json_object(),
		.dump = DUMP_INIT,
	};
	int found = settings_database(&look.setting, &s->settings, name, &reason);

	if (found == DATABASE_NONE)
		return no_database(&look, err);
	if (found == DATABASE_FOUND) {
		json_object_set_new(look.database, "name", json_text(look.setting.name));
		json_object_set_new(look.database, "reachable", json_true());
	}
	if ((found < 0 || read_all(&look, &reason) < 0) &&
	    not_reached(&look, &parts, &reason, err) < 0)
		return -1;
	move_parts(ret, &parts);
	json_object_set(members, "database", look.database);
	return 0;
}

int payload_database_now(json_t **ret, const struct checkpoint_session *s, const char *name,
			 struct error *err)
{
	struct ledger ledger CLEANUP(ledger_release) = LEDGER_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	struct look look CLEANUP(
		look_release) = { .session = s, .database = json_object(), .dump = DUMP_INIT };
	int found = settings_database(&look.setting, &s->settings, name, &reason);

	json_object_set_new(look.database, "name", json_text(name));
	if (found == DATABASE_FOUND && connect_to(&look, &reason) == 0 &&
	    locate_ledger(&look, &ledger, &reason) == 0) {
		payload_describe_ledger(look.database, &ledger);
	} else if (is_interrupted(&reason)) {
		error_move(err, &reason);
		return -1;
	} else {
		json_object_set_new(look.database, "reachable", json_false());
		json_object_set_new(look.database, "reason",
				    json_text(found == DATABASE_NONE ? "no database is configured" :
								       reason.message));
	}
	*ret = STEAL(look.database);
	return 0;
}
