/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/confirm.h"
#include "flow/database-snapshot.h"
#include "term/amount.h"
#include "term/output.h"
#include "term/table.h"

static const json_t *dump_part(const struct database_snapshot *snapshot)
{
	return database_snapshot_part(snapshot, snapshot->rows ? "archive" : "schema");
}

static void add_size(struct strbuf *out, const struct database_snapshot *snapshot)
{
	const json_t *bytes = json_object_get(dump_part(snapshot), "bytes");

	amount_add_size(out, (uint64_t)json_integer_value(bytes));
}

/* ---- list ---------------------------------------------------------------------------- */

static void list_porcelain(const struct database_snapshots *all, bool raw)
{
	char end = raw ? '\0' : '\n', tab = '\t';

	for (size_t i = 0; i < all->nr; i++) {
		const struct database_snapshot *s = &all->item[i];

		output_field(s->label, raw, tab);
		output_field(s->file, raw, tab);
		output_field(s->created_at, raw, tab);
		output_field(s->database, raw, tab);
		output_field(s->fingerprint, raw, tab);
		output_field(s->rows ? "true" : "false", raw, end);
	}
}

static void list_table(const struct database_snapshots *all)
{
	struct table table CLEANUP(table_release) = { .columns = 5, .right = 1 << 4 };
	int64_t now = clock_now();

	for (size_t i = 0; i < all->nr; i++) {
		const struct database_snapshot *s = &all->item[i];
		struct strbuf age CLEANUP(strbuf_release) = STRBUF_INIT;
		struct strbuf size CLEANUP(strbuf_release) = STRBUF_INIT;

		amount_add_age(&age, clock_parse_rfc3339(s->created_at), now);
		add_size(&size, s);
		table_cell(&table, COLOR_NONE, s->label);
		table_cell(&table, COLOR_NONE, age.buf);
		table_cell(&table, COLOR_NONE, s->database);
		table_cell(&table, COLOR_NONE, s->rows ? "with rows" : "schema");
		table_cell(&table, COLOR_NONE, size.buf);
	}
	table_print(&table, false, stdout);
}

static json_t *to_json(const struct database_snapshot *item, size_t nr)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(ret, database_snapshot_to_json(&item[i]));
	return ret;
}

/* Only those of the database that was named, where one was. */
static int read_wanted(struct database_snapshots *ret, const char *root, const char *database,
		       struct error *err)
{
	struct database_snapshots all CLEANUP(database_snapshots_release) = DATABASE_SNAPSHOTS_INIT;

	if (database_snapshots_read(&all, root, err) < 0)
		return -1;
	for (size_t i = 0; i < all.nr; i++) {
		if (database && strcmp(all.item[i].database, database) != 0)
			continue;
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = all.item[i];
		all.item[i] = (struct database_snapshot)DATABASE_SNAPSHOT_INIT;
	}
	return 0;
}

int database_snapshot_list(const struct database_snapshot_verb *verb, struct error *err)
{
	struct database_snapshots all CLEANUP(database_snapshots_release) = DATABASE_SNAPSHOTS_INIT;
	char *root CLEANUP(free_p) = NULL;

	if (database_snapshot_locate(&root, &verb->common, err) < 0 ||
	    read_wanted(&all, root, verb->database, err) < 0)
		return -1;
	if (verb->common.json) {
		json_t *json CLEANUP(json_decref_p) = json_pack(
			"{s:i, s:o}", "format", 1, "snapshots", to_json(all.item, all.nr));

		json_print(json);
	} else if (verb->common.porcelain) {
		list_porcelain(&all, verb->common.nul);
	} else {
		list_table(&all);
	}
	return EXIT_DONE;
}

/* ---- show ---------------------------------------------------------------------------- */

static void show_line(const char *name, const char *value)
{
	char *shown CLEANUP(free_p) = text_escaped(value);

	printf("%-14s %s\n", name, shown);
}

static void show_number(const struct database_snapshot *s, const char *name, const char *key)
{
	const json_t *value = json_object_get(s->about, key);

	if (value)
		printf("%-14s %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(value));
}

static void show_text(const struct database_snapshot *s)
{
	const char *version = json_member(s->about, "version");
	const char *server = json_member(s->about, "server_version");
	struct strbuf size CLEANUP(strbuf_release) = STRBUF_INIT;

	add_size(&size, s);
	show_line("label:", s->label);
	show_line("database:", s->database);
	show_line("created:", s->created_at);
	show_line("by:", json_member(s->folder.manifest, "command"));
	show_line("kind:", s->rows ? "with rows" : "schema");
	show_line("PostgreSQL:", server ? server : "not known");
	show_line("version:", version ? version : "none is applied");
	show_number(s, "applied:", "applied");
	show_number(s, "objects:", "objects");
	show_number(s, "masked:", "masked");
	show_line("fingerprint:", s->fingerprint);
	show_line("file:", s->file);
	show_line("size:", size.buf);
	show_line("SHA-256:", json_member(dump_part(s), "sha256"));
}

static json_t *show_json(const struct database_snapshot *s)
{
	json_t *json = database_snapshot_to_json(s);
	const json_t *part = dump_part(s);

	json_object_set_new(json, "id", json_string(s->id));
	json_object_set(json, "command", json_object_get(s->folder.manifest, "command"));
	json_object_set(json, "bytes", json_object_get(part, "bytes"));
	json_object_set(json, "sha256", json_object_get(part, "sha256"));
	json_object_update(json, json_object_get(s->folder.manifest, "snapshot"));
	return json_pack("{s:i, s:o}", "format", 1, "snapshot", json);
}

int database_snapshot_show(const struct database_snapshot_verb *verb, struct error *err)
{
	struct database_snapshot snapshot CLEANUP(database_snapshot_release) =
		DATABASE_SNAPSHOT_INIT;
	char *root CLEANUP(free_p) = NULL;

	if (database_snapshot_locate(&root, &verb->common, err) < 0 ||
	    database_snapshot_find(&snapshot, root, verb->label[0], err) < 0)
		return -1;
	if (verb->common.json) {
		json_t *json CLEANUP(json_decref_p) = show_json(&snapshot);

		json_print(json);
	} else {
		show_text(&snapshot);
	}
	return EXIT_DONE;
}

/* ---- prune --------------------------------------------------------------------------- */

static void print_old(const struct database_snapshots *all, size_t keep, FILE *to)
{
	if (all->nr <= keep)
		fputs("Nothing to remove.\n", to);
	for (size_t i = keep; i < all->nr; i++) {
		char *label CLEANUP(free_p) = text_escaped(all->item[i].label);

		fprintf(to, "remove %s (%s)\n", label, all->item[i].created_at);
	}
}

static int remove_old(struct database_snapshots *all, size_t keep, struct error *err)
{
	for (size_t i = keep; i < all->nr; i++)
		if (saved_discard(&all->item[i].folder, err) < 0)
			return -1;
	return 0;
}

static void report(const struct database_snapshots *all, size_t keep,
		   const struct common_options *common)
{
	if (common->json) {
		size_t gone = all->nr > keep ? all->nr - keep : 0;
		json_t *json CLEANUP(json_decref_p) =
			json_pack("{s:i, s:b, s:o, s:o}", "format", 1, "dry_run", common->dry_run,
				  "removed", to_json(all->item + all->nr - gone, gone), "kept",
				  to_json(all->item, all->nr - gone));

		json_print(json);
	} else if (common->dry_run || (common->yes && !common->quiet)) {
		print_old(all, keep, stdout);
	}
}

int database_snapshot_prune(const struct database_snapshot_verb *verb, struct error *err)
{
	struct database_snapshots all CLEANUP(database_snapshots_release) = DATABASE_SNAPSHOTS_INIT;
	const struct common_options *common = &verb->common;
	char *root CLEANUP(free_p) = NULL;
	size_t keep = (size_t)verb->keep;

	if (database_snapshot_locate(&root, common, err) < 0 ||
	    read_wanted(&all, root, verb->database, err) < 0)
		return -1;
	if (!common->dry_run && all.nr > keep) {
		if (!common->yes)
			print_old(&all, keep, stderr);
		if (confirm_ask("Remove them?", false, common, err) < 0 ||
		    remove_old(&all, keep, err) < 0)
			return -1;
	}
	report(&all, keep, common);
	return EXIT_DONE;
}
