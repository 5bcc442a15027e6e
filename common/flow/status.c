/* SPDX-License-Identifier: MIT */
#include "flow/status.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "migration/status.h"
#include "migration/version.h"
#include "pg/dblock.h"
#include "term/amount.h"
#include "term/output.h"

/* --- JSON and porcelain ------------------------------------------------------------------ */

static const char *checksum_of(const struct migration_status *status)
{
	return status->file && *status->file->checksum ? status->file->checksum : NULL;
}

static json_t *status_to_json(const struct migration_status *status)
{
	const struct ledger_entry *applied = status->applied;
	json_t *ret =
		json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version",
			  json_text(status->version), "name", json_text(status->name), "state",
			  migration_state_name(status->state), "applied_at",
			  applied ? json_time(applied->applied_at) : json_null(), "checksum",
			  json_text(checksum_of(status)), "recorded_checksum",
			  json_text(applied ? applied->checksum : NULL), "execution_time_ms",
			  applied && applied->execution_time_ms >= 0 ?
				  json_integer(applied->execution_time_ms) :
				  json_null(),
			  "up", json_text(status->file ? status->file->up.path : NULL), "down",
			  json_text(status->file ? status->file->down.path : NULL), "found_at",
			  json_text(status->found_at), "detail", json_text(status->detail));

	if (!ret)
		BUG("cannot pack a status");
	return ret;
}

static json_t *statuses_to_json(const struct migration_statuses *statuses, const struct session *s)
{
	json_t *migrations = json_array(), *summary = json_object(), *problems = json_array();

	for (size_t i = 0; i < statuses->nr; i++)
		json_array_append_new(migrations, status_to_json(&statuses->item[i]));
	for (int state = 0; state < MIGRATION_STATES; state++) {
		char *key CLEANUP(free_p) =
			xstrdup(migration_state_name((enum migration_state)state));

		for (char *dash = strchr(key, '-'); dash; dash = strchr(dash, '-'))
			*dash = '_';
		json_object_set_new(summary, key, json_size(statuses->count[state]));
	}
	for (size_t i = 0; i < s->files.problems; i++)
		json_array_append_new(problems, json_text(s->files.problem[i].text));
	return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "format", 1, "database",
			 json_text(s->has_database ? s->database.name : NULL), "commit",
			 json_text(s->files.commit), "migrations", migrations, "problems", problems,
			 "summary", summary);
}

/* `database` is a field in front, or NULL. */
static void print_porcelain(const struct migration_statuses *statuses, const char *database,
			    bool nul)
{
	for (size_t i = 0; i < statuses->nr; i++) {
		const struct migration_status *status = &statuses->item[i];
		char time[CLOCK_RFC3339] = "";

		if (status->applied)
			clock_rfc3339(time, status->applied->applied_at);
		if (database)
			output_field(database, nul, '\t');
		printf("%s\t", migration_state_name(status->state));
		output_field(status->version, nul, '\t');
		output_field(status->name, nul, '\t');
		printf("%s\t", time);
		output_field(status->found_at ? status->found_at : status->detail, nul,
			     nul ? '\0' : '\n');
	}
}

/* --- for people --------------------------------------------------------------------------- */

static enum mark mark_of(enum migration_state state)
{
	switch (state) {
	case STATE_APPLIED: return MARK_DONE;
	case STATE_PENDING: return MARK_OPEN;
	case STATE_INTERRUPTED: return MARK_FAILED;
	default: return MARK_WARNING;
	}
}

static enum color color_of(enum migration_state state)
{
	switch (state) {
	case STATE_APPLIED: return COLOR_GREEN;
	case STATE_PENDING: return COLOR_NONE;
	case STATE_INTERRUPTED: return COLOR_RED;
	default: return COLOR_YELLOW;
	}
}

static const char *words_of(enum migration_state state)
{
	switch (state) {
	case STATE_OUT_OF_ORDER: return "out of order";
	case STATE_NO_DOWN: return "no down script";
	default: return migration_state_name(state);
	}
}

static void print_one(const struct migration_status *status, bool color, bool utf8)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf shown CLEANUP(strbuf_release) = STRBUF_INIT;
	bool applied = status->state == STATE_APPLIED;

	strbuf_addf(&line, "%s %s (", status->version, status->name);
	if (!applied)
		strbuf_addstr(&line, words_of(status->state));
	if (status->applied) {
		strbuf_addstr(&line, applied ? "applied " : ", applied ");
		amount_add_age(&line, status->applied->applied_at, clock_now());
	}
	if (status->found_at)
		strbuf_addf(&line, ", found at %s", status->found_at);
	else if (status->state == STATE_MISSING)
		strbuf_addstr(&line, ", not found in git");
	if (status->state == STATE_NO_DOWN && !status->applied)
		strbuf_addstr(&line, ", pending");
	else if (status->detail && status->state != STATE_NO_DOWN)
		strbuf_addf(&line, ", %s", status->detail);
	strbuf_addch(&line, ')');
	text_escape(&shown, line.buf, line.len, false);
	printf("%s%s %s%s\n", color_code(color, color_of(status->state)),
	       mark_text(mark_of(status->state), utf8), shown.buf,
	       color_code(color && color_of(status->state) != COLOR_NONE, COLOR_RESET));
}

static void print_people(const struct migration_statuses *statuses, const struct session *s)
{
	bool color = color_wanted(s->request.common->color, settings_git(&s->settings, "color.ui")),
	     utf8 = output_utf8();
	for (size_t i = 0; i < statuses->nr; i++)
		print_one(&statuses->item[i], color, utf8);
	if (!statuses->nr && !s->request.common->quiet)
		note("no migrations%s",
		     s->files.folder ? "" : ": no folder with migrations was found");
}

/* --- what is shown ------------------------------------------------------------------------ */

/* Of a range: only what the second commit has and the first has not. */
static int leave_range(struct migration_statuses *statuses, const struct session *s,
		       const char *since, struct error *err)
{
	struct migrations before CLEANUP(migrations_release) = MIGRATIONS_INIT;
	size_t kept = 0;

	if (session_read_files(&before, s, since, err) < 0)
		return -1;
	for (size_t i = 0; i < statuses->nr; i++) {
		struct migration_status *status = &statuses->item[i];
		const struct migration *old = migrations_find(&before, status->version);

		if (status->file && status->file->up.path && !(old && old->up.path)) {
			statuses->item[kept++] = *status;
			continue;
		}
		statuses->count[status->state]--;
		free(status->found_at);
		free(status->detail);
	}
	statuses->nr = kept;
	return 0;
}

/* Is the difference of a changed script only in comments and white space? */
static int explain_changed(struct migration_statuses *statuses, struct session *s,
			   struct error *err)
{
	struct strvec versions CLEANUP(strvec_release) = STRVEC_INIT;
	struct log_applied_list log CLEANUP(log_applied_list_release) = LOG_APPLIED_LIST_INIT;

	for (size_t i = 0; i < statuses->nr; i++)
		if (statuses->item[i].state == STATE_CHANGED)
			strvec_push(&versions, statuses->item[i].version);
	if (!versions.nr)
		return 0;
	if (rollback_log_applied(&log, &s->place, &s->db, (const char *const *)versions.v,
				 versions.nr, err) < 0)
		return -1;
	for (size_t i = 0; i < statuses->nr; i++) {
		struct migration_status *status = &statuses->item[i];
		const struct log_applied *applied;
		bool same;

		if (status->state != STATE_CHANGED)
			continue;
		applied = log_applied_find(&log, status->version);
		if (!applied || !applied->up_tokens)
			continue;
		if (session_same_tokens(&same, s, status->file, applied->up_tokens, err) < 0)
			return -1;
		status->detail =
			xstrdup(same ? "only comments or white space differ" : "the SQL differs");
	}
	return 0;
}

/* While somebody holds the database's lock, an unfinished script may well be running. */
static int explain_running(struct migration_statuses *statuses, struct session *s,
			   struct error *err)
{
	char *holder CLEANUP(free_p) = NULL;

	if (!statuses->count[STATE_INTERRUPTED])
		return 0;
	if (dblock_holder(&holder, &s->db, err) < 0)
		return -1;
	for (size_t i = 0; holder && i < statuses->nr; i++) {
		struct migration_status *status = &statuses->item[i];

		if (status->state != STATE_INTERRUPTED)
			continue;
		free(status->detail);
		status->detail = xstrfmt("perhaps still running: %s", holder);
	}
	return 0;
}

static bool all_well(const struct migration_statuses *statuses, const struct session *s)
{
	size_t good = statuses->count[STATE_APPLIED];

	if (!s->has_database)
		good += statuses->count[STATE_PENDING];
	for (size_t i = 0; i < s->files.problems; i++)
		if (s->files.problem[i].kind != PROBLEM_NAMES_DIFFER &&
		    s->files.problem[i].kind != PROBLEM_NOT_A_VERSION)
			return false;
	return good == statuses->nr;
}

static int gather(struct migration_statuses *statuses, struct session *s, const char *since,
		  struct error *err)
{
	migration_statuses_build(statuses, &s->files, &s->ledger, &s->unfinished);
	if (since && leave_range(statuses, s, since, err) < 0)
		return -1;
	if (migration_statuses_locate(statuses, err) < 0)
		return -1;
	if (!s->has_database)
		return 0;
	return explain_changed(statuses, s, err) < 0 ? -1 : explain_running(statuses, s, err);
}

/* Of one database, where all are looked at `ret_json` gets its object instead of stdout. */
static int status_one(const struct status_request *request, const char *database, json_t **ret_json,
		      struct error *err)
{
	struct session session CLEANUP(session_close) = SESSION_INIT;
	struct migration_statuses statuses CLEANUP(migration_statuses_release) =
		MIGRATION_STATUSES_INIT;
	const struct session_request wanted = {
		.command = "migration-status",
		.database = database,
		.digest = true,
		.rev = request->rev,
		.optional = true,
		.common = &request->common,
	};

	if (session_open(&session, &wanted, err) < 0 ||
	    (request->check && migrations_check_downs(&session.files, err) < 0))
		return -1;
	session_warn(&session);
	if (!session.has_database && !request->common.quiet)
		note("no database is configured: only the files are checked");
	if (gather(&statuses, &session, request->since, err) < 0)
		return -1;
	if (request->common.json)
		*ret_json = statuses_to_json(&statuses, &session);
	else if (request->common.porcelain)
		print_porcelain(&statuses, request->all_databases ? database : NULL,
				request->common.nul);
	else
		print_people(&statuses, &session);
	return request->check && !all_well(&statuses, &session) ? EXIT_NO : EXIT_DONE;
}

/* --- all databases ------------------------------------------------------------------------ */

static int read_names(struct strvec *ret, struct error *err)
{
	struct repo repo CLEANUP(repo_release) = REPO_INIT;
	struct settings settings CLEANUP(settings_release) = SETTINGS_INIT;

	if (settings_start(&settings, err) < 0 || repo_open(&repo, err) < 0 ||
	    settings_finish(&settings, repo.worktree, repo.git_dir, err) < 0)
		return -1;
	settings_databases(&settings, ret);
	return 0;
}

static json_t *failure_to_json(const char *database, const struct error *failure)
{
	return json_pack("{s:i, s:o, s:o}", "format", 1, "database", json_text(database), "error",
			 error_to_json(failure));
}

/* One that cannot be reached says so, and the others are looked at all the same. */
static int status_of_many(const struct status_request *request, const char *database, json_t *list)
{
	struct error failure CLEANUP(error_release) = ERROR_INIT;
	json_t *json = NULL;
	int ret;

	if (database && !request->common.json && !request->common.porcelain) {
		char *shown CLEANUP(free_p) = text_escaped(database);

		printf("%s:\n", shown);
	}
	ret = status_one(request, database, &json, &failure);
	if (ret < 0) {
		if (database)
			error_prefix(&failure, "database '%s'", database);
		ret = error_exit(&failure);
		if (request->common.json)
			json = failure_to_json(database, &failure);
	}
	if (json)
		json_array_append_new(list, json);
	return ret;
}

static int status_all(const struct status_request *request, const struct strvec *names)
{
	json_t *list = json_array();
	json_t *json CLEANUP(json_decref_p) =
		json_pack("{s:i, s:o}", "format", 1, "databases", list);
	int ret = EXIT_DONE;

	/* Where none is configured, what DATABASE_URL says, if anything. */
	for (size_t i = 0; i < names->nr || (!i && !names->nr); i++) {
		int one = status_of_many(request, names->nr ? names->v[i] : NULL, list);

		if (one > ret)
			ret = one;
	}
	if (request->common.json)
		json_print(json);
	return ret;
}

int status_run(const struct status_request *request, struct error *err)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	json_t *json CLEANUP(json_decref_p) = NULL;
	int ret;

	if (request->all_databases && read_names(&names, err) < 0)
		return -1;
	if (request->all_databases)
		return status_all(request, &names);
	ret = status_one(request, request->database, &json, err);
	if (json)
		json_print(json);
	return ret;
}
