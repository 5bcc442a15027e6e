/* SPDX-License-Identifier: MIT */
#include "flow/track-forward-fix.h"

#include "base/memory.h"
#include "base/text.h"
#include "flow/forward-fix.h"
#include "vcs/path.h"

void track_forward_fixes_release(struct track_forward_fixes *fixes)
{
	for (size_t i = 0; i < fixes->nr; i++) {
		struct track_forward_fix *it = &fixes->item[i];

		free(it->undoes);
		free(it->version);
		free(it->name);
		free(it->up_path);
		free(it->down_path);
		strbuf_release(&it->up);
		strbuf_release(&it->down);
		strvec_release(&it->databases);
	}
	free(fixes->item);
	*fixes = (struct track_forward_fixes)TRACK_FORWARD_FIXES_INIT;
}

/* ---- What cannot be undone so -------------------------------------------------------- */

/* The first environment that has it. */
static size_t first_place(const struct track_migrations *migrations,
			  const struct track_migration *it)
{
	for (size_t e = 0; e < migrations->environments.nr; e++)
		if (it->place[e].applied)
			return e;
	BUG("migration %s is applied nowhere", it->file->version);
}

static bool same_checksum(const struct ledger_entry *a, const struct ledger_entry *b)
{
	return a->checksum && b->checksum ? !strcmp(a->checksum, b->checksum) :
					    a->checksum == b->checksum;
}

/* One migration has one up script, and can undo only one text. */
static bool refuse_texts(const struct track_migrations *migrations,
			 const struct track_migration *it, struct verdict *verdict)
{
	const struct environments *environments = &migrations->environments;
	size_t first = first_place(migrations, it);

	for (size_t e = first + 1; e < environments->nr; e++) {
		if (!it->place[e].applied ||
		    same_checksum(it->place[first].applied, it->place[e].applied))
			continue;
		verdict_refuse(verdict,
			       "cannot undo migration %s (%s) by a new one: databases '%s' and "
			       "'%s' have different texts of it",
			       it->file->version, it->file->name, environments->item[first].name,
			       environments->item[e].name);
		return true;
	}
	return false;
}

static bool refuse_uses(const struct track_migration *it, struct verdict *verdict)
{
	for (size_t i = 0; i < it->uses; i++)
		verdict_refuse(verdict,
			       "cannot undo migration %s (%s) by a new one: migration %s (%s), "
			       "which stays, uses '%s'",
			       it->file->version, it->file->name, it->use[i].by->version,
			       it->use[i].by->name, it->use[i].name);
	if (it->uses)
		verdict_hint(verdict, "Revert what was built on it, too, by --with-dependents.");
	return it->uses;
}

static void refuse_change(const struct track_migration *it, struct verdict *verdict)
{
	verdict_refuse(verdict,
		       "cannot undo the change of migration %s (%s) by a new one: to undo all of "
		       "it would take away what was there before",
		       it->file->version, it->file->name);
	verdict_hint(verdict, "Or leave out the commit that changed it, by --except=<commit>, and "
			      "write a migration by hand that takes the change back.");
}

/* ---- What undoes it ------------------------------------------------------------------ */

/* Takes over what is to be written. */
static void add_fix(struct track_forward_fixes *fixes, struct forward_fix *fix,
		    const struct track_migrations *migrations, const struct track_migration *it)
{
	struct track_forward_fix *added;

	ARRAY_GROW(fixes->item, fixes->nr + 1, fixes->alloc);
	added = &fixes->item[fixes->nr++];
	*added = (struct track_forward_fix){
		.undoes = xstrdup(it->file->version),
		.version = STEAL(fix->version),
		.name = STEAL(fix->name),
		.up_path = STEAL(fix->up.path),
		.down_path = STEAL(fix->down.path),
		.up = fix->up.text,
		.down = fix->down.text,
	};
	fix->up.text = (struct strbuf)STRBUF_INIT;
	fix->down.text = (struct strbuf)STRBUF_INIT;
	for (size_t e = 0; e < migrations->environments.nr; e++)
		if (it->place[e].applied)
			strvec_push(&added->databases, migrations->environments.item[e].name);
}

static void take_verdict(struct verdict *verdict, const struct verdict *from)
{
	for (size_t i = 0; i < from->warnings.nr; i++)
		verdict_warn(verdict, "%s", from->warnings.v[i]);
	for (size_t i = 0; i < from->hints.nr; i++)
		verdict_hint(verdict, "%s", from->hints.v[i]);
}

/* By what one of the databases recorded that have it. EXIT_REFUSED: it cannot be undone so. */
static int plan_one(struct track_forward_fixes *fixes, const struct checkpoint_session *s,
		    const struct track_migrations *migrations, const struct track_migration *it,
		    struct verdict *verdict, struct error *err)
{
	struct session session CLEANUP(session_close) = SESSION_INIT;
	struct forward_fix fix CLEANUP(forward_fix_release) = FORWARD_FIX_INIT;
	struct rollback_request request = ROLLBACK_REQUEST_INIT;
	struct session_request wanted = { .command = "revert-track", .common = s->common };
	size_t e = first_place(migrations, it);

	wanted.database = migrations->environments.item[e].name;
	request.mode = ROLLBACK_FIX;
	request.fix = it->place[e].applied->version;
	request.common = *s->common;
	fix.after = fixes->nr ? fixes->item[fixes->nr - 1].version : NULL;
	if (session_open(&session, &wanted, err) < 0 ||
	    forward_fix_plan(&fix, &session, &request, err) < 0)
		return -1;
	/* It goes into a commit: what the setting has outside the worktree cannot. */
	if (*fix.up.path == '/')
		return error_refused(err, "the folder of the migrations is not in the worktree");
	take_verdict(verdict, &fix.verdict);
	add_fix(fixes, &fix, migrations, it);
	return 0;
}

/* ---- What stays ---------------------------------------------------------------------- */

static struct track_migration *fix_of(struct track_migrations *migrations,
				      const struct track_migration *it)
{
	for (size_t i = 0; i < migrations->nr; i++)
		if (migrations->item[i].now == it->undone_by)
			return &migrations->item[i];
	return NULL;
}

/* With its fix, where that would go as well and a database has one of them. */
static void keep_undone(struct track_migrations *migrations, struct track_migration *it)
{
	struct track_migration *fix = fix_of(migrations, it);

	if (fix && !it->applied && !fix->applied) {
		it->undone_by = NULL;
		return;
	}
	it->stays = true;
	if (fix)
		fix->stays = true;
}

static bool is_harmed(const struct track_migrations *migrations, const struct track_migration *it)
{
	for (size_t e = 0; e < migrations->environments.nr; e++)
		if (track_migration_harms(it, e))
			return true;
	return false;
}

static void keep_number(struct track_migrations *migrations, struct track_migration *it,
			struct verdict *verdict)
{
	struct track_migration *before = &migrations->item[it->twin];

	it->stays = before->stays = true;
	verdict_warn(verdict,
		     "migration %s stays, and %s, which it was before, does not come back: "
		     "only the number is another",
		     it->file->version, before->file->version);
}

static int undo(struct track_forward_fixes *ret, const struct checkpoint_session *session,
		struct track_migrations *migrations, struct track_migration *it,
		struct verdict *verdict, struct error *err)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	if (it->change == TRACK_MIGRATION_CHANGES) {
		refuse_change(it, verdict);
		return 0;
	}
	if (it->twin != NO_TWIN) {
		keep_number(migrations, it, verdict);
		return 0;
	}
	if (refuse_uses(it, verdict) || refuse_texts(migrations, it, verdict))
		return 0;
	if (plan_one(ret, session, migrations, it, verdict, &reason) == 0) {
		it->stays = true;
		return 0;
	}
	if (reason.exit_code != EXIT_REFUSED) {
		error_move(err, &reason);
		return -1;
	}
	verdict_refuse(verdict, "%s", reason.message);
	if (reason.hint)
		verdict_hint(verdict, "%s", reason.hint);
	return 0;
}

int track_forward_fixes_plan(struct track_forward_fixes *ret,
			     const struct checkpoint_session *session,
			     struct track_migrations *migrations, bool wanted,
			     struct verdict *verdict, struct error *err)
{
	migrations->forward = wanted;
	for (size_t i = 0; i < migrations->nr; i++)
		if (migrations->item[i].undone_by)
			keep_undone(migrations, &migrations->item[i]);
	for (size_t i = migrations->nr; wanted && i; i--) {
		struct track_migration *it = &migrations->item[i - 1];

		if (is_harmed(migrations, it) &&
		    undo(ret, session, migrations, it, verdict, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- Showing it ---------------------------------------------------------------------- */

json_t *track_forward_fixes_to_json(const struct track_forward_fixes *fixes)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < fixes->nr; i++) {
		const struct track_forward_fix *it = &fixes->item[i];

		json_array_append_new(ret, json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "undoes",
						     json_text(it->undoes), "version", it->version,
						     "name", json_text(it->name), "up",
						     path_to_json(it->up_path), "down",
						     path_to_json(it->down_path), "databases",
						     json_strings(&it->databases)));
	}
	return ret;
}

void track_forward_fixes_text(struct strbuf *out, const struct track_forward_fixes *fixes)
{
	if (fixes->nr)
		strbuf_addstr(out, "New migrations that undo what is applied:\n");
	for (size_t i = 0; i < fixes->nr; i++) {
		const struct track_forward_fix *it = &fixes->item[i];

		strbuf_addf(out, "  %s %s undoes ", it->version, it->name);
		text_escape(out, it->undoes, strlen(it->undoes), false);
		strbuf_addstr(out, ", for");
		for (size_t d = 0; d < it->databases.nr; d++) {
			strbuf_addstr(out, d ? ", " : " ");
			text_escape(out, it->databases.v[d], strlen(it->databases.v[d]), false);
		}
		strbuf_addch(out, '\n');
	}
}
