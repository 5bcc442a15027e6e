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

static const struct plan_document *plan_at(const struct tracks *tracks, const char *path)
{
	for (size_t t = 0; t < tracks->nr; t++)
		if (tracks->item[t].plan.path && !strcmp(tracks->item[t].plan.path, path))
			return &tracks->item[t].plan;
	return NULL;
}

/* What the task was in the commit; one that is not there, by its title, was done all the while. */
static enum unit_state state_before(const struct tracks *then, const struct plan_document *plan,
				    size_t task)
{
	const struct plan_document *old = plan->path ? plan_at(then, plan->path) : NULL;
	size_t was = old ? plan_document_find_same_task(old, plan, task) : NO_INDEX;

	return was == NO_INDEX ? UNIT_DONE : old->task[was].is.state;
}

/* Which tasks may the work that is about to be committed be of? */
enum working {
	WORKING_FINISHED, /* done now, and not in the commit before */
	WORKING_SINCE,	  /* in progress, as in the commit before */
	WORKING_NOW	  /* in progress */
};

static bool is_worked_on(enum working working, enum unit_state now, enum unit_state before)
{
	switch (working) {
	case WORKING_FINISHED: return now == UNIT_DONE && before != UNIT_DONE;
	case WORKING_SINCE: return now == UNIT_IN_PROGRESS && before == UNIT_IN_PROGRESS;
	case WORKING_NOW: return now == UNIT_IN_PROGRESS;
	}
	BUG("unknown kind of work %d", (int)working);
}

static void join_tasks(struct found *found, const struct tracks *now, const struct tracks *then,
		       enum working working)
{
	for (size_t t = 0; t < now->nr; t++) {
		const struct plan_document *plan = &now->item[t].plan;

		for (size_t i = 0; !now->item[t].archived && i < plan->tasks; i++) {
			const struct unit unit = unit_of_task(now, t, i);

			if (is_worked_on(working, plan->task[i].is.state,
					 state_before(then, plan, i)))
				join(found, &unit);
		}
	}
}

/*
 * A task that is finished is what was worked on, and not one that is begun in the same breath; but one
 * that was in progress all the while may be.
 */
static void find_tasks(struct found *found, const struct tracks *now, const struct tracks *then)
{
	join_tasks(found, now, then, WORKING_FINISHED);
	join_tasks(found, now, then, found->any ? WORKING_SINCE : WORKING_NOW);
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
	if (now.nr && s->repo.head && track_read_documents(&then, s, s->repo.head, err) < 0)
		return -1;
	find_tasks(&found, &now, &then);
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
