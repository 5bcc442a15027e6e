/* SPDX-License-Identifier: MIT */
#include "pg/validation.h"

#include "base/clock.h"
#include "base/memory.h"
#include "pg/attempt.h"
#include "pg/keep.h"

static void defect_release(struct validation_defect *defect)
{
	free(defect->kind);
	free(defect->object);
	free(defect->detail);
	*defect = (struct validation_defect){ 0 };
}

void validation_defects_release(struct validation_defects *defects)
{
	for (size_t i = 0; i < defects->nr; i++)
		defect_release(&defects->item[i]);
	free(defects->item);
	*defects = (struct validation_defects)VALIDATION_DEFECTS_INIT;
}

static struct validation_defect *add_defect(struct validation_defects *defects,
					    struct validation_defect defect)
{
	ARRAY_GROW(defects->item, defects->nr + 1, defects->alloc);
	defects->item[defects->nr] = defect;
	return &defects->item[defects->nr++];
}

void validation_defects_add(struct validation_defects *defects, const char *kind,
			    const char *object, const char *detail)
{
	add_defect(defects, (struct validation_defect){ .kind = xstrdup(kind),
							.object = xstrdup(object),
							.detail = xstrdup(detail) });
}

/* --- What the catalog tells --------------------------------------------------------------------- */

#define NOT_SYSTEM(schema)                                            \
	" AND " schema ".nspname <> 'information_schema' AND " schema \
	".nspname NOT LIKE 'pg\\_%'" KEEP_NOT_IN(schema ".nspname")

/* PostgreSQL 18 has constraints that are never to be enforced: these are as they should be. */
#define IS_ENFORCED(constraint) \
	"coalesce(pg_catalog.to_jsonb(" constraint ") ->> 'conenforced', 'true') = 'true'"

/*
 * Of what is cloned to partitions only the original counts. A trigger of a constraint's own is
 * told by the constraint.
 */
static const char defects_sql[] =
	"SELECT 'invalid index', pg_catalog.format('%I.%I', n.nspname, c.relname),"
	"  pg_catalog.format('no query uses it; it is on %I.%I', tn.nspname, t.relname),"
	"  'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid"
	" FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" JOIN pg_catalog.pg_class t ON t.oid = i.indrelid"
	" JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace"
	" WHERE NOT (i.indisvalid AND i.indisready)" NOT_SYSTEM(
		"n") ""
		     " UNION ALL SELECT 'unvalidated constraint', CASE WHEN k.conrelid <> 0 THEN"
		     "   pg_catalog.format('%I on %I.%I', k.conname, tn.nspname, t.relname) ELSE"
		     "   pg_catalog.format('%I on domain %I.%I', k.conname, yn.nspname, y.typname) END,"
		     "  'what was there before it may not fit: ' || pg_catalog.pg_get_constraintdef(k.oid),"
		     "  'pg_catalog.pg_constraint'::pg_catalog.regclass::oid, k.oid"
		     " FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace"
		     " LEFT JOIN pg_catalog.pg_class t ON t.oid = k.conrelid"
		     " LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace"
		     " LEFT JOIN pg_catalog.pg_type y ON y.oid = k.contypid"
		     " LEFT JOIN pg_catalog.pg_namespace yn ON yn.oid = y.typnamespace"
		     " WHERE NOT k.convalidated AND k.conparentid = 0 AND " IS_ENFORCED("k") NOT_SYSTEM(
			     "n") ""
				  " UNION ALL SELECT 'disabled trigger', CASE WHEN t.tgisinternal AND k.oid IS NOT NULL THEN"
				  "   pg_catalog.format('%I on %s', k.conname, coalesce((SELECT pg_catalog.format('%I.%I',"
				  "    pg_catalog.pg_namespace.nspname, o.relname) FROM pg_catalog.pg_class o"
				  "    JOIN pg_catalog.pg_namespace ON pg_namespace.oid = o.relnamespace"
				  "    WHERE o.oid = k.conrelid), '-')) ELSE"
				  "   pg_catalog.format('%I on %I.%I', t.tgname, n.nspname, c.relname) END,"
				  "  CASE WHEN t.tgisinternal THEN pg_catalog.format("
				  "   'the constraint is not checked when %I.%I changes', n.nspname, c.relname)"
				  "   ELSE 'it does not run' END,"
				  "  'pg_catalog.pg_trigger'::pg_catalog.regclass::oid, t.oid"
				  " FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid"
				  " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
				  " LEFT JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint"
				  " WHERE t.tgenabled = 'D' AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger p"
				  "  WHERE p.oid = t.tgparentid AND p.tgenabled = 'D')" NOT_SYSTEM(
					  "n") ""
					       " UNION ALL SELECT 'disabled trigger', pg_catalog.format('event trigger %I', e.evtname),"
					       "  'it does not run', 'pg_catalog.pg_event_trigger'::pg_catalog.regclass::oid, e.oid"
					       " FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled = 'D'"
					       " UNION ALL SELECT NULL, pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text,"
					       "  NULL, NULL, NULL"
					       " ORDER BY 1, 2, 3";

static uint32_t oid_value(const struct db_result *res, size_t row, size_t column)
{
	return (uint32_t)strtoul(db_value(res, row, column), NULL, 10);
}

int validation_read_defects(struct validation_defects *ret, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db, defects_sql, 0, NULL, err) < 0)
		return -1;
	validation_defects_release(ret);
	for (size_t row = 0; row < res.rows; row++) {
		struct validation_defect *defect;

		if (db_is_null(&res, row, 0)) { /* of its 64 bits rows have the last 32 */
			ret->horizon = (uint32_t)strtoull(db_value(&res, row, 1), NULL, 10);
			continue;
		}
		validation_defects_add(ret, db_value(&res, row, 0), db_value(&res, row, 1),
				       db_value(&res, row, 2));
		defect = &ret->item[ret->nr - 1];
		defect->class_oid = oid_value(&res, row, 3);
		defect->oid = oid_value(&res, row, 4);
	}
	return 0;
}

static bool has_defect(const struct validation_defects *defects, const struct validation_defect *of)
{
	for (size_t i = 0; i < defects->nr; i++)
		if (defects->item[i].oid == of->oid && defects->item[i].class_oid == of->class_oid)
			return true;
	return false;
}

/* A constraint has several triggers. */
static bool is_told(const struct validation_defects *defects, const struct validation_defect *of)
{
	for (size_t i = 0; i < defects->nr; i++)
		if (!strcmp(defects->item[i].kind, of->kind) &&
		    !strcmp(defects->item[i].object, of->object) &&
		    !strcmp(defects->item[i].detail, of->detail))
			return true;
	return false;
}

void validation_take_new(struct validation_defects *ret, struct validation_defects *now,
			 const struct validation_defects *before)
{
	for (size_t i = 0; i < now->nr; i++) {
		struct validation_defect *defect = &now->item[i];

		if (has_defect(before, defect) || is_told(ret, defect))
			continue;
		add_defect(ret, *defect);
		*defect = (struct validation_defect){ 0 };
	}
	validation_defects_release(now);
}

/* --- What the rows tell ----------------------------------------------------------------------------- */

/*
 * What this transaction writes it holds a lock for. `sure`: the server has counted what rows it
 * wrote; where it has not (a change outside the transaction, track_counts off, a partitioned table,
 * which has none of its own), it may have written any.
 */
#define TOUCHED                                                                            \
	"WITH RECURSIVE locked AS MATERIALIZED (SELECT l.relation AS oid"                  \
	"  FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation' AND l.granted"         \
	"  AND l.pid = pg_catalog.pg_backend_pid()"                                        \
	"  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')"                          \
	"  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d"                   \
	"   WHERE d.datname = pg_catalog.current_database())),"                            \
	" named AS (SELECT pg_catalog.unnest($1::oid[]) AS oid),"                          \
	" ours AS MATERIALIZED (SELECT DISTINCT c.oid, c.relkind,"                         \
	"   c.relkind = 'r' AND pg_catalog.current_setting('track_counts')::boolean"       \
	"    AND c.oid NOT IN (SELECT oid FROM named) AS sure,"                            \
	"   pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) +"                          \
	"    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS written,"                \
	"   pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) +"                           \
	"    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS removed"                 \
	"  FROM (SELECT oid FROM locked UNION SELECT oid FROM named) t"                    \
	"  CROSS JOIN LATERAL (SELECT pg_catalog.pg_partition_root(t.oid)::oid AS root) x" \
	"  JOIN pg_catalog.pg_class c ON c.oid IN (t.oid, x.root)"                         \
	"  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"                       \
	"  WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'" NOT_SYSTEM("n") ")"

/* --- One look at rows --- */

struct looking {
	struct validation_defects *ret;
	struct db *db;
	const struct validation_rows *rows;
	int64_t deadline; /* clock_monotonic() */
};

/* Rows of a table `t` that the change has written. */
static void add_young(struct strbuf *sql, const struct looking *look, const char *table)
{
	strbuf_addf(sql,
		    " AND pg_catalog.age(%s.xmin) <="
		    " pg_catalog.age('%" PRIu32 "'::pg_catalog.xid)",
		    table, look->rows->horizon);
}

static void add_name(struct strbuf *out, struct db *db, const char *schema, const char *name)
{
	db_quote_identifier(out, db, schema);
	strbuf_addch(out, '.');
	db_quote_identifier(out, db, name);
}

/* One query on rows. ATTEMPT_FAILED is noted, as a defect of `object`. */
static int look(struct db_result *ret, const struct looking *look, const char *sql,
		const char *object, struct error *err)
{
	char *failure CLEANUP(free_p) = NULL;
	int64_t left = (look->deadline - clock_monotonic()) / 1000;
	int result = ATTEMPT_FAILED;

	if (left > 0)
		result = attempt_query(ret, &failure, look->db, sql, NULL, (int)left, err);
	if (result == ATTEMPT_FAILED)
		validation_defects_add(look->ret, "not checked", object,
				       failure ? failure : "there was not time enough");
	return result;
}

/* --- Sequences --- */

/* Those that number a column: its own, and those that its default reads. */
static const char sequences_sql[] = TOUCHED
	", numbered AS (SELECT d.objid AS sequence, d.refobjid AS relation,"
	"   d.refobjsubid AS number FROM pg_catalog.pg_depend d"
	"   WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
	"   AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
	"   AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')"
	"   AND (d.refobjid IN (SELECT oid FROM ours) OR d.objid IN (SELECT oid FROM ours))"
	"  UNION SELECT d.refobjid, a.adrelid, a.adnum FROM pg_catalog.pg_attrdef a"
	"   JOIN pg_catalog.pg_depend d ON d.objid = a.oid"
	"   AND d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass"
	"   AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid = 0"
	"   WHERE a.adrelid IN (SELECT oid FROM ours) OR d.refobjid IN (SELECT oid FROM ours))"
	" SELECT sn.nspname, sc.relname, tn.nspname, tc.relname, a.attname, s.seqincrement > 0,"
	"  so.oid IS NOT NULL, pg_catalog.format('%I.%I', sn.nspname, sc.relname),"
	"  pg_catalog.format('%I.%I.%I', tn.nspname, tc.relname, a.attname), $2, $3"
	" FROM numbered x JOIN pg_catalog.pg_sequence s ON s.seqrelid = x.sequence"
	" JOIN pg_catalog.pg_class sc ON sc.oid = x.sequence"
	" JOIN pg_catalog.pg_namespace sn ON sn.oid = sc.relnamespace"
	" JOIN pg_catalog.pg_class tc ON tc.oid = x.relation AND tc.relkind IN ('r', 'p')"
	" JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace"
	" JOIN pg_catalog.pg_attribute a ON a.attrelid = tc.oid AND a.attnum = x.number"
	" JOIN pg_catalog.pg_type y ON y.oid = a.atttypid AND y.typcategory = 'N'"
	" LEFT JOIN ours so ON so.oid = x.sequence LEFT JOIN ours t ON t.oid = x.relation"
	" WHERE NOT s.seqcycle AND (so.oid IS NOT NULL OR t.written > 0 OR NOT t.sure)"
	" ORDER BY 1, 2, 3, 4, 5";

/* Where the position is as it was, only rows that the change wrote can have made it worse. */
static void add_sequence_sql(struct strbuf *sql, const struct looking *look,
			     const struct db_result *found, size_t row)
{
	struct strbuf column CLEANUP(strbuf_release) = STRBUF_INIT;
	bool upwards = db_bool(found, row, 5), moved = db_bool(found, row, 6);

	strbuf_addstr(&column, "t.");
	db_quote_identifier(&column, look->db, db_value(found, row, 4));
	strbuf_addf(sql, "SELECT s.last_value, %s(%s) FROM ", upwards ? "max" : "min", column.buf);
	add_name(sql, look->db, db_value(found, row, 0), db_value(found, row, 1));
	strbuf_addstr(sql, " s, ");
	add_name(sql, look->db, db_value(found, row, 2), db_value(found, row, 3));
	strbuf_addf(sql, " t WHERE %s %s s.last_value AND (%s <> s.last_value OR NOT s.is_called)",
		    column.buf, upwards ? ">=" : "<=", column.buf);
	if (!moved)
		add_young(sql, look, "t");
	strbuf_addstr(sql, " GROUP BY 1");
}

static int look_at_sequence(const struct looking *l, const struct db_result *found, size_t row,
			    struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf detail CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *sequence = db_value(found, row, 7), *column = db_value(found, row, 8);
	int result;

	add_sequence_sql(&sql, l, found, row);
	result = look(&res, l, sql.buf, sequence, err);
	if (result != ATTEMPT_DONE || !res.rows)
		return result < 0 ? -1 : 0;
	strbuf_addf(&detail, "it is at %s, and %s has %s already", db_value(&res, 0, 0), column,
		    db_value(&res, 0, 1));
	validation_defects_add(l->ret, "sequence behind", sequence, detail.buf);
	return 0;
}

/* --- Foreign keys --- */

/*
 * Those that could be left with rows that lead nowhere: made without validation by the change, with
 * triggers that were off at some time of it, or off since before. Of the last only what the
 * change wrote is looked at, unless it has taken rows away from the other side.
 */
static const char foreign_keys_sql[] = TOUCHED
	", family AS (SELECT k.oid AS root, k.oid FROM pg_catalog.pg_constraint k"
	"   WHERE k.contype = 'f' AND k.conparentid = 0"
	"   AND (k.conrelid IN (SELECT oid FROM ours) OR k.confrelid IN (SELECT oid FROM ours))"
	"  UNION ALL SELECT f.root, k.oid FROM family f"
	"   JOIN pg_catalog.pg_constraint k ON k.conparentid = f.oid),"
	" guard AS (SELECT f.root, pg_catalog.bool_or(t.tgenabled = 'D') AS off,"
	"   pg_catalog.bool_or(pg_catalog.age(t.xmin) <="
	"    pg_catalog.age($2::pg_catalog.xid)) AS young"
	"  FROM family f JOIN pg_catalog.pg_trigger t ON t.tgconstraint = f.oid GROUP BY 1),"
	" state AS (SELECT k.*, g.off, g.young AND NOT fresh AS switched,"
	"   fresh AND NOT k.convalidated AS unchecked"
	"  FROM pg_catalog.pg_constraint k JOIN guard g ON g.root = k.oid"
	"  CROSS JOIN LATERAL (SELECT pg_catalog.age(k.xmin) <="
	"   pg_catalog.age($2::pg_catalog.xid) AS fresh) x"
	"  WHERE " IS_ENFORCED(
		"k") ""
		     "  AND coalesce(pg_catalog.to_jsonb(k) ->> 'conperiod', 'false') = 'false')"
		     " SELECT k.oid, fn.nspname, f.relname, f.relkind = 'p', pn.nspname, p.relname,"
		     "  p.relkind = 'p',"
		     "  (SELECT pg_catalog.string_agg(pg_catalog.format('p.%I OPERATOR(%I.%s) f.%I',"
		     "    pa.attname, os.nspname, o.oprname, fa.attname), ' AND ')"
		     "   FROM ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey),"
		     "    pg_catalog.unnest(k.conpfeqop)) AS c (fkey, pkey, op)"
		     "   JOIN pg_catalog.pg_attribute fa ON fa.attrelid = k.conrelid AND fa.attnum = c.fkey"
		     "   JOIN pg_catalog.pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = c.pkey"
		     "   JOIN pg_catalog.pg_operator o ON o.oid = c.op"
		     "   JOIN pg_catalog.pg_namespace os ON os.oid = o.oprnamespace),"
		     "  (SELECT pg_catalog.string_agg(pg_catalog.format('f.%I IS NOT NULL', a.attname),"
		     "    CASE WHEN k.confmatchtype = 'f' THEN ' OR ' ELSE ' AND ' END)"
		     "   FROM pg_catalog.pg_attribute a WHERE a.attrelid = k.conrelid"
		     "   AND a.attnum = ANY (k.conkey)),"
		     "  NOT (k.switched OR k.unchecked OR coalesce(po.removed > 0 OR NOT po.sure, false)),"
		     "  pg_catalog.format('%I on %I.%I', k.conname, fn.nspname, f.relname),"
		     "  pg_catalog.format('%I.%I', pn.nspname, p.relname)"
		     " FROM state k JOIN pg_catalog.pg_class f ON f.oid = k.conrelid"
		     " JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace"
		     " JOIN pg_catalog.pg_class p ON p.oid = k.confrelid"
		     " JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace"
		     " LEFT JOIN ours po ON po.oid = k.confrelid"
		     " WHERE (k.switched OR k.unchecked OR k.off OR $3::boolean)"
		     " AND f.relpersistence <> 't' ORDER BY 2, 3, k.conname";

static void add_orphans_sql(struct strbuf *sql, const struct looking *l,
			    const struct db_result *found, size_t row)
{
	strbuf_addf(sql, "SELECT count(*) FROM %s", db_bool(found, row, 3) ? "" : "ONLY ");
	add_name(sql, l->db, db_value(found, row, 1), db_value(found, row, 2));
	strbuf_addf(sql, " f WHERE (%s) AND NOT EXISTS (SELECT FROM %s", db_value(found, row, 8),
		    db_bool(found, row, 6) ? "" : "ONLY ");
	add_name(sql, l->db, db_value(found, row, 4), db_value(found, row, 5));
	strbuf_addf(sql, " p WHERE %s)", db_value(found, row, 7));
	if (db_bool(found, row, 9))
		add_young(sql, l, "f");
}

static int look_at_foreign_key(const struct looking *l, const struct db_result *found, size_t row,
			       struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf detail CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *key = db_value(found, row, 10), *table = db_value(found, row, 11);
	int64_t nr;
	int result;

	add_orphans_sql(&sql, l, found, row);
	result = look(&res, l, sql.buf, key, err);
	nr = result == ATTEMPT_DONE ? db_int(&res, 0, 0) : 0;
	if (!nr)
		return result < 0 ? -1 : 0;
	strbuf_addf(&detail, "%" PRId64 " %s no row of %s", nr,
		    nr == 1 ? "row refers to" : "rows refer to", table);
	validation_defects_add(l->ret, "orphaned rows", key, detail.buf);
	return 0;
}

/* --- All of it --- */

static void add_question(struct db_batch *batch, const char *sql, const char *const *params)
{
	db_batch_add(batch, sql, strlen(sql), 3, params)->wanted = true;
}

/* What there is to look at, in one round trip. */
static void add_questions(struct db_batch *batch, const struct validation_rows *rows)
{
	struct strbuf oids CLEANUP(strbuf_release) = STRBUF_INIT;
	char horizon[16];
	const char *params[] = { NULL, horizon, rows->unguarded ? "t" : "f" };

	strbuf_addch(&oids, '{');
	for (size_t i = 0; i < rows->nr; i++)
		strbuf_addf(&oids, "%s%" PRIu32, i ? "," : "", rows->table[i]);
	strbuf_addch(&oids, '}');
	params[0] = oids.buf;
	snprintf(horizon, sizeof(horizon), "%" PRIu32, rows->horizon);
	add_question(batch, sequences_sql, params);
	add_question(batch, foreign_keys_sql, params);
}

int validation_read_rows(struct validation_defects *ret, struct db *db,
			 const struct validation_rows *rows, struct error *err)
{
	const struct looking l = {
		.ret = ret,
		.db = db,
		.rows = rows,
		.deadline = clock_monotonic() + (int64_t)rows->limit * 1000,
	};
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	const struct db_result *sequences, *keys;

	add_questions(&batch, rows);
	if (db_batch_run(db, &batch, NULL, err) < 0)
		return -1;
	sequences = &batch.item[0].result;
	keys = &batch.item[1].result;
	for (size_t row = 0; row < sequences->rows; row++)
		if (look_at_sequence(&l, sequences, row, err) < 0)
			return -1;
	for (size_t row = 0; row < keys->rows; row++)
		if (look_at_foreign_key(&l, keys, row, err) < 0)
			return -1;
	return 0;
}

/* --- Who else is there ------------------------------------------------------------------------ */

static void add_application(char **list, const char *name, int64_t nr)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%s%s%s", *list ? *list : "", *list ? ", " : "",
		    *name ? name : "without a name");
	if (nr > 1)
		strbuf_addf(&text, " (%" PRId64 ")", nr);
	free(*list);
	*list = strbuf_detach(&text);
}

int validation_read_sessions(struct validation_sessions *ret, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	/* Of other roles' sessions not everybody may see of what kind they are. */
	if (db_query(&res, db,
		     "SELECT coalesce(a.application_name, ''), pg_catalog.count(*)"
		     " FROM pg_catalog.pg_stat_activity a"
		     " WHERE a.datname = pg_catalog.current_database() AND a.usesysid IS NOT NULL"
		     " AND a.pid <> pg_catalog.pg_backend_pid()"
		     " AND coalesce(a.backend_type, 'client backend') = 'client backend'"
		     " GROUP BY 1 ORDER BY 2 DESC, 1",
		     0, NULL, err) < 0)
		return -1;
	validation_sessions_release(ret);
	for (size_t row = 0; row < res.rows; row++) {
		const char *name = db_value(&res, row, 0);

		ret->others += (size_t)db_int(&res, row, 1);
		add_application(&ret->names, name, db_int(&res, row, 1));
		if (!strncmp(name, "git ", 4))
			add_application(&ret->ours, name, db_int(&res, row, 1));
	}
	return 0;
}

void validation_sessions_release(struct validation_sessions *sessions)
{
	free(sessions->names);
	free(sessions->ours);
	*sessions = (struct validation_sessions)VALIDATION_SESSIONS_INIT;
}

int validation_written_since(bool *ret, struct db *db, const struct validation_since *since,
			     struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	char *failure CLEANUP(free_p) = NULL;
	int result;

	strbuf_addf(&sql, "SELECT EXISTS (SELECT FROM %s", since->whole ? "" : "ONLY ");
	add_name(&sql, db, since->schema, since->table);
	strbuf_addf(&sql,
		    " t WHERE age(t.xmin) < (SELECT age(l.xmin) FROM %s l WHERE l.version = $1))",
		    since->place->quoted);
	result = attempt_query(&res, &failure, db, sql.buf, since->version, since->limit, err);
	*ret = result == ATTEMPT_DONE && db_bool(&res, 0, 0);
	return result < 0 ? -1 : 0;
}
