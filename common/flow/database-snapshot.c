/* SPDX-License-Identifier: MIT */
#include "flow/database-snapshot.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "base/text.h"
#include "flow/checkpoint.h"
#include "flow/payload-database.h"
#include "flow/payload-schema.h"
#include "flow/trusting.h"
#include "pg/dump.h"
#include "pg/transaction.h"
#include "term/amount.h"
#include "term/output.h"

void database_snapshot_release(struct database_snapshot *snapshot)
{
	saved_release(&snapshot->folder);
	free(snapshot->file);
	*snapshot = (struct database_snapshot)DATABASE_SNAPSHOT_INIT;
}

void database_snapshots_release(struct database_snapshots *snapshots)
{
	for (size_t i = 0; i < snapshots->nr; i++)
		database_snapshot_release(&snapshots->item[i]);
	free(snapshots->item);
	*snapshots = (struct database_snapshots)DATABASE_SNAPSHOTS_INIT;
}

int database_snapshot_check_label(const char *label, struct error *err)
{
	const char *fault = checkpoint_name_fault(label);

	if (!fault)
		return 0;
	error_set(err, "'%s' cannot be the label of a snapshot: %s", label, fault);
	return error_code(err, EXIT_USAGE);
}

/* ---- Where they are ------------------------------------------------------------------ */

/* In the worktree no symbolic link leads elsewhere: a stranger may have committed one. */
static int check_way(const char *worktree, const char *path, struct error *err)
{
	int top CLEANUP(fd_close_p) = open(worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int folder CLEANUP(fd_close_p) = -1;

	if (top < 0)
		return error_errno(err, "cannot open folder '%s'", worktree);
	folder = beneath_open_folder(top, path, strlen(path));
	if (folder < 0 && errno != ENOENT) {
		error_errno(err, "cannot keep snapshots in '%s' (rollback.snapshots.directory)",
			    path);
		return error_hint(err, "No symbolic link may be in it.");
	}
	return 0;
}

int database_snapshot_root(char **ret, const struct settings *settings, const struct repo *repo,
			   struct error *err)
{
	const char *path;

	if (settings_string(&path, settings, "snapshots.directory", err) < 0)
		return -1;
	if (!path || !*path) {
		*ret = saved_root(repo->common_dir);
		return 0;
	}
	if (*path == '/') {
		*ret = xstrdup(path);
		return 0;
	}
	if (!repo->worktree) {
		error_set(err, "there is no worktree here, which '%s' is in", path);
		return error_hint(err, "That is what rollback.snapshots.directory says.");
	}
	if (check_way(repo->worktree, path, err) < 0)
		return -1;
	*ret = xstrfmt("%s/%s", repo->worktree, path);
	return 0;
}

int database_snapshot_locate(char **ret_root, const struct common_options *common,
			     struct error *err)
{
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;

	if (checkpoint_session_open(&s, common, err) < 0)
		return -1;
	return database_snapshot_root(ret_root, &s.settings, &s.repo, err);
}

/* ---- Those that are there ------------------------------------------------------------ */

const json_t *database_snapshot_part(const struct database_snapshot *snapshot, const char *kind)
{
	size_t i;
	json_t *part;

	json_array_foreach(json_object_get(snapshot->folder.manifest, "parts"), i, part)
	{
		const char *own = json_member(part, "kind");

		if (own && !strcmp(own, kind))
			return part;
	}
	return NULL;
}

/* What the manifest says; false: it says not enough. */
static bool understand(struct database_snapshot *snapshot)
{
	const json_t *manifest = snapshot->folder.manifest;
	const json_t *about = json_object_get(manifest, "snapshot");
	const json_t *part;
	const char *name;

	snapshot->rows = json_is_true(json_object_get(about, "data"));
	part = database_snapshot_part(snapshot, snapshot->rows ? "archive" : "schema");
	name = json_member(part, "file");
	snapshot->about = about;
	snapshot->id = json_member(manifest, "operation");
	snapshot->created_at = json_member(manifest, "created_at");
	snapshot->label = json_member(about, "label");
	snapshot->database = json_member(about, "database");
	snapshot->fingerprint = json_member(about, "fingerprint");
	if (!name || !snapshot->id || !snapshot->created_at || !snapshot->label ||
	    !snapshot->database || !snapshot->fingerprint)
		return false;
	snapshot->file = xstrfmt("%s/%s", snapshot->folder.path, name);
	return true;
}

enum { IS_SNAPSHOT, IS_OTHER };

static int open_one(struct database_snapshot *ret, const char *root, const char *id,
		    struct error *err)
{
	struct database_snapshot snapshot CLEANUP(database_snapshot_release) =
		DATABASE_SNAPSHOT_INIT;
	int found = saved_open(&snapshot.folder, root, id, err);

	if (found != SAVED_FOUND)
		return found < 0 ? -1 : IS_OTHER;
	if (!json_object_get(snapshot.folder.manifest, "snapshot"))
		return IS_OTHER;
	if (!understand(&snapshot))
		return error_set(err, "the manifest in '%s' is damaged", snapshot.folder.path);
	*ret = snapshot;
	snapshot = (struct database_snapshot)DATABASE_SNAPSHOT_INIT;
	return IS_SNAPSHOT;
}

int database_snapshots_read(struct database_snapshots *ret, const char *root, struct error *err)
{
	struct strvec ids CLEANUP(strvec_release) = STRVEC_INIT;

	if (saved_list(&ids, root, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.nr; i++) {
		struct error reason CLEANUP(error_release) = ERROR_INIT;
		int kind;

		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr] = (struct database_snapshot)DATABASE_SNAPSHOT_INIT;
		kind = open_one(&ret->item[ret->nr], root, ids.v[i], &reason);
		if (kind < 0)
			warning("%s", reason.message);
		ret->nr += kind == IS_SNAPSHOT;
	}
	return 0;
}

static const struct database_snapshot *find_label(const struct database_snapshots *snapshots,
						  const char *name)
{
	for (size_t i = 0; i < snapshots->nr; i++)
		if (!strcmp(snapshots->item[i].label, name) || !strcmp(snapshots->item[i].id, name))
			return &snapshots->item[i];
	return NULL;
}

int database_snapshot_find(struct database_snapshot *ret, const char *root, const char *name,
			   struct error *err)
{
	struct database_snapshots all CLEANUP(database_snapshots_release) = DATABASE_SNAPSHOTS_INIT;
	struct strvec labels CLEANUP(strvec_release) = STRVEC_INIT;
	const struct database_snapshot *found;
	const char *near;

	if (database_snapshots_read(&all, root, err) < 0)
		return -1;
	found = find_label(&all, name);
	if (found)
		return open_one(ret, root, found->id, err) < 0 ? -1 : 0;
	for (size_t i = 0; i < all.nr; i++)
		strvec_push(&labels, all.item[i].label);
	error_set(err, "there is no snapshot '%s'", name);
	near = nearest_name(name, &labels);
	if (near)
		return error_hint(err, "Did you mean '%s'?", near);
	return error_hint(err, "'git snapshot-db list' has those that there are.");
}

int database_snapshot_catalog(struct catalog *ret, struct database_snapshot *snapshot,
			      struct error *err)
{
	const json_t *part = database_snapshot_part(snapshot, "catalog");
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	json_t *json CLEANUP(json_decref_p) = NULL;

	if (!part)
		return error_set(err, "snapshot '%s' has no catalog", snapshot->label);
	if (saved_part_read_all(&text, &snapshot->folder, part, err) < 0 ||
	    json_parse(&json, "the catalog of a snapshot", text.buf, text.len, err) < 0)
		return -1;
	return catalog_from_json(ret, json_object_get(json, "objects"), err);
}

json_t *database_snapshot_to_json(const struct database_snapshot *snapshot)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:s, s:b}", "label", snapshot->label, "file",
			 json_text(snapshot->file), "created_at", snapshot->created_at, "database",
			 snapshot->database, "fingerprint", snapshot->fingerprint, "data",
			 snapshot->rows);
}

/* ---- Taking one ---------------------------------------------------------------------- */

struct taking {
	struct session *session;
	const struct database_snapshot_request *request;
	char *root;
	struct saved folder;
	struct saved_part archive;
	struct dump dump;
	json_t *about;
};

static void taking_release(struct taking *t)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	dump_release(&t->dump);
	saved_part_release(&t->archive);
	if (t->folder.path && saved_discard(&t->folder, &err) < 0)
		warning("%s", err.message);
	saved_release(&t->folder);
	json_decref(t->about);
	free(t->root);
}

/* With nothing else: it is looked at while pg_dump works. */
static int start_dump(struct taking *t, const char *snapshot, struct error *err)
{
	struct db *db = &t->session->db;
	int started;

	if (t->request->rows) {
		if (saved_part_begin(&t->archive, &t->folder, "dump", false, err) < 0)
			return -1;
		started = dump_start_archive(&t->dump, db, snapshot, true,
					     saved_part_fd(&t->archive), err);
	} else {
		started = dump_start(&t->dump, db, snapshot, err);
	}
	if (started != DUMP_NO_PROGRAM)
		return started;
	dump_no_program(db, err);
	return error_code(err, EXIT_REFUSED);
}

static int add_part(struct taking *t, const char *kind, const char *suffix, bool compressed,
		    const char *text, size_t len, struct error *err)
{
	struct saved_part part CLEANUP(saved_part_release) = SAVED_PART_INIT;

	if (saved_part_begin(&part, &t->folder, suffix, compressed, err) < 0 ||
	    saved_part_write(&part, text, len, err) < 0)
		return -1;
	return saved_part_finish(&part, json_pack("{s:s}", "kind", kind), err);
}

static int add_json(struct taking *t, const char *kind, json_t *json, struct error *err)
{
	char *text CLEANUP(free_p) = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return add_part(t, kind, "json", true, text, strlen(text), err);
}

static int finish_dump(struct taking *t, struct error *err)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf masked CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t nr;

	if (dump_finish(&text, &t->dump, err) < 0)
		return -1;
	if (t->request->rows) {
		if (lseek(saved_part_fd(&t->archive), 0, SEEK_END) <= 0)
			return error_set(err, "pg_dump wrote nothing");
		return saved_part_finish(&t->archive, json_pack("{s:s}", "kind", "archive"), err);
	}
	if (!text.len)
		return error_set(err, "pg_dump wrote nothing");
	nr = payload_schema_mask(&masked, text.buf, text.len);
	if (nr)
		json_object_set_new(t->about, "masked", json_size(nr));
	return add_part(t, "schema", "sql", false, masked.buf, masked.len, err);
}

static int describe_database(struct taking *t, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const struct session *s = t->session;
	char *version CLEANUP(free_p) =
		xstrfmt("%d.%d", s->db.version / 10000, s->db.version % 10000);
	json_t *tracking = json_array();

	json_object_set_new(t->about, "tracking", tracking);
	json_object_set_new(t->about, "server_version", json_string(version));
	for (size_t i = 0; i < s->scope.relation_nr; i++)
		json_array_append_new(tracking,
				      json_pack("{s:o, s:o}", "schema",
						json_text(s->scope.relation[i].schema), "name",
						json_text(s->scope.relation[i].name)));
	if (db_query(&res, &t->session->db,
		     "SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype"
		     " FROM pg_catalog.pg_database"
		     " WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()",
		     0, NULL, err) < 0)
		return -1;
	json_object_set_new(t->about, "encoding", json_text(db_value(&res, 0, 0)));
	json_object_set_new(t->about, "collate", json_text(db_value(&res, 0, 1)));
	json_object_set_new(t->about, "ctype", json_text(db_value(&res, 0, 2)));
	return 0;
}

static int keep_catalog(struct taking *t, struct error *err)
{
	struct catalog catalog CLEANUP(catalog_release) = CATALOG_INIT;

	if (catalog_read(&catalog, &t->session->db, &t->session->scope, err) < 0)
		return error_prefix(err, "could not read the catalog");
	json_object_set_new(t->about, "fingerprint", json_string(catalog_fingerprint(&catalog)));
	json_object_set_new(t->about, "objects", json_size(catalog.nr));
	return add_json(t, "catalog",
			json_pack("{s:i, s:o}", "format", 1, "objects",
				  catalog_to_json(&catalog, true)),
			err);
}

static int keep_ledger(struct taking *t, struct error *err)
{
	struct ledger ledger CLEANUP(ledger_release) = LEDGER_INIT;
	struct session *s = t->session;

	if (ledger_read(&ledger, &s->place, &s->db, err) < 0)
		return -1;
	ledger_order(&ledger);
	payload_describe_ledger(t->about, &ledger);
	return add_json(t, "migrations", payload_migrations_to_json(&s->place, &ledger), err);
}

/* All of one state of the database. */
static int keep_all(struct taking *t, struct error *err)
{
	char *snapshot CLEANUP(free_p) = NULL;

	if (transaction_begin_snapshot(&snapshot, &t->session->db, err) < 0)
		return -1;
	if (start_dump(t, snapshot, err) < 0 || describe_database(t, err) < 0 ||
	    keep_catalog(t, err) < 0 || keep_ledger(t, err) < 0)
		return -1;
	return finish_dump(t, err);
}

static int label_is_taken(const struct taking *t, const char *label, struct error *err)
{
	struct database_snapshots all CLEANUP(database_snapshots_release) = DATABASE_SNAPSHOTS_INIT;

	return database_snapshots_read(&all, t->root, err) < 0 ? -1 :
								 find_label(&all, label) != NULL;
}

static int refuse_taken(const char *label, struct error *err)
{
	error_refused(err, "there is a snapshot '%s' already", label);
	return error_hint(err, "Choose another label, or remove old ones with "
			       "'git snapshot-db prune'.");
}

/* The time, and a number behind it where that is taken. */
static int choose_label(char **ret, const struct taking *t, struct error *err)
{
	time_t now = (time_t)(clock_now() / 1000000);
	char date[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm);
	for (int n = 1;; n++) {
		char *label CLEANUP(free_p) = n == 1 ? xstrdup(date) : xstrfmt("%s-%d", date, n);
		int taken = label_is_taken(t, label, err);

		if (taken < 0)
			return -1;
		if (!taken) {
			*ret = STEAL(label);
			return 0;
		}
	}
}

/* Looks, and writes the manifest, while nobody else does. */
static int publish(struct taking *t, struct error *err)
{
	int lock CLEANUP(fd_close_p) = -1;
	char *label CLEANUP(free_p) = xstrdup_or_null(t->request->label);
	int taken;

	if (saved_lock(&lock, t->root, err) < 0)
		return -1;
	if (!label && choose_label(&label, t, err) < 0)
		return -1;
	taken = label_is_taken(t, label, err);
	if (taken)
		return taken < 0 ? -1 : refuse_taken(label, err);
	json_object_set_new(t->about, "label", json_string(label));
	json_object_set(t->folder.manifest, "snapshot", t->about);
	return saved_finish(&t->folder, err);
}

/* What was left by those that were killed; not that of operations that are to be settled. */
static int sweep(const struct taking *t, struct error *err)
{
	struct strvec open CLEANUP(strvec_release) = STRVEC_INIT;
	size_t i;
	json_t *record;

	json_array_foreach(t->session->open_operations, i, record)
	{
		const char *id = json_member(record, "id");

		if (id)
			strvec_push(&open, id);
	}
	return saved_sweep(t->root, &open, err);
}

static int begin(struct taking *t, struct error *err)
{
	const struct session *s = t->session;
	char *command CLEANUP(free_p) = xstrfmt("git %s", t->request->command);
	char *id CLEANUP(free_p) = operation_new_id();
	int taken = 0;

	if (database_snapshot_root(&t->root, &s->settings, &s->repo, err) < 0)
		return -1;
	if (t->request->label)
		taken = label_is_taken(t, t->request->label, err);
	if (taken)
		return taken < 0 ? -1 : refuse_taken(t->request->label, err);
	if (sweep(t, err) < 0)
		return -1;
	return saved_create(&t->folder, t->root, id, command, err);
}

int database_snapshot_take(struct database_snapshot *ret, struct session *s,
			   const struct database_snapshot_request *request, struct error *err)
{
	struct taking t CLEANUP(taking_release) = {
		.session = s,
		.request = request,
		.folder = SAVED_INIT,
		.archive = SAVED_PART_INIT,
		.dump = DUMP_INIT,
		.about = json_pack("{s:o, s:b}", "database", json_text(s->database.name), "data",
				   request->rows),
	};
	int failed;

	if (request->label && database_snapshot_check_label(request->label, err) < 0)
		return -1;
	failed = begin(&t, err) < 0 || keep_all(&t, err) < 0;
	db_rollback(&s->db);
	if (failed || publish(&t, err) < 0)
		return -1;
	ret->folder = t.folder;
	t.folder = (struct saved)SAVED_INIT;
	if (!understand(ret))
		BUG("a snapshot's manifest says not enough");
	return 0;
}

int database_snapshot_for_change(char **ret_label, struct session *s, const char *when,
				 const char *operation, struct error *err)
{
	char *label CLEANUP(free_p) = xstrfmt("%s-%s", when, operation);
	struct database_snapshot snapshot CLEANUP(database_snapshot_release) =
		DATABASE_SNAPSHOT_INIT;
	const struct database_snapshot_request request = { .label = label,
							   .command = s->request.command };

	if (!s->database.snapshot)
		return 0;
	if (database_snapshot_take(&snapshot, s, &request, err) < 0)
		return error_prefix(err, "could not take a snapshot of database '%s'",
				    s->database.name);
	if (!s->request.common->quiet && !s->request.common->json)
		note("Snapshot '%s' of database '%s' was taken.", label, s->database.name);
	*ret_label = STEAL(label);
	return 0;
}

/* ---- The verb ------------------------------------------------------------------------ */

static void report(const struct database_snapshot *snapshot, const struct common_options *common)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf shown CLEANUP(strbuf_release) = STRBUF_INIT;

	if (common->json) {
		json_t *json CLEANUP(json_decref_p) =
			json_pack("{s:i, s:s, s:o}", "format", 1, "outcome", "done", "snapshot",
				  database_snapshot_to_json(snapshot));

		json_print(json);
		return;
	}
	if (common->quiet)
		return;
	strbuf_addf(&text, "snapshot '%s' of database %s: ", snapshot->label, snapshot->database);
	amount_add_count(&text,
			 (uint64_t)json_integer_value(json_object_get(snapshot->about, "objects")),
			 "object", NULL);
	strbuf_addstr(&text, snapshot->rows ? ", with rows, " : ", ");
	amount_add_size(&text, (uint64_t)json_integer_value(json_object_get(
				       database_snapshot_part(snapshot, snapshot->rows ? "archive" :
											 "schema"),
				       "bytes")));
	text_escape(&shown, text.buf, text.len, false);
	printf("%s\n", shown.buf);
}

int database_snapshot_create(const struct database_snapshot_verb *verb, struct error *err)
{
	struct session session CLEANUP(session_close) = SESSION_INIT;
	struct database_snapshot snapshot CLEANUP(database_snapshot_release) =
		DATABASE_SNAPSHOT_INIT;
	const struct session_request wanted = {
		.command = "snapshot-db",
		.database = verb->database,
		.common = &verb->common,
	};

	if (verb->create.label && database_snapshot_check_label(verb->create.label, err) < 0)
		return -1;
	if (session_open(&session, &wanted, err) < 0)
		return -1;
	trusting_warn(&session.settings);
	if (database_snapshot_take(&snapshot, &session, &verb->create, err) < 0)
		return -1;
	report(&snapshot, &verb->common);
	return EXIT_DONE;
}
