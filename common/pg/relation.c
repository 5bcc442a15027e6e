/* SPDX-License-Identifier: MIT */
#include "pg/relation.h"

#include "base/memory.h"
#include "pg/keep.h"

#define NOT_OURS \
	" AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'" KEEP_NOT_IN("n.nspname")

char *relation_oid_array(const uint32_t *oid, size_t nr)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_addch(&sb, '{');
	for (size_t i = 0; i < nr; i++)
		strbuf_addf(&sb, "%s%" PRIu32, i ? "," : "", oid[i]);
	strbuf_addch(&sb, '}');
	return strbuf_detach(&sb);
}

static uint32_t oid_value(const struct db_result *res, size_t row, size_t column)
{
	return (uint32_t)db_int(res, row, column);
}

static int query_oids(struct db_result *ret, struct db *db, const char *sql, const uint32_t *oid,
		      size_t nr, struct error *err)
{
	char *array CLEANUP(free_p) = relation_oid_array(oid, nr);
	const char *params[] = { array };

	return db_query(ret, db, sql, ARRAY_SIZE(params), params, err);
}

/* --- Tables ------------------------------------------------------------------------------- */

void relations_release(struct relations *relations)
{
	for (size_t i = 0; i < relations->nr; i++) {
		struct relation *r = &relations->item[i];

		free(r->schema);
		free(r->name);
		free(r->identity);
		for (size_t k = 0; k < r->nr; k++)
			free(r->column[k].name);
		free(r->column);
		strvec_release(&r->key);
	}
	free(relations->item);
	*relations = (struct relations)RELATIONS_INIT;
}

/*
 * One row a column; a table without columns has one all the same. The key: the primary one, else
 * the unique index that comes first of those whose columns are never null and which is over all
 * rows and over plain columns.
 */
static const char read_sql[] =
	"WITH wanted AS (SELECT c.oid FROM pg_catalog.pg_class c"
	"  WHERE c.oid = ANY ($1::oid[]) AND c.relkind <> 'p'"
	" UNION SELECT t.relid::oid FROM pg_catalog.pg_class c,"
	"  pg_catalog.pg_partition_tree(c.oid) t"
	"  WHERE c.oid = ANY ($1::oid[]) AND c.relkind = 'p' AND t.isleaf)"
	" SELECT c.oid, n.nspname, c.relname,"
	"  pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind, c.relpersistence,"
	"  pg_catalog.pg_table_size(c.oid), a.attname, a.attnum, a.attgenerated <> '',"
	"  a.attnum = ANY (k.key), a.atttypid"
	" FROM wanted JOIN pg_catalog.pg_class c USING (oid)"
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_catalog.pg_attribute a"
	"  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
	" LEFT JOIN LATERAL (SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] AS key"
	"  FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid"
	"  AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL"
	"  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute x WHERE x.attrelid = c.oid"
	"   AND x.attnum = ANY (i.indkey::int2[]) AND NOT x.attnotnull)"
	"  ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1) k ON true"
	" WHERE c.relpersistence <> 't' ORDER BY 4, a.attnum";

static struct relation *add_relation(struct relations *ret, const struct db_result *res, size_t row)
{
	struct relation *r;

	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	r = &ret->item[ret->nr++];
	*r = (struct relation){
		.oid = oid_value(res, row, 0),
		.schema = xstrdup(db_value(res, row, 1)),
		.name = xstrdup(db_value(res, row, 2)),
		.identity = xstrdup(db_value(res, row, 3)),
		.kind = db_value(res, row, 4)[0],
		.persistence = db_value(res, row, 5)[0],
		.bytes = db_int(res, row, 6),
		.key = STRVEC_INIT,
	};
	return r;
}

static void add_column(struct relation *r, const struct db_result *res, size_t row)
{
	if (db_is_null(res, row, 7))
		return;
	ARRAY_GROW(r->column, r->nr + 1, r->alloc);
	r->column[r->nr++] = (struct relation_column){
		.name = xstrdup(db_value(res, row, 7)),
		.number = (int16_t)db_int(res, row, 8),
		.generated = db_bool(res, row, 9),
		.type = oid_value(res, row, 11),
	};
	if (!db_is_null(res, row, 10) && db_bool(res, row, 10))
		strvec_push(&r->key, db_value(res, row, 7));
}

int relations_read(struct relations *ret, struct db *db, const uint32_t *oid, size_t nr,
		   struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct relation *r = NULL;

	relations_release(ret);
	if (!nr)
		return 0;
	if (query_oids(&res, db, read_sql, oid, nr, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++) {
		if (!r || r->oid != oid_value(&res, row, 0))
			r = add_relation(ret, &res, row);
		add_column(r, &res, row);
	}
	return 0;
}

bool relation_has_column(const struct relation *relation, const char *name)
{
	for (size_t i = 0; i < relation->nr; i++)
		if (!strcmp(relation->column[i].name, name))
			return true;
	return false;
}

int relation_find(uint32_t *ret, struct db *db, const char *name, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { name };

	if (db_query(&res, db, "SELECT coalesce(pg_catalog.to_regclass($1)::oid, 0)", 1, params,
		     err) < 0)
		return -1;
	*ret = oid_value(&res, 0, 0);
	return 0;
}

int relations_lock(struct db *db, const uint32_t *oid, size_t nr, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	if (query_oids(&res, db,
		       "WITH RECURSIVE wanted AS (SELECT c.oid FROM pg_catalog.pg_class c"
		       "  WHERE c.oid = ANY ($1::oid[]) AND c.relkind IN ('r', 'p')"
		       " UNION SELECT i.inhrelid FROM wanted w"
		       "  JOIN pg_catalog.pg_class p ON p.oid = w.oid AND p.relkind = 'p'"
		       "  JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid)"
		       " SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)"
		       " FROM wanted JOIN pg_catalog.pg_class c USING (oid)"
		       " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		       " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' ORDER BY 1",
		       oid, nr, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++)
		strbuf_addf(&sql, "%s %s", row ? ", ONLY" : "LOCK TABLE ONLY",
			    db_value(&res, row, 0));
	strbuf_addstr(&sql, " IN EXCLUSIVE MODE");
	return res.rows ? db_exec(db, sql.buf, err) : 0;
}

/* --- Sequences ------------------------------------------------------------------------------ */

void relation_sequences_release(struct relation_sequences *sequences)
{
	for (size_t i = 0; i < sequences->nr; i++)
		free(sequences->item[i].identity);
	free(sequences->item);
	*sequences = (struct relation_sequences)RELATION_SEQUENCES_INIT;
}

static int read_positions(struct relation_sequences *ret, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < ret->nr; i++)
		if (ret->item[i].readable)
			strbuf_addf(&sql, "%sSELECT %zu, last_value, is_called FROM %s",
				    sql.len ? " UNION ALL " : "", i, ret->item[i].identity);
	if (!sql.len)
		return 0;
	if (db_query(&res, db, sql.buf, 0, NULL, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++) {
		struct relation_sequence *sequence = &ret->item[db_int(&res, row, 0)];

		sequence->last_value = db_int(&res, row, 1);
		sequence->is_called = db_bool(&res, row, 2);
	}
	return 0;
}

int relation_sequences_read(struct relation_sequences *ret, struct db *db, const uint32_t *oid,
			    size_t nr, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	relation_sequences_release(ret);
	if (!nr)
		return 0;
	if (query_oids(&res, db,
		       "SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname),"
		       "  pg_catalog.has_sequence_privilege(c.oid, 'SELECT')"
		       " FROM pg_catalog.pg_class c"
		       " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		       " WHERE c.relkind = 'S' AND c.relpersistence <> 't'"
		       " AND (c.oid = ANY ($1::oid[]) OR EXISTS (SELECT FROM pg_catalog.pg_depend d"
		       "  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
		       "  AND d.objid = c.oid AND d.deptype IN ('a', 'i')"
		       "  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
		       "  AND d.refobjid = ANY ($1::oid[]))) ORDER BY 2",
		       oid, nr, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct relation_sequence){
			.oid = oid_value(&res, row, 0),
			.identity = xstrdup(db_value(&res, row, 1)),
			.readable = db_bool(&res, row, 2),
		};
	}
	return ret->nr ? read_positions(ret, db, err) : 0;
}

/* --- Foreign keys ---------------------------------------------------------------------------- */

void relation_foreign_keys_release(struct relation_foreign_keys *keys)
{
	for (size_t i = 0; i < keys->nr; i++) {
		free(keys->item[i].table);
		free(keys->item[i].name);
		free(keys->item[i].definition);
		free(keys->item[i].comment);
		free(keys->item[i].switched);
	}
	free(keys->item);
	*keys = (struct relation_foreign_keys)RELATION_FOREIGN_KEYS_INIT;
}

/*
 * Triggers of a constraint have names that are made of their OIDs. What tells them apart is the table
 * that they are on, and the function, whose OID is the same in every version; those of a partition
 * belong to a constraint of its own, below.
 */
#define FAMILY_TRIGGERS                                                         \
	" FROM family f JOIN pg_catalog.pg_trigger t ON t.tgconstraint = f.oid" \
	" JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid"                      \
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
#define FAMILY(root)                                                              \
	"WITH RECURSIVE family AS (" root " UNION ALL SELECT p.oid FROM family f" \
	"  JOIN pg_catalog.pg_constraint p ON p.conparentid = f.oid)"
#define FOREIGN_KEYS(which)                                                                                  \
	"WITH RECURSIVE found AS (SELECT k.oid, k.conparentid"                                               \
	"  FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND (" which ")"                            \
	" UNION SELECT k.oid, k.conparentid FROM pg_catalog.pg_constraint k"                                 \
	"  JOIN found f ON k.oid = f.conparentid)"                                                           \
	" SELECT pg_catalog.format('%I.%I', n.nspname, c.relname),"                                          \
	"  pg_catalog.quote_ident(k.conname), pg_catalog.pg_get_constraintdef(k.oid),"                       \
	"  pg_catalog.quote_literal(pg_catalog.obj_description(k.oid, 'pg_constraint')),"                    \
	"  k.oid, (" FAMILY(                                                                                 \
		"SELECT k.oid") "   SELECT pg_catalog.json_agg(pg_catalog.json_build_object("                \
				"    'table', pg_catalog.format('%I.%I', n.nspname, c.relname),"             \
				"    'function', t.tgfoid::bigint, 'enabled', t.tgenabled))" FAMILY_TRIGGERS \
				"   WHERE t.tgenabled <> 'O')::text"                                         \
				" FROM found f JOIN pg_catalog.pg_constraint k USING (oid)"                  \
				" JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"                          \
				" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"                  \
				" WHERE k.conparentid = 0 ORDER BY 1, 2"

static void add_foreign_keys(struct relation_foreign_keys *ret, const struct db_result *res)
{
	for (size_t row = 0; row < res->rows; row++) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct relation_foreign_key){
			.table = xstrdup(db_value(res, row, 0)),
			.name = xstrdup(db_value(res, row, 1)),
			.definition = xstrdup(db_value(res, row, 2)),
			.comment = xstrdup_or_null(db_value_or_null(res, row, 3)),
			.oid = oid_value(res, row, 4),
			.switched = xstrdup_or_null(db_value_or_null(res, row, 5)),
		};
	}
}

int relation_foreign_keys_read(struct relation_foreign_keys *ret, struct db *db,
			       const uint32_t *oid, size_t nr, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	relation_foreign_keys_release(ret);
	if (!nr)
		return 0;
	if (query_oids(&res, db,
		       FOREIGN_KEYS("k.conrelid = ANY ($1::oid[]) OR k.confrelid = ANY ($1::oid[])"),
		       oid, nr, err) < 0)
		return -1;
	add_foreign_keys(ret, &res);
	return 0;
}

int relation_foreign_keys_switched(struct relation_foreign_keys *ret, struct db *db,
				   struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	relation_foreign_keys_release(ret);
	if (db_query(&res, db,
		     FOREIGN_KEYS("k.oid IN (SELECT tgconstraint FROM pg_catalog.pg_trigger"
				  " WHERE tgconstraint <> 0 AND tgenabled <> 'O')"),
		     0, NULL, err) < 0)
		return -1;
	add_foreign_keys(ret, &res);
	return 0;
}

int relation_foreign_key_switch(struct db *db, const char *table, const char *name,
				const char *switched, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { table, name, switched };

	if (db_query(
		    &res, db,
		    FAMILY("SELECT k.oid FROM pg_catalog.pg_constraint k WHERE k.contype = 'f'"
			   "  AND k.conrelid = pg_catalog.to_regclass($1)"
			   "  AND pg_catalog.quote_ident(k.conname) = $2") " SELECT pg_catalog.format('ALTER TABLE ONLY %I.%I %s TRIGGER %I', n.nspname,"
									   "   c.relname, CASE w.enabled WHEN 'D' THEN 'DISABLE' WHEN 'R'"
									   "   THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname),"
									   "  pg_catalog.current_setting('is_superuser') = 'on'" FAMILY_TRIGGERS
									   " JOIN pg_catalog.json_to_recordset($3::json)"
									   "  w (\"table\" text, function bigint, enabled text)"
									   "  ON w.\"table\" = pg_catalog.format('%I.%I', n.nspname, c.relname)"
									   "  AND w.function = t.tgfoid::bigint",
		    ARRAY_SIZE(params), params, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++) {
		if (!db_bool(&res, row, 1))
			return RELATION_SUPERUSERS_ONLY;
		if (db_exec(db, db_value(&res, row, 0), err) < 0)
			return -1;
	}
	return RELATION_SWITCHED;
}

/* --- What a transaction did ------------------------------------------------------------------ */

#define COLUMNS_OF                                                                     \
	"(SELECT pg_catalog.string_agg(a.attnum || ':' || a.atttypid, ','"             \
	"  ORDER BY a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid" \
	"  AND a.attnum > 0 AND NOT a.attisdropped)"

int relation_witness_take(struct relation_witness *ret, struct db *db, struct error *err)
{
	relation_witness_release(ret);
	return db_query(&ret->tables, db,
			"SELECT c.oid, c.relfilenode, " COLUMNS_OF
			", n.nspname, c.relname, c.relkind"
			" FROM pg_catalog.pg_class c"
			" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
			" WHERE c.relkind IN ('r', 'S') AND c.relpersistence <> 't'" NOT_OURS
			" ORDER BY c.oid",
			0, NULL, err);
}

void relation_witness_release(struct relation_witness *witness)
{
	db_result_release(&witness->tables);
}

/* The witness's row of a table; its number of rows when there is none. */
static size_t find_before(const struct relation_witness *witness, uint32_t oid)
{
	size_t low = 0, high = witness->tables.rows;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t here = oid_value(&witness->tables, middle, 0);

		if (here == oid)
			return middle;
		if (here < oid)
			low = middle + 1;
		else
			high = middle;
	}
	return witness->tables.rows;
}

/* Is "2:25" in "1:23,2:25"? */
static bool is_in(const char *column, size_t len, const char *columns)
{
	for (const char *c = columns; *c; c += c[strcspn(c, ",")] ? strcspn(c, ",") + 1 : strlen(c))
		if (strcspn(c, ",") == len && !strncmp(c, column, len))
			return true;
	return false;
}

bool relation_column_is_in(const struct relation_column *column, const char *columns)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d:%" PRIu32, column->number, column->type);

	return is_in(text, (size_t)len, columns);
}

bool relation_columns_are_in(const char *wanted, const char *columns)
{
	while (*wanted) {
		size_t len = strcspn(wanted, ",");

		if (!is_in(wanted, len, columns))
			return false;
		wanted += len + (wanted[len] == ',');
	}
	return true;
}

char *relation_columns_without(const struct relation *relation, const struct strvec *without)
{
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < relation->nr; i++) {
		const struct relation_column *column = &relation->column[i];

		if (!strvec_has(without, column->name))
			strbuf_addf(&sb, "%s%d:%" PRIu32, sb.len ? "," : "", column->number,
				    column->type);
	}
	return strbuf_detach(&sb);
}

/* Columns of the touched tables' query. */
enum {
	TOUCHED_OID,
	TOUCHED_THERE,
	TOUCHED_FILE,
	TOUCHED_COLUMNS,
	TOUCHED_COUNTED,
	TOUCHED_INSERTED,
	TOUCHED_UPDATED,
	TOUCHED_DELETED
};

/* False: it is as it was. */
static bool find_loss(struct relation_loss *loss, const struct db_result *touched, size_t row,
		      const struct db_result *before, size_t at)
{
	bool counted = db_bool(touched, row, TOUCHED_COUNTED);
	const char *left = db_value(touched, row, TOUCHED_COLUMNS);

	loss->inserted = counted ? db_int(touched, row, TOUCHED_INSERTED) : -1;
	loss->updated = counted ? db_int(touched, row, TOUCHED_UPDATED) : -1;
	loss->deleted = counted ? db_int(touched, row, TOUCHED_DELETED) : -1;
	loss->dropped = !db_bool(touched, row, TOUCHED_THERE);
	if (at == before->rows)
		return loss->dropped;
	loss->schema = xstrdup(db_value(before, at, 3));
	loss->name = xstrdup(db_value(before, at, 4));
	loss->sequence = db_value(before, at, 5)[0] == 'S';
	if (loss->dropped)
		return true;
	loss->rewritten =
		strcmp(db_value(touched, row, TOUCHED_FILE), db_value(before, at, 1)) != 0;
	if (!relation_columns_are_in(db_value(before, at, 2), left))
		loss->columns = xstrdup(left);
	return loss->rewritten || loss->columns || loss->inserted || loss->updated || loss->deleted;
}

enum relation_loss_kind relation_loss_kind(const struct relation_loss *loss)
{
	if (loss->dropped)
		return RELATION_DROPPED;
	if (loss->rewritten)
		return RELATION_REWRITTEN;
	if (loss->columns)
		return RELATION_COLUMNS;
	return loss->updated || loss->deleted ? RELATION_CHANGED : RELATION_ADDED;
}

static void loss_release(struct relation_loss *loss)
{
	free(loss->columns);
	free(loss->schema);
	free(loss->name);
}

void relation_losses_release(struct relation_losses *losses)
{
	for (size_t i = 0; i < losses->nr; i++)
		loss_release(&losses->item[i]);
	free(losses->item);
	*losses = (struct relation_losses)RELATION_LOSSES_INIT;
}

/*
 * Where the server counts nothing (track_counts), whoever holds a lock for changing rows may have
 * changed some.
 */
int relation_witness_compare(struct relation_losses *ret, const struct relation_witness *witness,
			     struct db *db, struct error *err)
{
	struct db_result touched CLEANUP(db_result_release) = DB_RESULT_INIT;

	relation_losses_release(ret);
	if (db_query(&touched, db,
		     "SELECT l.relation, c.oid IS NOT NULL, c.relfilenode, " COLUMNS_OF ","
		     "  pg_catalog.current_setting('track_counts')::boolean,"
		     "  pg_catalog.pg_stat_get_xact_tuples_inserted(l.relation),"
		     "  pg_catalog.pg_stat_get_xact_tuples_updated(l.relation),"
		     "  pg_catalog.pg_stat_get_xact_tuples_deleted(l.relation)"
		     " FROM (SELECT DISTINCT relation FROM pg_catalog.pg_locks"
		     "  WHERE locktype = 'relation' AND granted"
		     "  AND pid = pg_catalog.pg_backend_pid()"
		     "  AND database = (SELECT oid FROM pg_catalog.pg_database"
		     "   WHERE datname = pg_catalog.current_database())"
		     "  AND mode NOT IN ('AccessShareLock', 'RowShareLock')) l"
		     " LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation",
		     0, NULL, err) < 0)
		return -1;
	for (size_t row = 0; row < touched.rows; row++) {
		uint32_t oid = oid_value(&touched, row, TOUCHED_OID);
		size_t at = find_before(witness, oid);
		struct relation_loss loss = { .oid = oid };

		if (!find_loss(&loss, &touched, row, &witness->tables, at)) {
			loss_release(&loss);
			continue;
		}
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = loss;
	}
	return 0;
}
