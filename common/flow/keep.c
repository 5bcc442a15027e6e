/* SPDX-License-Identifier: MIT */
#include "flow/keep.h"

#include "base/memory.h"
#include "base/text.h"
#include "flow/runner.h"
#include "flow/save-schema.h"
#include "pg/dependency.h"
#include "pg/keep.h"
#include "sql/effect.h"
#include "term/amount.h"
#include "term/output.h"

void keep_release(struct keep *keep)
{
	for (size_t i = 0; i < keep->nr; i++) {
		free(keep->item[i].why);
		free(keep->item[i].schema);
		strvec_release(&keep->item[i].columns);
	}
	free(keep->item);
	*keep = (struct keep)KEEP_INIT;
}

bool keep_has_any(const struct keep *keep)
{
	for (size_t i = 0; i < keep->nr; i++)
		if (!keep->item[i].why)
			return true;
	return false;
}

static void leave(struct keep_table *table, const char *why)
{
	if (!table->why)
		table->why = xstrdup(why);
	table->item->kept = false;
}

/* --- The plan ------------------------------------------------------------------------------- */

/* What the impact alone tells; NULL: nothing is in the way. */
static const char *obstacle_of(const struct impact_item *item, bool outside)
{
	if (outside)
		return "a script runs outside a transaction";
	if (!item->drop)
		return "it does not go by a DROP TABLE that names it";
	return item->touched ? "the scripts change it before they drop it" : NULL;
}

static void add_tables(struct keep *keep, struct impact *impact, bool outside)
{
	for (size_t i = 0; i < impact->nr; i++) {
		struct impact_item *item = &impact->item[i];

		if (item->kind != IMPACT_TABLE || item->stays)
			continue;
		ARRAY_GROW(keep->item, keep->nr + 1, keep->alloc);
		keep->item[keep->nr++] = (struct keep_table){
			.item = item,
			.why = xstrdup_or_null(obstacle_of(item, outside)),
			.columns = STRVEC_INIT,
		};
	}
}

static uint32_t *kept_oids(const struct keep *keep, size_t *ret_nr)
{
	uint32_t *ret = xcalloc(keep->nr + 1, sizeof(*ret));

	*ret_nr = 0;
	for (size_t i = 0; i < keep->nr; i++)
		if (!keep->item[i].why)
			ret[(*ret_nr)++] = keep->item[i].item->oid;
	return ret;
}

static int ask_catalog(struct keep *keep, const struct impact *impact, struct db *db,
		       struct error *err)
{
	struct keep_obstacles obstacles CLEANUP(keep_obstacles_release) = KEEP_OBSTACLES_INIT;
	size_t nr, gone_nr;
	uint32_t *oid CLEANUP(free_p) = kept_oids(keep, &nr);
	struct keep_object *gone CLEANUP(free_p) = keep_gone(impact, &gone_nr);
	bool masked;

	if (!nr)
		return 0;
	if (save_schema_is_masked(&masked, db, err) < 0 ||
	    keep_obstacles_read(&obstacles, db, oid, nr, gone, gone_nr, err) < 0)
		return error_prefix(err, "could not find out what can be kept");
	for (size_t i = 0; i < keep->nr; i++) {
		struct keep_table *table = &keep->item[i];
		const char *why = keep_obstacle_of(&obstacles, table->item->oid);

		/* What goes with it could not be made again. */
		if (masked)
			leave(table, "the schema cannot be saved in a form for that");
		else if (why)
			leave(table, why);
	}
	return 0;
}

static bool is_dropped_by(const struct keep_table *table, size_t script, size_t statement)
{
	return table->item->drop && table->item->script == script &&
	       table->item->drop->statement == statement;
}

/* Does the statement drop nothing but tables that are kept? */
static bool drops_kept_only(const struct keep *keep, const struct impact *impact, size_t script,
			    size_t statement)
{
	const struct sql_effects *effects = impact_effects(impact, script);
	size_t kept = 0, named = 0;

	for (size_t i = 0; i < effects->nr; i++)
		named += effects->item[i].statement == statement;
	for (size_t i = 0; i < keep->nr; i++)
		kept += !keep->item[i].why && is_dropped_by(&keep->item[i], script, statement);
	return kept == named;
}

/* A statement is replaced as a whole, or not at all. */
static void leave_mixed(struct keep *keep, const struct impact *impact)
{
	for (size_t i = 0; i < keep->nr; i++) {
		struct keep_table *table = &keep->item[i];

		if (!table->why && !drops_kept_only(keep, impact, table->item->script,
						    table->item->drop->statement)) {
			leave(table, "its DROP TABLE names others that are not kept");
			i = SIZE_MAX; /* those that it names, too */
		}
	}
}

/* Owned sequences move with their tables. */
static int note_sequences(const struct keep *keep, struct impact *impact, struct db *db,
			  struct error *err)
{
	size_t nr;
	uint32_t *oid CLEANUP(free_p) = kept_oids(keep, &nr);

	for (size_t i = 0; i < nr; i++) {
		struct relation_sequences sequences CLEANUP(relation_sequences_release) =
			RELATION_SEQUENCES_INIT;

		if (relation_sequences_read(&sequences, db, &oid[i], 1, err) < 0)
			return -1;
		for (size_t k = 0; k < sequences.nr; k++)
			for (size_t d = 0; d < impact->drop_nr; d++)
				if (impact->drop[d].oid == sequences.item[k].oid &&
				    impact->drop[d].class_oid == DEPENDENCY_CLASS_RELATION)
					impact->drop[d].relation = oid[i];
	}
	return 0;
}

/* The undo has to know of any that is gone by then. */
static int note_columns(struct keep *keep, struct db *db, struct error *err)
{
	struct relations relations CLEANUP(relations_release) = RELATIONS_INIT;
	size_t nr;
	uint32_t *oid CLEANUP(free_p) = kept_oids(keep, &nr);

	if (nr && relations_read(&relations, db, oid, nr, err) < 0)
		return -1;
	for (size_t i = 0; i < relations.nr; i++)
		for (size_t k = 0; k < keep->nr; k++)
			if (!keep->item[k].why && keep->item[k].item->oid == relations.item[i].oid)
				for (size_t c = 0; c < relations.item[i].nr; c++)
					strvec_push(&keep->item[k].columns,
						    relations.item[i].column[c].name);
	return 0;
}

int keep_plan(struct keep *ret, struct impact *impact, struct session *s, bool outside,
	      struct error *err)
{
	add_tables(ret, impact, outside);
	if (ask_catalog(ret, impact, &s->db, err) < 0)
		return -1;
	leave_mixed(ret, impact);
	for (size_t i = 0; i < ret->nr; i++)
		ret->item[i].item->kept = !ret->item[i].why;
	return note_columns(ret, &s->db, err) < 0 ? -1 : note_sequences(ret, impact, &s->db, err);
}

void keep_text(struct strbuf *out, const struct keep *keep)
{
	bool first = true;

	for (size_t i = 0; i < keep->nr; i++) {
		const struct keep_table *table = &keep->item[i];

		if (!table->why)
			continue;
		strbuf_addstr(out, first ? "Not kept, but saved:\n  " : "  ");
		text_escape(out, table->item->identity, strlen(table->item->identity), false);
		strbuf_addstr(out, ": ");
		text_escape(out, table->why, strlen(table->why), false);
		strbuf_addch(out, '\n');
		first = false;
	}
}

json_t *keep_to_json(const struct keep *keep)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < keep->nr; i++) {
		const struct impact_item *item = keep->item[i].item;

		json_array_append_new(ret, json_pack("{s:o, s:b, s:o, s:I, s:b, s:I}", "object",
						     json_text(item->identity), "kept",
						     keep->item[i].why == NULL, "why",
						     json_text(keep->item[i].why), "rows",
						     (json_int_t)item->rows, "exact", item->exact,
						     "bytes", (json_int_t)item->bytes));
	}
	return ret;
}

/* --- Moving ------------------------------------------------------------------------------------ */

/* Each schema that tables come from has one of its own, as two of them may have the same name. */
void keep_start(struct keep *keep, const char *operation)
{
	size_t number = 0;

	for (size_t i = 0; i < keep->nr; i++) {
		struct keep_table *table = &keep->item[i];
		size_t k = 0;

		if (table->why)
			continue;
		while (k < i && (!keep->item[k].schema ||
				 strcmp(keep->item[k].item->schema, table->item->schema) != 0))
			k++;
		table->schema = k < i ? xstrdup(keep->item[k].schema) :
					keep_schema_name(operation, ++number);
	}
}

/* The first that is kept there: that one stands for the schema. */
static bool is_first_in_schema(const struct keep *keep, size_t i)
{
	if (keep->item[i].why)
		return false;
	for (size_t k = 0; k < i; k++)
		if (!keep->item[k].why && !strcmp(keep->item[k].schema, keep->item[i].schema))
			return false;
	return true;
}

int keep_open(const struct keep *keep, struct db *db, struct error *err)
{
	for (size_t i = 0; i < keep->nr; i++)
		if (is_first_in_schema(keep, i) &&
		    keep_make_schema(db, keep->item[i].schema, err) < 0)
			return error_prefix(err, "could not make the schema for what is kept");
	return 0;
}

static bool is_moved_by(const struct keep_table *table, size_t script)
{
	return !table->why && table->schema && table->item->script == script;
}

bool keep_is_in(const struct keep *keep, size_t script)
{
	for (size_t i = 0; i < keep->nr; i++)
		if (is_moved_by(&keep->item[i], script))
			return true;
	return false;
}

static void add_sql(struct db_batch *batch, const char *sql)
{
	db_batch_add(batch, sql, strlen(sql), 0, NULL);
}

/* Is it still as the plan found it, and does nothing go with it that could not come back? */
static int check_now(struct keep *keep, const struct keep_table *table, struct db *db,
		     struct error *err)
{
	struct keep_obstacles obstacles CLEANUP(keep_obstacles_release) = KEEP_OBSTACLES_INIT;
	const char *why;

	if (keep_obstacles_now(&obstacles, db, table->item->oid, true, err) < 0)
		return -1;
	why = keep_obstacle_of(&obstacles, table->item->oid);
	if (!why)
		return 0;
	keep->failed = true;
	return error_set(err, "%s", why);
}

static int move(struct keep *keep, const struct keep_table *table, struct db *db, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	struct strvec statements CLEANUP(strvec_release) = STRVEC_INIT;

	if (keep_statements(&statements, db, table->item->oid, table->schema, err) < 0)
		return -1;
	/* What goes the server has told when the statement itself was tried. */
	add_sql(&batch, "SELECT pg_catalog.set_config('git_rollback.messages',"
			" pg_catalog.current_setting('client_min_messages'), true),"
			" pg_catalog.set_config('client_min_messages', 'warning', true)");
	for (size_t i = 0; i < statements.nr; i++)
		add_sql(&batch, statements.v[i]);
	add_sql(&batch, "SELECT pg_catalog.set_config('client_min_messages',"
			" pg_catalog.current_setting('git_rollback.messages'), true)");
	if (db_batch_run(db, &batch, NULL, err) == 0)
		return 0;
	keep->failed = true;
	return -1;
}

/* In its own batch, as the server says only then whether it would be allowed. */
static int try_drop(const struct sql_script *text, size_t statement, struct db *db,
		    struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	add_sql(&batch, "SAVEPOINT git_rollback_keep");
	runner_add_statements(&batch, text, statement, statement + 1);
	add_sql(&batch, "ROLLBACK TO SAVEPOINT git_rollback_keep");
	add_sql(&batch, "RELEASE SAVEPOINT git_rollback_keep");
	return runner_run(db, &batch, NULL, err);
}

static int run_drop(struct keep *keep, size_t script, const struct sql_script *text,
		    size_t statement, struct db *db, struct error *err)
{
	for (size_t i = 0; i < keep->nr; i++)
		if (is_moved_by(&keep->item[i], script) &&
		    is_dropped_by(&keep->item[i], script, statement) &&
		    check_now(keep, &keep->item[i], db, err) < 0)
			return -1;
	if (try_drop(text, statement, db, err) < 0)
		return -1;
	for (size_t i = 0; i < keep->nr; i++)
		if (is_moved_by(&keep->item[i], script) &&
		    is_dropped_by(&keep->item[i], script, statement) &&
		    move(keep, &keep->item[i], db, err) < 0)
			return -1;
	return 0;
}

static bool is_drop(const struct keep *keep, size_t script, size_t statement)
{
	for (size_t i = 0; i < keep->nr; i++)
		if (is_moved_by(&keep->item[i], script) &&
		    is_dropped_by(&keep->item[i], script, statement))
			return true;
	return false;
}

int keep_run(struct keep *keep, size_t script, size_t *ret_next, const struct sql_script *text,
	     struct db *db, struct error *err)
{
	keep->failed = false;
	*ret_next = 0;
	for (size_t i = 0; i < text->nr; i++) {
		struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

		if (!is_drop(keep, script, i))
			continue;
		runner_add_statements(&batch, text, *ret_next, i);
		if ((batch.nr && runner_run(db, &batch, NULL, err) < 0) ||
		    run_drop(keep, script, text, i, db, err) < 0)
			return -1;
		*ret_next = i + 1;
	}
	return 0;
}

/* --- Saving instead ------------------------------------------------------------------------------ */

static void save_instead(struct keep_table *table, struct save *save, const char *why)
{
	char *identity CLEANUP(free_p) = text_escaped(table->item->identity);

	leave(table, why);
	save_table(save, table->item->oid, table->item->why);
	warning("table %s is not kept, but its rows are saved: %s", identity, why);
}

/* Something else needs a table that is still there, in another place: that counts as well. */
bool keep_give_up(struct keep *keep, struct save *save, struct error *err)
{
	static const char dependent_objects_still_exist[] = "2BP01";
	bool needed = !strcmp(err->sqlstate, dependent_objects_still_exist);

	if (!keep_has_any(keep) || err->exit_code == EXIT_INTERRUPTED ||
	    db_is_lost(&save->session->db) || !(keep->failed || needed))
		return false;
	for (size_t i = 0; i < keep->nr; i++)
		if (!keep->item[i].why)
			save_instead(&keep->item[i], save, err->message);
	error_clear(err);
	return true;
}

int keep_check(struct keep *keep, struct save *save, struct error *err)
{
	struct relation_losses losses CLEANUP(relation_losses_release) = RELATION_LOSSES_INIT;
	int ret = SAVE_ALL;

	if (!keep_has_any(keep))
		return SAVE_ALL;
	if (relation_witness_compare(&losses, &save->witness, &save->session->db, err) < 0)
		return -1;
	for (size_t i = 0; i < losses.nr; i++)
		for (size_t k = 0; k < keep->nr; k++)
			if (!keep->item[k].why && keep->item[k].item->oid == losses.item[i].oid) {
				save_instead(&keep->item[k], save,
					     "the scripts change its rows before they drop it");
				ret = SAVE_MORE;
			}
	return ret;
}

int keep_after(struct keep *keep, struct db *db, struct error *err)
{
	for (size_t i = 0; i < keep->nr; i++)
		if (!keep->item[i].why &&
		    relation_find(&keep->item[i].place, db, keep->item[i].item->identity, err) < 0)
			return -1;
	return 0;
}

json_t *keep_to_manifest(const struct keep *keep)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < keep->nr; i++) {
		const struct impact_item *item = keep->item[i].item;

		if (!keep->item[i].why)
			json_array_append_new(
				ret, json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:b, s:o, s:o}",
					       "table", json_text(item->identity), "schema",
					       json_text(item->schema), "name",
					       json_text(item->table), "oid", json_size(item->oid),
					       "in", json_text(keep->item[i].schema), "rows",
					       (json_int_t)item->rows, "exact", item->exact,
					       "columns", json_strings(&keep->item[i].columns),
					       "place", json_size(keep->item[i].place)));
	}
	return ret;
}
