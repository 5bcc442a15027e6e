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
	strvec_release(&fixes->keep);
	*fixes = (struct track_forward_fixes)TRACK_FORWARD_FIXES_INIT;
}

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
	if (it->file->up.path)
		strvec_push(&fixes->keep, it->file->up.path);
	if (it->file->down.path)
		strvec_push(&fixes->keep, it->file->down.path);
}

/* By what one of the databases recorded that have it. */
static int plan_one(struct track_forward_fixes *fixes, const struct checkpoint_session *s,
		    const struct track_migrations *migrations, const struct track_migration *it,
		    struct verdict *verdict, struct error *err)
{
	struct session session CLEANUP(session_close) = SESSION_INIT;
	struct forward_fix fix CLEANUP(forward_fix_release) = FORWARD_FIX_INIT;
	struct rollback_request request = ROLLBACK_REQUEST_INIT;
	struct session_request wanted = { .command = "revert-track", .common = s->common };
	size_t e = 0;

	while (!it->place[e].applied)
		e++;
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
	for (size_t i = 0; i < fix.verdict.warnings.nr; i++)
		verdict_warn(verdict, "%s", fix.verdict.warnings.v[i]);
	for (size_t i = 0; i < fix.verdict.hints.nr; i++)
		verdict_hint(verdict, "%s", fix.verdict.hints.v[i]);
	add_fix(fixes, &fix, migrations, it);
	return 0;
}

int track_forward_fixes_plan(struct track_forward_fixes *ret,
			     const struct checkpoint_session *session,
			     const struct track_migrations *migrations, struct verdict *verdict,
			     struct error *err)
{
	for (size_t i = migrations->nr; i; i--) {
		const struct track_migration *it = &migrations->item[i - 1];

		if (it->applied && track_migration_loses(it) &&
		    plan_one(ret, session, migrations, it, verdict, err) < 0)
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
