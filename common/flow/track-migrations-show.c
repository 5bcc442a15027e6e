/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "flow/track-migrations.h"
#include "vcs/path.h"

/* ---- JSON ---------------------------------------------------------------------------- */

static const char *change_name(const struct track_migration *it)
{
	static const char *const names[] = {
		[TRACK_MIGRATION_GOES] = "goes",
		[TRACK_MIGRATION_COMES] = "appears",
		[TRACK_MIGRATION_CHANGES] = "changes",
		[TRACK_MIGRATION_DOWN] = "down",
	};

	return it->stays ? "kept" : names[it->change];
}

static const char *state_name(enum track_migration_fit fit)
{
	return fit == TRACK_FIT_UNKNOWN ? "unknown" :
	       fit == TRACK_FIT_PENDING ? "pending" :
					  "applied";
}

/* Which text it is that is applied. */
static json_t *fit_to_json(enum track_migration_fit fit)
{
	static const char *const names[] = {
		[TRACK_FIT_NOW] = "present",
		[TRACK_FIT_THEN] = "reverted",
		[TRACK_FIT_OTHER] = "other",
	};

	return fit < TRACK_FIT_NOW ? json_null() : json_string(names[fit]);
}

static json_t *places_to_json(const struct track_migrations *m, const struct track_migration *it)
{
	json_t *ret = json_array();

	for (size_t e = 0; it->place && e < m->environments.nr; e++) {
		const struct track_migration_place *place = &it->place[e];

		json_array_append_new(
			ret, json_pack("{s:o, s:s, s:o, s:o, s:b}", "database",
				       json_text(m->environments.item[e].name), "state",
				       state_name(place->fit), "applied_at",
				       place->applied ? json_time(place->applied->applied_at) :
							json_null(),
				       "text", fit_to_json(place->fit), "down_kept", place->kept));
	}
	return ret;
}

static json_t *script_to_json(const struct migration_script *script)
{
	return script->path ? path_to_json(script->path) : json_null();
}

static json_t *uses_to_json(const struct track_migration *it)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < it->uses; i++)
		json_array_append_new(ret, json_pack("{s:o, s:o}", "version",
						     json_text(it->use[i].by->version), "uses",
						     json_text(it->use[i].name)));
	return ret;
}

static json_t *migration_to_json(const struct track_migrations *m, const struct track_migration *it)
{
	json_t *ret =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:o}", "version",
			  json_text(it->file->version), "name", json_text(it->file->name), "up",
			  script_to_json(&it->file->up), "down", script_to_json(&it->file->down),
			  "down_rows", json_text(it->down_rows), "change", change_name(it),
			  "conflict", it->conflict, "used_by", uses_to_json(it), "environments",
			  places_to_json(m, it));

	if (!ret)
		BUG("cannot pack a migration");
	json_object_set_new(ret, "undone_by",
			    it->undone_by ? json_text(it->undone_by->version) : json_null());
	json_object_set_new(ret, "renumbered",
			    it->twin != NO_TWIN ? json_text(m->item[it->twin].file->version) :
						  json_null());
	return ret;
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

/* ---- For people ---------------------------------------------------------------------- */

static void add_escaped(struct strbuf *out, const char *text)
{
	text_escape(out, text, strlen(text), false);
}

static bool is_harmed_somewhere(const struct track_migrations *m, const struct track_migration *it)
{
	for (size_t e = 0; it->place && e < m->environments.nr; e++)
		if (track_migration_harms(it, e))
			return true;
	return false;
}

/* Of one that is to be rolled back first, where a database has it. */
static const char *down_words(const struct track_migrations *m, const struct track_migration *it)
{
	if (it->change != TRACK_MIGRATION_GOES &&
	    (it->change != TRACK_MIGRATION_CHANGES || !is_harmed_somewhere(m, it)))
		return "";
	if (!it->down_rows)
		return "; it has no down script";
	return !strcmp(it->down_rows, "loses")	 ? "; its down script loses rows" :
	       !strcmp(it->down_rows, "unknown") ? "; its down script may lose rows" :
						   "";
}

static void add_change(struct strbuf *out, const struct track_migrations *m,
		       const struct track_migration *it)
{
	static const char *const words[] = {
		[TRACK_MIGRATION_GOES] = "goes",
		[TRACK_MIGRATION_COMES] = "comes back",
		[TRACK_MIGRATION_CHANGES] = "its up script changes",
		[TRACK_MIGRATION_DOWN] = "its down script changes",
	};

	if (it->undone_by) {
		strbuf_addstr(out, "stays, undone by ");
		add_escaped(out, it->undone_by->version);
		return;
	}
	if (it->stays) {
		strbuf_addstr(out,
			      it->change == TRACK_MIGRATION_COMES ? "does not come back" : "stays");
		return;
	}
	strbuf_addstr(out, words[it->change]);
	if (it->twin != NO_TWIN) {
		strbuf_addstr(out, it->change == TRACK_MIGRATION_GOES ? ", to be " : ", was ");
		add_escaped(out, m->item[it->twin].file->version);
	}
	if (it->conflict)
		strbuf_addstr(out, ", if the conflict is resolved so");
	strbuf_addstr(out, down_words(m, it));
}

static const char *fit_words(const struct track_migration *it, enum track_migration_fit fit)
{
	switch (fit) {
	case TRACK_FIT_UNKNOWN: return "unknown";
	case TRACK_FIT_PENDING: return "pending";
	case TRACK_FIT_NOW: return "applied";
	case TRACK_FIT_THEN:
		return it->change == TRACK_MIGRATION_DOWN ? "applied" : "applied as it is then";
	case TRACK_FIT_OTHER: return "applied with another text";
	}
	BUG("unknown fit %d", (int)fit);
}

void track_migrations_text(struct strbuf *out, const struct track_migrations *m)
{
	if (m->nr)
		strbuf_addstr(out, "Migrations:\n");
	for (size_t i = 0; i < m->nr; i++) {
		const struct track_migration *it = &m->item[i];

		strbuf_addstr(out, "  ");
		add_escaped(out, it->file->version);
		strbuf_addch(out, ' ');
		add_escaped(out, it->file->name);
		strbuf_addstr(out, " (");
		add_change(out, m, it);
		strbuf_addch(out, ')');
		for (size_t e = 0; it->place && e < m->environments.nr; e++) {
			strbuf_addstr(out, e ? ", " : ": ");
			add_escaped(out, m->environments.item[e].name);
			strbuf_addf(out, " %s", fit_words(it, it->place[e].fit));
		}
		strbuf_addch(out, '\n');
	}
}
