/* SPDX-License-Identifier: MIT */
#include "pg/dependency-sql.h"

/* C99 promises 4095 bytes of a string; the compilers that we build with take any. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

#define TABLE_IDENTITY(oid)                                                                  \
	"(SELECT quote_ident(ts.nspname) || '.' || quote_ident(tc.relname) FROM pg_class tc" \
	" JOIN pg_namespace ts ON ts.oid = tc.relnamespace WHERE tc.oid = " oid ")"

/* --- Names -------------------------------------------------------------------------------- */

/* The object of that name in the first of the schemas that has one. */
#define IN_SCHEMA(type, catalog, name, namespace)                                           \
	" UNION ALL (SELECT DISTINCT ON (a.n) a.n, '" catalog "'::regclass, o.oid, 0, NULL" \
	"  FROM asked a JOIN " catalog " o ON o." name " = a.name"                          \
	"  JOIN pg_namespace s ON s.oid = o." namespace " AND s.nspname = ANY (a.path)"     \
							"  WHERE a.type = " type            \
							" ORDER BY a.n, array_position(a.path, s.nspname))"
#define BY_NAME(type, catalog, name)                                                  \
	" UNION ALL SELECT a.n, '" catalog "'::regclass, o.oid, 0, NULL FROM asked a" \
	"  JOIN " catalog " o ON o." name " = a.name WHERE a.type = '" type "'"
#define OF_TABLE(type, catalog, name, relation)                                               \
	" UNION ALL SELECT r.n, '" catalog "'::regclass, o.oid, 0, r.relkind FROM relation r" \
	"  JOIN " catalog " o ON o." relation " = r.oid AND o." name " = r.part"              \
	"  WHERE r.type = '" type "'"

const char dependency_find_sql[] =
	"WITH asked AS MATERIALIZED (SELECT a.n, a.type, a.name::name, a.part::name, a.types,"
	"   CASE WHEN a.schema IS NOT NULL THEN ARRAY[a.schema::name]"
	"    WHEN a.path IS NOT NULL THEN 'pg_catalog'::name || ARRAY(SELECT"
	"     CASE p WHEN '$user' THEN current_user ELSE p::name END"
	"     FROM unnest(a.path) WITH ORDINALITY u (p, i) ORDER BY i)"
	"    ELSE $2::name[] END AS path"
	"  FROM json_to_recordset($1::json) a (n int, type text, schema text, name text,"
	"   part text, types text, path text[])),"
	" relation AS MATERIALIZED (SELECT DISTINCT ON (a.n) a.n, a.type, a.part, c.oid, c.relkind"
	"  FROM asked a JOIN pg_class c ON c.relname = a.name"
	"  JOIN pg_namespace s ON s.oid = c.relnamespace AND s.nspname = ANY (a.path)"
	"  ORDER BY a.n, array_position(a.path, s.nspname))"
	" SELECT r.n, 'pg_class'::regclass::oid, r.oid, 0, r.relkind FROM relation r"
	"  WHERE r.relkind::text = ANY (CASE r.type"
	"   WHEN 'table' THEN ARRAY['r', 'p'] WHEN 'view' THEN ARRAY['v']"
	"   WHEN 'materialized view' THEN ARRAY['m'] WHEN 'foreign table' THEN ARRAY['f']"
	"   WHEN 'sequence' THEN ARRAY['S'] WHEN 'index' THEN ARRAY['i', 'I']"
	"   WHEN 'relation' THEN ARRAY['r', 'p', 'v', 'm', 'f', 'S', 'i', 'I', 'c'] END)";

#define ROUTINES                                                                                  \
	IN_SCHEMA(                                                                                \
		"ANY (CASE o.prokind WHEN 'p' THEN ARRAY['procedure', 'routine']"                 \
		"  WHEN 'a' THEN ARRAY['aggregate', 'routine']"                                   \
		"  ELSE ARRAY['function', 'routine'] END)"                                        \
		" AND (a.types IS NULL OR a.types = array_to_string(o.proargtypes::oid[], ' '))", \
		"pg_proc", "proname", "pronamespace")

/* clang-format off */
const struct dependency_find_part dependency_find_parts[] = {
	{ "table", "" },
	{ "view", "" },
	{ "materialized view", "" },
	{ "foreign table", "" },
	{ "sequence", "" },
	{ "index", "" },
	{ "relation", "" },
	{ "table column",
	  " UNION ALL SELECT r.n, 'pg_class'::regclass, r.oid, t.attnum, r.relkind FROM relation r"
	  "  JOIN pg_attribute t ON t.attrelid = r.oid AND t.attname = r.part AND t.attnum > 0"
	  "  AND NOT t.attisdropped WHERE r.type = 'table column'" },
	{ "identity",
	  " UNION ALL SELECT r.n, 'pg_class'::regclass, d.objid, 0, 'S' FROM relation r"
	  "  JOIN pg_attribute t ON t.attrelid = r.oid AND t.attname = r.part AND t.attnum > 0"
	  "  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid"
	  "  AND d.refobjsubid = t.attnum AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'"
	  "  WHERE r.type = 'identity'" },
	{ "table constraint", OF_TABLE("table constraint", "pg_constraint", "conname", "conrelid") },
	{ "trigger", OF_TABLE("trigger", "pg_trigger", "tgname", "tgrelid") },
	{ "rule", OF_TABLE("rule", "pg_rewrite", "rulename", "ev_class") },
	{ "policy", OF_TABLE("policy", "pg_policy", "polname", "polrelid") },
	{ "type", IN_SCHEMA("'type'", "pg_type", "typname", "typnamespace") },
	{ "function", ROUTINES },
	{ "procedure", ROUTINES },
	{ "aggregate", ROUTINES },
	{ "routine", ROUTINES },
	{ "collation", IN_SCHEMA("'collation'", "pg_collation", "collname", "collnamespace") },
	{ "conversion", IN_SCHEMA("'conversion'", "pg_conversion", "conname", "connamespace") },
	{ "statistics object",
	  IN_SCHEMA("'statistics object'", "pg_statistic_ext", "stxname", "stxnamespace") },
	{ "text search configuration",
	  IN_SCHEMA("'text search configuration'", "pg_ts_config", "cfgname", "cfgnamespace") },
	{ "text search dictionary",
	  IN_SCHEMA("'text search dictionary'", "pg_ts_dict", "dictname", "dictnamespace") },
	{ "text search parser",
	  IN_SCHEMA("'text search parser'", "pg_ts_parser", "prsname", "prsnamespace") },
	{ "text search template",
	  IN_SCHEMA("'text search template'", "pg_ts_template", "tmplname", "tmplnamespace") },
	{ "schema", BY_NAME("schema", "pg_namespace", "nspname") },
	{ "extension", BY_NAME("extension", "pg_extension", "extname") },
	{ "language", BY_NAME("language", "pg_language", "lanname") },
	{ "foreign-data wrapper",
	  BY_NAME("foreign-data wrapper", "pg_foreign_data_wrapper", "fdwname") },
	{ "server", BY_NAME("server", "pg_foreign_server", "srvname") },
	{ "publication", BY_NAME("publication", "pg_publication", "pubname") },
	{ "event trigger", BY_NAME("event trigger", "pg_event_trigger", "evtname") },
	{ "access method", BY_NAME("access method", "pg_am", "amname") },
	{ "owned",
	  " UNION ALL SELECT a.n, 'pg_authid'::regclass, o.oid, 0, NULL FROM asked a"
	  "  JOIN pg_roles o ON o.rolname = coalesce(a.name, current_user) WHERE a.type = 'owned'" },
	{ NULL, NULL }
};
/* clang-format on */

/*
 * All of that name in whatever schema: a call means one of them. Which is chosen by types does not
 * matter, as long as all are the server's and none is volatile.
 */
const char dependency_calls_sql[] =
	"SELECT a.n, bool_and(p.oid < 16384 AND p.provolatile <> 'v')"
	" FROM json_to_recordset($1::json) a (n int, schema text, name text)"
	" JOIN pg_proc p ON p.proname = a.name::name"
	" JOIN pg_namespace s ON s.oid = p.pronamespace"
	" WHERE a.schema IS NULL OR s.nspname = a.schema::name GROUP BY a.n";

/* --- What goes ---------------------------------------------------------------------------- */

/*
 * root: what is dropped, and all that a role owns; columns that children inherit go with the
 * parent's. gone: from there along pg_depend, as findDependentObjects() does. What is reached from
 * elsewhere, and is an internal part of something or an extension's member, takes that along
 * (deptype 'i', 'e'); `beyond` is what only CASCADE reaches.
 */
#define GONE_SQL                                                                                 \
	"WITH RECURSIVE asked AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json)"        \
	"   a (n int, classid oid, objid oid, objsubid int, cascade boolean, alone boolean)),"   \
	" root AS MATERIALIZED (SELECT n, classid, objid, objsubid, cascade, alone FROM asked"   \
	"   WHERE classid <> 'pg_authid'::regclass"                                              \
	"  UNION ALL SELECT a.n, s.classid, s.objid, s.objsubid, a.cascade, false FROM asked a"  \
	"   JOIN pg_shdepend s ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = a.objid" \
	"   AND s.deptype = 'o' AND s.dbid = (SELECT oid FROM pg_database"                       \
	"    WHERE datname = current_database()) WHERE a.classid = 'pg_authid'::regclass),"      \
	" child AS (SELECT r.n, r.objid, t.attname, r.objsubid, r.cascade FROM root r"           \
	"   JOIN pg_attribute t ON t.attrelid = r.objid AND t.attnum = r.objsubid"               \
	"   WHERE r.classid = 'pg_class'::regclass AND r.objsubid > 0 AND NOT r.alone"           \
	"  UNION SELECT p.n, i.inhrelid, p.attname, t.attnum::int, p.cascade FROM child p"       \
	"   JOIN pg_inherits i ON i.inhparent = p.objid"                                         \
	"   JOIN pg_attribute t ON t.attrelid = i.inhrelid AND t.attname = p.attname"            \
	"    AND t.attinhcount = 1 AND NOT t.attislocal),"                                       \
	" gone AS (SELECT n, classid, objid, objsubid, cascade, false AS beyond FROM root"       \
	"  UNION SELECT n, 'pg_class'::regclass, objid, objsubid, cascade, false FROM child"     \
	"  UNION SELECT g.n, d.classid, d.objid, d.objsubid, g.cascade, g.beyond OR d.normal"    \
	"   FROM gone g CROSS JOIN LATERAL ("                                                    \
	"    SELECT p.classid, p.objid, p.objsubid, p.deptype = 'n' AS normal FROM pg_depend p"  \
	"    WHERE p.refclassid = g.classid AND p.refobjid = g.objid AND p.classid <> 0"         \
	"     AND (g.objsubid = 0 OR p.refobjsubid = g.objsubid)"                                \
	"     AND (g.cascade OR p.deptype <> 'n')"                                               \
	"    UNION ALL SELECT p.refclassid, p.refobjid, p.refobjsubid, false FROM pg_depend p"   \
	"    WHERE p.classid = g.classid AND p.objid = g.objid"                                  \
	"     AND (g.objsubid = 0 OR p.objsubid = g.objsubid) AND p.deptype IN ('i', 'e')"       \
	"     AND (g.classid, g.objid) NOT IN (SELECT r.classid, r.objid FROM root r"            \
	"      UNION ALL SELECT 'pg_class'::regclass, objid FROM child)) d),"                    \
	" once AS (SELECT DISTINCT ON (classid, objid, objsubid) * FROM gone"                    \
	"  ORDER BY classid, objid, objsubid, beyond, n),"

/* What each belongs to, and what goes without saying. */
#define DETAIL_SQL                                                                                   \
	" detail AS (SELECT o.n, o.classid, o.objid, o.objsubid, o.beyond,"                          \
	"  (o.classid, o.objid, o.objsubid) IN (SELECT a.classid, a.objid, a.objsubid FROM asked a)" \
	"   AS named,"                                                                               \
	"  CASE WHEN c.relkind IN ('i', 'I') THEN x.indrelid ELSE coalesce(c.oid, k.conrelid,"       \
	"   g.tgrelid, w.ev_class, p.polrelid, d.adrelid, e.stxrelid) END AS relation,"              \
	"  c.relkind, k.contype, t.attname, coalesce(t.attgenerated <> '', false) AS generated,"     \
	"  coalesce(c.relkind IN ('t', 'c')"                                                         \
	"   OR c.relnamespace = 'pg_toast'::regnamespace"                                            \
	"   OR (c.relispartition AND c.relkind IN ('i', 'I'))"                                       \
	"   OR EXISTS (SELECT FROM pg_constraint j WHERE j.conindid = c.oid"                         \
	"    AND j.contype IN ('p', 'u', 'x'))"                                                      \
	"   OR k.contype IN ('n', 't') OR k.conparentid <> 0"                                        \
	"   OR g.tgisinternal OR g.tgparentid <> 0 OR w.rulename = '_RETURN'"                        \
	"   OR (y.typrelid <> 0 AND (SELECT relkind FROM pg_class WHERE oid = y.typrelid) <> 'c')"   \
	"   OR EXISTS (SELECT FROM pg_type z WHERE z.typarray = y.oid)"                              \
	"   OR o.classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass), false) AS hidden"          \
	" FROM once o"                                                                               \
	" LEFT JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid"              \
	" LEFT JOIN pg_index x ON x.indexrelid = c.oid"                                              \
	" LEFT JOIN pg_attribute t ON t.attrelid = c.oid AND t.attnum = o.objsubid"                  \
	"  AND o.objsubid > 0"                                                                       \
	" LEFT JOIN pg_constraint k ON o.classid = 'pg_constraint'::regclass AND k.oid = o.objid"    \
	" LEFT JOIN pg_trigger g ON o.classid = 'pg_trigger'::regclass AND g.oid = o.objid"          \
	" LEFT JOIN pg_rewrite w ON o.classid = 'pg_rewrite'::regclass AND w.oid = o.objid"          \
	" LEFT JOIN pg_policy p ON o.classid = 'pg_policy'::regclass AND p.oid = o.objid"            \
	" LEFT JOIN pg_attrdef d ON o.classid = 'pg_attrdef'::regclass AND d.oid = o.objid"          \
	" LEFT JOIN pg_statistic_ext e ON o.classid = 'pg_statistic_ext'::regclass"                  \
	"  AND e.oid = o.objid"                                                                      \
	" LEFT JOIN pg_type y ON o.classid = 'pg_type'::regclass AND y.oid = o.objid),"

/*
 * A part of what goes as a whole: of a table; a partition of a partitioned table; the sequence of
 * a column. A default goes without saying when its column does.
 */
const char dependency_drops_sql[] = /* clang-format off */
	GONE_SQL DETAIL_SQL /* clang-format on */
	" whole AS MATERIALIZED (SELECT objid FROM detail"
	"  WHERE classid = 'pg_class'::regclass AND objsubid = 0),"
	" parted AS (SELECT d.*,"
	"  coalesce(d.relation <> d.objid OR d.classid <> 'pg_class'::regclass OR d.objsubid > 0,"
	"    false) AND d.relation IN (SELECT objid FROM whole)"
	"  OR (d.classid = 'pg_class'::regclass AND d.objsubid > 0 AND EXISTS (SELECT"
	"   FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition"
	"   JOIN detail o ON o.objid = i.inhparent AND o.attname = d.attname"
	"   WHERE i.inhrelid = d.objid))"
	"  OR (d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND ("
	"   EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
	"    AND c.relispartition WHERE i.inhrelid = d.objid"
	"    AND i.inhparent IN (SELECT objid FROM whole))"
	"   OR (d.relkind = 'S' AND EXISTS (SELECT FROM pg_depend q JOIN detail o"
	"    ON o.classid = q.refclassid AND o.objid = q.refobjid"
	"    AND o.objsubid IN (0, q.refobjsubid) WHERE q.classid = d.classid"
	"    AND q.objid = d.objid AND q.deptype IN ('a', 'i') AND q.refobjsubid > 0)))) AS part,"
	"  d.classid = 'pg_attrdef'::regclass AND EXISTS (SELECT FROM pg_attrdef f JOIN detail o"
	"   ON o.classid = 'pg_class'::regclass AND o.objid = f.adrelid"
	"   AND o.objsubid IN (0, f.adnum) WHERE f.oid = d.objid) AS default_part"
	"  FROM detail d),"
	" shown AS (SELECT d.*, d.hidden OR d.default_part"
	"   OR (d.objsubid > 0 AND d.objid IN (SELECT objid FROM whole)) AS silent"
	"  FROM parted d)"
	" SELECT s.n, s.classid, s.objid, s.objsubid, s.named, s.beyond, s.part, s.silent,"
	"  s.generated,"
	"  CASE WHEN s.contype = 'f' THEN 'foreign key'"
	"   WHEN i.type IN ('table constraint', 'domain constraint') THEN 'constraint'"
	"   WHEN i.type LIKE '%column' THEN 'column'"
	"   WHEN i.type = 'default value' THEN 'default'"
	"   WHEN i.type = 'default acl' THEN 'default privileges'"
	"   WHEN i.type = 'statistics object' THEN 'statistics' ELSE i.type END COLLATE \"C\","
	"  CASE WHEN i.type = 'default value' THEN substr(i.identity, 5) ELSE i.identity END"
	"   COLLATE \"C\","
	"  m.nspname, coalesce(s.attname, c.relname), coalesce(c.oid, 0), c.relkind"
	" FROM shown s LEFT JOIN LATERAL pg_identify_object("
	"  CASE WHEN NOT s.silent THEN s.classid END, s.objid, s.objsubid) i ON true"
	" LEFT JOIN pg_class c ON c.oid = s.relation LEFT JOIN pg_namespace m ON m.oid = c.relnamespace"
	" ORDER BY 1, s.named DESC, 10, 11";

/* --- Whose rows change -------------------------------------------------------------------- */

/*
 * By inheritance, and by foreign keys as their triggers do it (ri_triggers.c); TRUNCATE ...
 * CASCADE by all foreign keys. Of a partitioned table's partitions only the table is given.
 */
const char dependency_changes_sql[] =
	"WITH RECURSIVE asked AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json)"
	"  a (n int, kind text, oid oid, columns text[], alone boolean, cascade boolean,"
	"   restart boolean)),"
	" reached AS (SELECT n, kind, oid, columns::name[], alone, NULL::oid AS key FROM asked"
	"  UNION SELECT r.n, t.kind, t.oid, t.columns, false, coalesce(t.key, r.key)"
	"  FROM reached r JOIN asked a USING (n) CROSS JOIN LATERAL ("
	"   SELECT r.kind, i.inhrelid AS oid, r.columns, NULL::oid AS key FROM pg_inherits i"
	"   WHERE i.inhparent = r.oid AND NOT r.alone AND r.kind <> 'insert'"
	"   UNION ALL SELECT"
	"    CASE WHEN r.kind = 'truncate' THEN 'truncate'"
	"     WHEN r.kind = 'delete' AND k.confdeltype = 'c' THEN 'delete' ELSE 'update' END,"
	"    k.conrelid, ARRAY(SELECT t.attname FROM pg_attribute t WHERE t.attrelid = k.conrelid"
	"     AND t.attnum = ANY (k.conkey) ORDER BY 1), k.oid"
	"   FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = r.oid"
	"    AND CASE r.kind WHEN 'truncate' THEN a.cascade"
	"     WHEN 'delete' THEN k.confdeltype IN ('c', 'n', 'd')"
	"     WHEN 'update' THEN k.confupdtype IN ('c', 'n', 'd') AND EXISTS (SELECT"
	"      FROM pg_attribute t WHERE t.attrelid = r.oid AND t.attnum = ANY (k.confkey)"
	"      AND (r.columns IS NULL OR t.attname = ANY (r.columns)))"
	"     ELSE false END) t),"
	" once AS (SELECT DISTINCT ON (r.kind, r.oid) r.*, c.relkind FROM reached r"
	"  JOIN pg_class c USING (oid) WHERE NOT (c.relispartition AND EXISTS (SELECT"
	"   FROM pg_inherits i JOIN reached p ON p.oid = i.inhparent AND p.kind = r.kind"
	"   WHERE i.inhrelid = r.oid))"
	"  ORDER BY r.kind, r.oid, r.key IS NOT NULL, r.n),"
	" sequence AS (SELECT min(r.n) AS n, d.objid FROM reached r JOIN asked a USING (n)"
	"  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid"
	"  AND d.refobjsubid > 0 AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
	"  JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'"
	"  WHERE a.restart AND r.kind = 'truncate' GROUP BY d.objid)"
	" SELECT o.n, o.kind, o.oid, o.relkind, o.key IS NULL AND a.oid = o.oid,"
	"  CASE WHEN o.kind = 'retype' THEN " TABLE_IDENTITY(
		"o.oid") " || '.'"
			 "   || quote_ident(o.columns[1]) END,"
			 "  'foreign key ' || quote_ident(k.conname) || CASE WHEN o.kind = 'truncate' THEN ''"
			 "   ELSE CASE WHEN k.confdeltype IN ('c', 'n', 'd') AND a.kind = 'delete' THEN ' ON DELETE '"
			 "    || CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL'"
			 "     ELSE 'SET DEFAULT' END"
			 "    ELSE ' ON UPDATE ' || CASE k.confupdtype WHEN 'c' THEN 'CASCADE'"
			 "     WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END END END"
			 " FROM once o JOIN asked a USING (n) LEFT JOIN pg_constraint k ON k.oid = o.key"
			 " UNION ALL SELECT n, 'restart', objid, 'S', false, NULL, 'RESTART IDENTITY' FROM sequence"
			 " ORDER BY 1, 5 DESC, 3";

/* --- What is at the tables ------------------------------------------------------------------ */

/* Bits of pg_trigger.tgtype: INSERT 4, DELETE 8, UPDATE 16, TRUNCATE 32 (catalog/pg_trigger.h). */
const char dependency_triggers_sql[] =
	"WITH asked AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json)"
	"  a (kind text, oid oid))"
	" SELECT 'trigger', 'pg_trigger'::regclass::oid, g.oid, quote_ident(g.tgname) || ' on ' ||"
	"  " TABLE_IDENTITY("g.tgrelid") ", g.tgrelid, " TABLE_IDENTITY(
		"g.tgrelid") " FROM asked a JOIN pg_trigger g ON g.tgrelid = a.oid AND NOT g.tgisinternal"
			     "  AND g.tgenabled IN ('O', 'A') AND g.tgfoid >= 16384"
			     "  AND g.tgtype & CASE a.kind WHEN 'insert' THEN 4 WHEN 'delete' THEN 8"
			     "   WHEN 'update' THEN 16 WHEN 'truncate' THEN 32 ELSE 0 END <> 0"
			     " UNION SELECT 'rule', 'pg_rewrite'::regclass::oid, w.oid, quote_ident(w.rulename) ||"
			     "  ' on ' || " TABLE_IDENTITY("w.ev_class") ", w.ev_class, " TABLE_IDENTITY(
				     "w.ev_class") " FROM asked a JOIN pg_rewrite w ON w.ev_class = a.oid AND w.rulename <> '_RETURN'"
						   "  AND w.ev_enabled IN ('O', 'A')"
						   "  AND w.ev_type = CASE a.kind WHEN 'insert' THEN '3' WHEN 'delete' THEN '4'"
						   "   WHEN 'update' THEN '2' END"
						   " ORDER BY 4";

/* Of partitioned tables that of the whole: what its partitions have of it has a parent. */
const char dependency_foreign_keys_sql[] =
	"WITH asked AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json) a (oid oid))"
	" SELECT 'foreign key', 'pg_constraint'::regclass::oid, k.oid, quote_ident(k.conname) ||"
	"  ' on ' || " TABLE_IDENTITY("k.conrelid") ", k.conrelid, " TABLE_IDENTITY(
		"k.conrelid") " FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0"
			      "  AND k.confrelid IN (SELECT oid FROM asked)"
			      "  AND k.conrelid NOT IN (SELECT oid FROM asked) ORDER BY 4";
