/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/keep.h"
#include "flow/rollback-history.h"
#include "pg/dependency.h"
#include "pg/transaction.h"

/* --- What is kept ---------------------------------------------------------------------------- */

int keep_find(enum keep_place *ret, const json_t *kept, struct db *db, struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	uint32_t oid = (uint32_t)json_integer_value(json_object_get(kept, "oid"));
	const char *in = json_member(kept, "in"), *schema = json_member(kept, "schema"),
		   *name = json_member(kept, "name");

	if (!in || !schema || !name)
		return error_set(err, "what is written of a kept table is damaged");
	if (relations_read(&now, db, &oid, 1, err) < 0)
		return -1;
	*ret = KEEP_GONE;
	if (now.nr && now.item[0].kind == 'r' && !strcmp(now.item[0].name, name))
		*ret = !strcmp(now.item[0].schema, in)	   ? KEEP_THERE :
		       !strcmp(now.item[0].schema, schema) ? KEEP_NOT_MOVED :
							     KEEP_GONE;
	return 0;
}

static int drop_all(const json_t *list, struct db *db, struct error *err)
{
	size_t i;
	json_t *kept;

	json_array_foreach(list, i, kept)
	{
		struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
		enum keep_place place;

		if (keep_find(&place, kept, db, err) < 0)
			return -1;
		strbuf_addstr(&sql, "DROP TABLE ");
		db_quote_identifier(&sql, db, json_member(kept, "in"));
		strbuf_addch(&sql, '.');
		db_quote_identifier(&sql, db, json_member(kept, "name"));
		if (place == KEEP_THERE && db_exec(db, sql.buf, err) < 0)
			return -1;
	}
	json_array_foreach(list, i, kept)
	{
		if (keep_drop_schema(db, json_member(kept, "in"), err) < 0)
			return -1;
	}
	return 0;
}

int keep_drop(const json_t *manifest, struct db *db, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	transaction_add_begin(&batch, db);
	if (db_batch_run(db, &batch, NULL, err) == 0 &&
	    drop_all(json_object_get(manifest, "kept"), db, err) == 0)
		return transaction_commit(db, err) == TRANSACTION_COMMITTED ? 0 : -1;
	db_rollback(db);
	return -1;
}

static int warn_of_drop(struct verdict *verdict, const char *root, const char *id,
			struct session *s, struct error *err)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	int found = saved_open(&saved, root, id, err);
	size_t i;
	json_t *kept;

	if (found != SAVED_FOUND)
		return found < 0 ? -1 : 0;
	json_array_foreach(json_object_get(saved.manifest, "kept"), i, kept)
	{
		const char *identity = json_member(saved.manifest, "identity"), *own;
		enum keep_place place;

		if (db_identity(&own, &s->db, err) < 0)
			return -1;
		if (!identity || strcmp(identity, own) != 0)
			return 0;
		if (keep_find(&place, kept, &s->db, err) < 0)
			return -1;
		if (place == KEEP_THERE)
			verdict_warn(verdict,
				     "table %s as operation %s kept it is dropped, too: "
				     "it is too old (saved.keep)",
				     json_member(kept, "table"), id);
	}
	return 0;
}

int keep_warn_of_drops(struct verdict *verdict, struct session *s, struct error *err)
{
	struct strvec ids CLEANUP(strvec_release) = STRVEC_INIT;
	char *root CLEANUP(free_p) = saved_root(s->repo.common_dir);
	const char *identity;
	int64_t days;

	if (settings_integer(&days, &s->settings, "saved.keep", err) < 0)
		return -1;
	if (days <= 0)
		return 0;
	if (db_identity(&identity, &s->db, err) < 0 ||
	    rollback_history_find_old(&ids, s->repo.common_dir, days, identity, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.nr; i++)
		if (warn_of_drop(verdict, root, ids.v[i], s, err) < 0)
			return -1;
	return 0;
}

/* --- What would go of it ------------------------------------------------------------------------ */

struct keep_object *keep_gone(const struct impact *impact, size_t *ret_nr)
{
	struct keep_object *ret = xcalloc(impact->drop_nr + impact->nr + 1, sizeof(*ret));
	size_t nr = 0;

	for (size_t i = 0; i < impact->drop_nr; i++)
		ret[nr++] = (struct keep_object){ impact->drop[i].class_oid, impact->drop[i].oid,
						  impact->drop[i].sub };
	for (size_t i = 0; i < impact->nr; i++)
		if (impact->item[i].kind == IMPACT_TABLE && !impact->item[i].stays)
			ret[nr++] = (struct keep_object){ DEPENDENCY_CLASS_RELATION,
							  impact->item[i].oid, 0 };
	*ret_nr = nr;
	return ret;
}

/* Parts of tables are nobody's need but the table's. */
static bool may_be_needed(const struct impact_object *object)
{
	return !object->why || strcmp(object->why, "part") != 0;
}

static int find_blocked(struct strvec *ret, const struct impact *impact, struct db *db,
			struct error *err)
{
	size_t nr;
	struct keep_object *gone CLEANUP(free_p) = keep_gone(impact, &nr);
	bool any = false;

	for (size_t i = 0; i < impact->nr; i++)
		if (keep_is_schema(impact->item[i].schema))
			strvec_pushf(ret, "%s would go with what they drop",
				     impact->item[i].identity);
	for (size_t i = 0; i < impact->drop_nr; i++)
		any = any || may_be_needed(&impact->drop[i]);
	return any ? keep_find_needed(ret, db, gone, nr, err) : 0;
}

int keep_refuse_blocked(struct verdict *verdict, const struct impact *impact, struct db *db,
			struct error *err)
{
	struct strvec blocked CLEANUP(strvec_release) = STRVEC_INIT;

	if (find_blocked(&blocked, impact, db, err) < 0)
		return error_prefix(err, "could not find out what is kept");
	for (size_t i = 0; i < blocked.nr; i++)
		verdict_refuse(verdict, "a table that an earlier rollback keeps: %s", blocked.v[i]);
	if (blocked.nr)
		verdict_hint(verdict, "Undo that rollback first, or drop the table that it keeps: "
				      "its rows are gone with that.");
	return 0;
}
