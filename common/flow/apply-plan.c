/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include "base/memory.h"
#include "base/nearest.h"
#include "base/text.h"
#include "flow/apply.h"
#include "flow/change.h"
#include "migration/version.h"
#include "sql/digest.h"
#include "sql/parser.h"

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
	free(plan->snapshot);
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
	file = *m->up.path == '/' ? xstrdup(m->up.path) :
				    xstrfmt("%s/%s", s->files.root, m->up.path);
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
			verdict_refuse(&plan->verdict, "migration '%s' is applied already",
				       m->version);
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
	if (request->mode == APPLY_NEXT)
		limit = (size_t)request->next;
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

	if (!m->down.path && !request->allow_missing_down && request->mode != APPLY_BASELINE) {
		verdict_refuse(&plan->verdict, "migration '%s' has no down script", m->up.path);
		verdict_hint(&plan->verdict,
			     "Write it, or use --allow-missing-down to do without a way back.");
	}
	if (newest && version_compare(m->version, newest) < 0 && !request->allow_out_of_order &&
	    request->mode != APPLY_BASELINE) {
		verdict_refuse(&plan->verdict,
			       "migration '%s' comes before '%s', which is applied already",
			       m->version, newest);
		verdict_hint(&plan->verdict, "Use --allow-out-of-order to apply it all the same.");
	}
	if (version_prefix(m->version) > VERSION_MAX || strlen(m->name) > 255)
		verdict_refuse(&plan->verdict, "the name of '%s' is too long", m->up.path);
	if (text_utf8_check(m->name, strlen(m->name)) != strlen(m->name))
		verdict_refuse(&plan->verdict,
			       "the name of '%s' is no UTF-8 text, and cannot be recorded",
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

		verdict_refuse(&plan->verdict,
			       "migration '%s' was interrupted: statement %zu of %zu is done",
			       u->version, u->done, u->statements);
		if (u->down)
			verdict_hint(&plan->verdict,
				     "Use 'git rollback-db %s' to finish its rollback.",
				     u->version);
		else
			verdict_hint(
				&plan->verdict,
				"Use 'git apply-migration --continue' to finish it, or 'git rollback-db %s' "
				"to undo it.",
				u->version);
	}
	for (size_t i = 0; i < s->ledger.nr; i++) {
		const struct ledger_entry *entry = &s->ledger.item[i];
		const struct migration *m = migrations_find(&s->files, entry->version);

		if (m && m->up.path && entry->checksum && strcmp(entry->checksum, m->checksum) != 0)
			verdict_warn(&plan->verdict, "'%s' was changed after it was applied",
				     m->up.path);
	}
}

static void check_script(struct apply_plan *plan, const struct apply_step *step)
{
	const struct sql_statement *secret = sql_script_secret(&step->script);

	if (secret)
		verdict_warn(
			&plan->verdict,
			"'%s' appears to hold a password; the script's text is kept in git and in the "
			"database's log",
			step->script.path);
	if (!step->script.no_transaction)
		return;
	plan->outside = true;
	if (plan->request->single_transaction || plan->request->rehearse) {
		verdict_refuse(&plan->verdict, "migration '%s' runs outside a transaction%s%s",
			       step->version, step->script.why ? ": " : "",
			       step->script.why ? sql_kind_name(step->script.why->kind) : "");
		verdict_hint(&plan->verdict,
			     plan->request->rehearse ?
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

static int load_down(struct apply_plan *plan, struct apply_step *step, struct error *err)
{
	const struct migration *m = step->file;

	step->has_down = true;
	if (migrations_load(&step->down_text, &plan->session->files, &m->down, err) < 0)
		return -1;
	migration_checksum(step->down_checksum, step->down_text.buf, step->down_text.len);
	return 0;
}

static int load_step(struct apply_plan *plan, struct apply_step *step, struct error *err)
{
	const struct migration *m = step->file;

	if (migrations_load(&step->up_text, &plan->session->files, &m->up, err) < 0)
		return -1;
	migration_checksum(step->checksum, step->up_text.buf, step->up_text.len);
	if (sql_script_parse(&step->script, m->up.path, step->up_text.buf, step->up_text.len, err) <
	    0)
		return -1;
	if (sql_token_digest(step->tokens, m->up.path, step->up_text.buf, step->up_text.len, err) <
	    0)
		return -1;
	if (!m->down.path)
		return 0;
	return load_down(plan, step, err) < 0 ? -1 : check_down(step, m->down.path, err);
}

/* For a baseline, which runs nothing: a script that could not be run is only warned of. */
static int load_unrun(struct apply_plan *plan, struct apply_step *step, struct error *err)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	if (load_step(plan, step, &reason) == 0)
		return 0;
	if (!*step->checksum ||
	    (step->file->down.path && !step->has_down && load_down(plan, step, err) < 0)) {
		if (!error_is_set(err))
			error_move(err, &reason);
		return -1;
	}
	verdict_warn(&plan->verdict, "migration '%s' could not be applied as it is: %s",
		     step->version, reason.message);
	return 0;
}

/* An interrupted one goes on from the copy in the log, whatever the file is by now. */
static int plan_continue(struct apply_plan *plan, struct error *err)
{
	const struct session *s = plan->session;

	for (size_t i = 0; i < s->unfinished.nr; i++) {
		const struct log_unfinished *u = &s->unfinished.item[i];
		struct apply_step *step;

		if (u->down) {
			verdict_refuse(&plan->verdict, "the rollback of '%s' was interrupted",
				       u->version);
			verdict_hint(&plan->verdict, "Use 'git rollback-db %s' to finish it.",
				     u->version);
			continue;
		}
		if (!u->up_sql) {
			error_set(err,
				  "the database's log no longer has the script of migration '%s'",
				  u->version);
			return error_hint(err, "Use 'git rollback-db %s' to undo it.", u->version);
		}
		step = add_step(plan, u->version, u->name);
		step->unfinished = u;
		step->file = migrations_find(&s->files, u->version);
		strbuf_addstr(&step->up_text, u->up_sql);
		migration_checksum(step->checksum, step->up_text.buf, step->up_text.len);
		if (step->file && step->file->up.path &&
		    strcmp(step->file->checksum, step->checksum) != 0)
			verdict_warn(
				&plan->verdict,
				"'%s' was changed since; it goes on with the script that was begun",
				step->file->up.path);
		if (u->down_sql) {
			step->has_down = true;
			strbuf_addstr(&step->down_text, u->down_sql);
			migration_checksum(step->down_checksum, step->down_text.buf,
					   step->down_text.len);
		}
		if (sql_script_parse(&step->script,
				     step->file && step->file->up.path ? step->file->up.path :
									 u->name,
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

/* One transaction holds the locks of a script, or of all of them. */
static int check_lock_table(struct apply_plan *plan, struct error *err)
{
	size_t most = 0, sum = 0;

	for (size_t i = 0; i < plan->nr; i++) {
		size_t statements = plan->step[i].script.nr;

		sum += statements;
		most = statements > most ? statements : most;
	}
	if (plan->request->single_transaction || plan->request->rehearse)
		most = sum;
	return change_check_lock_table(plan->session, most, &plan->verdict, err);
}

static int plan_file(struct apply_plan *plan, const struct migration *file, struct error *err)
{
	bool baseline = plan->request->mode == APPLY_BASELINE;
	struct apply_step *step = add_step(plan, file->version, file->name);

	step->file = file;
	check_file(plan, file);
	if (file->unreadable)
		return 0;
	if ((baseline ? load_unrun(plan, step, err) : load_step(plan, step, err)) < 0)
		return error_prefix(err, "cannot apply migration '%s'", step->version);
	if (!baseline)
		check_script(plan, step);
	return 0;
}

/* Some of the chosen files, planned on the parser's thread. */
struct plan_job {
	struct apply_plan *plan;
	const bool *chosen;
	size_t next; /* in session.files */
	struct error *err;
	int result;
};

static void plan_job_run(void *data)
{
	struct plan_job *job = data;
	const struct migrations *files = &job->plan->session->files;

	for (size_t nr = 0; job->next < files->nr && nr < SQL_PARSER_SCRIPTS; job->next++) {
		if (!job->chosen[job->next])
			continue;
		job->result = plan_file(job->plan, &files->item[job->next], job->err);
		if (job->result < 0)
			return;
		nr++;
	}
}

static int plan_files(struct apply_plan *plan, const bool *chosen, struct error *err)
{
	struct plan_job job = { .plan = plan, .chosen = chosen, .err = err };

	while (job.next < plan->session->files.nr) {
		if (!chosen[job.next])
			job.next++;
		else if (sql_parser_run(plan_job_run, &job, err) < 0 || job.result < 0)
			return -1;
	}
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
	if (choose(ret, chosen, err) < 0 || plan_files(ret, chosen, err) < 0)
		return -1;
	return check_lock_table(ret, err);
}
