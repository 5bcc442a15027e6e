/* SPDX-License-Identifier: MIT */
#include "flow/change.h"
#include "flow/hook.h"
#include "flow/rollback-advice.h"
#include "flow/rollback-script.h"

#include <errno.h>

#include "base/memory.h"
#include "base/nearest.h"
#include "config/key.h"
#include "migration/version.h"
#include "sql/parser.h"

void rollback_plan_release(struct rollback_plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++)
		sql_script_release(&plan->step[i].script);
	free(plan->step);
	free(plan->operation);
	keep_release(&plan->keep);
	free(plan->taken_back);
	impact_release(&plan->impact);
	rehearsed_release(&plan->rehearsed);
	checklist_release(&plan->checklist);
	rollback_record_release(&plan->record);
	json_decref(plan->saved);
	down_search_release(&plan->search);
	rollback_script_free(plan->script);
	log_applied_list_release(&plan->log);
	verdict_release(&plan->verdict);
	proof_release(&plan->proof);
	*plan = (struct rollback_plan)ROLLBACK_PLAN_INIT;
}

static struct rollback_step *add_step(struct rollback_plan *plan,
				      const struct ledger_entry *applied)
{
	ARRAY_GROW(plan->step, plan->nr + 1, plan->alloc);
	plan->step[plan->nr] = (struct rollback_step){ .applied = applied };
	return &plan->step[plan->nr++];
}

/* --- targets ------------------------------------------------------------------------------ */

static int unknown_version(const struct session *s, const char *version, struct error *err)
{
	const struct migration *file = migrations_find(&s->files, version);
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	const char *nearest;

	if (file && file->up.path) {
		error_refused(err, "migration '%s' is not applied in database '%s'", version,
			      s->database.name);
		return -1;
	}
	error_refused(err, "there is no migration '%s' in database '%s'", version,
		      s->database.name);
	for (size_t i = 0; i < s->ledger.nr; i++)
		strvec_push(&names, s->ledger.item[i].version);
	nearest = nearest_name(version, &names);
	if (nearest)
		return error_hint(err, "Did you mean '%s'?", nearest);
	if (s->ledger.nr)
		return error_hint(err, "The newest one applied is '%s'.",
				  s->ledger.item[s->ledger.nr - 1].version);
	return error_hint(err, "No migration is applied there.");
}

int rollback_find_applied(const struct ledger_entry **ret, const struct session *s,
			  const char *version, struct error *err)
{
	*ret = ledger_find(&s->ledger, version);
	return *ret ? 0 : unknown_version(s, version, err);
}

static int find_applied(size_t *ret, const struct session *s, const char *version,
			struct error *err)
{
	const struct ledger_entry *entry;

	if (rollback_find_applied(&entry, s, version, err) < 0)
		return -1;
	*ret = (size_t)(entry - s->ledger.item);
	return 0;
}

/* The newest: of an up that was interrupted, and of its rollback that was too, the rollback. */
static const struct log_unfinished *find_unfinished(const struct session *s, const char *version)
{
	for (size_t i = s->unfinished.nr; i; i--)
		if (!version_compare(s->unfinished.item[i - 1].version, version))
			return &s->unfinished.item[i - 1];
	return NULL;
}

/* An interrupted up has no row in the ledger yet: one is made up from the log's. */
static int target_interrupted(struct rollback_plan *plan, const struct log_unfinished *u,
			      struct error *err)
{
	const struct ledger_entry *entry = ledger_find(&plan->session->ledger, u->version);
	struct rollback_step *step;

	if (plan->request->operands > 1) {
		error_refused(err, "migration '%s' was interrupted", u->version);
		return error_hint(err, "Roll it back alone, before the others.");
	}
	plan->interrupted = (struct ledger_entry){
		.version = u->version,
		.name = u->name,
		.checksum = u->up_checksum,
		.applied_at = u->started_at,
		.execution_time_ms = -1,
	};
	plan->interrupted_log = (struct log_applied){
		.version = u->version,
		.operation = u->operation,
		.up_checksum = u->up_checksum,
		.down_checksum = u->down_checksum,
		.up_sql = u->up_sql,
		.down_sql = u->down_sql,
	};
	step = add_step(plan, entry ? entry : &plan->interrupted);
	step->unfinished = u;
	return 0;
}

static int compare_sizes_downwards(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x < y) - (x > y);
}

static int target_named(struct rollback_plan *plan, struct error *err)
{
	const struct rollback_request *request = plan->request;
	const struct session *s = plan->session;
	size_t *index CLEANUP(free_p) = xcalloc(request->operands, sizeof(*index));
	size_t nr = 0;

	for (size_t i = 0; i < request->operands; i++) {
		const struct log_unfinished *u = find_unfinished(s, request->operand[i]);

		if (u) {
			if (target_interrupted(plan, u, err) < 0)
				return -1;
		} else if (find_applied(&index[nr++], s, request->operand[i], err) < 0) {
			return -1;
		}
	}
	/* However they were typed: the ledger is in the order of application. */
	qsort(index, nr, sizeof(*index), compare_sizes_downwards);
	for (size_t i = 0; i < nr; i++)
		if (!i || index[i] != index[i - 1])
			add_step(plan, &s->ledger.item[index[i]]);
	return 0;
}

/* All entries from index `from` on, the newest first. */
static void target_from(struct rollback_plan *plan, size_t from)
{
	const struct ledger *ledger = &plan->session->ledger;

	for (size_t i = ledger->nr; i > from; i--)
		add_step(plan, &ledger->item[i - 1]);
}

static void target_last(struct rollback_plan *plan)
{
	size_t applied = plan->session->ledger.nr, nr = (size_t)plan->request->last;

	if (applied && nr > applied)
		verdict_warn(&plan->verdict, "only %zu %s applied", applied,
			     applied == 1 ? "migration is" : "migrations are");
	target_from(plan, nr < applied ? applied - nr : 0);
}

static int target_to_commit(struct rollback_plan *plan, struct error *err)
{
	struct migrations there CLEANUP(migrations_release) = MIGRATIONS_INIT;
	const struct session *s = plan->session;

	if (session_read_files(&there, s, plan->request->commit, err) < 0)
		return -1;
	/* A folder that was renamed since, or is named by a setting, looks the same from here. */
	if (!there.folder && s->ledger.nr)
		verdict_warn(
			&plan->verdict,
			"'%s' has no folder with migrations, so everything that is applied goes",
			plan->request->commit);
	for (size_t i = s->ledger.nr; i; i--) {
		const struct ledger_entry *entry = &s->ledger.item[i - 1];
		struct migration *m = migrations_find(&there, entry->version);

		if (!m || !m->up.path) {
			add_step(plan, entry);
			continue;
		}
		if (migrations_digest_one(&there, m, err) < 0)
			return -1;
		if (entry->checksum && strcmp(entry->checksum, m->checksum) != 0)
			verdict_warn(
				&plan->verdict,
				"'%s' has another up script of migration '%s' than was applied",
				plan->request->commit, entry->version);
	}
	for (size_t i = 0; i < there.nr; i++)
		if (there.item[i].up.path && !ledger_find(&s->ledger, there.item[i].version))
			verdict_warn(&plan->verdict,
				     "'%s' has migration '%s', which is not applied",
				     plan->request->commit, there.item[i].version);
	return 0;
}

static int choose_targets(struct rollback_plan *plan, struct error *err)
{
	const struct rollback_request *request = plan->request;
	const struct session *s = plan->session;
	size_t index = 0;

	switch ((enum rollback_mode)request->mode) {
	case ROLLBACK_NAMED: return target_named(plan, err);
	case ROLLBACK_TO:
		if (find_applied(&index, s, request->to, err) < 0)
			return -1;
		target_from(plan, index + 1);
		return 0;
	case ROLLBACK_LAST: target_last(plan); return 0;
	case ROLLBACK_ALL: target_from(plan, 0); return 0;
	case ROLLBACK_TO_COMMIT: return target_to_commit(plan, err);
	case ROLLBACK_SCRIPT: return rollback_script_plan(plan, err);
	case ROLLBACK_UNDO:
	case ROLLBACK_LOG:
	case ROLLBACK_FIX:
	case ROLLBACK_PLANNED: break; /* these have no targets */
	}
	BUG("unknown mode %d", request->mode);
}

/* --- what is to be said about them ---------------------------------------------------------- */

static bool is_target(const struct rollback_plan *plan, const struct ledger_entry *entry)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (plan->step[i].applied == entry)
			return true;
	return false;
}

const char *rollback_reached(const struct rollback_plan *plan)
{
	const struct ledger *ledger = &plan->session->ledger;

	for (size_t i = ledger->nr; i; i--) {
		const struct ledger_entry *entry = &ledger->item[i - 1];
		size_t k = 0;

		while (k < plan->nr && (plan->step[k].applied != entry || !plan->step[k].done))
			k++;
		if (k == plan->nr)
			return entry->version;
	}
	return NULL;
}

/* What was asked for, in a few words; free() it. */
static char *target_text(const struct rollback_request *request)
{
	struct strbuf ret = STRBUF_INIT;

	switch ((enum rollback_mode)request->mode) {
	case ROLLBACK_TO: strbuf_addf(&ret, "to %s", request->to); break;
	case ROLLBACK_LAST: strbuf_addf(&ret, "last %ld", request->last); break;
	case ROLLBACK_ALL: strbuf_addstr(&ret, "all"); break;
	case ROLLBACK_TO_COMMIT: strbuf_addf(&ret, "to commit %s", request->commit); break;
	case ROLLBACK_SCRIPT: strbuf_addf(&ret, "script %s", request->script); break;
	case ROLLBACK_NAMED:
	case ROLLBACK_UNDO:
	case ROLLBACK_LOG:
	case ROLLBACK_FIX:
	case ROLLBACK_PLANNED:
		for (size_t i = 0; i < request->operands; i++)
			strbuf_addf(&ret, "%s%s", i ? " " : "", request->operand[i]);
	}
	return strbuf_detach(&ret);
}

static void warn_of_later(struct rollback_plan *plan)
{
	const struct ledger *ledger = &plan->session->ledger;
	struct strbuf later CLEANUP(strbuf_release) = STRBUF_INIT;
	bool below = false;

	for (size_t i = 0; i < ledger->nr; i++) {
		if (is_target(plan, &ledger->item[i]))
			below = true;
		else if (below)
			strbuf_addf(&later, "%s%s", later.len ? ", " : "", ledger->item[i].version);
	}
	if (later.len)
		verdict_warn(&plan->verdict, "applied later, and stays: %s", later.buf);
}

static void warn_of_order(struct rollback_plan *plan)
{
	for (size_t i = 1; i < plan->nr; i++)
		if (version_compare(plan->step[i - 1].applied->version,
				    plan->step[i].applied->version) < 0) {
			verdict_warn(
				&plan->verdict,
				"'%s' was applied after '%s': they are rolled back in the order of "
				"application, not of their versions",
				plan->step[i - 1].applied->version, plan->step[i].applied->version);
			return;
		}
}

static void refuse_interrupted(struct rollback_plan *plan)
{
	const struct session *s = plan->session;

	for (size_t i = 0; i < s->unfinished.nr; i++) {
		const struct log_unfinished *u = &s->unfinished.item[i];
		bool meant = false;

		for (size_t k = 0; k < plan->nr; k++)
			meant = meant ||
				(plan->step[k].unfinished &&
				 !version_compare(plan->step[k].unfinished->version, u->version));
		if (meant)
			continue;
		verdict_refuse(&plan->verdict,
			       "migration '%s' was interrupted: statement %zu of %zu is done",
			       u->version, u->done, u->statements);
		verdict_hint(&plan->verdict, "Use 'git rollback-db %s' first.", u->version);
	}
}

/* --- their scripts -------------------------------------------------------------------------- */

static int read_log(struct rollback_plan *plan, struct error *err)
{
	const char **versions CLEANUP(free_p) = xcalloc(plan->nr, sizeof(*versions));
	struct session *s = plan->session;

	for (size_t i = 0; i < plan->nr; i++)
		versions[i] = plan->step[i].applied->version;
	if (rollback_log_applied(&plan->log, &s->place, &s->db, versions, plan->nr, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->nr; i++) {
		struct rollback_step *step = &plan->step[i];
		const struct log_applied *log =
			log_applied_find(&plan->log, step->applied->version);

		if (step->unfinished && !step->unfinished->down)
			log = &plan->interrupted_log;
		/* What the log says of another up script is no record of this one. */
		if (log && step->applied->checksum && log->up_checksum &&
		    !strcmp(log->up_checksum, step->applied->checksum))
			step->log = log;
	}
	return 0;
}

static int find_downs(struct rollback_plan *plan, struct error *err)
{
	plan->search.files = &plan->session->files;
	plan->search.force = plan->request->force;
	plan->search.recorded_down = plan->request->recorded_down;
	for (size_t i = 0; i < plan->nr; i++)
		down_search_add(&plan->search, plan->step[i].applied, plan->step[i].log);
	if (down_search_run(&plan->search, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->nr; i++) {
		struct rollback_step *step = &plan->step[i];

		/* One that was interrupted goes on with its own script, unless another is forced. */
		step->restart = step->unfinished && step->unfinished->down &&
				plan->request->force &&
				plan->search.item[i].origin == DOWN_WORKTREE;
		if (!step->unfinished || !step->unfinished->down || step->restart)
			step->down = &plan->search.item[i];
	}
	return 0;
}

static void warn_of_down(struct rollback_plan *plan, const struct rollback_step *step)
{
	const struct down *down = step->down;
	const char *version = step->applied->version;

	if (step->restart)
		verdict_warn(
			&plan->verdict,
			"the rollback of '%s' was interrupted; it starts anew with the worktree's down "
			"script (--force)",
			version);
	if (down->corrected) {
		verdict_warn(
			&plan->verdict,
			"the down script of '%s' was changed since it was applied; the worktree's is used",
			version);
		verdict_hint(&plan->verdict,
			     "Use -v to see the difference, --recorded-down to use the other.");
	}
	if (down->forced)
		verdict_warn(
			&plan->verdict,
			"the down script of '%s' is not known to fit what was applied (--force)",
			version);
	if (down->log && down->origin == DOWN_WORKTREE && down->up_changed)
		verdict_warn(&plan->verdict,
			     "the up script of '%s' was changed since it was applied", version);
}

/* A rollback that was interrupted goes on with the script it began with. */
static int parse_interrupted_down(struct rollback_step *step, struct error *err)
{
	const struct log_unfinished *u = step->unfinished;

	if (!u->down_sql) {
		error_set(err, "the database's log no longer has the script of its rollback");
		return error_hint(err,
				  "Use --force to start anew with the worktree's down script.");
	}
	char *path CLEANUP(free_p) = xstrfmt("%s.down.sql in the database's log", u->version);

	return sql_script_parse(&step->script, path, u->down_sql, strlen(u->down_sql), err);
}

static int parse_step(struct rollback_plan *plan, struct rollback_step *step, struct error *err)
{
	if (plan->script)
		return rollback_script_parse(plan, step, err);
	if (!step->down)
		return parse_interrupted_down(step, err);
	if (step->down->origin == DOWN_NOWHERE) {
		verdict_refuse(&plan->verdict,
			       "cannot roll back migration '%s' (%s): no down script: %s",
			       step->applied->version, step->applied->name, step->down->reason);
		if (step->down->up_changed && step->down->file->down.path)
			verdict_hint(&plan->verdict,
				     "Use --force to run the worktree's down script all the same.");
		return 0;
	}
	warn_of_down(plan, step);
	return sql_script_parse(&step->script, step->down->path, step->down->text.buf,
				step->down->text.len, err);
}

/* Statements of its script that were done before an interruption. */
static size_t done_of(const struct rollback_step *step)
{
	return step->unfinished && step->unfinished->down && !step->restart ?
		       step->unfinished->done :
		       0;
}

static int plan_down(struct rollback_plan *plan, struct rollback_step *step, struct error *err)
{
	if (parse_step(plan, step, err) < 0) {
		/* All scripts are read before anything runs. */
		error_detail(err, "Nothing was changed.");
		return plan->script ? -1 :
				      error_prefix(err, "cannot roll back migration '%s'",
						   step->applied->version);
	}
	plan->destroys = plan->destroys || sql_script_loss(&step->script) != SQL_KEEPS_ROWS;
	if (plan->has_impact && impact_add(&plan->impact, &step->script, done_of(step), err) < 0)
		return -1;
	if (!step->script.no_transaction &&
	    !(step->unfinished && step->unfinished->down && !step->restart))
		return 0;
	plan->outside = true;
	if (plan->request->rehearse && !plan->script)
		verdict_refuse(
			&plan->verdict,
			"the down script of '%s' runs outside a transaction%s%s: it cannot be rehearsed",
			step->applied->version, step->script.why ? ": " : "",
			step->script.why ? sql_kind_name(step->script.why->kind) : "");
	return 0;
}

/* Some of the down scripts, read on the parser's thread. */
struct downs_job {
	struct rollback_plan *plan;
	size_t next; /* step */
	struct error *err;
	int result;
};

static void downs_job_run(void *data)
{
	struct downs_job *job = data;
	struct rollback_plan *plan = job->plan;

	for (size_t nr = 0; job->next < plan->nr && nr < SQL_PARSER_SCRIPTS && !job->result; nr++)
		job->result = plan_down(plan, &plan->step[job->next++], job->err);
}

static int plan_downs(struct rollback_plan *plan, struct error *err)
{
	struct downs_job job = { .plan = plan, .err = err };

	while (job.next < plan->nr)
		if (sql_parser_run(downs_job_run, &job, err) < 0 || job.result < 0)
			return -1;
	return 0;
}

static int check_lock_table(struct rollback_plan *plan, struct error *err)
{
	size_t statements = 0;

	for (size_t i = 0; i < plan->nr; i++)
		if (!plan->step[i].script.no_transaction)
			statements += plan->step[i].script.nr;
	return change_check_lock_table(plan->session, statements, &plan->verdict, err);
}

static bool is_read(const struct rollback_plan *plan)
{
	const struct common_options *common = &plan->request->common;

	return common->dry_run || !common->yes || !(common->quiet || common->json) ||
	       plan->script || plan->request->plan ||
	       hook_may_run("pre-rollback", &plan->session->repo, &plan->session->settings);
}

/* By somebody; or by what saves the rows. */
bool rollback_wants_impact(const struct rollback_plan *plan)
{
	const struct rollback_request *request = plan->request;

	return is_read(plan) || (!request->rehearse && !request->no_save);
}

int rollback_count_limit(int *ret, const struct session *s, struct error *err)
{
	const char *limit;
	int64_t milliseconds;

	if (settings_string(&limit, &s->settings, "migrations.countLimit", err) < 0)
		return -1;
	if (!key_duration(&milliseconds, limit))
		BUG("migrations.countLimit is '%s'", limit);
	*ret = (int)milliseconds;
	return 0;
}

/* How much goes: of a table that has no rows, none. Who only saves them counts them then. */
static int read_impact(struct rollback_plan *plan, struct error *err)
{
	const struct rollback_request *request = plan->request;
	struct session *s = plan->session;

	if (!plan->has_impact)
		return 0;
	if (impact_read(&plan->impact, &s->db, &s->scope, is_read(plan) ? plan->count_limit : 0,
			err) < 0)
		return -1;
	if ((request->keep && keep_plan(&plan->keep, &plan->impact, s, plan->outside, err) < 0) ||
	    keep_refuse_blocked(&plan->verdict, &plan->impact, &s->db, err) < 0)
		return -1;
	/* What is not saved is gone for good, and that is for a person to say. */
	plan->destroys = impact_destroys(&plan->impact) || request->no_save || request->no_snapshot;
	return 0;
}

int rollback_plan(struct rollback_plan *ret, struct session *s,
		  const struct rollback_request *request, struct error *err)
{
	ret->session = s;
	ret->request = request;
	ret->record.target = target_text(request);
	ret->record.asked = request->started;
	ret->record.no_snapshot = request->no_snapshot;
	if (session_check_writable(s, err) < 0 || change_await(s, err) < 0 ||
	    choose_targets(ret, err) < 0)
		return -1;
	refuse_interrupted(ret);
	ret->has_impact = rollback_wants_impact(ret);
	if (!ret->nr)
		return 0;
	if (rollback_count_limit(&ret->count_limit, s, err) < 0 ||
	    (!ret->script && (read_log(ret, err) < 0 || find_downs(ret, err) < 0)))
		return -1;
	if (plan_downs(ret, err) < 0 || read_impact(ret, err) < 0 ||
	    (ret->script && rollback_script_check(ret, err) < 0))
		return -1;
	if (request->mode == ROLLBACK_NAMED || request->mode == ROLLBACK_TO_COMMIT)
		warn_of_later(ret);
	warn_of_order(ret);
	if (is_read(ret) && !request->rehearse && !(request->no_save && request->no_snapshot) &&
	    keep_warn_of_drops(&ret->verdict, s, err) < 0)
		return -1;
	if (check_lock_table(ret, err) < 0 || (is_read(ret) && rollback_advise(ret, err) < 0))
		return -1;
	return checklist_read(ret, is_read(ret) || request->common.json, err);
}
