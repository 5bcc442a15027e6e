/* SPDX-License-Identifier: MIT */
#include "flow/save.h"

#include "base/memory.h"
#include "flow/save-rows.h"
#include "flow/save-schema.h"
#include "pg/copy.h"
#include "term/amount.h"
#include "term/output.h"

/* What was killed while it saved has destroyed nothing. */
static void sweep(const char *root)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (saved_sweep(root, NULL, &err) < 0)
		warning("%s", err.message);
}

int save_begin(struct save *save, struct session *s, const char *operation, const char *command,
	       bool rows, bool schema, struct error *err)
{
	save->session = s;
	save->rows = rows;
	save->schema = schema;
	if (!rows && !schema)
		return 0;
	save->root = saved_root(s->repo.common_dir);
	sweep(save->root);
	return saved_create(&save->folder, save->root, operation, command, err);
}

static void targets_release(struct save *save);

void save_release(struct save *save)
{
	progress_abandon(&save->progress);
	targets_release(save);
	free(save->target);
	relation_witness_release(&save->witness);
	saved_release(&save->folder);
	free(save->root);
	*save = (struct save)SAVE_INIT;
}

void save_discard(struct save *save)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (save->folder.path && saved_discard(&save->folder, &err) < 0)
		warning("%s", err.message);
}

/* --- Targets -------------------------------------------------------------------------------- */

static struct save_target *target_of(struct save *save, uint32_t oid, const char *why)
{
	for (size_t i = 0; i < save->nr; i++)
		if (save->target[i].oid == oid)
			return &save->target[i];
	ARRAY_GROW(save->target, save->nr + 1, save->alloc);
	save->target[save->nr] = (struct save_target){
		.oid = oid,
		.columns = STRVEC_INIT,
		.why = xstrdup(why),
	};
	return &save->target[save->nr++];
}

static void targets_release(struct save *save)
{
	for (size_t i = 0; i < save->nr; i++) {
		strvec_release(&save->target[i].columns);
		free(save->target[i].left);
		free(save->target[i].why);
	}
	save->nr = 0;
}

void save_group(struct save *save)
{
	targets_release(save);
	relation_witness_release(&save->witness);
	save->looked_back = false;
	save->group++;
}

void save_table(struct save *save, uint32_t oid, const char *why)
{
	struct save_target *target = target_of(save, oid, why);

	if (!target->whole)
		target->saved = false;
	target->whole = true;
}

void save_column(struct save *save, uint32_t oid, const char *column, const char *why)
{
	struct save_target *target = target_of(save, oid, why);

	if (target->whole || strvec_has(&target->columns, column))
		return;
	strvec_push(&target->columns, column);
	target->saved = false;
}

static uint32_t *pending_oids(const struct save *save, size_t *ret_nr)
{
	uint32_t *ret = xcalloc(save->nr + 1, sizeof(*ret));

	*ret_nr = 0;
	for (size_t i = 0; i < save->nr; i++)
		if (!save->target[i].saved)
			ret[(*ret_nr)++] = save->target[i].oid;
	return ret;
}

/* --- Rows ----------------------------------------------------------------------------------- */

/* One table on its way into the folder. */
struct rows_sink {
	struct save *save;
	struct saved_part part;
	struct save_digest digest;
};

static int rows_sink(void *data, const void *bytes, size_t len, struct error *err)
{
	struct rows_sink *sink = data;

	save_digest_add(&sink->digest, bytes, len);
	progress_update(&sink->save->progress, (uint64_t)++sink->save->saved_rows);
	return saved_part_write(&sink->part, bytes, len, err);
}

/* Those that COPY takes: all but generated ones, or the key's and the target's. */
static json_t *columns_of(const struct relation *r, const struct save_target *target, bool whole)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < r->nr; i++) {
		const struct relation_column *c = &r->column[i];

		if (!c->generated && (whole || strvec_has(&r->key, c->name) ||
				      strvec_has(&target->columns, c->name)))
			json_array_append_new(ret, json_string(c->name));
	}
	return ret;
}

static int copy_rows(struct rows_sink *sink, const struct relation *r, json_t *members,
		     struct error *err)
{
	struct save *save = sink->save;
	struct db *db = &save->session->db;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	char digest[DIGEST_HEX];
	int64_t rows;

	strbuf_addstr(&sql, "COPY ");
	save_copy_target(&sql, db, r->identity, json_object_get(members, "columns"));
	strbuf_addf(&sql, " TO STDOUT%s", save_format_clause(members));
	if (saved_part_begin(&sink->part, &save->folder, "copy", true, err) < 0 ||
	    copy_out(&rows, db, sql.buf, rows_sink, sink, err) < 0)
		return -1;
	digest_sum_end(digest, &sink->digest.sum);
	json_object_set_new(members, "rows", json_integer(rows));
	json_object_set_new(members, "digest", json_string(digest));
	return saved_part_finish(&sink->part, json_incref(members), err);
}

/* In binary, values of other types hold OIDs, which are others once a type is made again. */
static bool is_builtin(const struct relation *r)
{
	const uint32_t first_normal_oid = 16384; /* PostgreSQL's access/transam.h */

	for (size_t i = 0; i < r->nr; i++)
		if (r->column[i].type >= first_normal_oid)
			return false;
	return true;
}

/* A key without which its column's values find no row. */
static bool has_any(const struct strvec *key, const struct strvec *columns)
{
	for (size_t i = 0; i < key->nr; i++)
		if (strvec_has(columns, key->v[i]))
			return true;
	return false;
}

static int save_relation(struct save *save, const struct relation *r,
			 const struct save_target *target, struct error *err)
{
	struct rows_sink sink = {
		.save = save,
		.part = SAVED_PART_INIT,
		.digest = { .binary = save->binary && is_builtin(r) },
	};
	bool whole = target->whole || !r->key.nr || has_any(&r->key, &target->columns);
	json_t *members CLEANUP(json_decref_p) =
		json_pack("{s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:n}", "kind", "rows", "table",
			  json_text(r->identity), "schema", json_text(r->schema), "name",
			  json_text(r->name), "why", json_text(target->why), "whole", whole,
			  "columns", columns_of(r, target, whole), "key", json_strings(&r->key),
			  "after");
	int ret;

	json_object_set_new(members, "saved_columns", json_strings(&target->columns));
	json_object_set_new(members, "oid", json_size(r->oid));
	json_object_set_new(members, "group", json_size(save->group));
	json_object_set_new(members, "format", json_string(sink.digest.binary ? "binary" : "text"));
	ret = copy_rows(&sink, r, members, err);
	saved_part_release(&sink.part);
	if (ret < 0)
		return error_prefix(err, "could not save the rows of %s", r->identity);
	save->tables++;
	return 0;
}

/* --- Sequences ------------------------------------------------------------------------------ */

static json_t *sequence_to_json(const struct relation_sequence *sequence)
{
	return json_pack("{s:o, s:I, s:b}", "sequence", json_text(sequence->identity), "last_value",
			 (json_int_t)sequence->last_value, "is_called", sequence->is_called);
}

static int save_sequences(struct save *save, const uint32_t *oid, size_t nr, struct error *err)
{
	struct relation_sequences sequences CLEANUP(relation_sequences_release) =
		RELATION_SEQUENCES_INIT;
	json_t *list = json_object_get(save->folder.manifest, "sequences");

	if (relation_sequences_read(&sequences, &save->session->db, oid, nr, err) < 0)
		return error_prefix(err, "could not save the positions of sequences");
	if (!list) {
		list = json_array();
		json_object_set_new(save->folder.manifest, "sequences", list);
	}
	for (size_t i = 0; i < sequences.nr; i++) {
		const struct relation_sequence *sequence = &sequences.item[i];

		if (sequence->readable)
			json_array_append_new(list, sequence_to_json(sequence));
		else
			warning("the position of sequence %s is not saved: permission denied",
				sequence->identity);
	}
	return 0;
}

/* --- Foreign keys --------------------------------------------------------------------------- */

/*
 * Neither a script nor a dump says how their triggers are switched. All of them, as it is not known
 * which the scripts drop; as a rule there are none.
 */
static int save_switched_keys(struct save *save, struct error *err)
{
	struct relation_foreign_keys keys CLEANUP(relation_foreign_keys_release) =
		RELATION_FOREIGN_KEYS_INIT;
	json_t *list;

	if (relation_foreign_keys_switched(&keys, &save->session->db, err) < 0)
		return error_prefix(err, "could not save how triggers are switched");
	if (!keys.nr)
		return 0;
	list = json_array();
	for (size_t i = 0; i < keys.nr; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "oid",
						      json_size(keys.item[i].oid), "table",
						      json_text(keys.item[i].table), "name",
						      json_text(keys.item[i].name), "switched",
						      json_text(keys.item[i].switched)));
	json_object_set_new(save->folder.manifest, "foreign_keys", list);
	return 0;
}

static bool has_switched_keys(const struct save *save)
{
	return json_object_get(save->folder.manifest, "foreign_keys") != NULL;
}

/* --- All of it ---------------------------------------------------------------------------------- */

static bool is_lockable(const struct relation *r)
{
	return r->kind == 'r';
}

static int no_space(int64_t bytes, int64_t space, struct error *err)
{
	struct strbuf need CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf there CLEANUP(strbuf_release) = STRBUF_INIT;

	amount_add_size(&need, (uint64_t)bytes);
	amount_add_size(&there, (uint64_t)space);
	error_refused(err,
		      "the rows to be saved take %s in the database, and only %s are free for them",
		      need.buf, there.buf);
	return error_hint(err, "Make room, or use --no-save to go without them.");
}

/* For all that is to be saved now: each table alone may well have room. */
static int check_space(const struct save *save, const uint32_t *oid, size_t nr, struct error *err)
{
	struct relations relations CLEANUP(relations_release) = RELATIONS_INIT;
	int64_t bytes = 0, space;

	if (relations_read(&relations, &save->session->db, oid, nr, err) < 0 ||
	    saved_space(&space, save->root, err) < 0)
		return -1;
	for (size_t i = 0; i < relations.nr; i++)
		if (is_lockable(&relations.item[i]))
			bytes += relations.item[i].bytes;
	/* Half: text is as long as what the server keeps, roughly, and zstd takes half of it at least. */
	return bytes / 2 < space ? 0 : no_space(bytes, space, err);
}

/* NULL for a leaf: its partitioned table is the target. */
static const struct save_target *target_for(const struct save *save, const struct relation *r)
{
	for (size_t i = 0; i < save->nr; i++)
		if (save->target[i].oid == r->oid)
			return &save->target[i];
	return NULL;
}

/* Those that the last run showed to go, too; and from then on no others may go. */
static void name_lost(struct save_target *target, const struct relation *r)
{
	for (size_t i = 0; i < r->nr && target->left; i++)
		if (!relation_column_is_in(&r->column[i], target->left) &&
		    !strvec_has(&target->columns, r->column[i].name))
			strvec_push(&target->columns, r->column[i].name);
	free(target->left);
	target->left = relation_columns_without(r, &target->columns);
}

/* Of one target: a table, or all leaves of a partitioned one. */
static int save_one(struct save *save, struct save_target *target, struct error *err)
{
	struct relations relations CLEANUP(relations_release) = RELATIONS_INIT;

	if (relations_read(&relations, &save->session->db, &target->oid, 1, err) < 0)
		return -1;
	for (size_t i = 0; i < relations.nr; i++) {
		const struct relation *r = &relations.item[i];

		/* A leaf that is a target itself is saved as such. */
		if (r->oid != target->oid && target_for(save, r))
			continue;
		name_lost(target, r);
		if (is_lockable(r) && save_relation(save, r, target, err) < 0)
			return -1;
	}
	return 0;
}

static int save_pending(struct save *save, struct error *err)
{
	for (size_t i = 0; i < save->nr; i++)
		if (!save->target[i].saved && save_one(save, &save->target[i], err) < 0)
			return -1;
	return 0;
}

static int save_rows(struct save *save, const uint32_t *oid, size_t nr, struct error *err)
{
	if (check_space(save, oid, nr, err) < 0)
		return -1;
	progress_start(&save->progress, "Saving rows", 0, PROGRESS_COUNT, save->meter);
	if (save_pending(save, err) < 0 || save_sequences(save, oid, nr, err) < 0)
		return -1;
	progress_finish(&save->progress);
	for (size_t i = 0; i < save->nr; i++)
		save->target[i].saved = true;
	return 0;
}

int save_run(struct save *save, struct error *err)
{
	struct save_schema schema CLEANUP(save_schema_release) = SAVE_SCHEMA_INIT;
	size_t nr = 0;
	uint32_t *oid CLEANUP(free_p) = pending_oids(save, &nr);
	bool wanted = save->schema && !save->has_schema;
	struct db *db = &save->session->db;

	if (!save->folder.path)
		return 0;
	if (!save->rows)
		nr = 0;
	if (nr && relations_lock(db, oid, nr, err) < 0)
		return error_prefix(err, "could not lock the tables whose rows are to be saved");
	if (wanted && save_schema_start(&schema, &save->folder, save->session, err) < 0)
		return -1;
	/* The settings are the savepoint's, the locks are not. */
	if (db_exec(db, "SAVEPOINT git_rollback_save", err) < 0 || save_settings(db, err) < 0 ||
	    (!has_switched_keys(save) && save_switched_keys(save, err) < 0) ||
	    (nr && save_rows(save, oid, nr, err) < 0) ||
	    (wanted && save_schema_finish(&schema, err) < 0) ||
	    db_exec(db, "ROLLBACK TO SAVEPOINT git_rollback_save", err) < 0 ||
	    db_exec(db, "RELEASE SAVEPOINT git_rollback_save", err) < 0)
		return -1;
	save->has_schema = save->has_schema || wanted;
	/* As late as can be: what came while rows were copied is in it. */
	return save->rows ? relation_witness_take(&save->witness, db, err) : 0;
}

/* --- What else was destroyed ------------------------------------------------------------------- */

static bool is_tracking(const struct save *save, const char *schema, const char *name)
{
	const struct session *s = save->session;

	for (size_t i = 0; i < ARRAY_SIZE(s->tracking); i++)
		if (!strcmp(schema, s->tracking[i].schema) && !strcmp(name, s->tracking[i].name))
			return true;
	return false;
}

static const char *loss_name(const struct relation_loss *loss)
{
	static const char *const names[] = {
		[RELATION_DROPPED] = "dropped by the script",
		[RELATION_REWRITTEN] = "emptied or rewritten by the script",
		[RELATION_COLUMNS] = "columns dropped or converted by the script",
		[RELATION_CHANGED] = "rows changed by the script",
		[RELATION_ADDED] = "rows added by the script",
	};

	return names[relation_loss_kind(loss)];
}

/* Of what cannot be told apart, TRUNCATE and a conversion, the worse is taken. */
static bool is_whole_loss(const struct relation_loss *loss)
{
	return loss->dropped || loss->rewritten || loss->updated || loss->deleted;
}

/* False: what it lost is saved. */
static bool add_loss(struct save *save, const struct relation_loss *loss)
{
	struct save_target *target = target_of(save, loss->oid, loss_name(loss));

	if (target->whole && target->saved)
		return false;
	if (is_whole_loss(loss)) {
		save_table(save, loss->oid, loss_name(loss));
		target->saved = false;
		return true;
	}
	if (target->saved && relation_columns_are_in(target->left, loss->columns))
		return false;
	free(target->left);
	target->left = xstrdup(loss->columns);
	target->saved = false;
	return true;
}

/* Nothing of theirs is lost; but an undo has to know that they were not left alone. */
static void note_insertion(json_t *list, const struct relation_loss *loss)
{
	json_array_append_new(list,
			      json_pack("{s:o, s:o, s:o, s:I}", "oid", json_size(loss->oid),
					"schema", json_text(loss->schema), "name",
					json_text(loss->name), "rows", (json_int_t)loss->inserted));
}

static void note_insertions(struct save *save, json_t *list)
{
	json_t *all = json_object_get(save->folder.manifest, "inserted");

	if (!all) {
		all = json_array();
		json_object_set_new(save->folder.manifest, "inserted", all);
	}
	json_array_extend(all, list);
}

/*
 * One that nobody knew: it came while rows were saved, or the script has made it. A step back and a
 * look at its OID tells; once, as what the script makes has another OID each time.
 */
static bool look_back(struct save *save, const struct relation_loss *loss)
{
	if (save->looked_back)
		return false;
	save_table(save, loss->oid, loss_name(loss));
	return true;
}

int save_check(struct save *save, struct error *err)
{
	struct relation_losses losses CLEANUP(relation_losses_release) = RELATION_LOSSES_INIT;
	json_t *inserted CLEANUP(json_decref_p) = json_array();
	bool more = false, unknown = false;

	if (!save->folder.path || !save->rows)
		return SAVE_ALL;
	if (relation_witness_compare(&losses, &save->witness, &save->session->db, err) < 0)
		return -1;
	for (size_t i = 0; i < losses.nr; i++) {
		const struct relation_loss *loss = &losses.item[i];

		if (!loss->name) {
			unknown = true;
			more = look_back(save, loss) || more;
		} else if (is_tracking(save, loss->schema, loss->name)) {
			continue;
		} else if (relation_loss_kind(loss) == RELATION_ADDED) {
			note_insertion(inserted, loss);
		} else {
			more = add_loss(save, loss) || more;
		}
	}
	save->looked_back = save->looked_back || unknown;
	if (more)
		return SAVE_MORE;
	note_insertions(save, inserted);
	return SAVE_ALL;
}

/* --- The manifest --------------------------------------------------------------------------- */

int save_script(struct save *save, const char *version, const char *text, const char **ret_file,
		struct error *err)
{
	struct saved_part part CLEANUP(saved_part_release) = SAVED_PART_INIT;
	const json_t *parts;

	if (saved_part_begin(&part, &save->folder, "sql", true, err) < 0 ||
	    saved_part_write(&part, text, strlen(text), err) < 0 ||
	    saved_part_finish(&part,
			      json_pack("{s:s, s:o}", "kind", "up", "version", json_text(version)),
			      err) < 0)
		return error_prefix(err, "could not save the script of migration '%s'", version);
	parts = json_object_get(save->folder.manifest, "parts");
	*ret_file = json_member(json_array_get(parts, json_array_size(parts) - 1), "file");
	return 0;
}

int save_finish(struct save *save, json_t *members, struct error *err)
{
	int ret = 0;

	if (save->folder.path) {
		json_object_update(save->folder.manifest, members);
		ret = saved_finish(&save->folder, err);
	}
	json_decref(members);
	return ret;
}

json_t *save_to_json(const struct save *save)
{
	if (!save->folder.path)
		return json_null();
	return json_pack("{s:o, s:o, s:I, s:b}", "path", json_text(save->folder.path), "tables",
			 json_size(save->tables), "rows", (json_int_t)save->saved_rows, "schema",
			 save->has_schema);
}
