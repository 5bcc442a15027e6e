/* SPDX-License-Identifier: MIT */
#include "pg/catalog-sql.h"

#define STRING_(x) #x
#define STRING(x)  STRING_(x)

/* A list, sorted by bytes: the order in which a thing was said does not count. */
#define SORTED(array, x) \
	"(SELECT string_agg(" x ", ', ' ORDER BY " x " COLLATE \"C\") FROM unnest(" array ") x)"
#define OPTIONS(array)		SORTED(array, "x")
#define FLAG(condition)		"CASE WHEN " condition " THEN 'yes' END"
#define OWNER(role)		role "::regrole::text"
#define ROLE(role)		"CASE WHEN " role " = 0 THEN 'public' ELSE " role "::regrole::text END"
#define FUNCTION_NAME(function) "CASE WHEN " function " <> 0 THEN " function "::regproc::text END"
/* NULL and the default, written out by a GRANT and its REVOKE, are the same: no line. */
#define PRIVILEGES(type, acl, owner)                                                        \
	"CASE WHEN " acl                                                                    \
	" IS NOT NULL THEN nullif(coalesce(" SORTED(acl, "x::text") ", 'nobody'), " SORTED( \
		"acldefault(" type ", " owner ")", "x::text") ") END"
#define COLLATION(oid) "CASE WHEN " oid " NOT IN (0, 100) THEN " oid "::regcollation::text END"
#define QUALIFIED(schema, name)                                                                \
	"(SELECT quote_ident(n.nspname) FROM pg_namespace n WHERE n.oid = " schema ") || '.' " \
	"|| quote_ident(" name ")"
#define INHERITED(count, local)                                            \
	"CASE WHEN " count " > 0 THEN CASE WHEN " count " > 1 THEN " count \
	" || ' times' ELSE 'yes' END || CASE WHEN " local " THEN ', and declared' ELSE '' END END"
#define TARGET(column) "CASE WHEN " column " >= 0 THEN " column "::text END"
#define ENABLED(column) \
	"CASE " column " WHEN 'D' THEN 'no' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END"
#define TABLESPACE(oid) \
	"(SELECT quote_ident(ts.spcname) FROM pg_tablespace ts WHERE ts.oid = " oid ")"

/* Not brought by an extension. Hashed once for each query. */
#define OWN(class, oid)                                                          \
	oid " NOT IN (SELECT m.objid FROM pg_depend m WHERE m.refclassid = 3079" \
	    " AND m.deptype = 'e' AND m.classid = " STRING(class) ")"
/* Not made with a type, as the functions and the cast of a range are. */
#define NO_BYPRODUCT(class, oid)                                         \
	"NOT EXISTS (SELECT FROM pg_depend b WHERE b.classid = " STRING( \
		class) " AND b.objid = " oid " AND b.deptype = 'i')"
#define IN_SCHEMAS(oid) oid " IN ({schemas})"
/* Below are the objects that initdb made. */
#define NORMAL(oid) oid " >= 16384"

static const struct catalog_attribute relation_attributes[] = {
	{ "columns of", "CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END" },
	{ "partition of",
	  "CASE WHEN c.relispartition THEN (SELECT string_agg("
	  "h.inhparent::regclass::text || CASE WHEN {detached} THEN ' (detached)' ELSE '' END, ', ')"
	  " FROM pg_inherits h WHERE h.inhrelid = c.oid) END" },
	{ "partition bound",
	  "CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END" },
	{ "inherits", "CASE WHEN c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition THEN"
		      " (SELECT string_agg(h.inhparent::regclass::text, ', ' ORDER BY h.inhseqno)"
		      " FROM pg_inherits h WHERE h.inhrelid = c.oid) END" },
	{ "partition by", "CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END" },
	{ "query", "CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END" },
	{ "type", "CASE WHEN s.seqtypid IS NOT NULL THEN format_type(s.seqtypid, NULL) END" },
	{ "start", "s.seqstart::text" },
	{ "increment", "s.seqincrement::text" },
	{ "minimum", "s.seqmin::text" },
	{ "maximum", "s.seqmax::text" },
	{ "cache", "s.seqcache::text" },
	{ "cycle", FLAG("s.seqcycle") },
	{ "owned by",
	  "CASE WHEN c.relkind = 'S' THEN (SELECT string_agg(d.refobjid::regclass::text"
	  " || '.' || quote_ident(a.attname) || CASE d.deptype WHEN 'i' THEN ' (identity)' ELSE '' END,"
	  " ', ') FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid"
	  " AND a.attnum = d.refobjsubid WHERE d.classid = 1259 AND d.objid = c.oid AND d.objsubid = 0"
	  " AND d.refclassid = 1259 AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')) END" },
	{ "server",
	  "(SELECT quote_ident(f.srvname) FROM pg_foreign_server f WHERE f.oid = ft.ftserver)" },
	{ "foreign options", OPTIONS("ft.ftoptions") },
	{ "unlogged", FLAG("c.relpersistence = 'u'") },
	{ "access method",
	  "CASE WHEN c.relam <> 0 THEN (SELECT quote_ident(am.amname) FROM pg_am am"
	  " WHERE am.oid = c.relam) END" },
	{ "tablespace",
	  "CASE WHEN c.reltablespace <> 0 THEN " TABLESPACE("c.reltablespace") " END" },
	{ "options", OPTIONS("c.reloptions") },
	{ "toast options",
	  "CASE WHEN c.reltoastrelid <> 0 THEN (SELECT " OPTIONS(
		  "t.reloptions") " FROM pg_class t WHERE t.oid = c.reltoastrelid) END" },
	{ "row level security", FLAG("c.relrowsecurity") },
	{ "row level security for the owner", FLAG("c.relforcerowsecurity") },
	{ "replica identity",
	  "CASE WHEN c.relkind IN ('r', 'p', 'm') THEN CASE c.relreplident"
	  " WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' WHEN 'i' THEN 'an index' END END" },
	{ "owner", OWNER("c.relowner") },
	{ "privileges",
	  "CASE WHEN c.relkind = 'c' THEN (SELECT " PRIVILEGES("'T'", "t.typacl", "t.typowner") " FROM pg_type t WHERE t.oid = c.reltype) ELSE " PRIVILEGES(
		  "CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\"", "c.relacl",
		  "c.relowner") " END" },
};

static const struct catalog_attribute column_attributes[] = {
	{ "type", "format_type(a.atttypid, a.atttypmod)" },
	{ "collation", COLLATION("a.attcollation") },
	{ "not null", FLAG("a.attnotnull") },
	{ "default", "CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END" },
	{ "generated", "CASE a.attgenerated WHEN 's' THEN pg_get_expr(d.adbin, d.adrelid)"
		       " WHEN 'v' THEN pg_get_expr(d.adbin, d.adrelid) || ' (virtual)' END" },
	{ "identity", "CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END" },
	{ "inherited", INHERITED("a.attinhcount", "a.attislocal") },
	{ "storage",
	  "CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'plain'"
	  " WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END" },
	{ "compression", "CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END",
	  140000 },
	{ "statistics", TARGET("a.attstattarget") },
	/* Some servers keep a random attribute version here, which pg_dump hides as well. */
	{ "options",
	  "(SELECT string_agg(x, ', ' ORDER BY x COLLATE \"C\") FROM unnest(a.attoptions) x"
	  " WHERE x NOT LIKE 'pg_attver=%')" },
	{ "foreign options", OPTIONS("a.attfdwoptions") },
	{ "privileges", SORTED("a.attacl", "x::text") },
};

static const struct catalog_attribute constraint_attributes[] = {
	{ "definition", "pg_get_constraintdef(c.oid)" },
	{ "inherited", INHERITED("c.coninhcount", "c.conislocal") },
};

static const struct catalog_attribute index_attributes[] = {
	{ "definition", "pg_get_indexdef(i.indexrelid)" },
	{ "invalid", FLAG("NOT i.indisvalid") },
	{ "partition of", "CASE WHEN x.relispartition THEN (SELECT h.inhparent::regclass::text"
			  " FROM pg_inherits h WHERE h.inhrelid = i.indexrelid) END" },
	{ "clustered", FLAG("i.indisclustered") },
	{ "replica identity", FLAG("i.indisreplident") },
	{ "tablespace",
	  "CASE WHEN x.reltablespace <> 0 THEN " TABLESPACE("x.reltablespace") " END" },
	{ "statistics",
	  "CASE WHEN i.indexprs IS NOT NULL THEN (SELECT string_agg(a.attnum || ': ' ||"
	  " a.attstattarget, ', ' ORDER BY a.attnum) FROM pg_attribute a"
	  " WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0) END" },
};

static const struct catalog_attribute trigger_attributes[] = {
	{ "definition", "pg_get_triggerdef(t.oid)" },
	{ "enabled", ENABLED("t.tgenabled") },
};

static const struct catalog_attribute rule_attributes[] = {
	{ "definition", "pg_get_ruledef(r.oid)" },
	{ "enabled", ENABLED("r.ev_enabled") },
};

static const struct catalog_attribute policy_attributes[] = {
	{ "restrictive", FLAG("NOT p.polpermissive") },
	{ "for",
	  "CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'"
	  " WHEN 'd' THEN 'delete' ELSE 'all' END" },
	{ "to", SORTED("p.polroles", ROLE("x")) },
	{ "using", "pg_get_expr(p.polqual, p.polrelid)" },
	{ "with check", "pg_get_expr(p.polwithcheck, p.polrelid)" },
};

static const struct catalog_attribute function_attributes[] = {
	{ "arguments", "pg_get_function_arguments(p.oid)" },
	{ "returns", "pg_get_function_result(p.oid)" },
	{ "language",
	  "(SELECT quote_ident(l.lanname) FROM pg_language l WHERE l.oid = p.prolang)" },
	{ "window", FLAG("p.prokind = 'w'") },
	{ "transforms", "(SELECT string_agg('for type ' || format_type(x, NULL), ', ' ORDER BY o)"
			" FROM unnest(p.protrftypes) WITH ORDINALITY AS u(x, o))" },
	{ "volatility", "CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable'"
			" ELSE 'volatile' END" },
	{ "strict", FLAG("p.proisstrict") },
	{ "security definer", FLAG("p.prosecdef") },
	{ "leakproof", FLAG("p.proleakproof") },
	{ "parallel", "CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted'"
		      " ELSE 'unsafe' END" },
	{ "cost", "p.procost::text" },
	{ "rows", "CASE WHEN p.proretset THEN p.prorows::text END" },
	{ "support", FUNCTION_NAME("p.prosupport") },
	{ "settings", OPTIONS("p.proconfig") },
	{ "library", "p.probin" },
	{ "body", "p.prosrc", 0, 140000 },
	{ "body",
	  "CASE WHEN p.prosqlbody IS NULL THEN p.prosrc"
	  " ELSE pg_get_function_sqlbody(p.oid) END",
	  140000 },
	{ "owner", OWNER("p.proowner") },
	{ "privileges", PRIVILEGES("'f'", "p.proacl", "p.proowner") },
};

#define MODIFY(column, extra)                                                            \
	"CASE " column                                                                   \
	" WHEN 'r' THEN 'read only' WHEN 's' THEN 'shareable' ELSE 'read and write' END" \
	" || CASE WHEN " extra " THEN ', extra arguments' ELSE '' END"
static const struct catalog_attribute aggregate_attributes[] = {
	{ "arguments", "pg_get_function_arguments(p.oid)" },
	{ "returns", "pg_get_function_result(p.oid)" },
	{ "kind",
	  "CASE g.aggkind WHEN 'o' THEN 'ordered set' WHEN 'h' THEN 'hypothetical set' END" },
	{ "state", "format_type(g.aggtranstype, NULL) || CASE WHEN g.aggtransspace > 0 THEN ', ' ||"
		   " g.aggtransspace || ' bytes' ELSE '' END" },
	{ "initial", "g.agginitval" },
	{ "transition", "g.aggtransfn::regprocedure::text" },
	{ "final", FUNCTION_NAME("g.aggfinalfn") },
	{ "final modifies", "CASE WHEN g.aggfinalfn <> 0 THEN " MODIFY("g.aggfinalmodify",
								       "g.aggfinalextra") " END" },
	{ "combine", FUNCTION_NAME("g.aggcombinefn") },
	{ "serialize", FUNCTION_NAME("g.aggserialfn") },
	{ "deserialize", FUNCTION_NAME("g.aggdeserialfn") },
	{ "moving",
	  "CASE WHEN g.aggmtransfn <> 0 THEN concat_ws(', ', 'state ' ||"
	  " format_type(g.aggmtranstype, NULL), g.aggmtransspace || ' bytes', 'initial ' || g.aggminitval,"
	  " 'transition ' || g.aggmtransfn::regprocedure::text,"
	  " 'inverse ' || g.aggminvtransfn::regprocedure::text,"
	  " 'final ' || nullif(g.aggmfinalfn::oid, 0)::regproc::text, " MODIFY(
		  "g.aggmfinalmodify", "g.aggmfinalextra") ") END" },
	{ "sort operator", "CASE WHEN g.aggsortop <> 0 THEN g.aggsortop::regoperator::text END" },
	{ "parallel", "CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted'"
		      " ELSE 'unsafe' END" },
	{ "owner", OWNER("p.proowner") },
	{ "privileges", PRIVILEGES("'f'", "p.proacl", "p.proowner") },
};

#define OPCLASS_NAME(oid)                      \
	"(SELECT " QUALIFIED("o.opcnamespace", \
			     "o.opcname") " FROM pg_opclass o WHERE o.oid = " oid ")"
#define BASE "CASE WHEN t.typtype = 'b' THEN "
static const struct catalog_attribute type_attributes[] = {
	{ "sort",
	  "CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'r' THEN 'range' WHEN 'm' THEN 'multirange'"
	  " WHEN 'p' THEN 'shell' WHEN 'b' THEN 'base' END" },
	{ "values",
	  "CASE WHEN t.typtype = 'e' THEN (SELECT string_agg(quote_literal(e.enumlabel), ', '"
	  " ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) END" },
	{ "type", "CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END" },
	{ "collation", COLLATION("t.typcollation") },
	{ "not null", FLAG("t.typnotnull") },
	{ "default",
	  "CASE WHEN t.typtype = 'd' THEN pg_get_expr(t.typdefaultbin, 0) ELSE t.typdefault END" },
	{ "range",
	  "CASE WHEN t.typtype = 'r' THEN (SELECT concat_ws(', ', 'of ' ||"
	  " format_type(r.rngsubtype, NULL), 'opclass ' || " OPCLASS_NAME(
		  "r.rngsubopc") ","
				 " 'collation ' || nullif(r.rngcollation, 0)::regcollation::text,"
				 " 'canonical ' || nullif(r.rngcanonical::oid, 0)::regproc::text,"
				 " 'difference ' || nullif(r.rngsubdiff::oid, 0)::regproc::text)"
				 " FROM pg_range r WHERE r.rngtypid = t.oid) END" },
	{ "multirange",
	  "CASE WHEN t.typtype = 'r' THEN (SELECT r.rngmultitypid::regtype::text"
	  " FROM pg_range r WHERE r.rngtypid = t.oid) END",
	  140000 },
	{ "input", BASE FUNCTION_NAME("t.typinput") " END" },
	{ "output", BASE FUNCTION_NAME("t.typoutput") " END" },
	{ "receive", BASE FUNCTION_NAME("t.typreceive") " END" },
	{ "send", BASE FUNCTION_NAME("t.typsend") " END" },
	{ "modifier input", BASE FUNCTION_NAME("t.typmodin") " END" },
	{ "modifier output", BASE FUNCTION_NAME("t.typmodout") " END" },
	{ "analyze", BASE FUNCTION_NAME("t.typanalyze") " END" },
	{ "subscript", BASE FUNCTION_NAME("t.typsubscript") " END", 140000 },
	{ "layout",
	  BASE "concat_ws(', ', t.typlen, CASE WHEN t.typbyval THEN 'by value' END,"
	       " 'alignment ' || t.typalign::text, 'storage ' || t.typstorage::text) END" },
	{ "category", BASE
	  "t.typcategory::text || CASE WHEN t.typispreferred THEN ', preferred' ELSE '' END END" },
	{ "element", BASE "CASE WHEN t.typelem <> 0 THEN format_type(t.typelem, NULL) END END" },
	{ "delimiter", BASE "nullif(t.typdelim::text, ',') END" },
	{ "owner", OWNER("t.typowner") },
	{ "privileges", PRIVILEGES("'T'", "t.typacl", "t.typowner") },
};

static const struct catalog_attribute schema_attributes[] = {
	{ "owner", OWNER("n.nspowner") },
	{ "privileges", PRIVILEGES("'n'", "n.nspacl", "n.nspowner") },
};

static const struct catalog_attribute extension_attributes[] = {
	{ "version", "e.extversion" },
	{ "schema", "quote_ident(n.nspname)" },
};

static const struct catalog_attribute collation_attributes[] = {
	{ "provider",
	  "CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc' WHEN 'b' THEN 'builtin'"
	  " ELSE 'default' END" },
	{ "collate", "c.collcollate::text" },
	{ "ctype", "c.collctype::text" },
	{ "locale", "c.colliculocale", 150000, 170000 },
	{ "locale", "c.colllocale", 170000 },
	{ "rules", "c.collicurules", 160000 },
	{ "not deterministic", FLAG("NOT c.collisdeterministic") },
	{ "owner", OWNER("c.collowner") },
};

static const struct catalog_attribute conversion_attributes[] = {
	{ "from", "pg_encoding_to_char(c.conforencoding)::text" },
	{ "to", "pg_encoding_to_char(c.contoencoding)::text" },
	{ "function", FUNCTION_NAME("c.conproc") },
	{ "default", FLAG("c.condefault") },
	{ "owner", OWNER("c.conowner") },
};

#define OPERATOR_NAME(oid) "CASE WHEN " oid " <> 0 THEN " oid "::regoperator::text END"
static const struct catalog_attribute operator_attributes[] = {
	{ "function", "o.oprcode::regprocedure::text" },
	{ "commutator", OPERATOR_NAME("o.oprcom") },
	{ "negator", OPERATOR_NAME("o.oprnegate") },
	{ "restrict", FUNCTION_NAME("o.oprrest") },
	{ "join", FUNCTION_NAME("o.oprjoin") },
	{ "hashes", FLAG("o.oprcanhash") },
	{ "merges", FLAG("o.oprcanmerge") },
	{ "owner", OWNER("o.oprowner") },
};

#define OPFAMILY_NAME(oid)                     \
	"(SELECT " QUALIFIED("f.opfnamespace", \
			     "f.opfname") " FROM pg_opfamily f WHERE f.oid = " oid ")"
#define METHOD_NAME(oid) "(SELECT quote_ident(m.amname) FROM pg_am m WHERE m.oid = " oid ")"
static const struct catalog_attribute opclass_attributes[] = {
	{ "type", "format_type(o.opcintype, NULL)" },
	{ "default", FLAG("o.opcdefault") },
	{ "family", OPFAMILY_NAME("o.opcfamily") },
	{ "stores", "CASE WHEN o.opckeytype <> 0 THEN format_type(o.opckeytype, NULL) END" },
	{ "owner", OWNER("o.opcowner") },
};

static const struct catalog_attribute opfamily_attributes[] = {
	{ "operators",
	  "(SELECT string_agg(m, ', ' ORDER BY m COLLATE \"C\") FROM (SELECT"
	  " a.amopstrategy || ' ' || a.amopopr::regoperator::text || CASE WHEN a.amopsortfamily <> 0 THEN"
	  " ' for order by ' || " OPFAMILY_NAME(
		  "a.amopsortfamily") " ELSE '' END"
				      " FROM pg_amop a WHERE a.amopfamily = o.oid) AS l(m))" },
	{ "functions",
	  "(SELECT string_agg(m, ', ' ORDER BY m COLLATE \"C\") FROM (SELECT"
	  " a.amprocnum || ' (' || format_type(a.amproclefttype, NULL) || ', ' ||"
	  " format_type(a.amprocrighttype, NULL) || ') ' || a.amproc::regprocedure::text"
	  " FROM pg_amproc a WHERE a.amprocfamily = o.oid) AS l(m))" },
	{ "owner", OWNER("o.opfowner") },
};

static const struct catalog_attribute cast_attributes[] = {
	{ "method", "CASE c.castmethod WHEN 'i' THEN 'inout' WHEN 'b' THEN 'binary'"
		    " ELSE c.castfunc::regprocedure::text END" },
	{ "context", "CASE c.castcontext WHEN 'a' THEN 'assignment' WHEN 'i' THEN 'implicit'"
		     " ELSE 'explicit' END" },
};

static const struct catalog_attribute transform_attributes[] = {
	{ "from sql", "CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::regprocedure::text END" },
	{ "to sql", "CASE WHEN t.trftosql <> 0 THEN t.trftosql::regprocedure::text END" },
};

/* initdb's languages are in the list only when their privileges were changed. */
static const struct catalog_attribute language_attributes[] = {
	{ "trusted", FLAG("l.lanpltrusted") },
	{ "handler", FUNCTION_NAME("l.lanplcallfoid") },
	{ "inline", FUNCTION_NAME("l.laninline") },
	{ "validator", FUNCTION_NAME("l.lanvalidator") },
	{ "owner", "CASE WHEN l.oid >= 16384 THEN " OWNER("l.lanowner") " END" },
	{ "privileges", PRIVILEGES("'l'", "l.lanacl", "l.lanowner") },
};

static const struct catalog_attribute access_method_attributes[] = {
	{ "for", "CASE a.amtype WHEN 't' THEN 'tables' ELSE 'indexes' END" },
	{ "handler", FUNCTION_NAME("a.amhandler") },
};

static const struct catalog_attribute ts_config_attributes[] = {
	{ "parser",
	  "(SELECT " QUALIFIED("p.prsnamespace",
			       "p.prsname") " FROM pg_ts_parser p WHERE p.oid = c.cfgparser)" },
	{ "mapping",
	  "(SELECT string_agg(alias || ': ' || dicts, '; ' ORDER BY alias COLLATE \"C\") FROM"
	  " (SELECT k.alias, string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS dicts"
	  " FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) k ON k.tokid = m.maptokentype"
	  " WHERE m.mapcfg = c.oid GROUP BY k.alias) l)" },
	{ "owner", OWNER("c.cfgowner") },
};

static const struct catalog_attribute ts_dict_attributes[] = {
	{ "template",
	  "(SELECT " QUALIFIED(
		  "t.tmplnamespace",
		  "t.tmplname") " FROM pg_ts_template t WHERE t.oid = d.dicttemplate)" },
	{ "options", "d.dictinitoption" },
	{ "owner", OWNER("d.dictowner") },
};

static const struct catalog_attribute ts_parser_attributes[] = {
	{ "start", FUNCTION_NAME("p.prsstart") },   { "token", FUNCTION_NAME("p.prstoken") },
	{ "end", FUNCTION_NAME("p.prsend") },	    { "headline", FUNCTION_NAME("p.prsheadline") },
	{ "types", FUNCTION_NAME("p.prslextype") },
};

static const struct catalog_attribute ts_template_attributes[] = {
	{ "init", FUNCTION_NAME("t.tmplinit") },
	{ "lexize", FUNCTION_NAME("t.tmpllexize") },
};

static const struct catalog_attribute fdw_attributes[] = {
	{ "handler", FUNCTION_NAME("f.fdwhandler") },
	{ "validator", FUNCTION_NAME("f.fdwvalidator") },
	{ "options", OPTIONS("f.fdwoptions") },
	{ "owner", OWNER("f.fdwowner") },
	{ "privileges", PRIVILEGES("'F'", "f.fdwacl", "f.fdwowner") },
};

static const struct catalog_attribute server_attributes[] = {
	{ "wrapper",
	  "(SELECT quote_ident(f.fdwname) FROM pg_foreign_data_wrapper f WHERE f.oid = s.srvfdw)" },
	{ "type", "s.srvtype" },
	{ "version", "s.srvversion" },
	{ "options", OPTIONS("s.srvoptions") },
	{ "owner", OWNER("s.srvowner") },
	{ "privileges", PRIVILEGES("'S'", "s.srvacl", "s.srvowner") },
};

/* Values may be passwords. 16 bits of a digest show a change and are of no use for guessing. */
static const struct catalog_attribute user_mapping_attributes[] = {
	{ "options", SORTED("u.umoptions", "quote_ident(split_part(x, '=', 1))") },
	{ "values",
	  "left(encode(sha256(convert_to(" OPTIONS("u.umoptions") ", 'UTF8')), 'hex'), 4)" },
};

static const struct catalog_attribute default_acl_attributes[] = {
	{ "privileges", SORTED("d.defaclacl", "x::text") },
};

static const struct catalog_attribute event_trigger_attributes[] = {
	{ "event", "e.evtevent::text" },
	{ "tags", OPTIONS("e.evttags") },
	{ "function", FUNCTION_NAME("e.evtfoid") },
	{ "enabled", ENABLED("e.evtenabled") },
	{ "owner", OWNER("e.evtowner") },
};

#define PUBLISHED(extra)                                                                                    \
	"(SELECT string_agg(m, ', ' ORDER BY m COLLATE \"C\") FROM (SELECT r.prrelid::regclass::text" extra \
	" FROM pg_publication_rel r WHERE r.prpubid = p.oid"                                                \
	" AND r.prrelid NOT IN ({excluded})) AS l(m))"
static const struct catalog_attribute publication_attributes[] = {
	{ "all tables", FLAG("p.puballtables") },
	{ "tables", PUBLISHED(""), 0, 150000 },
	{ "tables",
	  PUBLISHED(
		  " || coalesce((SELECT ' (' || string_agg(quote_ident(a.attname), ', '"
		  " ORDER BY a.attname COLLATE \"C\") || ')' FROM pg_attribute a WHERE a.attrelid = r.prrelid"
		  " AND a.attnum = ANY (r.prattrs)), '') || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid),"
		  " '')"),
	  150000 },
	{ "schemas",
	  "(SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname COLLATE \"C\")"
	  " FROM pg_publication_namespace pn JOIN pg_namespace n ON n.oid = pn.pnnspid"
	  " WHERE pn.pnpubid = p.oid)",
	  150000 },
	{ "publishes",
	  "concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate"
	  " THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate"
	  " THEN 'truncate' END)" },
	{ "via root", FLAG("p.pubviaroot") },
	{ "generated columns", "nullif(p.pubgencols::text, 'n')", 180000 },
	{ "owner", OWNER("p.pubowner") },
};

/* What PUBLIC may read of it, in each version. */
static const struct catalog_attribute subscription_attributes[] = {
	{ "publications", OPTIONS("s.subpublications") },
	{ "slot", "s.subslotname::text" },
	{ "disabled", FLAG("NOT s.subenabled") },
	{ "synchronous commit", "nullif(s.subsynccommit, 'off')", 140000 },
	{ "binary", FLAG("s.subbinary"), 140000 },
	{ "streaming", "nullif(nullif(s.substream::text, 'false'), 'f')", 140000 },
	{ "owner", OWNER("s.subowner") },
};

static const struct catalog_attribute statistics_attributes[] = {
	{ "definition", "pg_get_statisticsobjdef(s.oid)" },
	{ "target", TARGET("s.stxstattarget") },
	{ "owner", OWNER("s.stxowner") },
};

#define ATTRIBUTES(list) .attributes = list, .attribute_nr = ARRAY_SIZE(list)
/* An object that stands alone: its own group. */
#define ALONE(class, alias)                                                     \
	.group_class = (enum catalog_class)(class), .class_oid = STRING(class), \
	.oid = alias ".oid", .group_oid = alias ".oid", .all = NORMAL(alias ".oid")
#define PART_OF_TABLE(class, object, table)                                                     \
	.part = true, .group_class = CLASS_RELATION, .class_oid = STRING(class), .oid = object, \
	.group_oid = table, .all = NORMAL(table)
#define NAMED_ON(name, table) "quote_ident(" name ") || ' on ' || " table "::regclass::text"

const struct catalog_kind catalog_kinds[] = {
	{
		.kind = "CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'"
			" WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type'"
			" ELSE 'table' END",
		.group_class = CLASS_RELATION,
		.class_oid = "CASE c.relkind WHEN 'c' THEN 1247 ELSE 1259 END",
		.oid = "CASE c.relkind WHEN 'c' THEN c.reltype ELSE c.oid END",
		.group_oid = "c.oid",
		.identity = "c.oid::regclass::text",
		.from = "pg_class c LEFT JOIN pg_sequence s ON s.seqrelid = c.oid"
			" LEFT JOIN pg_foreign_table ft ON ft.ftrelid = c.oid",
		.where = "c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND " IN_SCHEMAS("c.relnamespace") " AND c.relpersistence <> 't' AND " OWN(
			1259,
			"c.oid") " AND (c.relkind <> 'c' OR " OWN(1247,
								  "c.reltype") ")"
									       " AND c.oid NOT IN ({excluded}) AND (c.relkind <> 'S' OR c.oid NOT IN"
									       " (SELECT d.objid FROM pg_depend d JOIN ({excluded}) AS x(oid) ON d.refobjid = x.oid"
									       " WHERE d.classid = 1259 AND d.refclassid = 1259 AND d.deptype IN ('a', 'i')))",
		.all = NORMAL("c.oid"),
		ATTRIBUTES(relation_attributes),
	},
	{
		/* Of what has rows or values; a sequence's and an index's columns say nothing. */
		.kind = "'column'",
		PART_OF_TABLE(1259, "a.attrelid", "a.attrelid"),
		.sub = "a.attnum",
		.identity = "a.attrelid::regclass::text || '.' || quote_ident(a.attname)",
		.from = "pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
			" JOIN pg_type t ON t.oid = a.atttypid"
			" LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum",
		.where =
			"a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')"
			" AND c.relpersistence <> 't'",
		ATTRIBUTES(column_attributes),
	},
	{
		/* Without those that a foreign key to a partitioned table has for each partition:
		 * the server names them as it likes. */
		.kind = "'constraint'",
		PART_OF_TABLE(2606, "c.oid", "c.conrelid"),
		.identity = NAMED_ON("c.conname", "c.conrelid"),
		.from = "pg_constraint c",
		.where =
			"c.conrelid <> 0 AND c.contype <> 't' AND (c.conparentid = 0 OR (SELECT p.conrelid"
			" FROM pg_constraint p WHERE p.oid = c.conparentid) <> c.conrelid)",
		ATTRIBUTES(constraint_attributes),
	},
	{
		.kind = "'constraint'",
		.part = true,
		.group_class = CLASS_TYPE,
		.class_oid = "2606",
		.oid = "c.oid",
		.group_oid = "c.contypid",
		.all = NORMAL("c.contypid"),
		.identity = "quote_ident(c.conname) || ' on ' || c.contypid::regtype::text",
		.from = "pg_constraint c",
		.where = "c.contypid <> 0",
		ATTRIBUTES(constraint_attributes),
	},
	{
		.kind = "'index'",
		PART_OF_TABLE(1259, "i.indexrelid", "i.indrelid"),
		.identity = "i.indexrelid::regclass::text",
		.from = "pg_index i JOIN pg_class x ON x.oid = i.indexrelid",
		.where = "x.relpersistence <> 't' AND x.relnamespace <> 99",
		ATTRIBUTES(index_attributes),
	},
	{
		.kind = "'trigger'",
		PART_OF_TABLE(2620, "t.oid", "t.tgrelid"),
		.identity = NAMED_ON("t.tgname", "t.tgrelid"),
		.from = "pg_trigger t",
		.where = "NOT t.tgisinternal",
		ATTRIBUTES(trigger_attributes),
	},
	{
		.kind = "'rule'",
		PART_OF_TABLE(2618, "r.oid", "r.ev_class"),
		.identity = NAMED_ON("r.rulename", "r.ev_class"),
		.from = "pg_rewrite r",
		.where = "r.rulename <> '_RETURN'",
		ATTRIBUTES(rule_attributes),
	},
	{
		.kind = "'policy'",
		PART_OF_TABLE(3256, "p.oid", "p.polrelid"),
		.identity = NAMED_ON("p.polname", "p.polrelid"),
		.from = "pg_policy p",
		.where = "true",
		ATTRIBUTES(policy_attributes),
	},
	{
		.kind = "CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END",
		ALONE(1255, "p"),
		.identity = "p.oid::regprocedure::text",
		.from = "pg_proc p",
		.where = "p.prokind <> 'a' AND " IN_SCHEMAS("p.pronamespace") " AND " OWN(
			1255, "p.oid") " AND (p.prolang <> 12 OR " NO_BYPRODUCT(1255, "p.oid") ")",
		ATTRIBUTES(function_attributes),
	},
	{
		.kind = "'aggregate'",
		ALONE(1255, "p"),
		.identity = "p.oid::regprocedure::text",
		.from = "pg_aggregate g JOIN pg_proc p ON p.oid = g.aggfnoid",
		.where = IN_SCHEMAS("p.pronamespace") " AND " OWN(1255, "p.oid"),
		ATTRIBUTES(aggregate_attributes),
	},
	{
		/* Without those that come with another: a table's row type, an array's. */
		.kind = "CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END",
		ALONE(1247, "t"),
		.identity = "t.oid::regtype::text",
		.from = "pg_type t",
		.where = "t.typtype <> 'c' AND " IN_SCHEMAS(
			"t.typnamespace") " AND (t.typelem = 0 OR"
					  " (SELECT e.typarray FROM pg_type e WHERE e.oid = t.typelem) <> t.oid) AND " OWN(
						  1247, "t.oid"),
		ATTRIBUTES(type_attributes),
	},
	{
		.kind = "'schema'",
		.group_class = CLASS_NAMESPACE,
		.class_oid = "2615",
		.oid = "n.oid",
		.group_oid = "n.oid",
		.identity = "quote_ident(n.nspname)",
		.from = "pg_namespace n",
		.where = IN_SCHEMAS("n.oid") " AND " OWN(2615, "n.oid"),
		ATTRIBUTES(schema_attributes),
	},
	{
		.kind = "'extension'",
		.group_class = CLASS_EXTENSION,
		.class_oid = "3079",
		.oid = "e.oid",
		.group_oid = "e.oid",
		.identity = "quote_ident(e.extname)",
		.from = "pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace",
		.where = "true",
		ATTRIBUTES(extension_attributes),
	},
	{
		.kind = "'collation'",
		ALONE(3456, "c"),
		.identity = QUALIFIED("c.collnamespace", "c.collname"),
		.from = "pg_collation c",
		.where = IN_SCHEMAS("c.collnamespace") " AND " OWN(3456, "c.oid"),
		ATTRIBUTES(collation_attributes),
	},
	{
		.kind = "'conversion'",
		ALONE(2607, "c"),
		.identity = QUALIFIED("c.connamespace", "c.conname"),
		.from = "pg_conversion c",
		.where = IN_SCHEMAS("c.connamespace") " AND " OWN(2607, "c.oid"),
		ATTRIBUTES(conversion_attributes),
	},
	{
		.kind = "'operator'",
		ALONE(2617, "o"),
		.identity = "o.oid::regoperator::text",
		.from = "pg_operator o",
		.where = IN_SCHEMAS("o.oprnamespace") " AND " OWN(2617, "o.oid"),
		ATTRIBUTES(operator_attributes),
	},
	{
		.kind = "'operator class'",
		ALONE(2616, "o"),
		.identity = QUALIFIED("o.opcnamespace",
				      "o.opcname") " || ' using ' || " METHOD_NAME("o.opcmethod"),
		.from = "pg_opclass o",
		.where = IN_SCHEMAS("o.opcnamespace") " AND " OWN(2616, "o.oid"),
		ATTRIBUTES(opclass_attributes),
	},
	{
		.kind = "'operator family'",
		ALONE(2753, "o"),
		.identity = QUALIFIED("o.opfnamespace",
				      "o.opfname") " || ' using ' || " METHOD_NAME("o.opfmethod"),
		.from = "pg_opfamily o",
		.where = IN_SCHEMAS("o.opfnamespace") " AND " OWN(2753, "o.oid"),
		ATTRIBUTES(opfamily_attributes),
	},
	{
		.kind = "'cast'",
		ALONE(2605, "c"),
		.identity =
			"format_type(c.castsource, NULL) || ' as ' || format_type(c.casttarget, NULL)",
		.from = "pg_cast c",
		.where = OWN(2605, "c.oid") " AND " NO_BYPRODUCT(2605, "c.oid"),
		ATTRIBUTES(cast_attributes),
	},
	{
		.kind = "'transform'",
		ALONE(3576, "t"),
		.identity =
			"format_type(t.trftype, NULL) || ' in ' || (SELECT quote_ident(l.lanname)"
			" FROM pg_language l WHERE l.oid = t.trflang)",
		.from = "pg_transform t",
		.where = OWN(3576, "t.oid"),
		ATTRIBUTES(transform_attributes),
	},
	{
		.kind = "'language'",
		.group_class = CLASS_LANGUAGE,
		.class_oid = "2612",
		.oid = "l.oid",
		.group_oid = "l.oid",
		.identity = "quote_ident(l.lanname)",
		.from = "pg_language l",
		.where = "(l.oid >= 16384 OR l.lanacl IS NOT NULL) AND " OWN(2612, "l.oid"),
		ATTRIBUTES(language_attributes),
	},
	{
		.kind = "'access method'",
		ALONE(2601, "a"),
		.identity = "quote_ident(a.amname)",
		.from = "pg_am a",
		.where = OWN(2601, "a.oid"),
		ATTRIBUTES(access_method_attributes),
	},
	{
		.kind = "'text search configuration'",
		ALONE(3602, "c"),
		.identity = QUALIFIED("c.cfgnamespace", "c.cfgname"),
		.from = "pg_ts_config c",
		.where = IN_SCHEMAS("c.cfgnamespace") " AND " OWN(3602, "c.oid"),
		ATTRIBUTES(ts_config_attributes),
	},
	{
		.kind = "'text search dictionary'",
		ALONE(3600, "d"),
		.identity = QUALIFIED("d.dictnamespace", "d.dictname"),
		.from = "pg_ts_dict d",
		.where = IN_SCHEMAS("d.dictnamespace") " AND " OWN(3600, "d.oid"),
		ATTRIBUTES(ts_dict_attributes),
	},
	{
		.kind = "'text search parser'",
		ALONE(3601, "p"),
		.identity = QUALIFIED("p.prsnamespace", "p.prsname"),
		.from = "pg_ts_parser p",
		.where = IN_SCHEMAS("p.prsnamespace") " AND " OWN(3601, "p.oid"),
		ATTRIBUTES(ts_parser_attributes),
	},
	{
		.kind = "'text search template'",
		ALONE(3764, "t"),
		.identity = QUALIFIED("t.tmplnamespace", "t.tmplname"),
		.from = "pg_ts_template t",
		.where = IN_SCHEMAS("t.tmplnamespace") " AND " OWN(3764, "t.oid"),
		ATTRIBUTES(ts_template_attributes),
	},
	{
		.kind = "'foreign data wrapper'",
		ALONE(2328, "f"),
		.identity = "quote_ident(f.fdwname)",
		.from = "pg_foreign_data_wrapper f",
		.where = OWN(2328, "f.oid"),
		ATTRIBUTES(fdw_attributes),
	},
	{
		.kind = "'server'",
		ALONE(1417, "s"),
		.identity = "quote_ident(s.srvname)",
		.from = "pg_foreign_server s",
		.where = OWN(1417, "s.oid"),
		ATTRIBUTES(server_attributes),
	},
	{
		.kind = "'user mapping'",
		.group_class = CLASS_USER_MAPPING,
		.class_oid = "1418",
		.oid = "u.umid",
		.group_oid = "u.umid",
		.identity = "CASE WHEN u.umuser = 0 THEN 'public' ELSE quote_ident(u.usename) END"
			    " || ' on ' || quote_ident(u.srvname)",
		.from = "pg_user_mappings u",
		.where = "true",
		ATTRIBUTES(user_mapping_attributes),
	},
	{
		.kind = "'default privileges'",
		ALONE(826, "d"),
		.identity =
			"CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'"
			" WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas'"
			" ELSE 'large objects' END || ' of ' || d.defaclrole::regrole::text ||"
			" coalesce(' in ' || quote_ident(n.nspname), '')",
		.from = "pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace",
		.where = "(d.defaclnamespace = 0 OR " IN_SCHEMAS("d.defaclnamespace") ")",
		ATTRIBUTES(default_acl_attributes),
	},
	{
		.kind = "'event trigger'",
		ALONE(3466, "e"),
		.identity = "quote_ident(e.evtname)",
		.from = "pg_event_trigger e",
		.where = OWN(3466, "e.oid"),
		ATTRIBUTES(event_trigger_attributes),
	},
	{
		.kind = "'publication'",
		ALONE(6104, "p"),
		.identity = "quote_ident(p.pubname)",
		.from = "pg_publication p",
		.where = "true",
		ATTRIBUTES(publication_attributes),
	},
	{
		/* Version 13 does not let everyone read its oid: all of them are one group, and
		 * comments on them are not seen. */
		.kind = "'subscription'",
		.group_class = CLASS_SUBSCRIPTION,
		.class_oid = "6100",
		.oid = "0",
		.group_oid = "0::oid",
		.identity = "quote_ident(s.subname)",
		.from = "pg_subscription s",
		.where =
			"s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())",
		ATTRIBUTES(subscription_attributes),
	},
	{
		.kind = "'statistics'",
		ALONE(3381, "s"),
		.identity = QUALIFIED("s.stxnamespace", "s.stxname"),
		.from = "pg_statistic_ext s",
		.where =
			IN_SCHEMAS("s.stxnamespace") " AND s.stxrelid NOT IN ({excluded}) AND " OWN(
				3381, "s.oid"),
		ATTRIBUTES(statistics_attributes),
	},
};
const size_t catalog_kind_nr = ARRAY_SIZE(catalog_kinds);

/*
 * Notes: what may be attached to an object of any kind. The schema public, plpgsql and the
 * languages are initdb's, but can be commented on.
 */
#define COMMENTS \
	"SELECT c.classoid, c.objoid, c.objsubid, 'comment', c.description FROM pg_description c"
#define LABELS                                                                                 \
	"SELECT l.classoid, l.objoid, l.objsubid, 'security label of ' || l.provider, l.label" \
	" FROM pg_seclabel l"
#define EXTENSIONS                                                                                      \
	"SELECT d.classid, d.objid, 0, 'depends on extension', string_agg(quote_ident(e.extname), ', '" \
	" ORDER BY e.extname COLLATE \"C\") FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid" \
	" WHERE d.refclassid = 3079 AND d.deptype = 'x'"
#define NOTES(comments, others, extensions)                                                        \
	COMMENTS " WHERE " comments " UNION ALL " LABELS " WHERE " others " UNION ALL " EXTENSIONS \
		 " AND " extensions " GROUP BY 1, 2"
const char catalog_notes_all_sql[] =
	NOTES(NORMAL("c.objoid") " OR c.classoid IN (2615, 3079, 2612)",
	      NORMAL("l.objoid") " OR l.classoid = 2615", "true");
const char catalog_notes_some_sql[] = NOTES(
	"c.objoid = ANY ($1::oid[])", "l.objoid = ANY ($1::oid[])", "d.objid = ANY ($1::oid[])");

/*
 * All that changes how an expression is printed; and no JIT, which would take longer than any
 * of the queries, and no plan for each list of OIDs.
 */
const char catalog_settings_sql[] =
	"SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),"
	" pg_catalog.set_config('quote_all_identifiers', 'off', true),"
	" pg_catalog.set_config('standard_conforming_strings', 'on', true),"
	" pg_catalog.set_config('DateStyle', 'ISO, YMD', true),"
	" pg_catalog.set_config('IntervalStyle', 'postgres', true),"
	" pg_catalog.set_config('TimeZone', 'UTC', true),"
	" pg_catalog.set_config('extra_float_digits', '1', true),"
	" pg_catalog.set_config('bytea_output', 'hex', true),"
	" pg_catalog.set_config('lc_monetary', 'C', true),"
	" pg_catalog.set_config('jit', 'off', true),"
	" pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true)";

/* The kinds that the queries name, and the one that is made of columns. */
static const char *const kind_names[] = {
	"access method",
	"aggregate",
	"cast",
	"collation",
	"column",
	"column order",
	"constraint",
	"conversion",
	"default privileges",
	"domain",
	"event trigger",
	"extension",
	"foreign data wrapper",
	"foreign table",
	"function",
	"index",
	"language",
	"materialized view",
	"operator",
	"operator class",
	"operator family",
	"policy",
	"procedure",
	"publication",
	"rule",
	"schema",
	"sequence",
	"server",
	"statistics",
	"subscription",
	"table",
	"text search configuration",
	"text search dictionary",
	"text search parser",
	"text search template",
	"transform",
	"trigger",
	"type",
	"user mapping",
	"view",
};

const char *catalog_kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++)
		if (!strcmp(kind_names[i], name))
			return kind_names[i];
	return NULL;
}

const char *catalog_kind_name(const char *name)
{
	const char *ret = catalog_kind_find(name);

	if (!ret)
		BUG("unknown kind '%s'", name);
	return ret;
}

bool catalog_attribute_exists(const struct catalog_attribute *attribute, int version)
{
	return version >= attribute->since && (!attribute->before || version < attribute->before);
}

/* Appends `text`, with what stands in braces replaced. */
static void add_text(struct strbuf *out, const char *text, const struct catalog_scope_sql *scope,
		     int version)
{
	const struct {
		const char *name, *value;
	} words[] = {
		{ "{schemas}", scope->schemas },
		{ "{excluded}", scope->excluded },
		{ "{detached}", version >= 140000 ? "h.inhdetachpending" : "false" },
	};

	while (*text) {
		size_t len = strcspn(text, "{"), i;

		strbuf_add(out, text, len);
		text += len;
		if (!*text)
			break;
		for (i = 0; i < ARRAY_SIZE(words); i++)
			if (!strncmp(text, words[i].name, strlen(words[i].name)))
				break;
		if (i == ARRAY_SIZE(words))
			BUG("unknown word in '%s'", text);
		strbuf_addstr(out, words[i].value);
		text += strlen(words[i].name);
	}
}

void catalog_kind_sql(struct strbuf *out, const struct catalog_kind *kind,
		      const struct catalog_scope_sql *scope, bool some, int version)
{
	strbuf_addf(out, "SELECT %s, %s, %s, %s, %s, %s", kind->kind, kind->identity,
		    kind->group_oid, kind->class_oid, kind->oid, kind->sub ? kind->sub : "0");
	for (size_t i = 0; i < kind->attribute_nr; i++) {
		if (!catalog_attribute_exists(&kind->attributes[i], version))
			continue;
		strbuf_addstr(out, ", ");
		add_text(out, kind->attributes[i].sql, scope, version);
	}
	strbuf_addf(out, " FROM %s WHERE ", kind->from);
	add_text(out, kind->where, scope, version);
	if (some)
		strbuf_addf(out, " AND %s = ANY ($1::oid[])", kind->group_oid);
	else if (kind->all)
		strbuf_addf(out, " AND %s", kind->all);
}
