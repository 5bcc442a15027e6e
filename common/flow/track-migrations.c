/* SPDX-License-Identifier: MIT */
#include "flow/track-migrations.h"

#include "base/memory.h"
#include "base/sort.h"
#include "base/text.h"
#include "config/database.h"
#include "migration/status.h"
#include "migration/version.h"
#include "sql/script.h"
#include "vcs/applied.h"
#include "vcs/path.h"

void track_migrations_release(struct track_migrations *migrations)
{
	for (size_t i = 0; i < migrations->nr; i++)
		free(migrations->item[i].place);
	free(migrations->item);
	free(migrations->problem);
	environments_release(&migrations->environments);
	migrations_release(&migrations->files);
	*migrations = (struct track_migrations)TRACK_MIGRATIONS_INIT;
}

const char *track_migration_change_name(enum track_migration_change change)
{
	static const char *const names[] = {
		[TRACK_MIGRATION_GOES] = "goes",
		[TRACK_MIGRATION_CHANGES] = "changes",
		[TRACK_MIGRATION_DOWN] = "down",
		[TRACK_MIGRATION_KEPT] = "kept",
	};

	return names[change];
}

/* ---- Which --------------------------------------------------------------------------- */

static int read_files(struct migrations *ret, const struct settings *settings, const char *head,
		      struct error *err)
{
	const char *folder, *text;
	enum migration_layout layout;

	if (settings_string(&folder, settings, "migrations.directory", err) < 0 ||
	    settings_string(&text, settings, "migrations.layout", err) < 0 ||
	    migration_layout_parse(&layout, text, err) < 0)
		return -1;
	return migrations_read(ret, NULL, head, folder, layout, err);
}

static const struct tree_change *change_of(const struct tree_changes *changes,
					   const struct migration_script *script)
{
	return script->path ? tree_changes_find(changes, script->path) : NULL;
}

/* By its text alone; git rollback-db says of a database which, and how many. */
static int read_down(struct track_migration *it, const struct migrations *files, struct error *err)
{
	static const char *const names[] = {
		[SQL_KEEPS_ROWS] = "keeps", [SQL_LOSES_ROWS] = "loses", [SQL_LOSS_UNKNOWN] = "unknown"
	};
	struct sql_script script CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	const struct migration_script *down = &it->file->down;

	if (!down->path)
		return 0;
	if (migrations_load(&text, files, down, err) < 0)
		return -1;
	it->down_rows = names[SQL_LOSS_UNKNOWN];
	if (sql_script_parse(&script, down->path, text.buf, text.len, &reason) == 0)
		it->down_rows = names[sql_script_loss(&script)];
	return 0;
}

int track_migrations_find(struct track_migrations *ret, const struct settings *settings,
			  const char *head, const struct tree_changes *changes, struct error *err)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	if (read_files(&ret->files, settings, head, &reason) < 0) {
		if (reason.exit_code == EXIT_INTERRUPTED) {
			error_move(err, &reason);
			return -1;
		}
		ret->problem = xstrdup(reason.message);
		return 0;
	}
	for (size_t i = 0; i < ret->files.nr; i++) {
		const struct migration *file = &ret->files.item[i];
		const struct tree_change *up = change_of(changes, &file->up);

		if (!up && !change_of(changes, &file->down))
			continue;
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct track_migration){
			.file = file,
			.change = !up		? TRACK_MIGRATION_DOWN :
				  !up->new_mode ? TRACK_MIGRATION_GOES :
						  TRACK_MIGRATION_CHANGES,
		};
		if (read_down(&ret->item[ret->nr - 1], &ret->files, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- Where --------------------------------------------------------------------------- */

/* Looks all of one environment up at once. */
static int find_kept(struct track_migrations *m, size_t environment, struct error *err)
{
	struct strvec versions CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec checksums CLEANUP(strvec_release) = STRVEC_INIT;
	struct track_migration_place **place =
		xcalloc(m->nr + 1, sizeof(struct track_migration_place *));
	struct applied_found *found;
	int ret;

	for (size_t i = 0; i < m->nr; i++) {
		const struct ledger_entry *applied = m->item[i].place[environment].applied;

		if (!applied || !applied->checksum)
			continue;
		place[versions.nr] = &m->item[i].place[environment];
		strvec_push(&versions, applied->version);
		strvec_push(&checksums, applied->checksum);
	}
	found = xcalloc(versions.nr + 1, sizeof(*found));
	ret = !versions.nr ? 0 :
			     applied_read(found, (const char *const *)versions.v,
					  (const char *const *)checksums.v, versions.nr, err);
	for (size_t i = 0; i < versions.nr; i++) {
		place[i]->kept = found[i].found && found[i].has_down;
		applied_found_release(&found[i]);
	}
	free(found);
	free(place);
	return ret;
}

static bool has_environment(const struct environments *environments, const char *name)
{
	for (size_t i = 0; i < environments->nr; i++)
		if (!strcmp(environments->item[i].name, name))
			return true;
	return false;
}

/*
 * --database is about time: what it leaves out is not asked, and that is told. But what is protected
 * is asked whatever it says, and wants its word where it cannot be.
 */
static int read_environments(struct environments *ret, const struct settings *settings,
			     const struct strvec *names, struct error *err)
{
	struct strvec asked CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec all CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec guarded CLEANUP(strvec_release) = STRVEC_INIT;

	settings_databases(settings, &all);
	environments_protected(&guarded, settings);
	for (size_t i = 0; i < names->nr; i++)
		strvec_push(&asked, names->v[i]);
	for (size_t i = 0; names->nr && i < guarded.nr; i++)
		if (strvec_has(&all, guarded.v[i]))
			strvec_push(&asked, guarded.v[i]);
	if (environments_read(ret, settings, &asked, "git revert-track", err) < 0)
		return -1;
	for (size_t i = 0; i < all.nr; i++)
		if (!has_environment(ret, all.v[i]))
			environments_add_unasked(ret, settings, all.v[i],
						 "--database names others");
	for (size_t i = 0; i < guarded.nr; i++)
		if (!has_environment(ret, guarded.v[i]))
			environments_add_unasked(ret, settings, guarded.v[i],
						 "nothing says where it is");
	return 0;
}

int track_migrations_ask(struct track_migrations *m, const struct settings *settings,
			 const struct strvec *names, struct error *err)
{
	struct environments *environments = &m->environments;

	if (!m->nr)
		return 0;
	if (read_environments(environments, settings, names, err) < 0)
		return -1;
	for (size_t i = 0; i < m->nr; i++) {
		struct track_migration *it = &m->item[i];

		it->place = xcalloc(environments->nr + 1, sizeof(*it->place));
		for (size_t e = 0; e < environments->nr; e++) {
			it->place[e].applied =
				ledger_find(&environments->item[e].ledger, it->file->version);
			it->applied |= it->place[e].applied != NULL;
		}
	}
	for (size_t e = 0; e < environments->nr; e++)
		if (find_kept(m, e, err) < 0)
			return -1;
	return 0;
}

void track_migrations_keep(struct track_migrations *m)
{
	for (size_t i = 0; i < m->nr; i++)
		if (m->item[i].applied && track_migration_loses(&m->item[i]))
			m->item[i].change = TRACK_MIGRATION_KEPT;
}

bool track_migration_loses(const struct track_migration *it)
{
	return it->change == TRACK_MIGRATION_GOES || it->change == TRACK_MIGRATION_CHANGES;
}

/* ---- What of it ---------------------------------------------------------------------- */

/*
 * Those whose up script is touched, and that this environment has: in the order to roll them back,
 * the one that was applied last first.
 */
static void versions_at(const struct track_migrations *m, size_t environment, struct strvec *ret,
			bool *ret_kept)
{
	const struct ledger *ledger = &m->environments.item[environment].ledger;

	*ret_kept = true;
	for (size_t l = ledger->nr; l; l--)
		for (size_t i = 0; i < m->nr; i++) {
			const struct track_migration *it = &m->item[i];

			if (!track_migration_loses(it) ||
			    it->place[environment].applied != &ledger->item[l - 1])
				continue;
			strvec_push(ret, ledger->item[l - 1].version);
			*ret_kept &= it->place[environment].kept;
		}
}

static void add_list(struct strbuf *out, const struct strvec *versions)
{
	strbuf_addf(out, "migration%s ", versions->nr == 1 ? "" : "s");
	for (size_t i = 0; i < versions->nr; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", versions->v[i]);
}

static void add_command(struct strbuf *out, const struct environment *environment,
			const struct strvec *versions)
{
	strbuf_addstr(out, "git rollback-db --database=");
	text_shell_word(out, environment->name);
	if (environment->is_protected) {
		strbuf_addstr(out, " --confirm=");
		text_shell_word(out, environment->name);
	}
	for (size_t i = 0; i < versions->nr; i++) {
		strbuf_addch(out, ' ');
		text_shell_word(out, versions->v[i]);
	}
}

/* --confirm has one name, or several with commas. */
static bool is_confirmed(const struct common_options *common, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = common->confirm; at && *at; at += strcspn(at, ",")) {
		at += *at == ',';
		if (strcspn(at, ",") == len && !strncmp(at, name, len))
			return true;
	}
	return false;
}

static void judge_protected(const struct environment *environment, const char *has,
			    const struct track_migrations_wish *wish, struct verdict *verdict)
{
	if (!environment->is_protected || is_confirmed(wish->common, environment->name))
		return;
	verdict_refuse(verdict, "database '%s' is protected, and %s", environment->name, has);
	verdict_hint(verdict, "Use --confirm=%s to go on all the same.", environment->name);
}

/* What is applied, goes, and whose way back is not in this commit. */
static void hint_no_down(const struct track_migrations *m, size_t at, struct verdict *verdict)
{
	for (size_t i = 0; i < m->nr; i++) {
		const struct track_migration *it = &m->item[i];

		if (track_migration_loses(it) && it->place[at].applied && !it->place[at].kept &&
		    !it->down_rows)
			verdict_hint(verdict,
				     "Migration %s has no down script here: git rollback-db looks "
				     "in git and in the database's log; where it finds none, "
				     "write one first.",
				     it->file->version);
	}
}

static void judge_applied(const struct track_migrations *m, size_t at,
			  const struct track_migrations_wish *wish, struct verdict *verdict)
{
	const struct environment *environment = &m->environments.item[at];
	struct strvec versions CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf has CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf command CLEANUP(strbuf_release) = STRBUF_INIT;
	bool kept;

	versions_at(m, at, &versions, &kept);
	if (!versions.nr)
		return;
	strbuf_addstr(&has, "has ");
	add_list(&has, &versions);
	judge_protected(environment, has.buf, wish, verdict);
	if (wish->forward_fix)
		return;
	if (wish->common->yes && kept) {
		verdict_warn(verdict,
			     "database '%s' %s, whose files go: git keeps them for 'git "
			     "rollback-db' (refs/rollback/applied)",
			     environment->name, has.buf);
		return;
	}
	add_command(&command, environment, &versions);
	verdict_refuse(verdict, "database '%s' %s, whose files would go", environment->name,
		       has.buf);
	hint_no_down(m, at, verdict);
	verdict_hint(verdict, "Roll back there first: %s", command.buf);
	verdict_hint(verdict, "Or use --forward-fix, which keeps these files and writes new "
			      "migrations that undo them.");
	if (kept)
		verdict_hint(verdict, "Or use --yes: 'git rollback-db' finds the scripts in git "
				      "(refs/rollback/applied) when the files are gone.");
}

static bool touches_up(const struct track_migrations *m)
{
	for (size_t i = 0; i < m->nr; i++)
		if (track_migration_loses(&m->item[i]))
			return true;
	return false;
}

void track_migrations_judge(const struct track_migrations *m,
			    const struct track_migrations_wish *wish, struct verdict *verdict)
{
	if (m->problem)
		verdict_warn(verdict,
			     "whether there are migrations among the files is not known: %s",
			     m->problem);
	if (!touches_up(m))
		return;
	for (size_t e = 0; e < m->environments.nr; e++) {
		const struct environment *environment = &m->environments.item[e];

		if (environment->reachable) {
			judge_applied(m, e, wish, verdict);
			continue;
		}
		verdict_warn(verdict, "whether database '%s' has these migrations is not known: %s",
			     environment->name, environment->reason);
		judge_protected(environment, "could not be asked for its migrations", wish,
				verdict);
	}
	if (!m->environments.nr)
		verdict_warn(verdict, "no database is configured: whether these migrations are "
				      "applied somewhere is not known");
}

void track_migrations_commands(const struct track_migrations *m, struct strvec *ret)
{
	for (size_t e = 0; e < m->environments.nr; e++) {
		struct strvec versions CLEANUP(strvec_release) = STRVEC_INIT;
		struct strbuf command CLEANUP(strbuf_release) = STRBUF_INIT;
		bool kept;

		versions_at(m, e, &versions, &kept);
		if (!versions.nr)
			continue;
		add_command(&command, &m->environments.item[e], &versions);
		strvec_push(ret, command.buf);
	}
}

/* ---- Showing it ---------------------------------------------------------------------- */

static const char *state_name(const struct environment *environment,
			      const struct track_migration_place *place)
{
	return !environment->reachable ? "unknown" : place->applied ? "applied" : "pending";
}

static json_t *place_to_json(const struct environment *environment,
			     const struct track_migration_place *place)
{
	return json_pack("{s:o, s:s, s:o, s:b}", "database", json_text(environment->name), "state",
			 state_name(environment, place), "applied_at",
			 place->applied ? json_time(place->applied->applied_at) : json_null(),
			 "down_kept", place->kept);
}

static json_t *script_to_json(const struct migration_script *script)
{
	return script->path ? path_to_json(script->path) : json_null();
}

static json_t *migration_to_json(const struct track_migrations *m, const struct track_migration *it)
{
	json_t *places = json_array();

	for (size_t e = 0; it->place && e < m->environments.nr; e++)
		json_array_append_new(places,
				      place_to_json(&m->environments.item[e], &it->place[e]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "version",
			 json_text(it->file->version), "name", json_text(it->file->name), "up",
			 script_to_json(&it->file->up), "down", script_to_json(&it->file->down),
			 "down_rows", json_text(it->down_rows), "change",
			 track_migration_change_name(it->change), "environments", places);
}

void track_migrations_to_json(const struct track_migrations *m, json_t *plan)
{
	json_t *list = json_array(), *environments = json_array();
	struct strvec commands CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; i < m->nr; i++)
		json_array_append_new(list, migration_to_json(m, &m->item[i]));
	for (size_t e = 0; e < m->environments.nr; e++) {
		const struct environment *it = &m->environments.item[e];

		json_array_append_new(environments,
				      json_pack("{s:o, s:b, s:b, s:o}", "database",
						json_text(it->name), "protected", it->is_protected,
						"reachable", it->reachable, "reason",
						json_text(it->reason)));
	}
	track_migrations_commands(m, &commands);
	json_object_set_new(plan, "migrations", list);
	json_object_set_new(plan, "environments", environments);
	json_object_set_new(plan, "rollback_commands", json_strings(&commands));
}

static void add_escaped(struct strbuf *out, const char *text)
{
	text_escape(out, text, strlen(text), false);
}

static const char *down_words(const struct track_migration *it)
{
	if (!track_migration_loses(it))
		return "";
	if (!it->down_rows)
		return "; it has no down script";
	return !strcmp(it->down_rows, "loses")	 ? "; its down script loses rows" :
	       !strcmp(it->down_rows, "unknown") ? "; its down script may lose rows" :
						   "";
}

void track_migrations_text(struct strbuf *out, const struct track_migrations *m)
{
	static const char *const words[] = {
		[TRACK_MIGRATION_GOES] = "goes",
		[TRACK_MIGRATION_CHANGES] = "its up script changes",
		[TRACK_MIGRATION_DOWN] = "its down script changes",
		[TRACK_MIGRATION_KEPT] = "stays",
	};

	if (m->nr)
		strbuf_addstr(out, "Migrations:\n");
	for (size_t i = 0; i < m->nr; i++) {
		const struct track_migration *it = &m->item[i];

		strbuf_addstr(out, "  ");
		add_escaped(out, it->file->version);
		strbuf_addch(out, ' ');
		add_escaped(out, it->file->name);
		strbuf_addf(out, " (%s%s)", words[it->change], down_words(it));
		for (size_t e = 0; it->place && e < m->environments.nr; e++) {
			strbuf_addstr(out, e ? ", " : ": ");
			add_escaped(out, m->environments.item[e].name);
			strbuf_addf(out, " %s",
				    state_name(&m->environments.item[e], &it->place[e]));
		}
		strbuf_addch(out, '\n');
	}
}
