/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "config/database.h"
#include "flow/track-migrations.h"
#include "migration/status.h"
#include "vcs/applied.h"

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

static enum track_migration_fit fit_of(const struct track_migration *it,
				       const struct environment *environment,
				       const struct ledger_entry *applied)
{
	if (!environment->reachable)
		return TRACK_FIT_UNKNOWN;
	if (!applied)
		return TRACK_FIT_PENDING;
	if (!applied->checksum || !*applied->checksum)
		return it->now ? TRACK_FIT_NOW : TRACK_FIT_THEN;
	return !strcmp(applied->checksum, it->then_sum) ? TRACK_FIT_THEN :
	       !strcmp(applied->checksum, it->now_sum)	? TRACK_FIT_NOW :
							  TRACK_FIT_OTHER;
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
			const struct ledger_entry *applied =
				ledger_find(&environments->item[e].ledger, it->file->version);

			it->place[e].applied = applied;
			it->place[e].fit = fit_of(it, &environments->item[e], applied);
			it->applied |= applied != NULL;
		}
	}
	for (size_t e = 0; e < environments->nr; e++)
		if (find_kept(m, e, err) < 0)
			return -1;
	return 0;
}

/* ---- Is it still so? ----------------------------------------------------------------- */

/* Not of what comes back: that it is there is no harm, nor of what is undone, and stays. */
static bool matters(const struct track_migration *it)
{
	return it->change != TRACK_MIGRATION_COMES && !it->undone_by;
}

static const char *checksum_of(const struct ledger_entry *applied)
{
	return applied->checksum ? applied->checksum : "";
}

json_t *track_migrations_state(const struct track_migrations *m, const struct strvec *names)
{
	json_t *applied = json_object(), *reachable = json_array();

	for (size_t i = 0; i < m->nr; i++) {
		const struct track_migration *it = &m->item[i];
		json_t *places = json_object();

		for (size_t e = 0; e < m->environments.nr; e++)
			if (it->place[e].applied)
				json_object_set_new(places, m->environments.item[e].name,
						    json_text(checksum_of(it->place[e].applied)));
		if (matters(it))
			json_object_set(applied, it->file->version, places);
		json_decref(places);
	}
	for (size_t e = 0; e < m->environments.nr; e++)
		if (m->environments.item[e].reachable)
			json_array_append_new(reachable, json_text(m->environments.item[e].name));
	return json_pack("{s:o, s:o, s:o}", "databases", json_strings(names), "reachable",
			 reachable, "applied", applied);
}

static bool was_reachable(const json_t *state, const char *name)
{
	json_t *text CLEANUP(json_decref_p) = json_text(name);

	return json_has(json_object_get(state, "reachable"), text);
}

static int check_environment(const struct environment *environment, const json_t *state,
			     struct error *err)
{
	json_t *applied = json_object_get(state, "applied"), *places;
	const char *version;

	if (!environment->reachable) {
		if (!environment->is_protected || !was_reachable(state, environment->name))
			return 0;
		return error_refused(err,
				     "database '%s' is protected, and could not be asked for its "
				     "migrations once more: %s",
				     environment->name, environment->reason);
	}
	json_object_foreach(applied, version, places)
	{
		const struct ledger_entry *now = ledger_find(&environment->ledger, version);
		const char *before = json_member(places, environment->name);

		if (!now || (before && !strcmp(before, checksum_of(now))))
			continue;
		error_refused(err, "database '%s' has migration %s by now", environment->name,
			      version);
		return error_hint(err, "Nothing was changed. Look at the plan again.");
	}
	return 0;
}

int track_migrations_unchanged(const json_t *state, const struct settings *settings,
			       struct error *err)
{
	struct environments environments CLEANUP(environments_release) = ENVIRONMENTS_INIT;
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	const json_t *name;
	size_t i;

	if (!json_object_size(json_object_get(state, "applied")))
		return 0;
	json_array_foreach(json_object_get(state, "databases"), i, name)
		strvec_push(&names, json_string_value(name));
	if (read_environments(&environments, settings, &names, err) < 0)
		return -1;
	for (i = 0; i < environments.nr; i++)
		if (check_environment(&environments.item[i], state, err) < 0)
			return -1;
	return 0;
}
