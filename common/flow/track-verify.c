/* SPDX-License-Identifier: MIT */
#include "flow/track-verify.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/track-schema.h"
#include "migration/version.h"
#include "term/output.h"
#include "vcs/git.h"
#include "vcs/treediff.h"

void track_checks_release(struct track_checks *checks)
{
	for (size_t i = 0; i < checks->nr; i++) {
		free(checks->item[i].name);
		free(checks->item[i].detail);
	}
	free(checks->item);
	*checks = (struct track_checks)TRACK_CHECKS_INIT;
}

PRINTF(4, 5)
static void add_check(struct track_checks *checks, const char *name, enum track_check_state state,
		      const char *fmt, ...)
{
	struct strbuf detail CLEANUP(strbuf_release) = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&detail, fmt, ap);
	va_end(ap);
	ARRAY_GROW(checks->item, checks->nr + 1, checks->alloc);
	checks->item[checks->nr++] =
		(struct track_check){ xstrdup(name), state,
				      detail.len ? xstrdup(detail.buf) : NULL };
}

bool track_checks_failed(const struct track_checks *checks)
{
	for (size_t i = 0; i < checks->nr; i++)
		if (checks->item[i].state == TRACK_CHECK_FAILED)
			return true;
	return false;
}

/* ---- Files --------------------------------------------------------------------------- */

static int tree_of(char **ret, const struct repo *repo, const char *commit, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, repo, NULL);
	strvec_pushl(&git.argv, "rev-parse", "--verify", NULL);
	strvec_pushf(&git.argv, "%s^{tree}", commit);
	if (git_run(&git, "read a commit's tree", err) < 0)
		return -1;
	*ret = xmemdupz(git.out.buf, strcspn(git.out.buf, "\n"));
	return 0;
}

static bool is_document(const struct track_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->document_nr; i++)
		if (!strcmp(plan->document[i].path, path))
			return true;
	return false;
}

static bool same_side(const struct tree_change *planned, const struct tree_change *now)
{
	if (planned->new_mode != now->new_mode)
		return false;
	return !planned->new_mode || !strcmp(planned->new_oid, now->new_oid);
}

/* What came to be against what the plan said: nothing is missing, and nothing else has changed. */
static int check_files(struct track_checks *ret, const struct track_plan *plan, struct error *err)
{
	const struct repo *repo = &plan->session->repo;
	const struct tree_changes *total = &plan->run.series.total;
	struct tree_pair pair = { 0 };
	char *before CLEANUP(free_p) = NULL, *after CLEANUP(free_p) = NULL;
	const char *missing = NULL, *other = NULL;

	if (tree_of(&before, repo, repo->head, err) < 0 ||
	    tree_of(&after, repo, plan->run.head, err) < 0)
		return -1;
	pair.old_tree = before;
	pair.new_tree = after;
	if (tree_pairs_compare(&pair, 1, NULL, 0, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < total->nr && !missing; i++) {
		const struct tree_change *now =
			tree_changes_find(&pair.changes, total->item[i].path);

		if (!now || !same_side(&total->item[i], now))
			missing = total->item[i].path;
	}
	for (size_t i = 0; i < pair.changes.nr && !other; i++)
		if (!tree_changes_find(total, pair.changes.item[i].path) &&
		    !is_document(plan, pair.changes.item[i].path))
			other = pair.changes.item[i].path;
	if (missing)
		add_check(ret, "reverted", TRACK_CHECK_FAILED, "'%s' is not as planned", missing);
	else
		add_check(ret, "reverted", TRACK_CHECK_OK, "%s", "");
	if (other)
		add_check(ret, "other-files", TRACK_CHECK_FAILED, "'%s' has changed as well",
			  other);
	else
		add_check(ret, "other-files", TRACK_CHECK_OK, "%s", "");
	tree_changes_release(&pair.changes);
	return 0;
}

/* ---- Documents ----------------------------------------------------------------------- */

/* Does its metadata say of something in it what is reverted by now? */
static bool parts_claim(const struct track *track, const struct unit *unit)
{
	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	return track->metadata.path &&
	       (metadata_reopen_parts(&splices, &track->metadata, &track->plan, unit->phase,
				      unit->task, &reason) < 0 ||
		splices.nr);
}

/* The place that says that something of it is done; NULL: none does. free() it. */
static char *claim_of(const struct tracks *tracks, const struct unit *unit)
{
	const struct track *track;
	size_t line;

	if (unit->kind == UNIT_STORY)
		return unit_state(tracks, unit) == UNIT_DONE ?
			       xstrdup(tracks->stories.list[tracks->stories.item[unit->story].list]
					       .path) :
			       NULL;
	track = &tracks->item[unit->track];
	if (unit->kind == UNIT_TRACK && track->metadata.path && track->metadata.state == UNIT_DONE)
		return xstrdup(track->metadata.path);
	for (size_t i = 0; unit->kind == UNIT_TRACK && i < track->entries; i++) {
		const struct registry *registry = &tracks->registry[track->entry[i].registry];

		if (registry->entry[track->entry[i].entry].state == UNIT_DONE)
			return xstrfmt("%s:%zu", registry->path,
				       registry->entry[track->entry[i].entry].line);
	}
	if (parts_claim(track, unit))
		return xstrdup(track->metadata.path);
	line = track->plan.path ? plan_document_claim(&track->plan, unit->phase, unit->task) : 0;
	return line ? xstrfmt("%s:%zu", track->plan.path, line) : NULL;
}

/* A document of the track, or a registry, that could not be read: nobody knows what it says. */
static const char *unread_of(const struct tracks *tracks, const struct unit *unit)
{
	for (size_t i = 0; unit->kind != UNIT_STORY && i < tracks->problem.nr; i++) {
		const struct document_problem *it = &tracks->problem.item[i];
		size_t track = tracks_find_by_path(tracks, it->path);

		if (track == unit->track || (track == NO_INDEX && !it->line))
			return it->path;
	}
	return NULL;
}

static void check_unit(struct track_checks *ret, const struct tracks *tracks,
		       const struct unit_words *words)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	struct units candidates CLEANUP(units_release) = UNITS_INIT;
	enum unit_kind missing;
	struct unit unit;
	char *claim CLEANUP(free_p) = NULL;
	const char *unread;
	int found = unit_find(&unit, &candidates, &missing, tracks, words, &reason);

	if (found == UNIT_MISSING) {
		add_check(ret, "documents", TRACK_CHECK_OK, "it is in none any more");
		return;
	}
	if (found != UNIT_FOUND) {
		add_check(ret, "documents", TRACK_CHECK_UNKNOWN, "it cannot be told apart now");
		return;
	}
	claim = claim_of(tracks, &unit);
	unread = unread_of(tracks, &unit);
	if (claim)
		add_check(ret, "documents", TRACK_CHECK_FAILED, "%s still says that it is done",
			  claim);
	else if (unread)
		add_check(ret, "documents", TRACK_CHECK_UNKNOWN,
			  "%s cannot be read: look what it says", unread);
	else
		add_check(ret, "documents", TRACK_CHECK_OK, "%s", "");
}

static int check_unit_at(struct track_checks *ret, const struct checkpoint_session *session,
			 char *head, const struct unit_words *words, struct error *err)
{
	struct checkpoint_session now = *session;
	struct tracks tracks CLEANUP(tracks_release) = TRACKS_INIT;
	bool untracked;

	now.repo.head = head;
	if (track_read(&tracks, &untracked, &now, err) < 0)
		return -1;
	check_unit(ret, &tracks, words);
	return 0;
}

static int check_documents(struct track_checks *ret, const struct track_plan *plan,
			   struct error *err)
{
	if (plan->request->documents == TRACK_DOCUMENTS_UNTOUCHED)
		return 0; /* as it was asked for */
	if (plan->untracked || plan->guessed) {
		add_check(ret, "documents", TRACK_CHECK_UNKNOWN, "they were left as they are");
		return 0;
	}
	return check_unit_at(ret, plan->session, plan->run.head, &plan->request->words, err);
}

/* ---- Migrations ---------------------------------------------------------------------- */

static bool was_there(const struct migrations *before, const struct migration_problem *problem)
{
	for (size_t i = 0; i < before->problems; i++)
		if (!strcmp(before->problem[i].text, problem->text))
			return true;
	return false;
}

/* The first that stays although one that comes before it has gone. */
static const char *later_one(const struct track_plan *plan, const struct migrations *after)
{
	for (size_t i = 0; i < plan->migrations.nr; i++) {
		const struct track_migration *gone = &plan->migrations.item[i];

		if (gone->change != TRACK_MIGRATION_GOES || gone->stays)
			continue;
		for (size_t m = 0; m < after->nr; m++)
			if (after->item[m].up.path &&
			    version_compare(after->item[m].version, gone->file->version) > 0)
				return after->item[m].version;
	}
	return NULL;
}

static void check_order(struct track_checks *ret, const struct track_plan *plan,
			const struct migrations *after)
{
	const char *later = later_one(plan, after);

	for (size_t i = 0; i < after->problems; i++)
		if (!was_there(&plan->migrations.files, &after->problem[i])) {
			add_check(ret, "migrations", TRACK_CHECK_FAILED, "%s",
				  after->problem[i].text);
			return;
		}
	if (later)
		add_check(ret, "migrations", TRACK_CHECK_UNKNOWN,
			  "migration %s, which comes later, stays: look whether it needs what is "
			  "gone",
			  later);
	else
		add_check(ret, "migrations", TRACK_CHECK_OK, "%s", "");
}

static int check_migrations(struct track_checks *ret, const struct track_plan *plan,
			    struct error *err)
{
	const struct checkpoint_session *s = plan->session;
	struct track_migrations after CLEANUP(track_migrations_release) = TRACK_MIGRATIONS_INIT;

	if (track_migrations_find(&after, &s->settings, plan->run.head, NULL, err) < 0)
		return -1;
	if (after.problem) {
		add_check(ret, "migrations", TRACK_CHECK_UNKNOWN, "%s", after.problem);
		return 0;
	}
	if (!plan->migrations.nr && !after.files.nr)
		return 0;
	check_order(ret, plan, &after.files);
	return 0;
}

/* The first few, and how many more. */
static void add_some(struct strbuf *out, const struct strvec *texts)
{
	const size_t shown = 3;

	for (size_t i = 0; i < texts->nr && i < shown; i++)
		strbuf_addf(out, "%s%s", i ? "; " : "", texts->v[i]);
	if (texts->nr > shown)
		strbuf_addf(out, "; and %zu more", texts->nr - shown);
}

static int check_schema(struct track_checks *ret, const struct checkpoint_session *s,
			const char *before, const char *after, struct error *err)
{
	struct track_schema schema CLEANUP(track_schema_release) = TRACK_SCHEMA_INIT;
	struct strbuf detail CLEANUP(strbuf_release) = STRBUF_INIT;

	if (track_schema_check(&schema, s, before, after, err) < 0)
		return -1;
	if (!schema.looked)
		return 0;
	if (schema.wrong.nr) {
		add_some(&detail, &schema.wrong);
		add_check(ret, "schema", TRACK_CHECK_FAILED, "%s", detail.buf);
	} else if (schema.unsure.nr) {
		add_some(&detail, &schema.unsure);
		add_check(ret, "schema", TRACK_CHECK_UNKNOWN, "%s", detail.buf);
	} else {
		strbuf_addstr(&detail, "tables, columns, keys, indexes, views, types, functions");
		strbuf_addstr(&detail, schema.unread.nr ? "; not read: " : "");
		add_some(&detail, &schema.unread);
		add_check(ret, "schema", TRACK_CHECK_OK, "%s", detail.buf);
	}
	return 0;
}

/* ---- The project's own --------------------------------------------------------------- */

static int run_command(struct track_checks *ret, const struct checkpoint_session *s,
		       const char *name, const char *command, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	char *check CLEANUP(free_p) = xstrfmt("verify %s", name);

	strvec_pushl(&process.argv, "sh", "-c", command, NULL);
	process.dir = s->repo.worktree;
	process.inherit_stderr = true;
	if (process_run(&process, err) < 0)
		return -1;
	fflush(stdout);
	fputs(process.out.buf, stderr);
	if (interrupt_pending())
		return error_interrupted(err);
	if (process.status)
		add_check(ret, check, TRACK_CHECK_FAILED, "its command ended with status %d",
			  process.status);
	else
		add_check(ret, check, TRACK_CHECK_OK, "%s", "");
	return 0;
}

/* One of the settings; NULL with `reason` set: it is not trusted, and not run. */
static const char *command_of(const struct settings *settings, const char *name,
			      struct error *reason)
{
	char *key CLEANUP(free_p) = xstrfmt("verify.%s.command", name);
	const char *command = NULL;

	return settings_string(&command, settings, key, reason) < 0 ? NULL : command;
}

static int run_commands(struct track_checks *ret, const struct checkpoint_session *s,
			struct error *err)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	settings_subsections(&s->settings, "verify", &names);
	for (size_t i = 0; i < names.nr; i++) {
		struct error reason CLEANUP(error_release) = ERROR_INIT;
		char *check CLEANUP(free_p) = xstrfmt("verify %s", names.v[i]);
		const char *command = command_of(&s->settings, names.v[i], &reason);

		if (error_is_set(&reason))
			add_check(ret, check, TRACK_CHECK_UNKNOWN, "%s", reason.message);
		else if (command && run_command(ret, s, names.v[i], command, err) < 0)
			return -1;
	}
	return 0;
}

json_t *track_commands_to_json(const struct settings *settings)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	json_t *ret = json_array();

	settings_subsections(settings, "verify", &names);
	for (size_t i = 0; i < names.nr; i++) {
		struct error reason CLEANUP(error_release) = ERROR_INIT;
		const char *command = command_of(settings, names.v[i], &reason);

		if (command || error_is_set(&reason))
			json_array_append_new(ret, json_pack("{s:o, s:o, s:o}", "name",
							     json_text(names.v[i]), "command",
							     json_text(command), "reason",
							     json_text(reason.message)));
	}
	return ret;
}

void track_commands_text(struct strbuf *out, const struct settings *settings)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	bool any = false;

	settings_subsections(settings, "verify", &names);
	for (size_t i = 0; i < names.nr; i++) {
		struct error reason CLEANUP(error_release) = ERROR_INIT;
		const char *command = command_of(settings, names.v[i], &reason);
		const char *shown = command ? command : reason.message;

		if (!shown)
			continue;
		strbuf_addstr(out, any ? "" : "Run at the end:\n");
		any = true;
		strbuf_addstr(out, "  ");
		text_escape(out, names.v[i], strlen(names.v[i]), false);
		strbuf_addstr(out, command ? ": " : ": not run: ");
		text_escape(out, shown, strlen(shown), false);
		strbuf_addch(out, '\n');
	}
}

/* ---- All of them --------------------------------------------------------------------- */

int track_verify(struct track_checks *ret, const struct track_plan *plan, struct error *err)
{
	if (check_files(ret, plan, err) < 0 || check_documents(ret, plan, err) < 0 ||
	    check_migrations(ret, plan, err) < 0 ||
	    check_schema(ret, plan->session, plan->session->repo.head, plan->run.head, err) < 0)
		return -1;
	return run_commands(ret, plan->session, err);
}

/* Whether what stays was wanted, nobody can tell here. */
static void check_left_out(struct track_checks *ret, const struct strvec *left_out)
{
	struct strbuf list CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; left_out && i < left_out->nr; i++)
		strbuf_addf(&list, "%s%.10s", i ? ", " : "", left_out->v[i]);
	if (list.len)
		add_check(ret, "reverted", TRACK_CHECK_UNKNOWN, "left out, and as they were: %s",
			  list.buf);
}

int track_verify_series(struct track_checks *ret, const struct checkpoint_session *session,
			const struct track_series_end *end, struct error *err)
{
	struct track_migrations before CLEANUP(track_migrations_release) = TRACK_MIGRATIONS_INIT;
	struct track_migrations now CLEANUP(track_migrations_release) = TRACK_MIGRATIONS_INIT;
	const struct settings *settings = &session->settings;

	check_left_out(ret, end->left_out);
	if (end->words && check_unit_at(ret, session, end->head, end->words, err) < 0)
		return -1;
	if (track_migrations_find(&before, settings, end->before, NULL, err) < 0 ||
	    track_migrations_find(&now, settings, end->head, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < now.files.problems; i++)
		if (!was_there(&before.files, &now.files.problem[i]))
			add_check(ret, "migrations", TRACK_CHECK_FAILED, "%s",
				  now.files.problem[i].text);
	if (check_schema(ret, session, end->before, end->head, err) < 0)
		return -1;
	return run_commands(ret, session, err);
}

/* ---- Showing it ---------------------------------------------------------------------- */

static const char *state_name(enum track_check_state state)
{
	static const char *const names[] = {
		[TRACK_CHECK_OK] = "ok", [TRACK_CHECK_FAILED] = "failed", [TRACK_CHECK_UNKNOWN] = "unknown"
	};

	return names[state];
}

json_t *track_checks_to_json(const struct track_checks *checks)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < checks->nr; i++)
		json_array_append_new(ret, json_pack("{s:o, s:s, s:o}", "check",
						     json_text(checks->item[i].name), "state",
						     state_name(checks->item[i].state), "detail",
						     json_text(checks->item[i].detail)));
	return ret;
}

void track_checks_print(const struct track_checks *checks, bool verbose)
{
	static const enum mark marks[] = { [TRACK_CHECK_OK] = MARK_DONE,
					   [TRACK_CHECK_FAILED] = MARK_FAILED,
					   [TRACK_CHECK_UNKNOWN] = MARK_WARNING };

	for (size_t i = 0; i < checks->nr; i++) {
		const struct track_check *it = &checks->item[i];
		char *name CLEANUP(free_p) = text_escaped(it->name);
		char *detail CLEANUP(free_p) = it->detail ? text_escaped(it->detail) : NULL;

		if (it->state != TRACK_CHECK_OK || verbose)
			printf("%s %s%s%s\n", mark_text(marks[it->state], output_utf8()), name,
			       detail ? ": " : "", detail ? detail : "");
	}
}
