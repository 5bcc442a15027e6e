/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/text.h"
#include "flow/database-snapshot.h"
#include "term/amount.h"
#include "term/output.h"

static void add_change(struct strbuf *out, const struct catalog_change *change, bool utf8)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;

	catalog_change_text(&line, change, utf8);
	text_escape(out, line.buf, line.len, false);
	strbuf_addch(out, '\n');
}

void database_snapshot_changes_text(struct strbuf *out, const struct catalog_changes *changes)
{
	bool utf8 = output_utf8();

	for (size_t i = 0; i < changes->nr; i++) {
		const struct catalog_change *c = &changes->item[i];

		/* That a new table has an order of columns goes without saying. */
		if (!c->order || (*c->before_digest && *c->after_digest))
			add_change(out, c, utf8);
	}
}

static json_t *digest_to_json(const char *digest)
{
	return json_text(*digest ? digest : NULL);
}

static json_t *changes_to_json(const struct catalog_changes *changes)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < changes->nr; i++) {
		const struct catalog_change *c = &changes->item[i];

		json_array_append_new(ret, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "kind",
						     c->kind, "identity", json_text(c->identity),
						     "before", digest_to_json(c->before_digest),
						     "after", digest_to_json(c->after_digest),
						     "definition_before", json_text(c->before),
						     "definition_after", json_text(c->after)));
	}
	return ret;
}

static void print(const struct database_snapshot_verb *verb, const struct catalog_changes *changes)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (verb->common.json) {
		json_t *json CLEANUP(json_decref_p) =
			json_pack("{s:i, s:o, s:o, s:b, s:o}", "format", 1, "a",
				  json_text(verb->label[0]), "b",
				  json_text(verb->live ? NULL : verb->label[1]), "same",
				  !changes->nr, "differences", changes_to_json(changes));

		json_print(json);
		return;
	}
	database_snapshot_changes_text(&text, changes);
	if (!verb->common.quiet)
		fputs(text.buf, stdout);
}

/* What the database is now, without what did not count when the snapshot was taken. */
static int read_live(struct catalog *ret, const struct database_snapshot_verb *verb,
		     const struct database_snapshot *snapshot, struct error *err)
{
	struct session session CLEANUP(session_close) = SESSION_INIT;
	const struct session_request wanted = {
		.command = "snapshot-db",
		.database = verb->database ? verb->database : snapshot->database,
		.common = &verb->common,
	};

	if (session_open(&session, &wanted, err) < 0)
		return -1;
	return catalog_read(ret, &session.db, &session.scope, err);
}

static int read_stored(struct catalog *ret, struct database_snapshot *snapshot, const char *root,
		       const char *name, struct error *err)
{
	if (database_snapshot_find(snapshot, root, name, err) < 0)
		return -1;
	return database_snapshot_catalog(ret, snapshot, err);
}

int database_snapshot_diff(const struct database_snapshot_verb *verb, struct error *err)
{
	struct database_snapshot a CLEANUP(database_snapshot_release) = DATABASE_SNAPSHOT_INIT;
	struct database_snapshot b CLEANUP(database_snapshot_release) = DATABASE_SNAPSHOT_INIT;
	struct catalog before CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog after CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;
	char *root CLEANUP(free_p) = NULL;

	if (database_snapshot_locate(&root, &verb->common, err) < 0 ||
	    read_stored(&before, &a, root, verb->label[0], err) < 0)
		return -1;
	if ((verb->live ? read_live(&after, verb, &a, err) :
			  read_stored(&after, &b, root, verb->label[1], err)) < 0)
		return -1;
	catalog_diff(&changes, &before, &after);
	print(verb, &changes);
	return verb->exit_code && changes.nr ? EXIT_NO : EXIT_DONE;
}
