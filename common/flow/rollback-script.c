/* SPDX-License-Identifier: MIT */
#include "flow/rollback-script.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/database-snapshot.h"
#include "term/amount.h"
#include "term/output.h"

void rollback_script_free(struct rollback_script *script)
{
	if (!script)
		return;
	strbuf_release(&script->text);
	free(script->entry.version);
	free(script->entry.name);
	free(script->expected_label);
	free(script->expected_fingerprint);
	catalog_release(&script->expected);
	free(script);
}

/* --- Is it a script? ------------------------------------------------------------------------ */

/* Other things that people have at hand when they want back, by the bytes in front. */
static const struct {
	const char *bytes;
	size_t len;
	const char *what;
} others[] = {
	{ "PGDMP", 5, "an archive of pg_dump's (custom format)" },
	{ "toc.dat\0", 8, "an archive of pg_dump's (tar format)" },
	{ "\x28\xb5\x2f\xfd", 4, "compressed (zstd)" },
	{ "\x1f\x8b", 2, "compressed (gzip)" },
	{ "\xfd\x37zXZ", 5, "compressed (xz)" },
	{ "BZh", 3, "compressed (bzip2)" },
	{ "PK\x03\x04", 4, "compressed (zip)" },
};

/* The comment that pg_dump and pg_dumpall begin with. */
static bool is_dump(const struct strbuf *text)
{
	static const char *const titles[] = { "-- PostgreSQL database dump",
					      "-- PostgreSQL database cluster dump" };
	const size_t front = 512;
	char *start CLEANUP(free_p) = xmemdupz(text->buf, text->len < front ? text->len : front);

	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		if (strstr(start, titles[i]))
			return true;
	return false;
}

static const char *other_kind(const struct strbuf *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (text->len >= others[i].len &&
		    !memcmp(text->buf, others[i].bytes, others[i].len))
			return others[i].what;
	return is_dump(text) ? "a dump of pg_dump's" : NULL;
}

static int refuse_other(const char *path, const char *what, struct error *err)
{
	error_refused(err, "'%s' is %s, not a rollback script", path, what);
	return error_hint(err, "Dumps and snapshots cannot be restored by this version; "
			       "a rollback script is SQL that takes something back.");
}

/* A folder, or a name that is no file but a snapshot's. */
static int explain_missing(const struct rollback_plan *plan, const char *path, struct error *err)
{
	struct database_snapshot snapshot CLEANUP(database_snapshot_release) =
		DATABASE_SNAPSHOT_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	const struct session *s = plan->session;
	char *root CLEANUP(free_p) = NULL;

	if (database_snapshot_root(&root, &s->settings, &s->repo, &ignored) == 0 &&
	    database_snapshot_find(&snapshot, root, path, &ignored) == 0)
		return refuse_other(path, "a snapshot of git snapshot-db's", err);
	errno = ENOENT;
	return error_errno(err, "cannot open '%s'", path);
}

static int refuse_folder(const char *path, struct error *err)
{
	char *contents CLEANUP(free_p) = xstrfmt("%s/toc.dat", path);

	return refuse_other(
		path, access(contents, F_OK) ? "a folder" : "an archive of pg_dump's (a folder)",
		err);
}

static int read_file(struct strbuf *ret, const struct rollback_plan *plan, struct error *err)
{
	const char *path = plan->request->script;
	const uint64_t limit = UINT64_C(1) << 30;
	int fd CLEANUP(fd_close_p) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return explain_missing(plan, path, err);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (S_ISDIR(st.st_mode))
		return refuse_folder(path, err);
	if (!S_ISREG(st.st_mode))
		return error_refused(err, "'%s' is not a file", path);
	if (file_read_up_to(ret, fd, path, limit, err) == FILE_TOO_LARGE)
		return error_refused(err, "'%s' is larger than 1 GiB", path);
	return error_is_set(err) ? -1 : 0;
}

/* --- What is expected --------------------------------------------------------------------------- */

static int read_expected(struct rollback_plan *plan, struct error *err)
{
	struct database_snapshot snapshot CLEANUP(database_snapshot_release) =
		DATABASE_SNAPSHOT_INIT;
	struct rollback_script *script = plan->script;
	const struct session *s = plan->session;
	const char *label = plan->request->expect;
	char *root CLEANUP(free_p) = NULL;

	if (!label)
		return 0;
	if (database_snapshot_root(&root, &s->settings, &s->repo, err) < 0 ||
	    database_snapshot_find(&snapshot, root, label, err) < 0 ||
	    database_snapshot_catalog(&script->expected, &snapshot, err) < 0)
		return error_prefix(err, "cannot prove the script by --expect");
	script->expected_label = xstrdup(snapshot.label);
	script->expected_fingerprint = xstrdup(snapshot.fingerprint);
	if (strcmp(snapshot.database, s->database.name) != 0)
		verdict_warn(&plan->verdict, "snapshot '%s' is of database '%s'", snapshot.label,
			     snapshot.database);
	return 0;
}

void rollback_script_prove(struct rollback_plan *plan, const struct catalog *now)
{
	const struct rollback_script *script = plan->script;

	if (script->expected_label)
		proof_compare(&plan->proof, &script->expected, now, output_utf8());
	else
		plan->proof.result = PROOF_UNRECORDED;
}

/* --- Plan --------------------------------------------------------------------------------------- */

/* The file's own, as far as the log has room for it. */
static char *name_of(const char *path)
{
	const size_t room = 255; /* characters */
	const char *slash = strrchr(path, '/');
	char *name CLEANUP(free_p) = text_escaped(slash ? slash + 1 : path);

	return xmemdupz(name, text_byte_offset(name, strlen(name), room));
}

int rollback_script_plan(struct rollback_plan *plan, struct error *err)
{
	const char *path = plan->request->script, *other;
	struct rollback_script *script = xcalloc(1, sizeof(*script));

	plan->script = script;
	if (read_file(&script->text, plan, err) < 0)
		return -1;
	other = other_kind(&script->text);
	if (other)
		return refuse_other(path, other, err);
	migration_checksum(script->checksum, script->text.buf, script->text.len);
	script->entry.version = xstrfmt("script-%.16s", script->checksum);
	script->entry.name = name_of(path);
	script->entry.execution_time_ms = -1;
	if (read_expected(plan, err) < 0)
		return -1;
	ARRAY_GROW(plan->step, 1, plan->alloc);
	plan->step[plan->nr++] = (struct rollback_step){ .applied = &script->entry };
	return 0;
}

static void refuse_outside(struct rollback_plan *plan, const struct sql_script *script)
{
	verdict_refuse(&plan->verdict, "'%s' cannot run in one transaction: %s", script->path,
		       script->why ? sql_kind_name(script->why->kind) :
				     "it is marked '" SQL_MARKER "'");
	verdict_hint(&plan->verdict,
		     "A rollback script is done as a whole or not at all. Make a migration of what "
		     "cannot be: its down script may run outside a transaction.");
}

int rollback_script_parse(struct rollback_plan *plan, struct rollback_step *step, struct error *err)
{
	const struct rollback_script *script = plan->script;
	const char *path = plan->request->script;

	if (sql_script_parse(&step->script, path, script->text.buf, script->text.len, err) < 0)
		return -1;
	if (!step->script.nr)
		return error_refused(err, "'%s' has no statement", path);
	if (step->script.no_transaction)
		refuse_outside(plan, &step->script);
	if (sql_script_secret(&step->script))
		verdict_warn(&plan->verdict,
			     "'%s' appears to hold a password; the script's text is kept in the "
			     "database's log",
			     path);
	return 0;
}

/* --- What applied migrations made ------------------------------------------------------------------ */

/* Sorted "kind identity" of what goes, as the catalog calls it. */
static void collect_gone(struct strvec *ret, const struct impact *impact)
{
	for (size_t i = 0; i < impact->nr; i++) {
		const struct impact_item *item = &impact->item[i];

		if (item->stays || item->kind == IMPACT_ROWS)
			continue;
		strvec_pushf(ret, "%s %s",
			     item->kind == IMPACT_COLUMN ? "column" :
			     item->relkind == 'f'	 ? "foreign table" :
			     item->relkind == 'S'	 ? "sequence" :
							   "table",
			     item->identity);
	}
	for (size_t i = 0; i < impact->drop_nr; i++)
		if (!impact->drop[i].why || strcmp(impact->drop[i].why, "part") != 0)
			strvec_pushf(ret, "%s %s", impact->drop[i].kind, impact->drop[i].identity);
	strvec_sort(ret);
}

static int warn_of_migration(struct rollback_plan *plan, const struct log_applied *log,
			     const struct strvec *gone, struct error *err)
{
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;
	struct strvec found CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf names CLEANUP(strbuf_release) = STRBUF_INIT;
	const size_t shown = 3;
	json_t *json CLEANUP(json_decref_p) = NULL;

	if (!log->objects)
		return 0;
	if (json_parse(&json, "what the log has of a migration's changes", log->objects,
		       strlen(log->objects), err) < 0 ||
	    catalog_changes_from_json(&changes, json, err) < 0)
		return -1;
	for (size_t i = 0; i < changes.nr; i++) {
		const struct catalog_change *change = &changes.item[i];
		char *name CLEANUP(free_p) = xstrfmt("%s %s", change->kind, change->identity);

		if (!*change->before_digest && !change->order && strvec_has_sorted(gone, name))
			strvec_push(&found, name);
	}
	for (size_t i = 0; i < found.nr && i < shown; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", found.v[i]);
	if (found.nr > shown)
		strbuf_addf(&names, ", and %zu more", found.nr - shown);
	if (found.nr)
		verdict_warn(&plan->verdict,
			     "it drops what migration '%s' made, which stays recorded as applied: "
			     "%s",
			     log->version, names.buf);
	return 0;
}

int rollback_script_check(struct rollback_plan *plan, struct error *err)
{
	struct log_applied_list logs CLEANUP(log_applied_list_release) = LOG_APPLIED_LIST_INIT;
	struct strvec gone CLEANUP(strvec_release) = STRVEC_INIT;
	struct session *s = plan->session;
	const struct ledger *ledger = &s->ledger;
	const char **versions CLEANUP(free_p) = xcalloc(ledger->nr + 1, sizeof(*versions));

	collect_gone(&gone, &plan->impact);
	for (size_t i = 0; i < ledger->nr; i++)
		versions[i] = ledger->item[i].version;
	if (!gone.nr || !ledger->nr)
		return 0;
	if (rollback_log_applied(&logs, &s->place, &s->db, versions, ledger->nr, err) < 0)
		return -1;
	for (size_t i = 0; i < logs.nr; i++)
		if (warn_of_migration(plan, &logs.item[i], &gone, err) < 0)
			return -1;
	return 0;
}

/* --- Showing it ----------------------------------------------------------------------------------- */

json_t *rollback_script_to_json(const struct rollback_plan *plan, bool executed)
{
	const struct rollback_script *script = plan->script;
	const struct rollback_step *step = &plan->step[0];
	json_t *ret =
		json_pack("{s:o, s:s, s:s, s:s, s:o, s:o}", "path",
			  json_text(plan->request->script), "name", script->entry.name, "version",
			  script->entry.version, "checksum", script->checksum, "statements",
			  json_size(step->script.nr), "expect", json_text(script->expected_label));

	if (executed) {
		json_object_set_new(ret, "done", json_boolean(step->done));
		json_object_set_new(ret, "execution_time_ms",
				    json_integer(step->microseconds / 1000));
	}
	return ret;
}

void rollback_script_text(struct strbuf *out, const struct rollback_plan *plan)
{
	const struct rollback_script *script = plan->script;

	strbuf_addstr(out, "Running the rollback script ");
	text_escape(out, plan->request->script, strlen(plan->request->script), false);
	strbuf_addstr(out, " (");
	amount_add_count(out, plan->step[0].script.nr, "statement", NULL);
	strbuf_addstr(out, ") in database ");
	text_escape(out, plan->session->database.name, strlen(plan->session->database.name), false);
	strbuf_addstr(out, ", in one transaction.\n");
	if (script->expected_label)
		strbuf_addf(out, "The schema then has to be that of snapshot %s.\n",
			    script->expected_label);
	strbuf_addstr(out, "The records of applied migrations stay as they are.\n");
}

const char *rollback_script_proof_text(const struct rollback_plan *plan)
{
	switch (plan->proof.result) {
	case PROOF_SKIPPED: return "";
	case PROOF_PROVEN: return "Proven: the schema is that of the snapshot.";
	case PROOF_UNRECORDED:
		return "Not proven: there is no snapshot to compare with (--expect).";
	case PROOF_DIFFERENT: return "Not proven: the schema is not that of the snapshot:";
	}
	BUG("unknown result %d", (int)plan->proof.result);
}
