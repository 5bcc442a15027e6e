/* SPDX-License-Identifier: MIT */
#include "flow/put-back.h"

#include "base/memory.h"
#include "flow/put-back-run.h"
#include "pg/transaction.h"
#include "term/output.h"

void put_back_release(struct put_back *back)
{
	progress_abandon(&back->progress);
	relation_foreign_keys_release(&back->keys);
	relation_foreign_keys_release(&back->held_keys);
	strvec_release(&back->enable);
	strvec_release(&back->further);
	free(back->sequences);
	free(back->old_keys);
	free(back->oid);
	*back = (struct put_back)PUT_BACK_INIT;
}

struct db *put_back_db(const struct put_back *back)
{
	return &back->session->db;
}

int put_back_run(const struct put_back *back, const char *sql, struct error *err)
{
	return db_exec(put_back_db(back), sql, err);
}

bool put_back_is_whole(const json_t *part)
{
	return json_is_true(json_object_get(part, "whole"));
}

int put_back_search(struct put_back *back, bool own, struct error *err)
{
	return put_back_run(
		back, own ? "SET LOCAL search_path TO DEFAULT" : "SET LOCAL search_path TO ''",
		err);
}

int put_back_note(struct put_back *back, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, put_back_db(back),
		     "SELECT (SELECT coalesce(pg_catalog.array_agg(oid), '{}')::text"
		     "  FROM pg_catalog.pg_class WHERE relkind = 'S'),"
		     " (SELECT coalesce(pg_catalog.array_agg(oid), '{}')::text"
		     "  FROM pg_catalog.pg_constraint WHERE contype = 'f')",
		     0, NULL, err) < 0)
		return -1;
	free(back->sequences);
	free(back->old_keys);
	back->sequences = xstrdup(db_value(&res, 0, 0));
	back->old_keys = xstrdup(db_value(&res, 0, 1));
	return 0;
}

/* --- Triggers and foreign keys ------------------------------------------------------------------ */

/*
 * What would react to rows or refuse old ones: triggers and rules, which may be off, or on for
 * replicas alone; and checks that are NOT VALID, as rows that were there before them need not
 * hold. In the first column is what brings each back, in the second what takes it away.
 */
#define NOT_VALID "conrelid = $1::oid AND contype = 'c' AND NOT convalidated AND coninhcount = 0"
static const char reactions_sql[] =
	"SELECT pg_catalog.format('ALTER TABLE ONLY %s %s TRIGGER %I', $1::oid::regclass,"
	"  CASE tgenabled WHEN 'O' THEN 'ENABLE' WHEN 'R' THEN 'ENABLE REPLICA'"
	"   ELSE 'ENABLE ALWAYS' END, tgname),"
	" pg_catalog.format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', $1::oid::regclass, tgname)"
	" FROM pg_catalog.pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal"
	"  AND tgenabled <> 'D'"
	" UNION ALL SELECT pg_catalog.format('ALTER TABLE ONLY %s %s RULE %I',"
	"  $1::oid::regclass, CASE ev_enabled WHEN 'O' THEN 'ENABLE' WHEN 'R' THEN 'ENABLE REPLICA'"
	"   ELSE 'ENABLE ALWAYS' END, rulename),"
	" pg_catalog.format('ALTER TABLE ONLY %s DISABLE RULE %I', $1::oid::regclass, rulename)"
	" FROM pg_catalog.pg_rewrite WHERE ev_class = $1::oid AND ev_enabled <> 'D'"
	" UNION ALL SELECT pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s',"
	"  $1::oid::regclass, conname, pg_catalog.pg_get_constraintdef(oid)),"
	" pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', $1::oid::regclass, conname)"
	" FROM pg_catalog.pg_constraint WHERE " NOT_VALID
	" UNION ALL SELECT pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname,"
	"  $1::oid::regclass, pg_catalog.obj_description(oid, 'pg_constraint')), NULL"
	" FROM pg_catalog.pg_constraint WHERE " NOT_VALID
	"  AND pg_catalog.obj_description(oid, 'pg_constraint') IS NOT NULL";

static int set_reactions_aside(struct put_back *back, const char *table, uint32_t oid,
			       struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	char number[16];
	const char *params[] = { number };

	snprintf(number, sizeof(number), "%" PRIu32, oid);
	if (db_query(&res, put_back_db(back), reactions_sql, 1, params, err) < 0)
		return -1;
	for (size_t i = 0; i < res.rows; i++) {
		strvec_push(&back->enable, db_value(&res, i, 0));
		if (!db_is_null(&res, i, 1) && put_back_run(back, db_value(&res, i, 1), err) < 0)
			return error_prefix(err, "could not turn off the triggers of %s", table);
	}
	return 0;
}

static int bring_reactions_back(struct put_back *back, struct error *err)
{
	for (size_t i = 0; i < back->enable.nr; i++)
		if (put_back_run(back, back->enable.v[i], err) < 0)
			return -1;
	strvec_release(&back->enable);
	return 0;
}

/*
 * Values that cannot be changed row by row: of an identity that is GENERATED ALWAYS, or of a unique
 * index, where two rows may change places. Then the table is emptied and filled instead.
 */
static int needs_rewrite(bool *ret, struct put_back *back, const json_t *part, uint32_t oid,
			 struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	char *columns CLEANUP(free_p) = json_dumps(json_object_get(part, "saved_columns"), 0);
	char number[16];
	const char *params[] = { number, columns };

	snprintf(number, sizeof(number), "%" PRIu32, oid);
	if (db_query(&res, put_back_db(back),
		     "WITH saved AS (SELECT attnum, attidentity FROM pg_catalog.pg_attribute"
		     "  WHERE attrelid = $1::oid AND attname IN"
		     "   (SELECT pg_catalog.json_array_elements_text($2::json)))"
		     " SELECT EXISTS (SELECT FROM saved WHERE attidentity = 'a')"
		     "  OR EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = $1::oid"
		     "   AND (i.indisunique OR i.indisexclusion) AND (i.indexprs IS NOT NULL"
		     "    OR EXISTS (SELECT FROM saved s WHERE s.attnum = ANY (i.indkey::int2[]))))",
		     2, params, err) < 0)
		return -1;
	*ret = db_bool(&res, 0, 0);
	return 0;
}

int put_back_add(struct put_back *back, const json_t *part, struct put_back_how *how,
		 struct error *err)
{
	const char *table = json_member(part, "table");
	uint32_t oid = 0;

	how->again = how->held != NULL;
	if (relation_find(&oid, put_back_db(back), table, err) < 0 ||
	    set_reactions_aside(back, table, oid, err) < 0 ||
	    (!put_back_is_whole(part) && !how->again &&
	     needs_rewrite(&how->again, back, part, oid, err) < 0))
		return -1;
	if (!put_back_is_whole(part) && !how->again)
		return 0;
	ARRAY_GROW(back->oid, back->nr + 1, back->alloc);
	back->oid[back->nr++] = oid;
	return 0;
}

static int drop_keys(struct put_back *back, const struct relation_foreign_keys *keys,
		     struct error *err)
{
	for (size_t i = 0; i < keys->nr; i++) {
		const struct relation_foreign_key *key = &keys->item[i];
		char *sql CLEANUP(free_p) =
			xstrfmt("ALTER TABLE %s DROP CONSTRAINT %s", key->table, key->name);

		if (put_back_run(back, sql, err) < 0)
			return error_prefix(err, "could not set the foreign keys of %s aside",
					    key->table);
	}
	return 0;
}

int put_back_hold(struct put_back *back, const uint32_t *oid, const char *const *table, size_t nr,
		  struct error *err)
{
	relation_foreign_keys_release(&back->held_keys);
	if (put_back_search(back, false, err) < 0 ||
	    relation_foreign_keys_read(&back->held_keys, put_back_db(back), oid, nr, err) < 0 ||
	    drop_keys(back, &back->held_keys, err) < 0)
		return -1;
	for (size_t i = 0; i < nr; i++) {
		char *sql CLEANUP(free_p) = xstrfmt("TRUNCATE ONLY %s", table[i]);

		if (set_reactions_aside(back, table[i], oid[i], err) < 0 ||
		    put_back_run(back, sql, err) < 0)
			return error_prefix(err, "could not set the rows of %s aside", table[i]);
	}
	return bring_reactions_back(back, err) < 0 ? -1 : put_back_search(back, true, err);
}

int put_back_begin(struct put_back *back, struct error *err)
{
	if (relation_foreign_keys_read(&back->keys, put_back_db(back), back->oid, back->nr, err) <
		    0 ||
	    drop_keys(back, &back->keys, err) < 0)
		return -1;
	progress_start(&back->progress, "Putting rows back", 0, PROGRESS_COUNT, back->meter);
	return 0;
}

static int switch_key(struct put_back *back, const char *table, const char *name,
		      const char *switched, struct error *err)
{
	int ret = relation_foreign_key_switch(put_back_db(back), table, name, switched, err);

	if (ret < 0)
		return error_prefix(err, "could not switch the triggers of foreign key %s of %s",
				    name, table);
	if (ret == RELATION_SUPERUSERS_ONLY)
		warning("the triggers of foreign key %s of %s were switched by hand, and are as by "
			"default now: only a superuser may switch them",
			name, table);
	return 0;
}

static int remake_key(struct put_back *back, const struct relation_foreign_key *key,
		      struct error *err)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&sql, "ALTER TABLE %s ADD CONSTRAINT %s %s", key->table, key->name,
		    key->definition);
	if (put_back_run(back, sql.buf, err) < 0) {
		bool violated = !strcmp(err->sqlstate, "23503");

		error_prefix(err, "cannot put rows back: foreign key %s of %s does not hold",
			     key->name, key->table);
		return violated ? error_code(err, EXIT_NO) : -1;
	}
	if (key->switched && switch_key(back, key->table, key->name, key->switched, err) < 0)
		return -1;
	if (!key->comment)
		return 0;
	sql.len = 0;
	strbuf_addf(&sql, "COMMENT ON CONSTRAINT %s ON %s IS %s", key->name, key->table,
		    key->comment);
	return put_back_run(back, sql.buf, err);
}

/* The scripts may have made it anew, or have dropped what it was for. */
static int is_wanted(bool *ret, struct put_back *back, const struct relation_foreign_key *key,
		     struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { key->table, key->name };

	if (db_query(&res, put_back_db(back),
		     "SELECT pg_catalog.to_regclass($1) IS NOT NULL AND NOT EXISTS"
		     " (SELECT FROM pg_catalog.pg_constraint WHERE"
		     "  conrelid = pg_catalog.to_regclass($1)"
		     "  AND pg_catalog.quote_ident(conname) = $2)",
		     2, params, err) < 0)
		return -1;
	*ret = db_bool(&res, 0, 0);
	return 0;
}

int put_back_end(struct put_back *back, struct error *err)
{
	progress_finish(&back->progress);
	/* ALTER TABLE refuses a table with events that wait. */
	if (transaction_check_deferred(put_back_db(back), err) < 0)
		return error_prefix(err, "cannot put rows back");
	for (size_t i = 0; i < back->keys.nr; i++)
		if (remake_key(back, &back->keys.item[i], err) < 0)
			return -1;
	for (size_t i = 0; i < back->held_keys.nr; i++) {
		bool wanted;

		if (is_wanted(&wanted, back, &back->held_keys.item[i], err) < 0 ||
		    (wanted && remake_key(back, &back->held_keys.item[i], err) < 0))
			return -1;
	}
	return bring_reactions_back(back, err);
}

/* Has it been there all the time? */
static int is_old(bool *ret, struct put_back *back, const json_t *key, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	char number[24];
	const char *params[] = { number, back->old_keys };

	snprintf(number, sizeof(number), "%" PRId64,
		 (int64_t)json_integer_value(json_object_get(key, "oid")));
	if (db_query(&res, put_back_db(back), "SELECT $1::oid = ANY ($2::oid[])", 2, params, err) <
	    0)
		return -1;
	*ret = db_bool(&res, 0, 0);
	return 0;
}

int put_back_switch_keys(struct put_back *back, struct error *err)
{
	size_t i;
	json_t *key;

	json_array_foreach(json_object_get(back->saved->manifest, "foreign_keys"), i, key)
	{
		bool old;

		if (is_old(&old, back, key, err) < 0 ||
		    (!old && switch_key(back, json_member(key, "table"), json_member(key, "name"),
					json_member(key, "switched"), err) < 0))
			return -1;
	}
	return 0;
}
