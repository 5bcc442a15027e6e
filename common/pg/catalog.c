/* SPDX-License-Identifier: MIT */
#include "pg/catalog.h"

#include "base/digest.h"
#include "base/memory.h"
#include "pg/catalog-state.h"
#include "pg/keep.h"

_Static_assert(CATALOG_DIGEST_SIZE == DIGEST_HEX, "a digest fits");

#define KIND_COLUMN "column"
#define KIND_ORDER  "column order"

/* --- notes -------------------------------------------------------------------------- */

void catalog_notes_release(struct catalog_notes *notes)
{
	for (size_t i = 0; i < notes->nr; i++) {
		free(notes->item[i].name);
		free(notes->item[i].text);
	}
	free(notes->item);
	*notes = (struct catalog_notes){ 0 };
}

void catalog_notes_add(struct catalog_notes *notes, const struct db_result *rows)
{
	ARRAY_GROW(notes->item, notes->nr + rows->rows, notes->alloc);
	for (size_t row = 0; row < rows->rows; row++)
		notes->item[notes->nr++] = (struct catalog_note){
			.class_oid = (uint32_t)db_int(rows, row, 0),
			.oid = (uint32_t)db_int(rows, row, 1),
			.sub = (int32_t)db_int(rows, row, 2),
			.name = xstrdup(db_value(rows, row, 3)),
			.text = xstrdup(db_value(rows, row, 4)),
		};
}

static int compare_address(uint32_t class_a, uint32_t oid_a, int32_t sub_a, uint32_t class_b,
			   uint32_t oid_b, int32_t sub_b)
{
	if (class_a != class_b)
		return class_a < class_b ? -1 : 1;
	if (oid_a != oid_b)
		return oid_a < oid_b ? -1 : 1;
	return (sub_a > sub_b) - (sub_a < sub_b);
}

static int compare_notes(const void *a, const void *b)
{
	const struct catalog_note *x = a, *y = b;
	int ret = compare_address(x->class_oid, x->oid, x->sub, y->class_oid, y->oid, y->sub);

	return ret ? ret : strcmp(x->name, y->name);
}

void catalog_notes_sort(struct catalog_notes *notes)
{
	if (notes->nr)
		qsort(notes->item, notes->nr, sizeof(*notes->item), compare_notes);
}

/* The first note of an object; those that follow in the array may be its, too. */
static size_t first_note(const struct catalog_notes *notes, const struct catalog_object *o)
{
	size_t from = 0, to = notes->nr;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct catalog_note *n = &notes->item[middle];

		if (compare_address(n->class_oid, n->oid, n->sub, o->class_oid, o->oid, o->sub) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* --- entries ------------------------------------------------------------------------ */

int catalog_entry_compare(const void *a, const void *b)
{
	const struct catalog_entry *x = a, *y = b;

	return compare_address(x->class_oid, x->oid, 0, y->class_oid, y->oid, 0);
}

void catalog_entries_add(struct catalog_entries *entries, const struct db_result *rows, size_t row,
			 size_t column)
{
	const struct catalog_entry entry = {
		.class_oid = (uint32_t)db_int(rows, row, column),
		.oid = (uint32_t)db_int(rows, row, column + 1),
		.sum = catalog_number(db_value(rows, row, column + 2)),
	};

	ARRAY_GROW(entries->item, entries->nr + 1, entries->alloc);
	entries->item[entries->nr++] = entry;
	entries->sum += entry.sum;
}

uint64_t catalog_number(const char *digits)
{
	uint64_t ret = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		ret = ret * 10 + (uint64_t)(*digits - '0');
	return ret;
}

static void add_entries(struct catalog_state *state, const struct db_result *rows)
{
	for (size_t row = 0; row < rows->rows; row++) {
		int64_t track = db_int(rows, row, 0);

		if (track == TRACK_NEXT)
			state->next = catalog_number(db_value(rows, row, 3));
		else if (track == TRACK_OWN)
			state->own = catalog_number(db_value(rows, row, 3));
		else
			catalog_entries_add(&state->track[track], rows, row, 1);
	}
	for (size_t i = 0; i < catalog_track_nr; i++)
		if (state->track[i].nr)
			qsort(state->track[i].item, state->track[i].nr,
			      sizeof(*state->track[i].item), catalog_entry_compare);
}

/* --- definitions -------------------------------------------------------------------- */

static void add_attribute(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addstr(out, name);
	strbuf_addstr(out, ": ");
	while (*value) {
		size_t len = strcspn(value, "\n");

		strbuf_add(out, value, len);
		value += len;
		if (*value) {
			strbuf_addstr(out, "\n\t");
			value++;
		}
	}
	strbuf_addch(out, '\n');
}

static void add_notes(struct catalog_object *object, const struct catalog_notes *notes)
{
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = first_note(notes, object); i < notes->nr; i++) {
		const struct catalog_note *n = &notes->item[i];

		if (n->class_oid != object->class_oid || n->oid != object->oid ||
		    n->sub != object->sub)
			break;
		if (!sb.len)
			strbuf_addstr(&sb, object->definition);
		add_attribute(&sb, n->name, n->text);
	}
	if (sb.len) {
		free(object->definition);
		object->definition = strbuf_detach(&sb);
	}
}

static void set_digest(struct catalog_object *object, struct strbuf *scratch)
{
	strbuf_reset(scratch);
	strbuf_add(scratch, object->kind, strlen(object->kind) + 1);
	strbuf_add(scratch, object->identity, strlen(object->identity) + 1);
	strbuf_addstr(scratch, object->definition);
	digest_hex(object->digest, scratch->buf, scratch->len);
}

/* --- objects ------------------------------------------------------------------------ */

void catalog_object_release(struct catalog_object *object)
{
	free(object->identity);
	free(object->definition);
}

int catalog_object_compare(const struct catalog_object *a, const struct catalog_object *b)
{
	int ret = a->kind == b->kind ? 0 : strcmp(a->kind, b->kind);

	return ret ? ret : strcmp(a->identity, b->identity);
}

static int compare_objects(const void *a, const void *b)
{
	return catalog_object_compare(a, b);
}

void catalog_add_rows(struct catalog *cat, const struct catalog_kind *kind,
		      const struct db_result *rows, int version)
{
	const char *names[64], *last_kind = NULL;
	size_t nr = 0;
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < kind->attribute_nr; i++)
		if (catalog_attribute_exists(&kind->attributes[i], version))
			names[nr++] = kind->attributes[i].name;
	ARRAY_GROW(cat->item, cat->nr + rows->rows, cat->alloc);
	for (size_t row = 0; row < rows->rows; row++) {
		const char *name = db_value(rows, row, KIND_COLUMN_KIND);

		/* Gone while we looked (of an object that another session just dropped). */
		if (db_is_null(rows, row, KIND_COLUMN_IDENTITY))
			continue;
		if (!last_kind || strcmp(last_kind, name))
			last_kind = catalog_kind_name(name);
		strbuf_reset(&sb);
		for (size_t i = 0; i < nr; i++) {
			const char *value = db_value(rows, row, KIND_COLUMN_ATTRIBUTES + i);
			if (*value)
				add_attribute(&sb, names[i], value);
		}
		cat->item[cat->nr++] = (struct catalog_object){
			.kind = last_kind,
			.identity = xstrdup(db_value(rows, row, KIND_COLUMN_IDENTITY)),
			.definition = xmemdupz(sb.buf, sb.len),
			.class_oid = (uint32_t)db_int(rows, row, KIND_COLUMN_CLASS),
			.oid = (uint32_t)db_int(rows, row, KIND_COLUMN_OID),
			.sub = (int32_t)db_int(rows, row, KIND_COLUMN_SUB),
			.group_class = kind->group_class,
			.group_oid = (uint32_t)db_int(rows, row, KIND_COLUMN_GROUP),
			.part = kind->part,
		};
	}
}

/* Groups together, the head of each first, its columns in order. */
static int compare_groups(const void *a, const void *b)
{
	const struct catalog_object *x = a, *y = b;
	int ret = compare_address(x->group_class, x->group_oid, x->part, y->group_class,
				  y->group_oid, y->part);

	return ret ? ret : (x->sub > y->sub) - (x->sub < y->sub);
}

static void add_order(struct catalog *cat, const struct catalog_object *head, struct strbuf *names)
{
	cat->item[cat->nr++] = (struct catalog_object){
		.kind = catalog_kind_name(KIND_ORDER),
		.identity = xstrdup(head->identity),
		.definition = xstrfmt("columns: %s\n", names->buf),
		.order = true,
		.part = true,
		.class_oid = head->class_oid,
		.oid = head->oid,
		.sub = -1,
		.group_class = head->group_class,
		.group_oid = head->group_oid,
	};
	strbuf_reset(names);
}

static bool has_order(const struct catalog_object *head)
{
	return !strcmp(head->kind, "table") || !strcmp(head->kind, "foreign table") ||
	       (!strcmp(head->kind, "type") && head->group_class == CLASS_RELATION);
}

void catalog_complete(struct catalog *cat, const struct catalog_notes *notes)
{
	struct catalog_object head = { 0 };
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t nr = cat->nr, kept = 0, heads = 0;

	if (!nr)
		return;
	qsort(cat->item, nr, sizeof(*cat->item), compare_groups);
	for (size_t i = 0; i < nr; i++)
		heads += !cat->item[i].part;
	/* Orders go behind the array for now: what is in it is shortened on the way. */
	ARRAY_GROW(cat->item, nr + heads, cat->alloc);
	for (size_t i = 0; i < nr; i++) {
		struct catalog_object *o = &cat->item[i];
		bool in_group = head.kind && o->group_class == head.group_class &&
				o->group_oid == head.group_oid;

		if (sb.len && !(in_group && o->sub > 0))
			add_order(cat, &head, &sb);
		if (!o->part) {
			head = *o;
		} else if (!in_group) {
			catalog_object_release(o);
			continue;
		} else if (o->sub > 0 && has_order(&head)) {
			if (sb.len)
				strbuf_addstr(&sb, ", ");
			strbuf_addstr(&sb, o->identity + strlen(head.identity) + 1);
		}
		cat->item[kept++] = *o;
	}
	if (sb.len)
		add_order(cat, &head, &sb);
	memmove(cat->item + kept, cat->item + nr, (cat->nr - nr) * sizeof(*cat->item));
	cat->nr = kept + (cat->nr - nr);
	for (size_t i = 0; i < cat->nr; i++) {
		if (notes->nr)
			add_notes(&cat->item[i], notes);
		set_digest(&cat->item[i], &sb);
	}
	qsort(cat->item, cat->nr, sizeof(*cat->item), compare_objects);
}

/* --- the catalog -------------------------------------------------------------------- */

void catalog_release(struct catalog *cat)
{
	for (size_t i = 0; i < cat->nr; i++)
		catalog_object_release(&cat->item[i]);
	free(cat->item);
	if (cat->state)
		catalog_state_free(cat->state);
	*cat = (struct catalog)CATALOG_INIT;
}

const struct catalog_object *catalog_find(const struct catalog *cat, const char *kind,
					  const char *identity)
{
	char *name CLEANUP(free_p) = xstrdup(identity);
	struct catalog_object key = { .kind = kind, .identity = name };

	return cat->nr ? bsearch(&key, cat->item, cat->nr, sizeof(key), compare_objects) : NULL;
}

const char *catalog_fingerprint(struct catalog *cat)
{
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

	if (cat->fingerprint[0])
		return cat->fingerprint;
	for (size_t i = 0; i < cat->nr; i++)
		if (!cat->item[i].order)
			strbuf_add(&sb, cat->item[i].digest, CATALOG_DIGEST_SIZE - 1);
	digest_hex(cat->fingerprint, sb.buf, sb.len);
	return cat->fingerprint;
}

/* --- reading ------------------------------------------------------------------------ */

static char *schemas_sql(struct db *db, const struct catalog_scope *scope)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_addstr(&sb, "SELECT n.oid FROM pg_namespace n WHERE left(n.nspname, 3) <> 'pg_'"
			   " AND n.nspname <> 'information_schema'" KEEP_NOT_IN("n.nspname"));
	for (size_t i = 0; scope && i < scope->schema_nr; i++) {
		strbuf_addstr(&sb, " AND n.nspname <> ");
		db_quote_literal(&sb, db, scope->schema[i]);
	}
	return strbuf_detach(&sb);
}

static char *excluded_sql(struct db *db, const struct catalog_scope *scope)
{
	struct strbuf sb = STRBUF_INIT;

	if (!scope || !scope->relation_nr)
		return xstrdup("SELECT 0::oid WHERE false");
	strbuf_addstr(&sb, "SELECT xc.oid FROM pg_class xc JOIN pg_namespace xn"
			   " ON xn.oid = xc.relnamespace WHERE (xn.nspname, xc.relname) IN (");
	for (size_t i = 0; i < scope->relation_nr; i++) {
		strbuf_addstr(&sb, i ? ", (" : "(");
		db_quote_literal(&sb, db, scope->relation[i].schema);
		strbuf_addstr(&sb, ", ");
		db_quote_literal(&sb, db, scope->relation[i].name);
		strbuf_addch(&sb, ')');
	}
	strbuf_addch(&sb, ')');
	return strbuf_detach(&sb);
}

struct catalog_state *catalog_state_new(const struct catalog_scope_sql *scope)
{
	struct catalog_state *state = xcalloc(1, sizeof(*state));

	state->command = -1;
	state->scope.schemas = xstrdup(scope->schemas);
	state->scope.excluded = xstrdup(scope->excluded);
	return state;
}

void catalog_state_free(struct catalog_state *state)
{
	free(state->scope.schemas);
	free(state->scope.excluded);
	catalog_notes_release(&state->notes);
	for (size_t i = 0; i < CATALOG_TRACK_MAX; i++)
		free(state->track[i].item);
	strvec_release(&state->prepared);
	free(state);
}

void catalog_frame_add(struct db_batch *batch, const char *sql, size_t tag)
{
	struct db_command *command = db_batch_add(batch, sql, strlen(sql), 0, NULL);

	command->wanted = true;
	command->tag = tag;
}

static void frame_statement(struct db_batch *batch, const char *sql)
{
	db_batch_add(batch, sql, strlen(sql), 0, NULL);
}

void catalog_frame_open(struct db_batch *batch, const struct db *db)
{
	frame_statement(batch, db_in_transaction(db) ?
				       "SAVEPOINT git_rollback_catalog" :
				       "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
	frame_statement(batch, catalog_settings_sql);
}

int catalog_frame_run(struct db_batch *batch, struct db *db, struct error *err)
{
	bool inside = db_in_transaction(db);

	if (inside) {
		/* Takes the settings back to what they were, at whatever level they were set. */
		frame_statement(batch, "ROLLBACK TO SAVEPOINT git_rollback_catalog");
		frame_statement(batch, "RELEASE SAVEPOINT git_rollback_catalog");
	} else {
		frame_statement(batch, "COMMIT");
	}
	if (!db_batch_run(db, batch, NULL, err))
		return 0;
	if (!inside)
		db_rollback(db);
	return error_prefix(err, "cannot read the catalog of database '%s'", db->environment);
}

enum { TAG_TRACKS = 1000, TAG_NOTES };

int catalog_read_scope(struct catalog *ret, struct db *db, const struct catalog_scope_sql *scope,
		       struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;
	struct catalog cat = { .state = catalog_state_new(scope) };

	catalog_frame_open(&batch, db);
	/* First, so that what another session changes meanwhile is found by the next refresh. */
	catalog_track_list_all_sql(&sb, db->version);
	catalog_frame_add(&batch, sb.buf, TAG_TRACKS);
	for (size_t i = 0; i < catalog_kind_nr; i++) {
		strbuf_reset(&sb);
		catalog_kind_sql(&sb, &catalog_kinds[i], &cat.state->scope, false, db->version);
		catalog_frame_add(&batch, sb.buf, i);
	}
	catalog_frame_add(&batch, catalog_notes_all_sql, TAG_NOTES);
	if (catalog_frame_run(&batch, db, err) < 0) {
		catalog_release(&cat);
		return -1;
	}
	for (size_t i = 0; i < batch.nr; i++) {
		struct db_command *command = &batch.item[i];

		if (!command->wanted)
			continue;
		if (command->tag == TAG_TRACKS)
			add_entries(cat.state, &command->result);
		else if (command->tag == TAG_NOTES)
			catalog_notes_add(&cat.state->notes, &command->result);
		else
			catalog_add_rows(&cat, &catalog_kinds[command->tag], &command->result,
					 db->version);
	}
	catalog_notes_sort(&cat.state->notes);
	catalog_complete(&cat, &cat.state->notes);
	catalog_release(ret);
	*ret = cat;
	return 0;
}

int catalog_read(struct catalog *ret, struct db *db, const struct catalog_scope *scope,
		 struct error *err)
{
	char *schemas CLEANUP(free_p) = schemas_sql(db, scope);
	char *excluded CLEANUP(free_p) = excluded_sql(db, scope);
	const struct catalog_scope_sql sql = { .schemas = schemas, .excluded = excluded };

	return catalog_read_scope(ret, db, &sql, err);
}
