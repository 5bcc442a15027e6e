/* SPDX-License-Identifier: MIT */
#include "pg/keep.h"

#include <ctype.h>

#include "base/memory.h"
#include "pg/relation.h"

_Static_assert(sizeof(KEEP_SCHEMA_PREFIX) == 14 + 1, "KEEP_NOT_IN counts its characters");

bool keep_is_schema(const char *name)
{
	return !strncmp(name, KEEP_SCHEMA_PREFIX, strlen(KEEP_SCHEMA_PREFIX));
}

/* Letters and digits alone, so that nobody has to quote it. */
char *keep_schema_name(const char *operation, size_t number)
{
	struct strbuf ret = STRBUF_INIT;

	strbuf_addstr(&ret, KEEP_SCHEMA_PREFIX);
	for (const char *c = operation; *c; c++)
		if (isalnum((unsigned char)*c))
			strbuf_addch(&ret, (char)tolower((unsigned char)*c));
	if (number > 1)
		strbuf_addf(&ret, "_%zu", number);
	return strbuf_detach(&ret);
}

/* "type public.mood": with its schema, whatever search_path is. */
#define DESCRIBED(object) \
	"(SELECT x.type || ' ' || x.identity FROM pg_catalog.pg_identify_object(" object ") x)"

/* --- What binds a table to others ----------------------------------------------------------- */

/*
 * wanted: the tables. owned: their sequences. Of `dep`, what depends on them, their sequences or row
 * types: `owner` is the relation that it belongs to, `kind` that one's; a function has none.
 */
#define DEPENDENTS                                                                                                                      \
	"WITH wanted AS (SELECT c.* FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::oid[])),"                                         \
	" owned AS (SELECT w.oid AS t, s.oid FROM wanted w JOIN pg_catalog.pg_depend d"                                                 \
	"   ON d.refclassid = 1259 AND d.refobjid = w.oid AND d.classid = 1259"                                                         \
	"   AND d.deptype IN ('a', 'i')"                                                                                                \
	"  JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'),"                                                         \
	" ref AS (SELECT w.oid AS t, 1259 AS c, w.oid AS o FROM wanted w"                                                               \
	"  UNION ALL SELECT w.oid, 1247, w.reltype FROM wanted w"                                                                       \
	"  UNION ALL SELECT w.oid, 1247, y.typarray FROM wanted w"                                                                      \
	"   JOIN pg_catalog.pg_type y ON y.oid = w.reltype"                                                                             \
	"  UNION ALL SELECT o.t, 1259, o.oid FROM owned o),"                                                                            \
	" dep AS (SELECT DISTINCT r.t, d.classid, d.objid, d.objsubid, x.owner"                                                         \
	"  FROM ref r JOIN pg_catalog.pg_depend d ON d.refclassid = r.c AND d.refobjid = r.o"                                           \
	"   AND d.deptype IN ('n', 'a')"                                                                                                \
	"  LEFT JOIN LATERAL (SELECT coalesce("                                                                                         \
	"    (SELECT i.indrelid FROM pg_catalog.pg_index i"                                                                             \
	"     WHERE d.classid = 1259 AND i.indexrelid = d.objid),"                                                                      \
	"    (SELECT o.t FROM owned o WHERE d.classid = 1259 AND o.oid = d.objid),"                                                     \
	"    CASE WHEN d.classid = 1259 THEN d.objid END,"                                                                              \
	"    (SELECT k.conrelid FROM pg_catalog.pg_constraint k"                                                                        \
	"     WHERE d.classid = 2606 AND k.oid = d.objid),"                                                                             \
	"    (SELECT a.adrelid FROM pg_catalog.pg_attrdef a"                                                                            \
	"     WHERE d.classid = 2604 AND a.oid = d.objid),"                                                                             \
	"    (SELECT g.tgrelid FROM pg_catalog.pg_trigger g"                                                                            \
	"     WHERE d.classid = 2620 AND g.oid = d.objid),"                                                                             \
	"    (SELECT u.ev_class FROM pg_catalog.pg_rewrite u"                                                                           \
	"     WHERE d.classid = 2618 AND u.oid = d.objid),"                                                                             \
	"    (SELECT p.polrelid FROM pg_catalog.pg_policy p"                                                                            \
	"     WHERE d.classid = 3256 AND p.oid = d.objid),"                                                                             \
	"    (SELECT e.stxrelid FROM pg_catalog.pg_statistic_ext e"                                                                     \
	"     WHERE d.classid = 3381 AND e.oid = d.objid)) AS owner) x ON true),"                                                       \
	" outside AS (SELECT d.*, c.relkind AS kind, CASE WHEN c.oid IS NOT NULL THEN"                                                  \
	"   pg_catalog.format('%I.%I', n.nspname, c.relname) END AS name FROM dep d LEFT JOIN pg_catalog.pg_class c ON c.oid = d.owner" \
	"  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"                                                               \
	"  WHERE d.owner IS DISTINCT FROM d.t AND d.classid <> 6106)"

/* Whose loss a DROP CASCADE would be, and nothing more: what the saved schema can make again. */
#define CAN_GO                                                                               \
	"(o.classid = 2618 AND o.kind IN ('v', 'm') OR o.classid = 1255 OR o.classid = 2606" \
	"  AND EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = o.objid"         \
	"   AND k.contype = 'f'))"

/* --- What cannot be kept ---------------------------------------------------------------------- */

void keep_obstacles_release(struct keep_obstacles *obstacles)
{
	for (size_t i = 0; i < obstacles->nr; i++)
		free(obstacles->item[i].why);
	free(obstacles->item);
	*obstacles = (struct keep_obstacles)KEEP_OBSTACLES_INIT;
}

const char *keep_obstacle_of(const struct keep_obstacles *obstacles, uint32_t oid)
{
	for (size_t i = 0; i < obstacles->nr; i++)
		if (obstacles->item[i].oid == oid)
			return obstacles->item[i].why;
	return NULL;
}

/* By the table itself. The number says which of several reasons counts. */
#define OF_ITSELF                                                                            \
	"SELECT w.oid, 1, 'it is a partition' FROM wanted w WHERE w.relispartition"          \
	" UNION ALL SELECT w.oid, 3, 'it inherits, or is inherited from' FROM wanted w"      \
	"  WHERE EXISTS (SELECT FROM pg_catalog.pg_inherits i"                               \
	"   WHERE i.inhrelid = w.oid OR i.inhparent = w.oid)"                                \
	" UNION ALL SELECT w.oid, 2, 'it is no ordinary table' FROM wanted w"                \
	"  WHERE w.relkind <> 'r'"                                                           \
	" UNION ALL SELECT w.oid, 4, 'it is temporary' FROM wanted w"                        \
	"  WHERE w.relpersistence = 't'"                                                     \
	" UNION ALL SELECT w.oid, 5, 'it is unlogged: a crash of the server would empty it'" \
	"  FROM wanted w WHERE w.relpersistence = 'u'"                                       \
	" UNION ALL SELECT w.oid, 6, 'it belongs to an extension' FROM wanted w"             \
	"  WHERE EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259"          \
	"   AND d.objid = w.oid AND d.objsubid = 0 AND d.deptype = 'e')"                     \
	" UNION ALL SELECT w.oid, 7, pg_catalog.format('publication %I has it', p.pubname)"  \
	"  FROM wanted w JOIN pg_catalog.pg_publication p ON p.puballtables OR EXISTS"       \
	"   (SELECT FROM pg_catalog.pg_publication_rel r"                                    \
	"    WHERE r.prpubid = p.oid AND r.prrelid = w.oid)"                                 \
	" UNION ALL SELECT w.oid, 8, 'the role may make no schema in the database'"          \
	"  FROM wanted w WHERE NOT pg_catalog.has_database_privilege("                       \
	"   pg_catalog.current_database(), 'CREATE')"                                        \
	" UNION ALL SELECT w.oid, 9, 'the role does not own it' FROM wanted w"               \
	"  WHERE NOT pg_catalog.pg_has_role(w.relowner, 'USAGE')"

#define FROM_OTHERS                   \
	"SELECT o.t, 10, " DESCRIBED( \
		"o.classid, o.objid, o.objsubid") "  || ' depends on it' FROM outside o WHERE NOT " CAN_GO

/*
 * What this transaction has done to it: versions of its rows in the catalog that are no older than
 * the transaction itself. (What it took away, a comment say, leaves none: the undo looks again.)
 */
#define IS_YOUNG(row) "pg_catalog.age(" row ".xmin) <= 0"
#define CHANGED                                                                                                                                                                                \
	"SELECT w.oid, 11, 'the scripts change it before they drop it' FROM wanted w"                                                                                                          \
	" WHERE EXISTS (SELECT FROM pg_catalog.pg_class r WHERE r.oid = w.oid AND " IS_YOUNG("r") ") OR EXISTS (SELECT FROM pg_catalog.pg_attribute r WHERE r.attrelid = w.oid AND " IS_YOUNG( \
		"r") ") OR EXISTS (SELECT FROM pg_catalog.pg_constraint r"                                                                                                                     \
		     " WHERE r.conrelid = w.oid AND r.contype <> 'f' AND " IS_YOUNG(                                                                                                           \
			     "r") ")"                                                                                                                                                          \
				  " OR EXISTS (SELECT FROM pg_catalog.pg_attrdef r WHERE r.adrelid = w.oid AND " IS_YOUNG(                                                                     \
					  "r") ")"

/*
 * needed: what is `gone` and what stays of the tables needs. Of a type that is named in pg_depend, also
 * what it is an array, a multirange or the rows of. That it is in a schema does not count, as it
 * leaves that.
 */
#define GONE                                                                            \
	"gone AS (SELECT (g ->> 0)::oid AS c, (g ->> 1)::oid AS o, (g ->> 2)::int AS s" \
	" FROM pg_catalog.json_array_elements($2::json) g)"
#define NEEDED                                                                                                 \
	", " GONE ", part AS (SELECT w.oid AS t, 1259 AS c, w.oid AS o FROM wanted w"                          \
	" UNION ALL SELECT d.refobjid, 1259, s.oid FROM pg_catalog.pg_depend d"                                \
	"  JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'"                                  \
	"  WHERE d.refclassid = 1259 AND d.refobjid IN (SELECT w.oid FROM wanted w)"                           \
	"  AND d.classid = 1259 AND d.deptype IN ('a', 'i')"                                                   \
	" UNION ALL SELECT i.indrelid, 1259, i.indexrelid FROM pg_catalog.pg_index i"                          \
	"  WHERE i.indrelid IN (SELECT w.oid FROM wanted w)"                                                   \
	" UNION ALL SELECT k.conrelid, 2606, k.oid FROM pg_catalog.pg_constraint k"                            \
	"  WHERE k.conrelid IN (SELECT w.oid FROM wanted w) AND k.contype NOT IN ('f', 't')"                   \
	" UNION ALL SELECT a.adrelid, 2604, a.oid FROM pg_catalog.pg_attrdef a"                                \
	"  WHERE a.adrelid IN (SELECT w.oid FROM wanted w)),"                                                  \
	" needed AS (SELECT p.t, " DESCRIBED(                                                                  \
		"g.c, g.o, 0") " AS what FROM part p"                                                          \
			       " JOIN pg_catalog.pg_depend d ON d.classid = p.c AND d.objid = p.o"             \
			       "  AND d.refclassid <> 2615"                                                    \
			       " LEFT JOIN pg_catalog.pg_type y ON d.refclassid = 1247 AND y.oid = d.refobjid" \
			       " JOIN gone g ON g.s = 0 AND (g.c = d.refclassid AND g.o = d.refobjid"          \
			       "   OR g.c = 1247 AND y.typcategory = 'A' AND g.o = y.typelem"                  \
			       "   OR g.c = 1259 AND g.o = y.typrelid"                                         \
			       "   OR g.c = 1247 AND EXISTS (SELECT FROM pg_catalog.pg_range m"                \
			       "    WHERE pg_catalog.to_jsonb(m) ->> 'rngmultitypid' = d.refobjid::text"       \
			       "    AND m.rngtypid = g.o))"                                                    \
			       " WHERE NOT EXISTS (SELECT FROM part o WHERE o.t = p.t AND o.c = d.refclassid"  \
			       "  AND o.o = d.refobjid))"

static char *gone_text(const struct keep_object *gone, size_t nr)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_addch(&sb, '[');
	for (size_t i = 0; i < nr; i++)
		strbuf_addf(&sb, "%s[%" PRIu32 ",%" PRIu32 ",%" PRId32 "]", i ? "," : "",
			    gone[i].class_oid, gone[i].oid, gone[i].sub);
	strbuf_addch(&sb, ']');
	return strbuf_detach(&sb);
}

/* Of each table the first row. */
static void take_obstacles(struct keep_obstacles *ret, const struct db_result *res)
{
	for (size_t i = 0; i < res->rows; i++) {
		uint32_t oid = (uint32_t)db_int(res, i, 0);

		if (keep_obstacle_of(ret, oid))
			continue;
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct keep_obstacle){
			.oid = oid,
			.why = xstrdup(db_value(res, i, 2)),
		};
	}
}

int keep_obstacles_read(struct keep_obstacles *ret, struct db *db, const uint32_t *oid, size_t nr,
			const struct keep_object *gone, size_t gone_nr, struct error *err)
{
	static const char sql[] =
		"WITH wanted AS (SELECT c.* FROM pg_catalog.pg_class c"
		"  WHERE c.oid = ANY ($1::oid[]))" NEEDED " " OF_ITSELF
		" UNION ALL SELECT n.t, 10, 'it needs ' || n.what || ', which goes too'"
		" FROM needed n ORDER BY 1, 2, 3";
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	char *oids CLEANUP(free_p) = relation_oid_array(oid, nr);
	char *objects CLEANUP(free_p) = gone_text(gone, gone_nr);
	const char *params[] = { oids, objects };

	keep_obstacles_release(ret);
	if (db_query(&res, db, sql, 2, params, err) < 0)
		return -1;
	take_obstacles(ret, &res);
	return 0;
}

int keep_obstacles_now(struct keep_obstacles *ret, struct db *db, uint32_t oid, bool unchanged,
		       struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	/* In parts, as no one string may be so long in C. */
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	char *oids CLEANUP(free_p) = relation_oid_array(&oid, 1);
	const char *params[] = { oids };

	strbuf_addstr(&sql, DEPENDENTS);
	strbuf_addstr(&sql, " " OF_ITSELF " UNION ALL " FROM_OTHERS);
	if (unchanged)
		strbuf_addstr(&sql, " UNION ALL " CHANGED);
	strbuf_addstr(&sql, " ORDER BY 1, 2, 3");
	keep_obstacles_release(ret);
	if (db_query(&res, db, sql.buf, 1, params, err) < 0)
		return -1;
	take_obstacles(ret, &res);
	return 0;
}

int keep_find_needed(struct strvec *ret, struct db *db, const struct keep_object *gone,
		     size_t gone_nr, struct error *err)
{
	static const char sql[] =
		"WITH wanted AS (SELECT c.* FROM pg_catalog.pg_class c"
		"  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
		"  AND pg_catalog.left(n.nspname, 14) = '" KEEP_SCHEMA_PREFIX "')" NEEDED
		" SELECT DISTINCT pg_catalog.format('%I.%I needs %s', n.nspname, c.relname, d.what)"
		" FROM needed d JOIN pg_catalog.pg_class c ON c.oid = d.t"
		" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		" WHERE $1::oid[] IS NOT NULL ORDER BY 1";
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	char *objects CLEANUP(free_p) = gone_text(gone, gone_nr);
	const char *params[] = { "{}", objects };

	if (db_query(&res, db, sql, 2, params, err) < 0)
		return -1;
	for (size_t i = 0; i < res.rows; i++)
		strvec_push(ret, db_value(&res, i, 0));
	return 0;
}

/* --- Moving ------------------------------------------------------------------------------------- */

static int run_on_schema(struct db *db, const char *format, const char *schema, struct error *err)
{
	struct strbuf name CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	db_quote_identifier(&name, db, schema);
	for (const char *c = format; *c; c++)
		if (*c == '@')
			strbuf_addstr(&sql, name.buf);
		else
			strbuf_addch(&sql, *c);
	return db_exec(db, sql.buf, err);
}

/* ALTER DEFAULT PRIVILEGES may have given it to anybody. */
static int revoke_schema(struct db *db, const char *schema, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { schema };

	if (db_query(&res, db,
		     "SELECT DISTINCT pg_catalog.format('REVOKE ALL ON SCHEMA %I FROM %s CASCADE',"
		     "  n.nspname, CASE a.grantee WHEN 0 THEN 'PUBLIC'"
		     "   ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)"
		     " FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a"
		     " WHERE n.nspname = $1 AND a.grantee <> n.nspowner",
		     1, params, err) < 0)
		return -1;
	for (size_t i = 0; i < res.rows; i++)
		if (db_exec(db, db_value(&res, i, 0), err) < 0)
			return -1;
	return 0;
}

int keep_make_schema(struct db *db, const char *schema, struct error *err)
{
	if (run_on_schema(db, "CREATE SCHEMA @", schema, err) < 0)
		return -1;
	return revoke_schema(db, schema, err);
}

int keep_drop_schema(struct db *db, const char *schema, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { schema };

	if (db_query(&res, db,
		     "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = $1"
		     "  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d"
		     "   WHERE d.refclassid = 2615 AND d.refobjid = n.oid))",
		     1, params, err) < 0)
		return -1;
	return db_bool(&res, 0, 0) ? run_on_schema(db, "DROP SCHEMA @", schema, err) : 0;
}

/* Others first, then what is on the table, then itself; each in a row with its place. */
static const char statements_sql[] =
	", self AS (SELECT w.oid, pg_catalog.format('%I.%I', n.nspname, w.relname) AS name"
	"  FROM wanted w JOIN pg_catalog.pg_namespace n ON n.oid = w.relnamespace)"
	" SELECT DISTINCT 1 AS place, pg_catalog.format('DROP %s IF EXISTS %s CASCADE',"
	"  CASE o.kind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, o.name)"
	" FROM outside o WHERE o.classid = 2618"
	" UNION ALL SELECT DISTINCT 1, pg_catalog.format('DROP ROUTINE IF EXISTS %I.%I(%s) CASCADE',"
	"  n.nspname, f.proname, pg_catalog.pg_get_function_identity_arguments(f.oid))"
	" FROM outside o JOIN pg_catalog.pg_proc f ON o.classid = 1255 AND f.oid = o.objid"
	" JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace"
	" UNION ALL SELECT DISTINCT 2,"
	"  pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', o.name, k.conname)"
	" FROM outside o JOIN pg_catalog.pg_constraint k ON o.classid = 2606 AND k.oid = o.objid"
	" WHERE k.conparentid = 0"
	" UNION ALL SELECT 3, pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', s.name, k.conname)"
	" FROM self s JOIN pg_catalog.pg_constraint k ON k.conrelid = s.oid AND k.contype = 'f'"
	" UNION ALL SELECT 3, pg_catalog.format('DROP TRIGGER %I ON %s', g.tgname, s.name)"
	" FROM self s JOIN pg_catalog.pg_trigger g ON g.tgrelid = s.oid AND NOT g.tgisinternal"
	" UNION ALL SELECT 3, pg_catalog.format('DROP RULE %I ON %s', u.rulename, s.name)"
	" FROM self s JOIN pg_catalog.pg_rewrite u ON u.ev_class = s.oid"
	" UNION ALL SELECT 3, pg_catalog.format('DROP POLICY %I ON %s', p.polname, s.name)"
	" FROM self s JOIN pg_catalog.pg_policy p ON p.polrelid = s.oid"
	" UNION ALL SELECT 3, pg_catalog.format('DROP STATISTICS %I.%I', n.nspname, e.stxname)"
	" FROM self s JOIN pg_catalog.pg_statistic_ext e ON e.stxrelid = s.oid"
	" JOIN pg_catalog.pg_namespace n ON n.oid = e.stxnamespace"
	" UNION ALL SELECT 4, pg_catalog.format('ALTER TABLE %s SET SCHEMA %I', s.name, $2::text)"
	" FROM self s ORDER BY 1, 2";

int keep_statements(struct strvec *ret, struct db *db, uint32_t oid, const char *schema,
		    struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	char *oids CLEANUP(free_p) = relation_oid_array(&oid, 1);
	const char *params[] = { oids, schema };

	strbuf_addstr(&sql, DEPENDENTS);
	strbuf_addstr(&sql, statements_sql);
	if (db_query(&res, db, sql.buf, 2, params, err) < 0)
		return -1;
	for (size_t i = 0; i < res.rows; i++)
		strvec_push(ret, db_value(&res, i, 1));
	return 0;
}
