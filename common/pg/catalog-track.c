/* SPDX-License-Identifier: MIT */
#include "pg/catalog-track.h"

#include "base/memory.h"

#define TRACK(catalog, class, key, condition) \
	.from = catalog, .class_oid = class, .oid = key, .where = condition
#define OBJECTS(catalog, class)	  TRACK(catalog, class, "oid", "oid >= 16384"), .own = true
#define ROWS(catalog, class, key) TRACK(catalog, class, key, key " >= 16384"), .several = true

/*
 * Not in the list, because with each change of theirs another one changes: pg_attrdef
 * (pg_attribute), pg_aggregate (pg_proc), pg_range (pg_type), pg_partitioned_table (pg_class), and
 * pg_depend where a sequence gets or loses its owner (pg_sequence). pg_init_privs is about
 * extensions' objects only.
 */
const struct catalog_track catalog_tracks[] = {
	/* All of them: the rows of others about toast tables and temporary ones go with theirs. */
	{ OBJECTS("pg_class", "1259") },
	{ TRACK("pg_attribute", "1259", "attrelid", "attrelid >= 16384 AND attnum > 0"),
	  .several = true },
	{ OBJECTS("pg_type", "1247") },
	{ OBJECTS("pg_proc", "1255") },
	{ TRACK("pg_constraint", "CASE WHEN conrelid <> 0 THEN 1259 ELSE 1247 END",
		"CASE WHEN conrelid <> 0 THEN conrelid ELSE contypid END", "oid >= 16384"),
	  .several = true },
	{ TRACK("pg_index", "1259", "indexrelid", "indexrelid >= 16384") },
	{ TRACK("pg_trigger", "1259", "tgrelid", "oid >= 16384 AND NOT tgisinternal"),
	  .several = true },
	{ TRACK("pg_rewrite", "1259", "ev_class", "oid >= 16384"), .several = true },
	{ ROWS("pg_policy", "1259", "polrelid") },
	{ ROWS("pg_inherits", "1259", "inhrelid") },
	{ TRACK("pg_sequence", "1259", "seqrelid", "seqrelid >= 16384") },
	{ TRACK("pg_foreign_table", "1259", "ftrelid", "ftrelid >= 16384") },
	{ ROWS("pg_enum", "1247", "enumtypid") },
	{ TRACK("pg_namespace", "2615", "oid", "left(nspname, 3) <> 'pg_'"), .own = true },
	{ TRACK("pg_extension", "3079", "oid", "true"), .own = true },
	{ TRACK("pg_depend", "classid", "objid", "refclassid = 3079"), .several = true,
	  .note = true },
	{ ROWS("pg_description", "classoid", "objoid"), .note = true },
	/* Of initdb's objects these can be commented on; reading all its comments takes longer. */
	{ TRACK("pg_description", "classoid", "objoid",
		"objoid = ANY (ARRAY(SELECT e.oid FROM pg_extension e UNION ALL SELECT l.oid FROM pg_language l"
		" UNION ALL VALUES (2200::oid))) AND objoid < 16384 AND classoid IN (2615, 3079, 2612)"),
	  .several = true, .note = true },
	{ TRACK("pg_seclabel", "classoid", "objoid", "true"), .several = true, .note = true },
	{ OBJECTS("pg_collation", "3456") },
	{ OBJECTS("pg_conversion", "2607") },
	{ OBJECTS("pg_cast", "2605") },
	{ OBJECTS("pg_transform", "3576") },
	{ TRACK("pg_language", "2612", "oid", "(oid >= 16384 OR lanacl IS NOT NULL)"),
	  .own = true },
	{ OBJECTS("pg_ts_config", "3602") },
	{ ROWS("pg_ts_config_map", "3602", "mapcfg") },
	{ OBJECTS("pg_ts_dict", "3600") },
	{ OBJECTS("pg_ts_parser", "3601") },
	{ OBJECTS("pg_ts_template", "3764") },
	{ OBJECTS("pg_foreign_data_wrapper", "2328") },
	{ OBJECTS("pg_foreign_server", "1417") },
	{ OBJECTS("pg_default_acl", "826") },
	{ OBJECTS("pg_event_trigger", "3466") },
	{ OBJECTS("pg_publication", "6104") },
	{ ROWS("pg_publication_rel", "6104", "prpubid") },
	{ ROWS("pg_publication_namespace", "6104", "pnpubid"), .since = 150000 },
	{ OBJECTS("pg_statistic_ext", "3381") },
	/* Links between these are not in pg_depend, and an index is printed with its operator
	 * class only when that is not the default. */
	{ OBJECTS("pg_operator", "2617"), .everything = true },
	{ OBJECTS("pg_opclass", "2616"), .everything = true },
	{ OBJECTS("pg_opfamily", "2753"), .everything = true },
	{ OBJECTS("pg_amop", "2602"), .everything = true },
	{ OBJECTS("pg_amproc", "2603"), .everything = true },
	{ OBJECTS("pg_am", "2601"), .everything = true },
	/* Catalogs of which a role may not see all, or not the system columns. */
	{ TRACK("pg_user_mappings", "1418", "umid", "true"),
	  .hash = "hashtextextended(concat_ws(' ', srvname, umuser, usename, umoptions::text), 0)" },
	{ TRACK("pg_subscription", "6100", "0", "true"), .several = true,
	  .hash = "hashtextextended(concat_ws(' ', subdbid, subname, subowner, subenabled, subslotname,"
		  " subpublications::text{subscription}), 0)" },
	{ TRACK("pg_roles", "1260", "oid", "true"), .hash = "hashtextextended(rolname, 0)" },
	{ TRACK("pg_tablespace", "1213", "oid", "true"), .hash = "hashtextextended(spcname, 0)",
	  .everything = true },
};
const size_t catalog_track_nr = ARRAY_SIZE(catalog_tracks);
const size_t catalog_track_roles = ARRAY_SIZE(catalog_tracks) - 2;
_Static_assert(ARRAY_SIZE(catalog_tracks) <= CATALOG_TRACK_MAX, "the sums have room");

/*
 * What SQL lets us know of an xid is its age, from which it is got back: age(3) + 3 is the one
 * that ages count from.
 */
#define XMIN "(((SELECT age('3'::xid)::bigint) + 3 - age(xmin)) & 4294967295)"

static void add_hash(struct strbuf *out, const struct catalog_track *track, int version)
{
	const char *hole = track->hash ? strstr(track->hash, "{subscription}") : NULL;

	if (hole) {
		strbuf_add(out, track->hash, (size_t)(hole - track->hash));
		if (version >= 140000)
			strbuf_addstr(out, ", subbinary, substream::text, subsynccommit");
		strbuf_addstr(out, hole + strlen("{subscription}"));
	} else if (track->hash) {
		strbuf_addstr(out, track->hash);
	} else {
		strbuf_addstr(out, version >= 140000 ? "hashtidextended(ctid, " XMIN ")" :
						       "hashtextextended(ctid::text, " XMIN ")");
	}
	/* 47 bits: never negative, and a sum over the rows of one object fits a bigint. */
	strbuf_addstr(out, " & 140737488355327");
}

static bool has_track(size_t track, int version)
{
	return version >= catalog_tracks[track].since;
}

/* With columns in front of the number, and its type. */
static void add_xids(struct strbuf *out, const char *columns, const char *type)
{
	strbuf_addf(out,
		    "SELECT -1, %spg_snapshot_xmax(pg_current_snapshot())::text::%s UNION ALL"
		    " SELECT -2, %scoalesce(pg_current_xact_id_if_assigned()::text, '0')::%s",
		    columns, type, columns, type);
}

void catalog_track_state_sql(struct strbuf *out, int version)
{
	for (size_t i = 0; i < catalog_track_nr; i++) {
		if (!has_track(i, version))
			continue;
		strbuf_addf(out, "SELECT %zu, sum(", i);
		add_hash(out, &catalog_tracks[i], version);
		strbuf_addf(out, ") FROM %s WHERE %s UNION ALL ", catalog_tracks[i].from,
			    catalog_tracks[i].where);
	}
	add_xids(out, "", "numeric");
}

/* The entries of a track with a further column in front or behind, and a further condition. */
static void add_list(struct strbuf *out, size_t track, const char *first, const char *last,
		     const char *and, int version)
{
	const struct catalog_track *t = &catalog_tracks[track];

	strbuf_addf(out, "SELECT %s%s::oid, %s::oid, %s", first, t->class_oid, t->oid,
		    t->several ? "sum(" : "(");
	add_hash(out, t, version);
	strbuf_addf(out, ")::bigint%s FROM %s WHERE %s%s", last, t->from, t->where, and);
	if (t->several)
		strbuf_addf(out, " GROUP BY %s::oid, %s::oid", t->class_oid, t->oid);
}

void catalog_track_list_sql(struct strbuf *out, size_t track, int version)
{
	add_list(out, track, "", "", "", version);
}

void catalog_track_list_all_sql(struct strbuf *out, int version)
{
	char first[32];

	for (size_t i = 0; i < catalog_track_nr; i++) {
		if (!has_track(i, version))
			continue;
		snprintf(first, sizeof(first), "%zu, ", i);
		add_list(out, i, first, "", "", version);
		strbuf_addstr(out, " UNION ALL ");
	}
	add_xids(out, "0::oid, 0::oid, ", "bigint");
}

/* Xids that are further ahead are from before a wraparound. */
#define YOUNG	"age(xmin) <= (SELECT age($1::xid)) AND age(xmin) >= -16777216"
#define COMMAND "cmin::text::bigint"

void catalog_track_young_sql(struct strbuf *out, size_t track, int version)
{
	const struct catalog_track *t = &catalog_tracks[track];
	const char *last =
		t->several ? ", max(" COMMAND ") FILTER (WHERE " YOUNG ")" : ", " COMMAND;
	char *and CLEANUP(free_p) = NULL;

	if (t->hash)
		BUG("no versions in %s", t->from);
	if (t->several)
		and = xstrfmt(" AND %s = ANY (ARRAY(SELECT %s FROM %s WHERE %s AND " YOUNG
			      " AND " COMMAND " > $2::bigint))",
			      t->oid, t->oid, t->from, t->where);
	else
		and = xstrdup(" AND " YOUNG " AND " COMMAND " > $2::bigint");
	add_list(out, track, "", last, and, version);
}

void catalog_track_gone_sql(struct strbuf *out, size_t track)
{
	const struct catalog_track *t = &catalog_tracks[track];

	strbuf_addf(out,
		    "SELECT %s::oid, k.o, 0 FROM unnest($1::oid[]) AS k(o) WHERE k.o NOT IN"
		    " (SELECT oid FROM %s WHERE %s)",
		    t->class_oid, t->from, t->where);
}

/* Of each object k (c the class, o the oid) the group g (c, o). */
static void add_groups(struct strbuf *out, int version)
{
	strbuf_addstr(
		out,
		" CROSS JOIN LATERAL ("
		"SELECT 1259::oid AS c, CASE WHEN r.relkind IN ('i', 'I') THEN (SELECT i.indrelid"
		" FROM pg_index i WHERE i.indexrelid = r.oid) WHEN r.relkind = 't' THEN"
		" substring(r.relname FROM '^pg_toast_([0-9]+)$')::oid ELSE r.oid END AS o"
		" FROM pg_class r WHERE k.c = 1259 AND r.oid = k.o"
		/* A table's row type, an array of those, an array of others, or none of these. */
		" UNION ALL SELECT CASE WHEN coalesce(e.typrelid, t.typrelid) <> 0 THEN 1259 ELSE 1247 END,"
		" coalesce(nullif(e.typrelid, 0), nullif(t.typrelid, 0), e.oid, t.oid)"
		" FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid"
		" WHERE k.c = 1247 AND t.oid = k.o"
		" UNION ALL SELECT CASE WHEN conrelid <> 0 THEN 1259 ELSE 1247 END,"
		" CASE WHEN conrelid <> 0 THEN conrelid ELSE contypid END FROM pg_constraint"
		" WHERE k.c = 2606 AND oid = k.o"
		" UNION ALL SELECT 1259, adrelid FROM pg_attrdef WHERE k.c = 2604 AND oid = k.o"
		" UNION ALL SELECT 1259, tgrelid FROM pg_trigger WHERE k.c = 2620 AND oid = k.o"
		" UNION ALL SELECT 1259, ev_class FROM pg_rewrite WHERE k.c = 2618 AND oid = k.o"
		" UNION ALL SELECT 1259, polrelid FROM pg_policy WHERE k.c = 3256 AND oid = k.o"
		" UNION ALL SELECT 2753, amopfamily FROM pg_amop WHERE k.c = 2602 AND oid = k.o"
		" UNION ALL SELECT 2753, amprocfamily FROM pg_amproc WHERE k.c = 2603 AND oid = k.o"
		" UNION ALL SELECT 6104, prpubid FROM pg_publication_rel WHERE k.c = 6106 AND oid = k.o");
	/* A range is printed with its multirange, which depends on it and not the reverse. */
	if (version >= 140000)
		strbuf_addstr(out, " UNION ALL SELECT 1247, rngtypid FROM pg_range"
				   " WHERE k.c = 1247 AND rngmultitypid = k.o");
	if (version >= 150000)
		strbuf_addstr(out, " UNION ALL SELECT 6104, pnpubid FROM pg_publication_namespace"
				   " WHERE k.c = 6237 AND oid = k.o");
	strbuf_addstr(out,
		      " UNION ALL SELECT k.c, k.o WHERE k.c NOT IN"
		      " (1259, 1247, 2606, 2604, 2620, 2618, 3256, 2602, 2603, 6106, 6237)) AS g"
		      " WHERE g.o IS NOT NULL");
}

void catalog_track_groups_sql(struct strbuf *out, int version)
{
	strbuf_addstr(out, "SELECT DISTINCT g.c, g.o FROM unnest($1::oid[], $2::oid[]) AS k(c, o)");
	add_groups(out, version);
}

void catalog_track_dependents_sql(struct strbuf *out, int version)
{
	strbuf_addstr(
		out,
		"SELECT DISTINCT g.c, g.o FROM"
		" (SELECT DISTINCT d.classid, d.objid FROM"
		" (SELECT u.c, u.o, u.s FROM unnest($1::oid[], $2::oid[], $3::int[]) AS u(c, o, s)"
		/* Types that come with these: the array, the row type, the array of that. */
		" UNION SELECT 1247, t.typarray, 0 FROM unnest($1::oid[], $2::oid[]) AS u(c, o)"
		" JOIN pg_type t ON t.oid = u.o WHERE u.c = 1247"
		" UNION SELECT 1247, x.o, 0 FROM unnest($1::oid[], $2::oid[]) AS u(c, o)"
		" JOIN pg_class r ON r.oid = u.o JOIN pg_type t ON t.oid = r.reltype"
		" CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) AS x(o) WHERE u.c = 1259"
		") AS u(c, o, s) JOIN pg_depend d ON d.refclassid = u.c AND d.refobjid = u.o"
		" AND (u.s = 0 OR d.refobjsubid = u.s OR d.classid IN (2618, 1255, 3256))"
		") AS k(c, o)");
	add_groups(out, version);
}
