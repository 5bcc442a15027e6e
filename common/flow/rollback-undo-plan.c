/* SPDX-License-Identifier: MIT */
#include "flow/rollback-undo.h"

#include "base/memory.h"
#include "flow/change.h"
#include "flow/rollback-history.h"
#include "flow/save-rows.h"
#include "migration/version.h"
#include "sql/inside.h"

void undo_plan_release(struct undo_plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++) {
		sql_script_release(&plan->step[i].script);
		free(plan->step[i].recorded);
	}
	free(plan->step);
	for (size_t i = 0; i < plan->table_nr; i++)
		json_decref(plan->table[i].part);
	free(plan->table);
	for (size_t i = 0; i < plan->unproven_nr; i++) {
		free(plan->unproven[i].table);
		free(plan->unproven[i].why);
	}
	free(plan->unproven);
	json_decref(plan->replaced);
	json_decref(plan->unrestored);
	json_decref(plan->left);
	impact_release(&plan->impact);
	free(plan->undone);
	free(plan->operation);
	saved_release(&plan->saved);
	log_applied_list_release(&plan->log);
	strvec_release(&plan->conflicts);
	strvec_release(&plan->remade);
	strvec_release(&plan->further);
	verdict_release(&plan->verdict);
	proof_release(&plan->proof);
	rollback_record_release(&plan->record);
	*plan = (struct undo_plan)UNDO_PLAN_INIT;
}

/* --- Which operation ------------------------------------------------------------------------ */

/* An environment's name may stand for another database by now: the identity tells. */
static int is_of_database(bool *ret, const json_t *record, struct session *s, struct error *err)
{
	const char *identity = json_member(record, "identity"), *own;

	if (db_identity(&own, &s->db, err) < 0)
		return -1;
	*ret = identity && !strcmp(identity, own);
	return 0;
}

/* What failed can have done a part of it, outside a transaction; then it saved something. */
static bool did_something(const json_t *record, const struct session *s)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	char *root CLEANUP(free_p) = saved_root(s->repo.common_dir);

	return journal_is_state(record, "done") ||
	       saved_open(&saved, root, json_member(record, "id"), &ignored) == SAVED_FOUND;
}

static int find_newest(const json_t **ret, const json_t *records, struct session *s,
		       struct error *err)
{
	size_t i;
	json_t *record;

	json_array_foreach(records, i, record)
	{
		const char *id = json_member(record, "id");
		bool ours;

		if (!id || !rollback_is_rollback(record) || !did_something(record, s) ||
		    rollback_is_undone(records, id))
			continue;
		if (is_of_database(&ours, record, s, err) < 0)
			return -1;
		if (ours) {
			*ret = record;
			return 0;
		}
	}
	error_refused(err, "there is no rollback of database '%s' to undo", s->database.name);
	return error_hint(err, "'git rollback-db --log' lists what there was.");
}

static bool has_any_version(const json_t *record, const json_t *versions)
{
	size_t i;
	json_t *version;

	json_array_foreach(json_object_get(record, "versions"), i, version)
	{
		if (json_has(versions, version))
			return true;
	}
	return false;
}

/* What a later rollback took away again comes back by that one first: it has the newer rows. */
static int check_newest(const json_t *records, const json_t *wanted, struct session *s,
			struct error *err)
{
	const json_t *versions = json_object_get(wanted, "versions");
	size_t i;
	json_t *record;

	json_array_foreach(records, i, record)
	{
		const char *id = json_member(record, "id");
		bool ours;

		if (record == wanted)
			return 0;
		if (!id || !rollback_is_rollback(record) || rollback_is_undone(records, id) ||
		    !has_any_version(record, versions) || !did_something(record, s))
			continue;
		if (is_of_database(&ours, record, s, err) < 0)
			return -1;
		if (!ours)
			continue;
		error_refused(err, "operation '%s' rolled some of its migrations back once more",
			      id);
		return error_hint(err, "Use 'git rollback-db --undo=%s' first.", id);
	}
	return 0;
}

static int find_named(const json_t **ret, const json_t *records, const char *id, struct session *s,
		      struct error *err)
{
	size_t i;
	json_t *record;
	bool ours;

	json_array_foreach(records, i, record)
	{
		const char *this = json_member(record, "id"), *command;

		if (!this || strcmp(this, id) != 0)
			continue;
		command = json_member(record, "command");
		if (command && !strncmp(command, "checkpoint ", 11)) {
			error_refused(err, "operation '%s' changed files and refs, not a database",
				      id);
			return error_hint(err, "Use 'git checkpoint undo %s'.", id);
		}
		if (!rollback_is_rollback(record))
			return error_refused(err, "operation '%s' was no rollback of a database",
					     id);
		if (rollback_is_undone(records, id))
			return error_refused(err, "operation '%s' was undone already", id);
		if (is_of_database(&ours, record, s, err) < 0)
			return -1;
		if (!ours)
			return error_refused(
				err, "operation '%s' was not on the database that '%s' is now", id,
				s->database.name);
		*ret = record;
		return check_newest(records, record, s, err);
	}
	error_refused(err, "there is no operation '%s'", id);
	return error_hint(err, "'git rollback-db --log' lists what there was.");
}

static int choose(struct undo_plan *plan, struct error *err)
{
	struct session *s = plan->session;
	json_t *records CLEANUP(json_decref_p) = NULL;
	const json_t *record = NULL;
	const char *id = plan->request->undo;
	char *root CLEANUP(free_p) = NULL;
	int found;

	if (journal_list(&records, s->repo.common_dir, err) < 0 ||
	    (id ? find_named(&record, records, id, s, err) :
		  find_newest(&record, records, s, err)) < 0)
		return -1;
	plan->undone = xstrdup(json_member(record, "id"));
	plan->undone_at = operation_time(plan->undone);
	plan->unsaved = json_is_false(json_object_get(record, "saves_rows"));
	plan->unrestored = json_deep_copy(rollback_left(records, plan->undone));
	root = saved_root(s->repo.common_dir);
	found = saved_open(&plan->saved, root, plan->undone, err);
	plan->script = json_object_get(plan->saved.manifest, "script");
	if (found != SAVED_MISSING)
		return found;
	error_refused(err, "operation '%s' saved nothing that could be put back", plan->undone);
	return error_hint(err, "Use 'git apply-migration' to apply its migrations again.");
}

/* --- Its migrations --------------------------------------------------------------------------- */

static const json_t *find_part(const struct saved *saved, const char *file)
{
	size_t i;
	json_t *part;

	json_array_foreach(json_object_get(saved->manifest, "parts"), i, part)
	{
		const char *name = json_member(part, "file");

		if (file && name && !strcmp(name, file))
			return part;
	}
	return NULL;
}

/* Whether a saved row has one only the server finds out, when the row is put back. */
static void note_enum_values(struct undo_plan *plan, const struct undo_step *step)
{
	for (size_t i = 0; i < step->script.nr; i++)
		if (step->script.statement[i].kind == SQL_ALTER_TYPE_ADD_VALUE) {
			verdict_warn(
				&plan->verdict,
				"migration '%s' adds a value to an enum, which PostgreSQL lets "
				"nobody use in the same transaction: where saved rows have it, "
				"the undo fails and changes nothing",
				step->version);
			return;
		}
}

/* The tables are locked anyway. */
static int take_inside(struct undo_plan *plan, struct undo_step *step, struct error *err)
{
	const struct sql_statement *why;

	step->recorded = xmemdupz(step->script.text, step->script.len);
	if (sql_script_make_inside(&step->script, &why, err) < 0)
		return -1;
	if (!why)
		return 0;
	verdict_refuse(&plan->verdict,
		       "the up script of migration '%s' cannot run in a transaction, as an undo "
		       "does: %s",
		       step->version, sql_kind_name(why->kind));
	verdict_hint(&plan->verdict, "Use 'git apply-migration %s'; what was saved stays in '%s'.",
		     step->version, plan->saved.path);
	return 0;
}

static int read_script(struct undo_plan *plan, struct undo_step *step, struct error *err)
{
	const json_t *part = find_part(&plan->saved, json_member(step->migration, "up"));
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	char *path CLEANUP(free_p) = xstrfmt("%s.up.sql as it was applied", step->version);

	if (!part) {
		verdict_refuse(&plan->verdict,
			       "the up script of migration '%s' was not recorded, as another tool "
			       "applied it",
			       step->version);
		return 0;
	}
	if (saved_part_read_all(&text, &plan->saved, part, err) < 0 ||
	    sql_script_parse(&step->script, path, text.buf, text.len, err) < 0)
		return -1;
	note_enum_values(plan, step);
	return step->script.no_transaction ? take_inside(plan, step, err) : 0;
}

/* One that the rollback did not reach is still there as it was; another was applied since. */
static bool is_wanted(struct undo_plan *plan, const json_t *migration, const char *version)
{
	const struct ledger_entry *entry = ledger_find(&plan->session->ledger, version);

	if (!entry)
		return true;
	if (entry->applied_at != json_integer_value(json_object_get(migration, "applied_at_us")))
		verdict_refuse(&plan->verdict, "migration '%s' was applied again since", version);
	return false;
}

/* Of a run that has failed, the migration whose down script broke off; or NULL. */
static const char *stopped_version(const struct undo_plan *plan)
{
	return json_member(json_object_get(plan->saved.manifest, "failed"), "version");
}

static int add_steps(struct undo_plan *plan, struct error *err)
{
	const char *stopped = stopped_version(plan);
	const json_t *list = json_object_get(plan->saved.manifest, "migrations");

	/* They were rolled back with the newest first. */
	for (size_t i = json_array_size(list); i; i--) {
		const json_t *migration = json_array_get(list, i - 1);
		const char *version = json_member(migration, "version");

		if (!version)
			return error_set(err, "'%s/manifest.json' is damaged", plan->saved.path);
		bool there = !is_wanted(plan, migration, version);

		if (there && !plan->unrestored && (!stopped || strcmp(stopped, version) != 0))
			continue;
		ARRAY_GROW(plan->step, plan->nr + 1, plan->alloc);
		plan->step[plan->nr++] = (struct undo_step){
			.migration = migration,
			.version = version,
			.name = json_member(migration, "name"),
			.checksum = json_member(migration, "checksum"),
			.there = there,
			.stopped = there && !plan->unrestored,
		};
		if (!there && read_script(plan, &plan->step[plan->nr - 1], err) < 0)
			return -1;
	}
	return 0;
}

static int read_log(struct undo_plan *plan, struct error *err)
{
	const char **versions CLEANUP(free_p) = xcalloc(plan->nr + 1, sizeof(*versions));
	struct session *s = plan->session;

	for (size_t i = 0; i < plan->nr; i++)
		versions[i] = plan->step[i].version;
	if (!plan->nr ||
	    rollback_log_applied(&plan->log, &s->place, &s->db, versions, plan->nr, err) < 0)
		return plan->nr ? -1 : 0;
	for (size_t i = 0; i < plan->nr; i++)
		plan->step[i].log = log_applied_find(&plan->log, plan->step[i].version);
	return 0;
}

/* A run that was cut off may have saved, and done nothing; of migrations the ledger tells. */
static int check_script(const struct undo_plan *plan, struct error *err)
{
	struct session *s = plan->session;
	int done = plan->script ? rollback_log_has(&s->place, &s->db, plan->undone, err) : 1;

	if (plan->script &&
	    (!json_member(plan->script, "version") || !json_member(plan->script, "name")))
		return error_set(err, "'%s/manifest.json' is damaged", plan->saved.path);
	if (!done)
		error_refused(err, "operation '%s' was cut off before it changed anything",
			      plan->undone);
	return done > 0 ? 0 : -1;
}

/* --- Its rows ----------------------------------------------------------------------------------- */

static bool is_same_table(const struct undo_table *table, const json_t *part)
{
	uint32_t oid = (uint32_t)json_integer_value(json_object_get(part, "oid"));

	return oid && table->oid ? table->oid == oid :
				   !strcmp(table->table, json_member(part, "table"));
}

/* The first of its parts: how it was before the rollback. */
static struct undo_table *find_table(struct undo_plan *plan, const json_t *part)
{
	for (size_t i = 0; i < plan->table_nr; i++)
		if (is_same_table(&plan->table[i], part))
			return &plan->table[i];
	return NULL;
}

/* Is what a transaction left what a later one found? Then nobody has written in between. */
static bool is_continued(const struct undo_table *table, const json_t *part)
{
	const json_t *after = json_object_get(table->part, "after");

	return json_is_true(json_object_get(part, "whole")) &&
	       json_equal(json_object_get(after, "columns"), json_object_get(part, "columns")) &&
	       json_equal(json_object_get(after, "digest"), json_object_get(part, "digest"));
}

static bool is_same_transaction(const struct undo_table *table, const json_t *part)
{
	const json_t *group = json_object_get(part, "group");

	return group && json_equal(json_object_get(table->part, "group"), group);
}

/* True: of `table`, which was saved as well, nothing more is of use than what `earlier` has. */
static bool is_covered(struct undo_table *earlier, const struct undo_table *table)
{
	const json_t *after = json_object_get(table->part, "after");

	if (!earlier->whole) {
		if (!json_is_object(after))
			json_object_set_new(earlier->part, "after", json_null());
		return false;
	}
	earlier->unclear = earlier->unclear || !is_continued(earlier, table->part);
	json_object_set_new(earlier->part, "after", json_deep_copy(after));
	return !table->whole || !earlier->unclear;
}

/*
 * A table may have been saved more than once. In one transaction the last is the most: the columns
 * that the text names, then all, as the run showed. Of several transactions the first is how it
 * was: of a later one all that an earlier whole part has is of no use, unless others wrote in between.
 */
static void add_table(struct undo_plan *plan, json_t *part, size_t order)
{
	struct undo_table *first = find_table(plan, part);
	struct undo_table table = {
		.part = json_copy(part),
		.order = order,
		.oid = (uint32_t)json_integer_value(json_object_get(part, "oid")),
		.whole = json_is_true(json_object_get(part, "whole")),
	};
	bool covered = false;

	if (first)
		json_object_set(table.part, "table", json_object_get(first->part, "table"));
	table.table = json_member(table.part, "table");
	for (size_t i = 0; i < plan->table_nr; i++) {
		struct undo_table *earlier = &plan->table[i];

		if (!is_same_table(earlier, part))
			continue;
		if (is_same_transaction(earlier, part)) {
			json_decref(earlier->part);
			*earlier = table;
			return;
		}
		table.later = table.later || earlier->whole;
		covered = is_covered(earlier, &table) || covered;
	}
	if (covered) {
		json_decref(table.part);
		return;
	}
	ARRAY_GROW(plan->table, plan->table_nr + 1, plan->table_alloc);
	plan->table[plan->table_nr++] = table;
}

/* Whole ones first, the oldest of them first; then columns, the newest first. */
static int compare_tables(const void *a, const void *b)
{
	const struct undo_table *one = a, *two = b;

	if (one->whole != two->whole)
		return one->whole ? -1 : 1;
	return (one->order < two->order) == one->whole ? -1 : 1;
}

/* What an earlier undo did not leave is back. */
static void leave_out_restored(struct undo_plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->table_nr; i++)
		if (!plan->unrestored || (plan->table[i].whole &&
					  json_object_get(plan->unrestored, plan->table[i].table)))
			plan->table[kept++] = plan->table[i];
		else
			json_decref(plan->table[i].part);
	plan->table_nr = kept;
}

static int add_tables(struct undo_plan *plan, struct error *err)
{
	size_t i;
	json_t *part;

	json_array_foreach(json_object_get(plan->saved.manifest, "parts"), i, part)
	{
		const char *kind = json_member(part, "kind");

		if (!kind || strcmp(kind, "rows") != 0)
			continue;
		if (!json_member(part, "table"))
			return error_set(err, "'%s/manifest.json' is damaged", plan->saved.path);
		add_table(plan, part, i);
	}
	if (undo_add_kept(plan, err) < 0)
		return -1;
	leave_out_restored(plan);
	if (plan->table_nr)
		qsort(plan->table, plan->table_nr, sizeof(*plan->table), compare_tables);
	return 0;
}

/* What its scripts would destroy; what they find is counted as of any rollback. */
static int read_impact(struct undo_plan *plan, struct error *err)
{
	struct session *s = plan->session;
	int count_limit;

	for (size_t i = 0; i < plan->nr; i++)
		if (!plan->step[i].there &&
		    impact_add(&plan->impact, &plan->step[i].script, 0, err) < 0)
			return -1;
	if (rollback_count_limit(&count_limit, s, err) < 0 ||
	    impact_read(&plan->impact, &s->db, &s->scope, count_limit, err) < 0)
		return -1;
	plan->destroys = impact_destroys(&plan->impact) || plan->request->no_save;
	return 0;
}

/* A transaction of its own, for the settings. */
static int plan_conflicts(struct undo_plan *plan, struct error *err)
{
	struct db *db = &plan->session->db;

	if (db_exec(db, "BEGIN READ ONLY", err) < 0)
		return -1;
	if (save_settings(db, err) < 0 || undo_find_conflicts(plan, err) < 0) {
		db_rollback(db);
		return -1;
	}
	db_rollback(db);
	return 0;
}

/* It is what broke off in the run that is undone, and what was done of it is known. */
static bool is_of_failure(const struct undo_plan *plan, const struct log_unfinished *unfinished)
{
	const char *stopped = stopped_version(plan);

	return stopped && unfinished->down && !strcmp(unfinished->version, stopped) &&
	       !strcmp(unfinished->operation, plan->undone);
}

int undo_plan(struct undo_plan *ret, struct session *s, const struct rollback_request *request,
	      struct error *err)
{
	ret->session = s;
	ret->request = request;
	if (session_check_writable(s, err) < 0 || change_await(s, err) < 0 ||
	    choose(ret, err) < 0 || check_script(ret, err) < 0 || add_steps(ret, err) < 0 ||
	    read_log(ret, err) < 0)
		return -1;
	ret->record.target = xstrfmt("undo %s", ret->undone);
	ret->record.asked = request->started;
	ret->record.no_snapshot = request->no_snapshot;
	if (add_tables(ret, err) < 0 || read_impact(ret, err) < 0)
		return -1;
	if (s->unfinished.nr && !is_of_failure(ret, &s->unfinished.item[0]))
		verdict_refuse(&ret->verdict, "migration '%s' was interrupted",
			       s->unfinished.item[0].version);
	return plan_conflicts(ret, err);
}

/* --- Is it still the same? ------------------------------------------------------------------- */

/* What somebody has agreed to; rows that stand in the way are looked for under their locks. */
static void describe(struct strbuf *out, const struct undo_plan *plan)
{
	strbuf_addf(out, "%s %d\n", plan->undone, plan->destroys);
	for (size_t i = 0; i < plan->nr; i++)
		strbuf_addf(out, "%s %d\n", plan->step[i].version, plan->step[i].there);
	for (size_t i = 0; i < plan->table_nr; i++)
		strbuf_addf(out, "%s %zu\n", plan->table[i].table, plan->table[i].order);
	for (size_t i = 0; i < plan->impact.nr; i++) {
		const struct impact_item *item = &plan->impact.item[i];

		strbuf_addf(out, "%s %s %" PRId64 "\n", impact_kind_name(item->kind),
			    item->identity, item->exact && !item->inserts_only ? item->rows : 0);
	}
	for (size_t i = 0; i < plan->impact.drop_nr; i++)
		strbuf_addf(out, "%s\n", plan->impact.drop[i].identity);
}

int undo_check_plan(const struct undo_plan *plan, struct error *err)
{
	struct undo_plan now CLEANUP(undo_plan_release) = UNDO_PLAN_INIT;
	struct strbuf was CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf is CLEANUP(strbuf_release) = STRBUF_INIT;

	if (undo_plan(&now, plan->session, plan->request, err) < 0)
		return -1;
	describe(&was, plan);
	describe(&is, &now);
	if (!strcmp(was.buf, is.buf) && verdict_is_clean(&now.verdict))
		return 0;
	error_refused(err, "what the undo would do is not what it was when it was planned");
	error_detail(err, "Nothing was done.");
	return error_hint(err, "Run the command again to see the new plan.");
}
