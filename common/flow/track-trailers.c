/* SPDX-License-Identifier: MIT */
#include "flow/track-trailers.h"

#include "flow/track.h"

/* All tasks in progress, taken together. */
struct found {
	struct unit unit;
	bool any, none_in_common;
};

static void join(struct found *found, const struct unit *unit)
{
	if (!found->any)
		found->unit = *unit;
	else if (!found->none_in_common)
		found->none_in_common = !unit_enclosing(&found->unit, &found->unit, unit);
	found->any = true;
}

static void join_tasks(struct found *found, const struct tracks *tracks)
{
	for (size_t t = 0; t < tracks->nr; t++) {
		const struct plan_document *plan = &tracks->item[t].plan;

		for (size_t i = 0; !tracks->item[t].archived && i < plan->tasks; i++) {
			const struct unit unit = unit_of_task(tracks, t, i);

			if (plan->task[i].is.state == UNIT_IN_PROGRESS)
				join(found, &unit);
		}
	}
}

/* Where no task is marked, the tracks that are. */
static void join_tracks(struct found *found, const struct tracks *tracks)
{
	for (size_t t = 0; t < tracks->nr; t++) {
		const struct unit unit = unit_of_track(t);

		if (!tracks->item[t].archived && tracks->item[t].state == UNIT_IN_PROGRESS)
			join(found, &unit);
	}
}

static const struct plan_document *plan_at(const struct tracks *tracks, const char *path)
{
	for (size_t t = 0; t < tracks->nr; t++)
		if (tracks->item[t].plan.path && !strcmp(tracks->item[t].plan.path, path))
			return &tracks->item[t].plan;
	return NULL;
}

/* Tasks that are done in the worktree, and are not in the commit. */
static void join_finished(struct found *found, const struct tracks *now, const struct tracks *then)
{
	for (size_t t = 0; t < now->nr; t++) {
		const struct plan_document *plan = &now->item[t].plan, *old;

		old = plan->path ? plan_at(then, plan->path) : NULL;
		for (size_t i = 0; old && i < plan->tasks; i++) {
			const struct unit unit = unit_of_task(now, t, i);
			size_t was = plan_document_find_same_task(old, plan, i);

			if (plan->task[i].is.state == UNIT_DONE && was != NO_INDEX &&
			    old->task[was].is.state != UNIT_DONE)
				join(found, &unit);
		}
	}
}

static void add(struct strvec *ret, const char *key, const char *value)
{
	/* A title is one line; what is not would be a trailer of its own. */
	if (*value && !strpbrk(value, "\r\n"))
		strvec_pushf(ret, "%s: %s", key, value);
}

static void add_all(struct strvec *ret, const struct tracks *tracks, const struct unit *unit)
{
	const struct track *track = &tracks->item[unit->track];

	add(ret, "Track", track->id);
	if (unit->phase != NO_INDEX && track->plan.phase[unit->phase].has_heading)
		add(ret, "Phase", track->plan.phase[unit->phase].is.title);
	if (unit->task != NO_INDEX)
		add(ret, "Task", track->plan.task[unit->task].is.title);
}

int track_trailers_find(struct strvec *ret, const struct checkpoint_session *s, struct error *err)
{
	struct tracks now CLEANUP(tracks_release) = TRACKS_INIT;
	struct tracks then CLEANUP(tracks_release) = TRACKS_INIT;
	struct found found = { 0 };

	if (!s->repo.worktree)
		return 0;
	if (track_read_documents(&now, s, NULL, err) < 0)
		return -1;
	join_tasks(&found, &now);
	if (!found.any && now.nr && s->repo.head) {
		if (track_read_documents(&then, s, s->repo.head, err) < 0)
			return -1;
		join_finished(&found, &now, &then);
	}
	if (!found.any)
		join_tracks(&found, &now);
	if (found.any && !found.none_in_common)
		add_all(ret, &now, &found.unit);
	return 0;
}

int track_trailers(const struct common_options *common, struct error *err)
{
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct strvec trailers CLEANUP(strvec_release) = STRVEC_INIT;

	if (checkpoint_session_open(&s, common, err) < 0 ||
	    track_trailers_find(&trailers, &s, err) < 0)
		return -1;
	if (common->json) {
		json_t *json CLEANUP(json_decref_p) =
			json_pack("{s:i, s:o}", "format", 1, "trailers", json_strings(&trailers));

		json_print(json);
	} else {
		for (size_t i = 0; i < trailers.nr; i++)
			puts(trailers.v[i]);
	}
	return trailers.nr ? EXIT_DONE : EXIT_NO;
}
