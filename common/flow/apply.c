/* SPDX-License-Identifier: MIT */
#include "flow/apply.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/nearest.h"
#include "flow/change.h"
#include "flow/resume.h"
#include "flow/runner.h"
#include "migration/version.h"
#include "sql/digest.h"
#include "term/amount.h"
#include "term/output.h"
#include "term/progress.h"
#include "vcs/applied.h"

void apply_plan_release(struct apply_plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++) {
		struct apply_step *step = &plan->step[i];

		strbuf_release(&step->up_text);
		strbuf_release(&step->down_text);
		sql_script_release(&step->script);
		catalog_changes_release(&step->changes);
		strvec_release(&step->locks);
	}
	free(plan->step);
	free(plan->operation);
	verdict_release(&plan->verdict);
	*plan = (struct apply_plan)APPLY_PLAN_INIT;
}

/* --- plan: which ---------------------------------------------------------------------- */

static struct apply_step *add_step(struct apply_plan *plan, const char *version, const char *name)
{
	ARRAY_GROW(plan->step, plan->nr + 1, plan->alloc);
	plan->step[plan->nr] = (struct apply_step){
		.version = version,
		.name = name,
		.up_text = STRBUF_INIT,
		.down_text = STRBUF_INIT,
	};
	return &plan->step[plan->nr++];
}

static bool is_pending(const struct session *s, const struct migration *m)
{
	return m->up.path && !ledger_find(&s->ledger, m->version);
}

/* Is the path, from where we stand, the migration's own up script, and no other's? */
static bool is_its_path(const struct apply_plan *plan, const struct migration *m, const char *path)
{
	const struct session *s = plan->session;
	char *file CLEANUP(free_p) = NULL;
	struct stat a, b;

	if (m->up.oid)
		return !strcmp(path, m->up.path);
	file = *m->up.path == '/' ? xstrdup(m->up.path) : xstrfmt("%s/%s", s->files.root, m->up.path);
	return !stat(path, &a) && !stat(file, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A version, or the path of an up script, as somebody typed it. */
static const struct migration *named(const struct apply_plan *plan, const char *operand,
				     struct error *err)
{
	const struct migrations *files = &plan->session->files;
	bool is_up = false;
	char *from_path CLEANUP(free_p) =
		version_is_valid(operand) ? NULL : migration_path_version(operand, &is_up);
	const char *version = from_path && is_up ? from_path : operand;
	const struct migration *m = migrations_find(files, version);

	if (m && m->up.path && (version == operand || is_its_path(plan, m, operand)))
		return m;
	if (version != operand) {
		error_refused(err, "'%s' is no up script of this repository's migrations", operand);
		if (m && m->up.path)
			error_hint(err, "Did you mean '%s'?", m->up.path);
		return NULL;
	}
	error_refused(err, "there is no migration '%s'", operand);
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	for (size_t i = 0; i < files->nr; i++)
		strvec_push(&names, files->item[i].version);
	const char *nearest = nearest_name(version, &names);
	if (nearest)
		error_hint(err, "Did you mean '%s'?", nearest);
	else
		error_hint(err, "'git migration-status' lists what there is.");
	return NULL;
}

static int choose_named(struct apply_plan *plan, bool *chosen, struct error *err)
{
	const struct apply_request *request = plan->request;

	for (size_t i = 0; i < request->operands; i++) {
		const struct migration *m = named(plan, request->operand[i], err);

		if (!m)
			return -1;
		if (!is_pending(plan->session, m))
			verdict_refuse(&plan->verdict, "migration '%s' is applied already", m->version);
		else
			chosen[m - plan->session->files.item] = true;
	}
	return 0;
}

/* Marks which of session.files are meant: chosen[i] for files.item[i]. */
static int choose(struct apply_plan *plan, bool *chosen, struct error *err)
{
	const struct apply_request *request = plan->request;
	const struct session *s = plan->session;
	const struct migration *last = NULL;
	size_t limit = SIZE_MAX;

	if (request->operands)
		return choose_named(plan, chosen, err);
	if (request->mode == APPLY_TO || request->mode == APPLY_BASELINE) {
		last = named(plan, request->to, err);
		if (!last)
			return -1;
	}
	if (request->mode == APPLY_NEXT) {
		char *end;

		limit = strtoul(request->next, &end, 10);
		if (*end || !limit || *request->next == '-') {
			error_set(err, "option '--next' needs a number, not '%s'", request->next);
			return error_code(err, EXIT_USAGE);
		}
	}
	for (size_t i = 0; i < s->files.nr && limit; i++) {
		if (last && &s->files.item[i] > last)
			break;
		if (!is_pending(s, &s->files.item[i]))
			continue;
		chosen[i] = true;
		limit--;
	}
	return 0;
}

/* --- plan: may they ------------------------------------------------------------------- */

static const char *newest_applied(const struct session *s)
{
	const char *newest = NULL;

	for (size_t i = 0; i < s->ledger.nr; i++)
		if (!newest || version_compare(s->ledger.item[i].version, newest) > 0)
			newest = s->ledger.item[i].version;
	return newest;
}

static void check_file(struct apply_plan *plan, const struct migration *m)
{
	const struct apply_request *request = plan->request;
	const char *newest = newest_applied(plan->session);

	if (!m->down.path && !request->allow_missing_down) {
		verdict_refuse(&plan->verdict, "migration '%s' has no down script", m->up.path);
		verdict_hint(&plan->verdict,
			     "Write it, or use --allow-missing-down to do without a way back.");
	}
	if (newest && version_compare(m->version, newest) < 0 && !request->allow_out_of_order &&
	    request->mode != APPLY_BASELINE) {
		verdict_refuse(&plan->verdict, "migration '%s' comes before '%s', which is applied already",
			       m->version, newest);
		verdict_hint(&plan->verdict, "Use --allow-out-of-order to apply it all the same.");
	}
	if (version_prefix(m->version) > VERSION_MAX || strlen(m->name) > 255)
		verdict_refuse(&plan->verdict, "the name of '%s' is too long", m->up.path);
	if (text_utf8_check(m->name, strlen(m->name)) != strlen(m->name))
		verdict_refuse(&plan->verdict, "the name of '%s' is no UTF-8 text, and cannot be recorded",
			       m->up.path);
}

/* What makes every run wrong, whichever migrations are meant. */
static void check_all(struct apply_plan *plan)
{
	const struct session *s = plan->session;

	for (size_t i = 0; i < s->files.problems; i++) {
		const struct migration_problem *problem = &s->files.problem[i];

		if (problem->kind == PROBLEM_SAME_VERSION || problem->kind == PROBLEM_UNREADABLE)
			verdict_refuse(&plan->verdict, "%s", problem->text);
	}
	for (size_t i = 0; i < s->unfinished.nr && plan->request->mode != APPLY_CONTINUE; i++) {
		const struct log_unfinished *u = &s->unfinished.item[i];

		verdict_refuse(&plan->verdict, "migration '%s' was interrupted: statement %zu of %zu is done",
			       u->version, u->done, u->statements);
		if (u->down)
			verdict_hint(&plan->verdict, "Use 'git rollback-db %s' to finish its rollback.",
				     u->version);
		else
			verdict_hint(&plan->verdict,
				     "Use 'git apply-migration --continue' to finish it, or 'git rollback-db %s' "
				     "to undo it.",
				     u->version);
	}
	for (size_t i = 0; i < s->ledger.nr; i++) {
		const struct ledger_entry *entry = &s->ledger.item[i];
		const struct migration *m = migrations_find(&s->files, entry->version);

		if (m && m->up.path && entry->checksum && strcmp(entry->checksum, m->checksum) != 0)
			verdict_warn(&plan->verdict, "'%s' was changed after it was applied", m->up.path);
	}
}

static void check_script(struct apply_plan *plan, const struct apply_step *step)
{
	const struct sql_statement *secret = sql_script_secret(&step->script);

	if (secret)
		verdict_warn(&plan->verdict,
			     "'%s' appears to hold a password; the script's text is kept in git and in the "
			     "database's log",
			     step->script.path);
	if (!step->script.no_transaction)
		return;
	plan->outside = true;
	if (plan->request->single_transaction || plan->request->rehearse) {
		verdict_refuse(&plan->verdict, "migration '%s' runs outside a transaction%s%s", step->version,
			       step->script.why ? ": " : "",
			       step->script.why ? sql_kind_name(step->script.why->kind) : "");
		verdict_hint(&plan->verdict, plan->request->rehearse ?
						     "What runs outside a transaction cannot be rehearsed." :
						     "Leave out --single-transaction.");
	}
}

/* --- plan: their content -------------------------------------------------------------- */

/* A down script that PostgreSQL could not even read is no way back. */
static int check_down(const struct apply_step *step, const char *path, struct error *err)
{
	struct sql_script down CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;

	return sql_script_parse(&down, path, step->down_text.buf, step->down_text.len, err);
}

static int load_step(struct apply_plan *plan, struct apply_step *step, struct error *err)
{
	const struct migration *m = step->file;

	if (migrations_load(&step->up_text, &plan->session->files, &m->up, err) < 0)
		return -1;
	migration_checksum(step->checksum, step->up_text.buf, step->up_text.len);
	if (sql_script_parse(&step->script, m->up.path, step->up_text.buf, step->up_text.len, err) < 0)
		return -1;
	if (sql_token_digest(step->tokens, m->up.path, step->up_text.buf, step->up_text.len, err) < 0)
		return -1;
	if (!m->down.path)
		return 0;
	step->has_down = true;
	if (migrations_load(&step->down_text, &plan->session->files, &m->down, err) < 0)
		return -1;
	migration_checksum(step->down_checksum, step->down_text.buf, step->down_text.len);
	return check_down(step, m->down.path, err);
}

/* An interrupted one goes on from the copy in the log, whatever the file is by now. */
static int plan_continue(struct apply_plan *plan, struct error *err)
{
	const struct session *s = plan->session;

	for (size_t i = 0; i < s->unfinished.nr; i++) {
		const struct log_unfinished *u = &s->unfinished.item[i];
		struct apply_step *step;

		if (u->down) {
			verdict_refuse(&plan->verdict, "the rollback of '%s' was interrupted", u->version);
			verdict_hint(&plan->verdict, "Use 'git rollback-db %s' to finish it.", u->version);
			continue;
		}
		step = add_step(plan, u->version, u->name);
		step->unfinished = u;
		step->file = migrations_find(&s->files, u->version);
		strbuf_addstr(&step->up_text, u->up_sql);
		migration_checksum(step->checksum, step->up_text.buf, step->up_text.len);
		if (step->file && step->file->up.path && strcmp(step->file->checksum, step->checksum) != 0)
			verdict_warn(&plan->verdict,
				     "'%s' was changed since; it goes on with the script that was begun",
				     step->file->up.path);
		if (u->down_sql) {
			step->has_down = true;
			strbuf_addstr(&step->down_text, u->down_sql);
			migration_checksum(step->down_checksum, step->down_text.buf, step->down_text.len);
		}
		if (sql_script_parse(&step->script, step->file && step->file->up.path ? step->file->up.path : u->name,
				     step->up_text.buf, step->up_text.len, err) < 0)
			return -1;
		plan->outside = true;
	}
	if (!s->unfinished.nr) {
		error_set(err, "no migration was interrupted");
		return error_code(err, EXIT_NO);
	}
	return 0;
}

/* PostgreSQL's lock table is fixed at start: one transaction for very much runs out of it. */
static int check_lock_table(struct apply_plan *plan, struct error *err)
{
	const size_t locks_per_statement = 5, always_fits = 1000;
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	size_t most = 0, sum = 0;

	for (size_t i = 0; i < plan->nr; i++) {
		size_t locks = plan->step[i].script.nr * locks_per_statement;

		sum += locks;
		most = locks > most ? locks : most;
	}
	if (plan->request->single_transaction || plan->request->rehearse)
		most = sum;
	if (most <= always_fits)
		return 0;
	if (db_query(&res, &plan->session->db,
		     "SELECT current_setting('max_locks_per_transaction')::int8 *"
		     " (current_setting('max_connections')::int8 +"
		     " current_setting('max_prepared_transactions')::int8)",
		     0, NULL, err) < 0)
		return -1;
	if ((int64_t)most > db_int(&res, 0, 0))
		verdict_warn(&plan->verdict,
			     "one transaction may need %zu locks, and the server's table has room for about "
			     "%" PRId64 "; raise max_locks_per_transaction if it ends with 'out of shared memory'",
			     most, db_int(&res, 0, 0));
	return 0;
}

int apply_plan(struct apply_plan *ret, struct session *s, const struct apply_request *request,
	       struct error *err)
{
	bool *chosen CLEANUP(free_p) = xcalloc(s->files.nr, sizeof(*chosen));

	ret->session = s;
	ret->request = request;
	if (session_check_writable(s, err) < 0 || change_await(s, err) < 0)
		return -1;
	check_all(ret);
	if (request->mode == APPLY_CONTINUE)
		return plan_continue(ret, err);
	if (choose(ret, chosen, err) < 0)
		return -1;
	for (size_t i = 0; i < s->files.nr; i++) {
		if (!chosen[i])
			continue;
		struct apply_step *step = add_step(ret, s->files.item[i].version, s->files.item[i].name);

		step->file = &s->files.item[i];
		check_file(ret, step->file);
		if (step->file->unreadable)
			continue;
		if (load_step(ret, step, err) < 0)
			return error_prefix(err, "cannot apply migration '%s'", step->version);
		check_script(ret, step);
	}
	return check_lock_table(ret, err);
}

/* --- show ----------------------------------------------------------------------------- */

static json_t *step_to_json(const struct apply_step *step, bool executed)
{
	json_t *ret = json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "version", json_text(step->version),
				"name", json_text(step->name), "up",
				json_text(step->file ? step->file->up.path : NULL), "down",
				json_text(step->file ? step->file->down.path : NULL), "checksum",
				json_text(step->checksum), "transaction", !step->script.no_transaction,
				"statements", json_size(step->script.nr));

	if (step->unfinished)
		json_object_set_new(ret, "continues_after", json_size(step->unfinished->done));
	if (!executed)
		return ret;
	json_object_set_new(ret, "done", json_boolean(step->done));
	if (step->done)
		json_object_set_new(ret, "execution_time_ms", json_integer(step->microseconds / 1000));
	json_object_set_new(ret, "changes", catalog_changes_to_json(&step->changes));
	if (step->locks.nr) {
		json_t *locks = json_array();

		for (size_t i = 0; i < step->locks.nr; i++)
			json_array_append_new(locks, json_text(step->locks.v[i]));
		json_object_set_new(ret, "locks", locks);
	}
	return ret;
}

static json_t *plan_to_json(const struct apply_plan *plan, bool executed)
{
	json_t *ret = json_pack("{s:i, s:s, s:o, s:b, s:b, s:b}", "format", 1, "command", "apply-migration",
				"database", json_text(plan->session->database.name), "dry_run",
				plan->request->common.dry_run, "rehearse", plan->request->rehearse,
				"single_transaction", plan->request->single_transaction);
	json_t *steps = json_array();

	verdict_to_json(&plan->verdict, ret);
	for (size_t i = 0; i < plan->nr; i++)
		json_array_append_new(steps, step_to_json(&plan->step[i], executed));
	json_object_set_new(ret, "steps", steps);
	return ret;
}

static const char *verb(const struct apply_request *request)
{
	switch (request->mode) {
	case APPLY_BASELINE:
		return "record as applied, without running";
	case APPLY_CONTINUE:
		return "go on with";
	default:
		return request->rehearse ? "rehearse" : "apply";
	}
}

void apply_show(const struct apply_plan *plan)
{
	const struct common_options *common = &plan->request->common;

	if (common->json) {
		/* What is carried out is printed with what came of it: apply_report(). */
		if (common->dry_run || !verdict_is_clean(&plan->verdict)) {
			json_t *json CLEANUP(json_decref_p) = plan_to_json(plan, false);

			json_print(json);
		}
		if (!common->dry_run)
			verdict_print(&plan->verdict, false);
		return;
	}
	verdict_print(&plan->verdict, common->dry_run);
	if (!common->dry_run && !common->verbose)
		return;
	printf("Database %s: %zu to %s.\n", plan->session->database.name, plan->nr, verb(plan->request));
	for (size_t i = 0; i < plan->nr; i++) {
		const struct apply_step *step = &plan->step[i];
		char *name CLEANUP(free_p) = text_escaped(step->name);

		printf("  %s %s", step->version, name);
		if (step->unfinished)
			printf(" (after statement %zu of %zu)", step->unfinished->done, step->script.nr);
		if (step->script.no_transaction)
			printf(" (outside a transaction: %s)",
			       step->script.why ? sql_kind_name(step->script.why->kind) : "as it is marked");
		putchar('\n');
	}
}

/* --- execute -------------------------------------------------------------------------- */

struct apply_run {
	struct apply_plan *plan;
	struct change change;
	struct catalog catalog;
	bool proof;
	struct applied_scripts *scripts; /* one a step */
	struct applied_refs refs;	 /* for all of them, in git's hands */
	bool unpublished;		 /* the refs are not there: the operation stays open */
};

static void run_release(struct apply_run *run)
{
	applied_abandon(&run->refs);
	for (size_t i = 0; run->scripts && i < run->plan->nr; i++)
		free(run->scripts[i].tree);
	free(run->scripts);
	catalog_release(&run->catalog);
	change_release(&run->change);
}

/*
 * The scripts as git objects, to which nothing points yet; and what the journal has to
 * know to make the refs (json_decref() it).
 */
static int keep_scripts(json_t **ret_members, struct apply_run *run, struct error *err)
{
	struct apply_plan *plan = run->plan;
	json_t *list = json_array();

	run->scripts = xcalloc(plan->nr, sizeof(*run->scripts));
	for (size_t i = 0; i < plan->nr; i++) {
		const struct apply_step *step = &plan->step[i];

		run->scripts[i] = (struct applied_scripts){
			.version = step->version,
			.checksum = step->checksum,
			.up = step->up_text.buf,
			.up_len = step->up_text.len,
			.down = step->has_down ? step->down_text.buf : NULL,
			.down_len = step->down_text.len,
		};
	}
	if (applied_write(run->scripts, plan->nr, err) < 0) {
		json_decref(list);
		return -1;
	}
	for (size_t i = 0; i < plan->nr; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "version", run->scripts[i].version,
						      "checksum", run->scripts[i].checksum, "tree",
						      run->scripts[i].tree));
	*ret_members = json_pack("{s:o}", "scripts", list);
	return 0;
}

static struct log_record log_record_of(const struct apply_run *run, const struct apply_step *step)
{
	return (struct log_record){
		.operation = run->change.operation.id,
		.command = "apply-migration",
		.version = step->version,
		.name = step->name,
		.direction = run->plan->request->mode == APPLY_BASELINE ? "baseline" : "up",
		.who = run->change.who,
		.git_commit = run->change.git_commit,
		.up_checksum = step->checksum,
		.down_checksum = step->has_down ? step->down_checksum : NULL,
		.up_tokens = *step->tokens ? step->tokens : NULL,
		.up_sql = step->script.text,
		.down_sql = step->has_down ? step->down_text.buf : NULL,
		.statements = step->script.nr,
	};
}

/* Reads what the step changed; `before` gets the fingerprint from before, when there is proof. */
static int note_changes(struct apply_run *run, struct apply_step *step, struct error *err)
{
	return run->proof ? catalog_refresh(&run->catalog, &run->plan->session->db, &step->changes, err) : 0;
}

static char *changes_text(const struct apply_run *run, const struct apply_step *step)
{
	json_t *json CLEANUP(json_decref_p) = NULL;

	/* What a baseline stands for was not seen to happen. */
	if (!run->proof || run->plan->request->mode == APPLY_BASELINE)
		return NULL;
	json = catalog_changes_to_json(&step->changes);
	return json_dumps(json, JSON_COMPACT);
}

/* Adds the step's rows in ledger and log. */
static void add_records(struct apply_run *run, const struct apply_step *step, const char *before,
			int64_t milliseconds, struct db_batch *batch)
{
	const struct ledger_place *place = &run->plan->session->place;
	struct log_record record = log_record_of(run, step);
	char *objects CLEANUP(free_p) = changes_text(run, step);

	record.fingerprint_before = before;
	record.fingerprint_after = run->proof ? catalog_fingerprint(&run->catalog) : NULL;
	record.objects = objects;
	ledger_add_insert(batch, place, step->version, step->name, step->checksum, milliseconds);
	rollback_log_add_done(batch, place, &record);
}

/* The fingerprint as it is now, as a copy; NULL without proof. */
static char *fingerprint_now(struct apply_run *run)
{
	return run->proof ? xstrdup(catalog_fingerprint(&run->catalog)) : NULL;
}

static int script_failed(const struct apply_run *run, const struct apply_step *step, struct error *err)
{
	error_prefix(err, "could not apply migration '%s'", step->version);
	if (err->exit_code == EXIT_INTERRUPTED)
		return -1;
	if (db_is_lost(&run->plan->session->db))
		return error_hint(err, "Nothing of it is left. Run the command again once the server answers.");
	if (run->plan->request->rehearse || run->plan->request->single_transaction)
		return error_hint(err, "Nothing was changed. Correct the script and run the command again.");
	return error_hint(err, "Nothing of it is left; what was applied before it stays. "
			       "Correct the script and run the command again.");
}

/* The script and what it takes, behind what is in the batch. */
static int run_script(struct apply_run *run, struct apply_step *step, struct db_batch *batch,
		      struct error *err)
{
	int64_t start = clock_monotonic();

	if (change_run(&run->change, batch, &step->script, err) < 0)
		return script_failed(run, step, err);
	step->microseconds = clock_monotonic() - start;
	return 0;
}

/*
 * Script and records, inside a transaction that the batch may have yet to begin. With
 * proof the catalog is read in between; without, all of it is one round trip.
 */
static int run_inside(struct apply_run *run, struct apply_step *step, struct db_batch *batch,
		      struct error *err)
{
	struct db_batch records CLEANUP(db_batch_release) = DB_BATCH_INIT;
	char *before CLEANUP(free_p) = fingerprint_now(run);

	if (run->plan->request->mode != APPLY_BASELINE)
		runner_add_script(batch, &run->plan->session->db, &step->script);
	if (!run->proof)
		add_records(run, step, NULL, -1, batch);
	if (run_script(run, step, batch, err) < 0)
		return -1;
	if (!run->proof)
		return 0;
	if (note_changes(run, step, err) < 0)
		return -1;
	add_records(run, step, before, step->microseconds / 1000, &records);
	if (change_run(&run->change, &records, NULL, err) < 0)
		return error_prefix(err, "could not record migration '%s'", step->version);
	return 0;
}

static void print_done(const struct apply_plan *plan, const struct apply_step *step)
{
	struct strbuf time CLEANUP(strbuf_release) = STRBUF_INIT;
	char *name CLEANUP(free_p) = text_escaped(step->name);

	if (plan->request->common.json || plan->request->common.quiet)
		return;
	amount_add_duration(&time, step->microseconds);
	printf("%s %s %s (%s)\n", mark_text(MARK_DONE, output_utf8()), step->version, name,
	       plan->request->mode == APPLY_BASELINE ? "recorded" : time.buf);
}

static int commit_step(struct apply_run *run, struct apply_step *step, struct error *err)
{
	if (change_commit(&run->change, step->version, err) < 0)
		return -1;
	step->done = true;
	return 0;
}

static int step_transaction(struct apply_run *run, struct apply_step *step, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (change_transaction(&run->change, &batch, err) < 0)
		return -1;
	if (run_inside(run, step, &batch, err) < 0) {
		db_rollback(&run->plan->session->db);
		return -1;
	}
	return commit_step(run, step, err);
}

static int begin_outside(struct apply_run *run, struct apply_step *step, const char *before,
			 struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	struct log_record record = log_record_of(run, step);
	int committed;

	record.fingerprint_before = before;
	if (change_transaction(&run->change, &batch, err) < 0)
		return -1;
	rollback_log_add_running(&batch, &run->plan->session->place, &record);
	if (change_run(&run->change, &batch, NULL, err) < 0)
		return -1;
	committed = change_commit(&run->change, step->version, err);
	if (committed != CHANGE_COMMITTED_LOST)
		return committed;
	/* The lock went with the connection. */
	error_set(err, "lost the connection before migration '%s' was begun", step->version);
	return error_hint(err, "Use 'git apply-migration --continue' to run it.");
}

static int end_outside(struct apply_run *run, struct apply_step *step, const char *operation,
		       struct error *err)
{
	const struct ledger_place *place = &run->plan->session->place;
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	char *objects CLEANUP(free_p) = NULL;

	if (note_changes(run, step, err) < 0)
		return -1;
	/* Only what happened in this run is known: after a break, not all of it. */
	objects = step->unfinished ? NULL : changes_text(run, step);
	if (change_transaction(&run->change, &batch, err) < 0)
		return -1;
	ledger_add_insert(&batch, place, step->version, step->name, step->checksum,
			  step->microseconds / 1000);
	rollback_log_add_end(&batch, place, operation, step->version, "done",
			     run->proof ? catalog_fingerprint(&run->catalog) : NULL, objects);
	if (change_run(&run->change, &batch, NULL, err) < 0)
		return error_prefix(err, "could not record migration '%s'", step->version);
	return commit_step(run, step, err);
}

/* Nothing had happened yet: the log needs no unfinished row. True when it has none now. */
static bool forget_unbegun(struct apply_run *run, struct apply_step *step, const char *operation)
{
	struct session *s = run->plan->session;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (db_is_lost(&s->db))
		return false;
	rollback_log_add_forget(&batch, &s->place, operation, step->version);
	if (db_batch_run(&s->db, &batch, NULL, &ignored) < 0)
		return false; /* it stays, and status shows it */
	return batch.item[0].rows == 1;
}

static int step_outside(struct apply_run *run, struct apply_step *step, struct error *err)
{
	struct session *s = run->plan->session;
	const char *operation = step->unfinished ? step->unfinished->operation : run->change.operation.id;
	char *before CLEANUP(free_p) = fingerprint_now(run);
	size_t from = 0;
	int64_t start = clock_monotonic();

	if (step->unfinished) {
		if (resume_point(&from, s, &step->script, step->unfinished, err) < 0)
			return -1;
	} else if (begin_outside(run, step, before, err) < 0) {
		return -1;
	}
	if (runner_run_outside(s, &step->script, operation, step->version, from, err) < 0) {
		struct error ignored CLEANUP(error_release) = ERROR_INIT;

		error_prefix(err, "could not apply migration '%s'", step->version);
		if (!db_is_lost(&s->db) && transaction_reset_session(&s->db, &ignored) == 0 &&
		    forget_unbegun(run, step, operation))
			return error_hint(err, "Nothing of it is left; what was applied before it stays. "
					       "Correct the script and run the command again.");
		error_hint(err, "It runs outside a transaction, so what was done before stays; "
				"'git migration-status' shows how far it came.");
		return error_hint(err, "Use 'git apply-migration --continue' to go on, or 'git rollback-db %s' to "
				       "undo it.",
				  step->version);
	}
	step->microseconds = clock_monotonic() - start;
	return end_outside(run, step, operation, err);
}

/*
 * Makes the refs of what was committed, also when a later step failed. Without them the
 * journal keeps what is needed to make them, and the database's log keeps the scripts.
 */
static int publish(struct apply_run *run, struct error *err)
{
	size_t done = 0;
	int ret;

	while (done < run->plan->nr && run->plan->step[done].done)
		done++;
	if (done == run->plan->nr) {
		ret = applied_commit(&run->refs, err);
	} else {
		applied_abandon(&run->refs);
		ret = applied_publish(run->scripts, done, err);
	}
	if (!ret)
		json_object_del(run->change.operation.record, "scripts");
	return ret;
}

/* What is committed is committed: refs that cannot be made are no failure of the run. */
static void publish_or_warn(struct apply_run *run)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (publish(run, &err) == 0)
		return;
	warning("%s", err.message);
	hint("The next 'git apply-migration' or 'git rollback-db' makes them.");
	run->unpublished = true;
}

static int run_each(struct apply_run *run, struct error *err)
{
	struct apply_plan *plan = run->plan;
	struct progress progress CLEANUP(progress_abandon) = PROGRESS_INIT;
	const struct common_options *common = &plan->request->common;

	progress_start(&progress, "Applying migrations", plan->nr, PROGRESS_COUNT,
		       common->quiet || common->json ? 0 : common->progress);
	for (size_t i = 0; i < plan->nr; i++) {
		struct apply_step *step = &plan->step[i];
		bool outside = step->script.no_transaction && plan->request->mode != APPLY_BASELINE;

		if (interrupt_pending())
			return error_interrupted(err);
		if ((outside ? step_outside(run, step, err) : step_transaction(run, step, err)) < 0)
			return -1;
		progress_hide(&progress);
		print_done(plan, step);
		progress_update(&progress, i + 1);
		if (run->change.reconnected && i + 1 < plan->nr)
			return error_set(err, "lost the connection after migration '%s' was committed",
					 step->version);
	}
	progress_finish(&progress);
	return 0;
}

static int run_single(struct apply_run *run, struct error *err)
{
	struct apply_plan *plan = run->plan;

	for (size_t i = 0; i < plan->nr; i++) {
		struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

		if (!i && change_transaction(&run->change, &batch, err) < 0)
			return -1;
		if (interrupt_pending() ? error_interrupted(err) :
					  run_inside(run, &plan->step[i], &batch, err)) {
			db_rollback(&plan->session->db);
			return -1;
		}
	}
	if (change_commit(&run->change, "the run", err) < 0)
		return -1;
	for (size_t i = 0; i < plan->nr; i++) {
		plan->step[i].done = true;
		print_done(plan, &plan->step[i]);
	}
	return 0;
}

/* Did one of the first `nr` steps take this lock already? */
static bool was_locked(const struct apply_plan *plan, size_t nr, const char *lock)
{
	for (size_t i = 0; i < nr; i++)
		if (strvec_has(&plan->step[i].locks, lock))
			return true;
	return false;
}

/* What step `index` has locked beyond those before it, but for the system's own catalogs. */
static int read_locks(struct apply_plan *plan, size_t index, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db,
		     "SELECT DISTINCT pg_catalog.format('%I.%I: %s', n.nspname, c.relname, l.mode)"
		     " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation"
		     " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		     " WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted"
		     " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
		     " AND l.mode <> 'AccessShareLock' ORDER BY 1",
		     0, NULL, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++)
		if (!was_locked(plan, index, db_value(&res, row, 0)))
			strvec_push(&plan->step[index].locks, db_value(&res, row, 0));
	return 0;
}

/* What its COMMIT would find, a rehearsal has to find too. */
static int check_deferred(const struct apply_step *step, struct db *db, struct error *err)
{
	if (db_exec(db, "SET CONSTRAINTS ALL IMMEDIATE", err) == 0 &&
	    db_exec(db, "SET CONSTRAINTS ALL DEFERRED", err) == 0)
		return 0;
	return error_prefix(err, "could not apply migration '%s'", step->version);
}

static int rehearse(struct apply_run *run, struct error *err)
{
	struct apply_plan *plan = run->plan;
	struct db *db = &plan->session->db;
	int ret = 0;

	for (size_t i = 0; i < plan->nr && !ret; i++) {
		struct apply_step *step = &plan->step[i];
		struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

		if (!i && change_transaction(&run->change, &batch, err) < 0)
			return -1;
		runner_add_script(&batch, db, &step->script);
		ret = interrupt_pending() ? error_interrupted(err) : run_script(run, step, &batch, err);
		if (!ret && (check_deferred(step, db, err) < 0 || note_changes(run, step, err) < 0 ||
			     read_locks(plan, i, db, err) < 0))
			ret = -1;
		step->done = !ret;
	}
	db_rollback(db);
	return ret;
}

static int execute(struct apply_run *run, struct error *err)
{
	struct apply_plan *plan = run->plan;
	const struct apply_request *request = plan->request;
	json_t *members CLEANUP(json_decref_p) = NULL;
	int ret;

	if ((!request->rehearse && keep_scripts(&members, run, err) < 0) ||
	    change_begin(&run->change, plan->session, plan->outside, members, err) < 0)
		return -1;
	plan->operation = xstrdup(run->change.operation.id);
	if (!request->rehearse &&
	    (change_create_tables(&run->change, err) < 0 ||
	     applied_prepare(&run->refs, run->scripts, plan->nr, err) < 0))
		return -1;
	if (run->proof &&
	    catalog_read(&run->catalog, &plan->session->db, &plan->session->scope, err) < 0)
		return error_prefix(err, "could not read the catalog");
	if (request->rehearse)
		return rehearse(run, err);
	ret = request->single_transaction ? run_single(run, err) : run_each(run, err);
	publish_or_warn(run);
	return ret;
}

int apply_execute(struct apply_plan *plan, struct error *err)
{
	struct apply_run run CLEANUP(run_release) = {
		.plan = plan,
		.change = CHANGE_INIT,
		.refs = APPLIED_REFS_INIT,
		.proof = !plan->request->no_proof,
	};
	struct error second CLEANUP(error_release) = ERROR_INIT;
	int ret;

	if (!plan->nr)
		return change_settle(plan->session, err);
	ret = execute(&run, err);

	/* An operation whose outcome is not known stays open: the next command settles it. */
	if (!run.change.operation.id || run.unpublished ||
	    (ret < 0 && db_is_lost(&plan->session->db)))
		return ret;
	if (change_end(&run.change,
		       !ret				       ? "done" :
		       err->exit_code == EXIT_INTERRUPTED ? "interrupted" :
							    "failed",
		       &second) < 0) {
		warning("%s", second.message);
	}
	return ret;
}

/* --- report --------------------------------------------------------------------------- */

static void report_rehearsal(const struct apply_plan *plan)
{
	bool utf8 = output_utf8();

	for (size_t i = 0; i < plan->nr; i++) {
		const struct apply_step *step = &plan->step[i];
		struct strbuf time CLEANUP(strbuf_release) = STRBUF_INIT;
		char *name CLEANUP(free_p) = text_escaped(step->name);

		amount_add_duration(&time, step->microseconds);
		printf("%s %s (%s)\n", step->version, name, time.buf);
		for (size_t k = 0; k < step->changes.nr; k++) {
			const struct catalog_change *change = &step->changes.item[k];
			struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
			struct strbuf shown CLEANUP(strbuf_release) = STRBUF_INIT;

			if (!change->before)
				strbuf_addf(&line, "+ %s %s", change->kind, change->identity);
			else if (!change->after)
				strbuf_addf(&line, "- %s %s", change->kind, change->identity);
			else {
				strbuf_addstr(&line, "~ ");
				catalog_difference_text(&line, change->kind, change->identity, change->before,
							change->after, utf8);
			}
			text_escape(&shown, line.buf, line.len, false);
			printf("  %s\n", shown.buf);
		}
		for (size_t k = 0; k < step->locks.nr; k++) {
			char *lock CLEANUP(free_p) = text_escaped(step->locks.v[k]);

			printf("  lock %s\n", lock);
		}
	}
	printf("Everything was rolled back.\n");
}

void apply_report(const struct apply_plan *plan, const struct error *failure)
{
	const struct common_options *common = &plan->request->common;

	if (common->json) {
		json_t *json CLEANUP(json_decref_p) = plan_to_json(plan, true);

		json_object_set_new(json, "operation", json_text(plan->operation));
		json_object_set_new(json, "outcome", json_string(failure ? "failed" : "done"));
		if (failure)
			json_object_set_new(json, "error", error_to_json(failure));
		json_print(json);
		return;
	}
	if (failure || common->quiet)
		return;
	if (!plan->nr && !plan->session->files.folder)
		printf("Nothing to apply: no folder with migrations was found.\n");
	else if (!plan->nr)
		printf("Nothing to apply: database %s is up to date.\n", plan->session->database.name);
	else if (plan->request->rehearse)
		report_rehearsal(plan);
}
