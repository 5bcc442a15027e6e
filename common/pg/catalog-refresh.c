/* SPDX-License-Identifier: MIT */
/*
 * How a catalog is brought up to date.
 *
 *   1. The sums of all tracks. None is another one: done, after one round trip.
 *   2. Which entries changed: the young ones of those tracks; where they do not explain the new
 *      sum, all of them. That gives the objects that were touched, ...
 *   3. ... their groups, and new notes.
 *   4. These groups are read again, and what was renamed among them is looked up in pg_depend:
 *      it shows in the text of others. Those groups are read next, until none is left.
 *
 * Each step is one round trip. Their queries are prepared, as planning them takes ten times as
 * long as running them on a small schema. What has been found out is kept aside until the end;
 * a refresh that fails leaves the objects as they were, and the next one reads everything.
 */
#include "pg/catalog.h"

#include "base/digest.h"
#include "base/memory.h"
#include "pg/catalog-state.h"

/* Reading a schema whole is faster than reading half of it group by group. */
#define GROUPS_MAX(objects) (200 + (objects) / 16)

/* --- calls: prepared statements in a frame ------------------------------------------ */

struct call {
	char *sql;
	char *args[3]; /* digits, commas and braces */
	size_t nr, tag;
};
struct calls {
	struct call *item;
	size_t nr, alloc;
};

static void calls_release(struct calls *calls)
{
	for (size_t i = 0; i < calls->nr; i++) {
		free(calls->item[i].sql);
		for (size_t k = 0; k < calls->item[i].nr; k++)
			free(calls->item[i].args[k]);
	}
	free(calls->item);
	*calls = (struct calls){ 0 };
}

/* Takes `sql`, which becomes empty. */
static struct call *calls_add(struct calls *calls, struct strbuf *sql, size_t tag)
{
	ARRAY_GROW(calls->item, calls->nr + 1, calls->alloc);
	calls->item[calls->nr] = (struct call){ .sql = strbuf_detach(sql), .tag = tag };
	return &calls->item[calls->nr++];
}

static void call_arg(struct call *call, char *arg)
{
	if (strspn(arg, "{}-,0123456789") != strlen(arg))
		BUG("not a number or a list of numbers: '%s'", arg);
	call->args[call->nr++] = arg;
}

static char *statement_name(const char *sql)
{
	return xstrfmt("git_rollback_catalog_%016" PRIx64, digest_number(sql));
}

static void add_execute(struct db_batch *batch, const struct call *call, const char *name)
{
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&sb, "EXECUTE %s", name);
	for (size_t i = 0; i < call->nr; i++)
		strbuf_addf(&sb, "%s'%s'", i ? ", " : " (", call->args[i]);
	if (call->nr)
		strbuf_addch(&sb, ')');
	catalog_frame_add(batch, sb.buf, call->tag);
}

static void add_direct(struct db_batch *batch, const struct call *call)
{
	struct db_command *command = db_batch_add(batch, call->sql, strlen(call->sql), call->nr,
						  (const char *const *)call->args);

	command->wanted = true;
	command->tag = call->tag;
}

/* Which of our statements does the session have? */
static int load_prepared(struct catalog_state *state, struct db *db, struct error *err)
{
	struct db_result rows CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&rows, db,
		     "SELECT name FROM pg_catalog.pg_prepared_statements"
		     " WHERE pg_catalog.starts_with(name, 'git_rollback_catalog_')",
		     0, NULL, err) < 0)
		return -1;
	strvec_release(&state->prepared);
	for (size_t row = 0; row < rows.rows; row++)
		strvec_push(&state->prepared, db_value(&rows, row, 0));
	state->prepared_pid = db->backend_pid;
	return 0;
}

static int run_once(struct db_batch *batch, struct catalog_state *state, struct db *db,
		    const struct calls *calls, struct error *err)
{
	struct strvec added CLEANUP(strvec_release) = STRVEC_INIT;

	catalog_frame_open(batch, db);
	for (size_t i = 0; i < calls->nr; i++) {
		const struct call *call = &calls->item[i];
		char *name CLEANUP(free_p) = statement_name(call->sql);

		/* Behind a pooler the next transaction may be in another session. */
		if (db->pooled) {
			add_direct(batch, call);
			continue;
		}
		if (!strvec_has(&state->prepared, name) && !strvec_has(&added, name)) {
			char *sql CLEANUP(free_p) = xstrfmt("PREPARE %s AS %s", name, call->sql);

			db_batch_add(batch, sql, strlen(sql), 0, NULL);
			strvec_push(&added, name);
		}
		add_execute(batch, call, name);
	}
	if (catalog_frame_run(batch, db, err) < 0)
		return -1;
	for (size_t i = 0; i < added.nr; i++)
		strvec_push(&state->prepared, added.v[i]);
	return 0;
}

/*
 * Runs the calls; results are in the batch's commands by tag. A script may have deallocated
 * our statements, and another catalog may have prepared the same ones: seen by the error,
 * which the frame's savepoint makes harmless.
 */
static int run(struct db_batch *batch, struct catalog_state *state, struct db *db,
	       const struct calls *calls, struct error *err)
{
	bool inside = db_in_transaction(db);
	struct error first CLEANUP(error_release) = ERROR_INIT;

	if (state->prepared_pid != db->backend_pid && load_prepared(state, db, err) < 0)
		return -1;
	if (!run_once(batch, state, db, calls, &first))
		return 0;
	if (strcmp(first.sqlstate, "26000") != 0 && strcmp(first.sqlstate, "42P05") != 0) {
		error_move(err, &first);
		return -1;
	}
	if (inside && (db_exec(db, "ROLLBACK TO SAVEPOINT git_rollback_catalog", err) < 0 ||
		       db_exec(db, "RELEASE SAVEPOINT git_rollback_catalog", err) < 0))
		return -1;
	db_batch_release(batch);
	if (load_prepared(state, db, err) < 0)
		return -1;
	return run_once(batch, state, db, calls, err);
}

/* --- sets of objects ---------------------------------------------------------------- */

struct object_id {
	uint32_t class_oid, oid;
	int32_t sub;
	bool before, after; /* did its row exist, does it (where that is known) */
};
struct object_ids {
	struct object_id *item;
	size_t nr, alloc;
};

static void ids_release(struct object_ids *ids)
{
	free(ids->item);
	*ids = (struct object_ids){ 0 };
}

static struct object_id *ids_add(struct object_ids *ids, uint32_t class_oid, uint32_t oid,
				 int32_t sub)
{
	ARRAY_GROW(ids->item, ids->nr + 1, ids->alloc);
	ids->item[ids->nr] = (struct object_id){ .class_oid = class_oid, .oid = oid, .sub = sub };
	return &ids->item[ids->nr++];
}

static int compare_ids(const void *a, const void *b)
{
	const struct object_id *x = a, *y = b;

	if (x->class_oid != y->class_oid)
		return x->class_oid < y->class_oid ? -1 : 1;
	if (x->oid != y->oid)
		return x->oid < y->oid ? -1 : 1;
	return (x->sub > y->sub) - (x->sub < y->sub);
}

/* Sorts them and makes one of equal ones. */
static void ids_sort(struct object_ids *ids)
{
	size_t nr = 0;

	if (!ids->nr)
		return;
	qsort(ids->item, ids->nr, sizeof(*ids->item), compare_ids);
	for (size_t i = 0; i < ids->nr; i++) {
		if (nr && !compare_ids(&ids->item[nr - 1], &ids->item[i])) {
			ids->item[nr - 1].before |= ids->item[i].before;
			ids->item[nr - 1].after |= ids->item[i].after;
		} else {
			ids->item[nr++] = ids->item[i];
		}
	}
	ids->nr = nr;
}

/* Of a sorted set. */
static struct object_id *ids_find(const struct object_ids *ids, uint32_t class_oid, uint32_t oid)
{
	struct object_id key = { .class_oid = class_oid, .oid = oid };

	return ids->nr ? bsearch(&key, ids->item, ids->nr, sizeof(key), compare_ids) : NULL;
}

static char *ids_classes(const struct object_ids *ids)
{
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < ids->nr; i++)
		strbuf_addf(&sb, "%c%" PRIu32, i ? ',' : '{', ids->item[i].class_oid);
	strbuf_addstr(&sb, ids->nr ? "}" : "{}");
	return strbuf_detach(&sb);
}

/* The oids; those of one class, or with 0 all. */
static char *ids_oids(const struct object_ids *ids, uint32_t class_oid)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_addch(&sb, '{');
	for (size_t i = 0; i < ids->nr; i++)
		if (!class_oid || ids->item[i].class_oid == class_oid)
			strbuf_addf(&sb, "%s%" PRIu32, sb.len > 1 ? "," : "", ids->item[i].oid);
	strbuf_addch(&sb, '}');
	return strbuf_detach(&sb);
}

static char *ids_subs(const struct object_ids *ids)
{
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < ids->nr; i++)
		strbuf_addf(&sb, "%c%" PRId32, i ? ',' : '{', ids->item[i].sub);
	strbuf_addstr(&sb, ids->nr ? "}" : "{}");
	return strbuf_detach(&sb);
}

/* --- the refresh -------------------------------------------------------------------- */

struct refresh {
	struct catalog *cat;
	struct catalog_state *state;
	struct db *db;
	uint64_t next, own;
	int64_t command;
	struct {
		bool changed;
		uint64_t sum;
	} track[CATALOG_TRACK_MAX];
	struct object_ids touched; /* objects whose rows changed */
	struct object_ids noted;   /* of which notes did */
	struct object_ids groups;  /* that have been read again, sorted */
	struct catalog fresh;	   /* what they consist of now */
	bool everything;	   /* all has to be read */
};

static void refresh_release(struct refresh *r)
{
	ids_release(&r->touched);
	ids_release(&r->noted);
	ids_release(&r->groups);
	catalog_release(&r->fresh);
}

/* Step 1: 1 when a track changed, 0 when none did. */
static int read_sums(struct refresh *r, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	struct calls calls CLEANUP(calls_release) = { 0 };
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;
	int ret = 0;

	catalog_track_state_sql(&sb, r->db->version);
	calls_add(&calls, &sb, 0);
	if (run(&batch, r->state, r->db, &calls, err) < 0)
		return -1;
	for (size_t i = 0; i < batch.nr; i++) {
		const struct db_result *rows = &batch.item[i].result;

		for (size_t row = 0; batch.item[i].wanted && row < rows->rows; row++) {
			int64_t track = db_int(rows, row, 0);
			uint64_t sum = catalog_number(db_value(rows, row, 1));

			if (track == TRACK_NEXT) {
				r->next = sum;
			} else if (track == TRACK_OWN) {
				r->own = sum;
			} else if (sum != r->state->track[track].sum) {
				r->track[track].changed = true;
				r->track[track].sum = sum;
				ret = 1;
			}
		}
	}
	return ret;
}

/* An entry of a track was added, changed or removed (NULL). */
static void touch(struct refresh *r, size_t track, const struct catalog_entry *before,
		  const struct catalog_entry *after)
{
	const struct catalog_entry *any = after ? after : before;
	const struct catalog_track *t = &catalog_tracks[track];
	struct object_id *id;

	if (track == catalog_track_roles) {
		r->everything |= before && after;
		return;
	}
	r->everything |= t->everything;
	id = ids_add(&r->touched, any->class_oid, any->oid, 0);
	/* Other rows may come and go while their object stays. */
	id->before = before && t->own;
	id->after = after && t->own;
	if (t->note)
		ids_add(&r->noted, any->class_oid, any->oid, 0);
}

/* Puts entries in place of those there are. Both are sorted. */
static void update_entries(struct refresh *r, size_t track, const struct catalog_entries *young)
{
	struct catalog_entries *known = &r->state->track[track];
	size_t nr = known->nr, added = 0;

	for (size_t i = 0; i < young->nr; i++) {
		const struct catalog_entry *y = &young->item[i];
		struct catalog_entry *k =
			nr ? bsearch(y, known->item, nr, sizeof(*y), catalog_entry_compare) : NULL;

		if (k && k->sum == y->sum)
			continue;
		touch(r, track, k, y);
		known->sum += y->sum - (k ? k->sum : 0);
		if (k) {
			k->sum = y->sum;
			continue;
		}
		ARRAY_GROW(known->item, known->nr + 1, known->alloc);
		known->item[known->nr++] = *y;
		added++;
	}
	if (added)
		qsort(known->item, known->nr, sizeof(*known->item), catalog_entry_compare);
}

/* Takes away those entries of a track that are in `list`, or (`inverse`) that are not; sorted. */
static void remove_entries(struct refresh *r, size_t track, const struct catalog_entries *list,
			   bool inverse)
{
	struct catalog_entries *known = &r->state->track[track];
	size_t nr = 0;

	for (size_t i = 0; i < known->nr; i++) {
		bool listed = list->nr && bsearch(&known->item[i], list->item, list->nr,
						  sizeof(*list->item), catalog_entry_compare);

		if (listed == inverse) {
			known->item[nr++] = known->item[i];
			continue;
		}
		touch(r, track, &known->item[i], NULL);
		known->sum -= known->item[i].sum;
	}
	known->nr = nr;
}

static bool is_explained(const struct refresh *r, size_t track)
{
	return !r->track[track].changed || r->track[track].sum == r->state->track[track].sum;
}

enum question { YOUNG, GONE, ALL };

static void ask(struct refresh *r, struct calls *calls, size_t track, enum question question)
{
	const struct catalog_entries *known = &r->state->track[track];
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf oids = STRBUF_INIT;

	if (question == YOUNG && !catalog_tracks[track].hash) {
		/*
		 * What came after the last refresh, and what this transaction did, if that was in
		 * progress then; of the latter only what later commands did, if it was in this
		 * transaction. Transactions of others that were in progress are not thought of:
		 * the sum tells.
		 */
		bool same = r->own && r->own == r->state->own;
		uint64_t from = r->own && r->own < r->state->next ? r->own : r->state->next;
		struct call *call;

		catalog_track_young_sql(&sb, track, r->db->version);
		call = calls_add(calls, &sb, track);
		call_arg(call, xstrfmt("%" PRIu32, (uint32_t)from));
		call_arg(call, xstrfmt("%" PRId64, same ? r->state->command : INT64_C(-1)));
	} else if (question == GONE) {
		for (size_t i = 0; i < known->nr; i++)
			strbuf_addf(&oids, "%c%" PRIu32, i ? ',' : '{', known->item[i].oid);
		strbuf_addstr(&oids, known->nr ? "}" : "{}");
		catalog_track_gone_sql(&sb, track);
		call_arg(calls_add(calls, &sb, track), strbuf_detach(&oids));
	} else {
		catalog_track_list_sql(&sb, track, r->db->version);
		calls_add(calls, &sb, track);
	}
}

static void take_answer(struct refresh *r, size_t track, enum question question,
			const struct db_result *rows)
{
	struct catalog_entries entries = { 0 };

	for (size_t row = 0; row < rows->rows; row++) {
		catalog_entries_add(&entries, rows, row, 0);
		if (rows->columns > 3 && db_int(rows, row, 3) > r->command)
			r->command = db_int(rows, row, 3);
	}
	if (entries.nr)
		qsort(entries.item, entries.nr, sizeof(*entries.item), catalog_entry_compare);
	if (question == GONE && entries.nr) {
		/* Rows about an object go with its own, in all catalogs. */
		for (size_t i = 0; i < catalog_track_nr; i++)
			if (!is_explained(r, i))
				remove_entries(r, i, &entries, false);
	} else if (question != GONE) {
		update_entries(r, track, &entries);
	}
	if (question == ALL || (question == YOUNG && catalog_tracks[track].hash)) {
		remove_entries(r, track, &entries, true);
		/* Another session may have gone on; the next refresh sees what it did. */
		r->track[track].sum = r->state->track[track].sum;
	}
	free(entries.item);
}

/* Asks one question about each track that is wanted. */
static int ask_tracks(struct refresh *r, const bool *wanted, enum question question,
		      struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	struct calls calls CLEANUP(calls_release) = { 0 };

	for (size_t i = 0; i < catalog_track_nr; i++)
		if (wanted[i])
			ask(r, &calls, i, question);
	if (!calls.nr)
		return 0;
	if (run(&batch, r->state, r->db, &calls, err) < 0)
		return -1;
	for (size_t i = 0; i < batch.nr; i++)
		if (batch.item[i].wanted)
			take_answer(r, batch.item[i].tag, question, &batch.item[i].result);
	return 0;
}

/* Step 2: fills `touched` and `noted`, and brings the tracks up to date. */
static int find_touched(struct refresh *r, struct error *err)
{
	bool wanted[CATALOG_TRACK_MAX] = { 0 };

	for (size_t i = 0; i < catalog_track_nr; i++)
		wanted[i] = r->track[i].changed;
	if (ask_tracks(r, wanted, YOUNG, err) < 0)
		return -1;
	for (size_t i = 0; i < catalog_track_nr; i++)
		wanted[i] = !is_explained(r, i) && catalog_tracks[i].own;
	if (ask_tracks(r, wanted, GONE, err) < 0)
		return -1;
	for (size_t i = 0; i < catalog_track_nr; i++)
		wanted[i] = !is_explained(r, i);
	if (ask_tracks(r, wanted, ALL, err) < 0)
		return -1;
	ids_sort(&r->touched);
	ids_sort(&r->noted);
	return 0;
}

/* Adds groups from rows (class, oid) that were not read yet. */
static void add_groups(const struct refresh *r, struct object_ids *groups,
		       const struct db_result *rows)
{
	for (size_t row = 0; row < rows->rows; row++) {
		uint32_t class_oid = (uint32_t)db_int(rows, row, 0);
		uint32_t oid = (uint32_t)db_int(rows, row, 1);

		if (!ids_find(&r->groups, class_oid, oid))
			ids_add(groups, class_oid, oid, 0);
	}
}

static void replace_notes(struct refresh *r, const struct db_result *rows)
{
	struct catalog_notes *notes = &r->state->notes;
	size_t nr = 0;

	/* They are found by oid alone: one of another class is read again for nothing. */
	for (size_t i = 0; i < notes->nr; i++) {
		bool noted = false;

		for (size_t k = 0; k < r->noted.nr && !noted; k++)
			noted = r->noted.item[k].oid == notes->item[i].oid;
		if (noted) {
			free(notes->item[i].name);
			free(notes->item[i].text);
		} else {
			notes->item[nr++] = notes->item[i];
		}
	}
	notes->nr = nr;
	catalog_notes_add(notes, rows);
	catalog_notes_sort(notes);
}

/* Groups that are known here; `ret_unknown` gets the objects that have to be looked up. */
static void find_known_groups(const struct refresh *r, struct object_ids *ret,
			      struct object_ids *ret_unknown)
{
	bool *known = xcalloc(r->touched.nr, sizeof(*known));

	for (size_t i = 0; i < r->cat->nr; i++) {
		const struct catalog_object *o = &r->cat->item[i];
		const struct object_id *id = ids_find(&r->touched, o->class_oid, o->oid);

		if (!id && !o->part)
			id = ids_find(&r->touched, o->group_class, o->group_oid);
		if (!id)
			continue;
		/* A multirange's range is another group that it shows in. */
		known[id - r->touched.item] = id->class_oid != CLASS_TYPE;
		ids_add(ret, o->group_class, o->group_oid, 0);
	}
	for (size_t i = 0; i < r->touched.nr; i++)
		if (!known[i])
			ids_add(ret_unknown, r->touched.item[i].class_oid, r->touched.item[i].oid,
				0);
	free(known);
}

/* Step 3: the groups that touched objects belong to, and notes. */
static int find_groups(struct refresh *r, struct object_ids *ret, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	struct calls calls CLEANUP(calls_release) = { 0 };
	struct object_ids unknown CLEANUP(ids_release) = { 0 };
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

	find_known_groups(r, ret, &unknown);
	if (unknown.nr) {
		struct call *call;

		catalog_track_groups_sql(&sb, r->db->version);
		call = calls_add(&calls, &sb, 0);
		call_arg(call, ids_classes(&unknown));
		call_arg(call, ids_oids(&unknown, 0));
	}
	if (r->noted.nr) {
		strbuf_addstr(&sb, catalog_notes_some_sql);
		call_arg(calls_add(&calls, &sb, 1), ids_oids(&r->noted, 0));
	}
	if (calls.nr && run(&batch, r->state, r->db, &calls, err) < 0)
		return -1;
	for (size_t i = 0; i < batch.nr; i++) {
		if (batch.item[i].wanted && batch.item[i].tag == 0)
			add_groups(r, ret, &batch.item[i].result);
		else if (batch.item[i].wanted)
			replace_notes(r, &batch.item[i].result);
	}
	ids_sort(ret);
	return 0;
}

/* Step 4: reads groups and adds their objects to `fresh`. */
static int read_groups(struct refresh *r, const struct object_ids *groups, struct catalog *fresh,
		       struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	struct calls calls CLEANUP(calls_release) = { 0 };
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < catalog_kind_nr; i++) {
		char *oids = ids_oids(groups, catalog_kinds[i].group_class);

		if (!strcmp(oids, "{}")) {
			free(oids);
			continue;
		}
		catalog_kind_sql(&sb, &catalog_kinds[i], &r->state->scope, true, r->db->version);
		call_arg(calls_add(&calls, &sb, i), oids);
	}
	if (calls.nr && run(&batch, r->state, r->db, &calls, err) < 0)
		return -1;
	for (size_t i = 0; i < batch.nr; i++)
		if (batch.item[i].wanted)
			catalog_add_rows(fresh, &catalog_kinds[batch.item[i].tag],
					 &batch.item[i].result, r->db->version);
	catalog_complete(fresh, &r->state->notes);
	return 0;
}

static bool in_groups(const struct object_ids *groups, const struct catalog_object *o)
{
	return ids_find(groups, o->group_class, o->group_oid) != NULL;
}

static int compare_object_ids(const void *a, const void *b)
{
	const struct catalog_object *const *x = a, *const *y = b;
	const struct object_id p = { (*x)->class_oid, (*x)->oid, (*x)->sub, false, false };
	const struct object_id q = { (*y)->class_oid, (*y)->oid, (*y)->sub, false, false };

	return compare_ids(&p, &q);
}

/* Pointers to the objects of some groups, sorted by where they are kept. */
static const struct catalog_object **pick(const struct catalog *cat,
					  const struct object_ids *groups, size_t *ret_nr)
{
	const struct catalog_object **ret = NULL;
	size_t nr = 0, alloc = 0;

	for (size_t i = 0; i < cat->nr; i++) {
		const struct catalog_object *o = &cat->item[i];

		if (o->order || (groups && !in_groups(groups, o)))
			continue;
		ARRAY_GROW(ret, nr + 1, alloc);
		ret[nr++] = o;
	}
	if (nr)
		qsort(ret, nr, sizeof(*ret), compare_object_ids);
	*ret_nr = nr;
	return ret;
}

/* What others may print of an object that was touched is another text now. */
static void add_renamed(struct refresh *r, struct object_ids *renamed,
			const struct catalog_object *before, const struct catalog_object *after)
{
	const struct catalog_object *any = after ? after : before;

	if (!any)
		BUG("no object");

	const struct object_id *id = ids_find(&r->touched, any->class_oid, any->oid);
	const struct object_id *group = ids_find(&r->touched, any->group_class, any->group_oid);

	if (before && after) {
		if (strcmp(before->identity, after->identity) != 0) {
			/* The names of all that is in a schema. */
			r->everything |= any->class_oid == CLASS_NAMESPACE;
			ids_add(renamed, any->class_oid, any->oid, any->sub);
		} else if (any->class_oid == CLASS_TYPE &&
			   strcmp(before->digest, after->digest) != 0) {
			/* An enum's value, in a default. */
			ids_add(renamed, any->class_oid, any->oid, 0);
		}
	} else if (any->sub) {
		/* A column of a table that was there before and still is. */
		if (!group || group->before == group->after)
			ids_add(renamed, any->class_oid, any->oid, -1);
	} else if (id && id->before && id->after) {
		/* It came into the scope, or left it, and so may have another name. */
		r->everything |= any->class_oid == CLASS_NAMESPACE;
		ids_add(renamed, any->class_oid, any->oid, 0);
	}
}

static void find_renamed(struct refresh *r, const struct object_ids *groups,
			 const struct catalog *fresh, struct object_ids *ret)
{
	size_t before_nr, after_nr, i = 0, k = 0;
	const struct catalog_object **before = pick(r->cat, groups, &before_nr);
	const struct catalog_object **after = pick(fresh, NULL, &after_nr);

	while (i < before_nr || k < after_nr) {
		int order = i == before_nr ? 1 :
			    k == after_nr  ? -1 :
					     compare_object_ids(&before[i], &after[k]);

		add_renamed(r, ret, order <= 0 ? before[i] : NULL, order >= 0 ? after[k] : NULL);
		i += order <= 0;
		k += order >= 0;
	}
	free(before);
	free(after);
}

static bool has_object(const struct catalog *cat, const struct object_id *id)
{
	for (size_t i = 0; i < cat->nr; i++)
		if (cat->item[i].class_oid == id->class_oid && cat->item[i].oid == id->oid)
			return true;
	return false;
}

/* Objects that we do not show (a row type, an extension's) can be renamed, too. */
static void find_hidden(const struct refresh *r, const struct catalog *fresh,
			struct object_ids *ret)
{
	for (size_t i = 0; i < r->touched.nr; i++) {
		const struct object_id *id = &r->touched.item[i];

		if (id->before && id->after && !has_object(fresh, id) && !has_object(r->cat, id))
			ids_add(ret, id->class_oid, id->oid, 0);
	}
}

static int find_dependents(struct refresh *r, struct object_ids *renamed, struct object_ids *ret,
			   struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	struct calls calls CLEANUP(calls_release) = { 0 };
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;
	struct call *call;

	ids_sort(renamed);
	catalog_track_dependents_sql(&sb, r->db->version);
	call = calls_add(&calls, &sb, 0);
	call_arg(call, ids_classes(renamed));
	call_arg(call, ids_oids(renamed, 0));
	call_arg(call, ids_subs(renamed));
	if (run(&batch, r->state, r->db, &calls, err) < 0)
		return -1;
	for (size_t i = 0; i < batch.nr; i++)
		if (batch.item[i].wanted)
			add_groups(r, ret, &batch.item[i].result);
	ids_sort(ret);
	return 0;
}

/* Moves all objects of `from` to `to`. */
static void move_objects(struct catalog *to, struct catalog *from)
{
	ARRAY_GROW(to->item, to->nr + from->nr, to->alloc);
	if (from->nr)
		memcpy(to->item + to->nr, from->item, from->nr * sizeof(*from->item));
	to->nr += from->nr;
	from->nr = 0;
}

static bool is_too_much(const struct refresh *r)
{
	return r->everything || r->groups.nr > GROUPS_MAX(r->cat->nr);
}

/* Reads groups, what depends on them, and so on. */
static int read_all_groups(struct refresh *r, struct object_ids *groups, struct error *err)
{
	for (bool first = true; groups->nr; first = false) {
		struct catalog fresh CLEANUP(catalog_release) = CATALOG_INIT;
		struct object_ids renamed CLEANUP(ids_release) = { 0 };

		for (size_t i = 0; i < groups->nr; i++)
			ids_add(&r->groups, groups->item[i].class_oid, groups->item[i].oid, 0);
		ids_sort(&r->groups);
		if (is_too_much(r))
			return 0;
		if (read_groups(r, groups, &fresh, err) < 0)
			return -1;
		find_renamed(r, groups, &fresh, &renamed);
		if (first)
			find_hidden(r, &fresh, &renamed);
		move_objects(&r->fresh, &fresh);
		groups->nr = 0;
		if (renamed.nr && !r->everything && find_dependents(r, &renamed, groups, err) < 0)
			return -1;
	}
	return 0;
}

static int compare_objects(const void *a, const void *b)
{
	return catalog_object_compare(a, b);
}

/* Puts the fresh objects in the place of those of the same groups. */
static void merge(struct refresh *r, struct catalog_changes *ret)
{
	struct catalog *cat = r->cat;
	struct catalog old = CATALOG_INIT;
	struct catalog all = CATALOG_INIT;
	size_t k = 0;

	if (r->fresh.nr)
		qsort(r->fresh.item, r->fresh.nr, sizeof(*r->fresh.item), compare_objects);
	all.alloc = cat->nr + r->fresh.nr;
	all.item = xcalloc(all.alloc, sizeof(*all.item));
	for (size_t i = 0; i < cat->nr; i++) {
		struct catalog_object *o = &cat->item[i];

		if (in_groups(&r->groups, o)) {
			ARRAY_GROW(old.item, old.nr + 1, old.alloc);
			old.item[old.nr++] = *o;
			continue;
		}
		while (k < r->fresh.nr && catalog_object_compare(&r->fresh.item[k], o) < 0)
			all.item[all.nr++] = r->fresh.item[k++];
		all.item[all.nr++] = *o;
	}
	while (k < r->fresh.nr)
		all.item[all.nr++] = r->fresh.item[k++];
	if (ret)
		catalog_diff(ret, &old, &r->fresh);
	r->fresh.nr = 0; /* they are the catalog's now */
	free(cat->item);
	cat->item = all.item;
	cat->nr = all.nr;
	cat->alloc = all.alloc;
	cat->fingerprint[0] = '\0';
	catalog_release(&old);
}

static void remember_xids(struct refresh *r)
{
	bool same = r->own && r->own == r->state->own;

	if (!same || r->command > r->state->command)
		r->state->command = r->command;
	r->state->own = r->own;
	r->state->next = r->next;
}

/* 1 when everything has to be read, 0 when all is done. */
static int refresh(struct refresh *r, struct catalog_changes *ret, struct error *err)
{
	struct object_ids groups CLEANUP(ids_release) = { 0 };
	int changed = read_sums(r, err);

	if (changed < 0)
		return -1;
	if (!changed) {
		remember_xids(r);
		return 0;
	}
	if (find_touched(r, err) < 0)
		return -1;
	if (r->everything)
		return 1;
	if (r->touched.nr && find_groups(r, &groups, err) < 0)
		return -1;
	if (read_all_groups(r, &groups, err) < 0)
		return -1;
	if (is_too_much(r))
		return 1;
	merge(r, ret);
	remember_xids(r);
	return 0;
}

static int read_again(struct catalog *cat, struct db *db, struct catalog_changes *ret,
		      struct error *err)
{
	struct catalog now = CATALOG_INIT;

	if (catalog_read_scope(&now, db, &cat->state->scope, err) < 0)
		return -1;
	/* The session is the same. */
	now.state->prepared = cat->state->prepared;
	now.state->prepared_pid = cat->state->prepared_pid;
	cat->state->prepared = (struct strvec)STRVEC_INIT;
	if (ret)
		catalog_diff(ret, cat, &now);
	catalog_release(cat);
	*cat = now;
	return 0;
}

int catalog_refresh(struct catalog *cat, struct db *db, struct catalog_changes *ret,
		    struct error *err)
{
	struct refresh r CLEANUP(
		refresh_release) = { .cat = cat, .state = cat->state, .db = db, .command = -1 };
	int outcome = 1;

	if (ret)
		catalog_changes_release(ret);
	if (!cat->state->stale) {
		cat->state->stale = true;
		outcome = refresh(&r, ret, err);
	}
	if (outcome < 0 || (outcome > 0 && read_again(cat, db, ret, err) < 0))
		return -1;
	cat->state->stale = false;
	return 0;
}
