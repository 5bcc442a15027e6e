/* SPDX-License-Identifier: MIT */
#include "flow/rollback-history.h"

#include "base/clock.h"
#include "base/memory.h"
#include "flow/keep.h"
#include "journal/journal.h"
#include "journal/saved.h"
#include "term/amount.h"
#include "term/output.h"
#include "term/table.h"
#include "vcs/repo.h"

#define DAY INT64_C(86400000000) /* microseconds */

/* --- Records -------------------------------------------------------------------------------- */

static bool is_command(const json_t *record)
{
	const char *command = json_member(record, "command");

	return command && !strcmp(command, "rollback-db");
}

bool rollback_is_rollback(const json_t *record)
{
	return is_command(record) && json_object_get(record, "versions");
}

/* The newest record of an undo of it; `partly`: of one that left rows. */
static const json_t *find_undo(const json_t *records, const char *id, bool partly)
{
	size_t i;
	json_t *record;

	json_array_foreach(records, i, record)
	{
		const char *undoes = json_member(record, "undoes");
		bool left = json_object_size(json_object_get(record, "left")) > 0;

		if (undoes && !strcmp(undoes, id) && journal_is_state(record, "done") &&
		    left == partly)
			return record;
	}
	return NULL;
}

bool rollback_is_undone(const json_t *records, const char *id)
{
	return find_undo(records, id, false) != NULL;
}

const json_t *rollback_left(const json_t *records, const char *id)
{
	return json_object_get(find_undo(records, id, true), "left");
}

/* What it saved: {"path", "tables", "rows", "kept" (tables), "schema"}, or null. */
static json_t *describe_saved(const char *root, const char *id)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	int64_t tables = 0, rows = 0, kept;
	bool schema = false;
	size_t i;
	json_t *part;

	if (saved_open(&saved, root, id, &ignored) != SAVED_FOUND)
		return json_null();
	json_array_foreach(json_object_get(saved.manifest, "parts"), i, part)
	{
		const char *kind = json_member(part, "kind");

		if (kind && !strcmp(kind, "rows")) {
			tables++;
			rows += json_integer_value(json_object_get(part, "rows"));
		}
		schema = schema || (kind && !strcmp(kind, "schema"));
	}
	kept = (int64_t)json_array_size(json_object_get(saved.manifest, "kept"));
	return json_pack("{s:o, s:I, s:I, s:I, s:b}", "path", json_text(saved.path), "tables",
			 (json_int_t)tables, "rows", (json_int_t)rows, "kept", (json_int_t)kept,
			 "schema", schema);
}

static json_t *describe(const json_t *records, const json_t *record, const char *root)
{
	static const char *const kept[] = { "state",	"database", "started_at", "finished_at",
					    "versions", "script",   "undoes" };
	const char *id = json_member(record, "id");
	const char *by = json_member(find_undo(records, id, false), "id");
	const char *partly = json_member(find_undo(records, id, true), "id");
	json_t *saved = describe_saved(root, id);
	json_t *ret = json_pack("{s:s}", "operation", id);

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		json_t *value = json_object_get(record, kept[i]);

		json_object_set_new(ret, kept[i], value ? json_incref(value) : json_null());
	}
	json_object_set_new(ret, "undone_by", json_text(by));
	json_object_set_new(ret, "partly_undone_by", by ? json_null() : json_text(partly));
	json_object_set_new(ret, "can_undo",
			    json_boolean(json_is_object(saved) && !by &&
					 rollback_is_rollback(record)));
	json_object_set_new(ret, "saved", saved);
	return ret;
}

/* --- The list --------------------------------------------------------------------------------- */

static void add_versions(struct strbuf *out, const json_t *operation)
{
	const json_t *versions = json_object_get(operation, "versions");
	const size_t shown = 3;
	size_t nr = json_array_size(versions);

	for (size_t i = 0; i < nr && i < shown; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "",
			    json_string_value(json_array_get(versions, i)));
	if (nr > shown)
		strbuf_addf(out, ", and %zu more", nr - shown);
	if (json_member(operation, "script"))
		strbuf_addf(out, "script %s", json_member(operation, "script"));
	if (!nr && json_member(operation, "undoes"))
		strbuf_addf(out, "undoes %s", json_member(operation, "undoes"));
}

static void add_saved(struct strbuf *out, const json_t *operation)
{
	const json_t *saved = json_object_get(operation, "saved");

	if (json_member(operation, "undone_by")) {
		strbuf_addstr(out, "undone");
		return;
	}
	if (!json_is_object(saved))
		return;
	amount_add_count(out, (uint64_t)json_integer_value(json_object_get(saved, "rows")), "row",
			 NULL);
	if (json_integer_value(json_object_get(saved, "kept"))) {
		strbuf_addstr(out, " and ");
		amount_add_count(out, (uint64_t)json_integer_value(json_object_get(saved, "kept")),
				 "table", NULL);
	}
	strbuf_addstr(out, json_member(operation, "partly_undone_by") ? " saved, undone in part" :
									" saved");
}

static void print_list(const json_t *operations)
{
	struct table table CLEANUP(table_release) = { .columns = 6 };
	size_t i;
	json_t *operation;

	json_array_foreach(operations, i, operation)
	{
		const char *id = json_member(operation, "operation");
		struct strbuf age CLEANUP(strbuf_release) = STRBUF_INIT;
		struct strbuf versions CLEANUP(strbuf_release) = STRBUF_INIT;
		struct strbuf saved CLEANUP(strbuf_release) = STRBUF_INIT;

		amount_add_age(&age, operation_time(id), clock_now());
		add_versions(&versions, operation);
		add_saved(&saved, operation);
		table_cell(&table, COLOR_NONE, id);
		table_cell(&table, COLOR_NONE, age.buf);
		table_cell(&table, COLOR_NONE, json_member(operation, "database"));
		table_cell(&table, COLOR_NONE, json_member(operation, "state"));
		table_cell(&table, COLOR_NONE, versions.buf);
		table_cell(&table, COLOR_NONE, saved.buf);
	}
	table_print(&table, false, stdout);
}

int rollback_history(const char *database, const struct common_options *common, struct error *err)
{
	struct repo repo CLEANUP(repo_release) = REPO_INIT;
	json_t *records CLEANUP(json_decref_p) = NULL;
	json_t *operations = json_array();
	json_t *all CLEANUP(json_decref_p) =
		json_pack("{s:i, s:o}", "format", 1, "operations", operations);
	char *root CLEANUP(free_p) = NULL;
	size_t i;
	json_t *record;

	if (repo_open(&repo, err) < 0 || journal_list(&records, repo.common_dir, err) < 0)
		return -1;
	root = saved_root(repo.common_dir);
	json_array_foreach(records, i, record)
	{
		const char *name = json_member(record, "database");

		if (json_member(record, "id") && is_command(record) &&
		    (!database || (name && !strcmp(name, database))))
			json_array_append_new(operations, describe(records, record, root));
	}
	if (common->json)
		json_print(all);
	else
		print_list(operations);
	return 0;
}

/* --- What is kept no longer -------------------------------------------------------------------- */

static int is_open(bool *ret, const char *common_dir, const char *id, struct error *err)
{
	json_t *record CLEANUP(json_decref_p) = NULL;
	int found = journal_read(&record, common_dir, id, err);

	if (found < 0)
		return -1;
	*ret = found == JOURNAL_FOUND && journal_is_state(record, "open");
	return 0;
}

/*
 * Of a rollback, and not the newest of its database: `newest` has the identities of those that were
 * met. One that is older than `oldest` is too old.
 */
static int is_too_old(bool *ret, const char *root, const char *common_dir, const char *id,
		      int64_t oldest, struct strvec *newest, struct error *err)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	const char *command, *identity;
	bool open;
	int found = saved_open(&saved, root, id, err);

	*ret = false;
	if (found != SAVED_FOUND)
		return found < 0 ? -1 : 0;
	command = json_member(saved.manifest, "command");
	identity = json_member(saved.manifest, "identity");
	if (!command || strcmp(command, "rollback-db") != 0)
		return 0; /* a snapshot: that has its own rules */
	if (!identity || !strvec_has(newest, identity)) {
		strvec_push(newest, identity ? identity : "");
		return 0;
	}
	if (operation_time(id) >= oldest)
		return 0;
	if (is_open(&open, common_dir, id, err) < 0)
		return -1;
	*ret = !open;
	return 0;
}

int rollback_history_find_old(struct strvec *ret, const char *common_dir, int64_t days,
			      const char *identity, struct error *err)
{
	struct strvec ids CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec newest CLEANUP(strvec_release) = STRVEC_INIT;
	char *root CLEANUP(free_p) = saved_root(common_dir);
	int64_t oldest = clock_now() - days * DAY;

	if (identity)
		strvec_push(&newest, identity);
	if (saved_list(&ids, root, err) < 0)
		return -1;
	/* The newest come first: where the last one is young all are. */
	if (!ids.nr || operation_time(ids.v[ids.nr - 1]) >= oldest)
		return 0;
	for (size_t i = 0; i < ids.nr; i++) {
		bool old;

		if (is_too_old(&old, root, common_dir, ids.v[i], oldest, &newest, err) < 0)
			return -1;
		if (old)
			strvec_push(ret, ids.v[i]);
	}
	return 0;
}

/* What is kept in another database stays until that is connected to; then *ret_removed is false. */
static int prune_one(bool *ret_removed, const char *root, const char *id, struct db *db,
		     struct error *err)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	const char *identity, *own;
	int found = saved_open(&saved, root, id, err);

	*ret_removed = false;
	if (found != SAVED_FOUND)
		return found < 0 ? -1 : 0;
	if (json_array_size(json_object_get(saved.manifest, "kept"))) {
		identity = json_member(saved.manifest, "identity");
		if (db_identity(&own, db, err) < 0)
			return -1;
		if (!identity || strcmp(identity, own) != 0)
			return 0;
		if (keep_drop(saved.manifest, db, err) < 0)
			return error_prefix(err, "could not drop what operation '%s' kept", id);
	}
	*ret_removed = true;
	return saved_discard(&saved, err);
}

int rollback_history_prune(size_t *ret, const char *common_dir, int64_t days, struct db *db,
			   struct error *err)
{
	struct strvec ids CLEANUP(strvec_release) = STRVEC_INIT;
	char *root CLEANUP(free_p) = saved_root(common_dir);

	*ret = 0;
	if (rollback_history_find_old(&ids, common_dir, days, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.nr; i++) {
		bool removed;

		if (prune_one(&removed, root, ids.v[i], db, err) < 0)
			return -1;
		*ret += removed;
	}
	return 0;
}
