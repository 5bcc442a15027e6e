/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/track.h"
#include "term/output.h"
#include "term/table.h"

/* A unit, and how many commits it surely has. */
struct row {
	struct unit unit;
	enum unit_state state;
	size_t commits;
};
struct rows {
	struct row *item;
	size_t nr, alloc;
};

static void rows_release(struct rows *rows)
{
	free(rows->item);
}

static size_t count_commits(const struct evidence *evidence, const struct unit *unit)
{
	struct evidence_commits commits CLEANUP(evidence_commits_release) = EVIDENCE_COMMITS_INIT;

	evidence_find(&commits, evidence, unit);
	return commits.certain;
}

/* True: it is listed. */
static bool add_row(struct rows *ret, const struct track_session *s,
		    const struct track_list_request *request, const struct evidence *evidence,
		    struct unit unit)
{
	enum unit_state state = unit_state(&s->tracks, &unit);

	if (!request->all && state == UNIT_PENDING)
		return false;
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	ret->item[ret->nr++] = (struct row){ unit, state, count_commits(evidence, &unit) };
	return true;
}

static void add_tasks(struct rows *ret, const struct track_session *s,
		      const struct track_list_request *request, const struct evidence *evidence,
		      size_t track, size_t phase)
{
	const struct plan_document *plan = &s->tracks.item[track].plan;

	for (size_t i = 0; i < plan->tasks; i++)
		if (plan->task[i].phase == phase)
			add_row(ret, s, request, evidence, unit_of_task(&s->tracks, track, i));
}

/*
 * A track that nobody has ticked may have been worked on all the same: what is in it tells, and it
 * is listed where anything of it is.
 */
static void add_track(struct rows *ret, const struct track_session *s,
		      const struct track_list_request *request, const struct evidence *evidence,
		      size_t track)
{
	const struct plan_document *plan = &s->tracks.item[track].plan;
	struct unit unit = { UNIT_TRACK, track, NO_INDEX, NO_INDEX, NO_INDEX };
	size_t at = ret->nr;

	if (!request->all && s->tracks.item[track].archived)
		return;
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	ret->item[ret->nr++] =
		(struct row){ unit, unit_state(&s->tracks, &unit), count_commits(evidence, &unit) };
	for (size_t p = 0; p < plan->phases; p++) {
		struct unit phase = { UNIT_PHASE, track, p, NO_INDEX, NO_INDEX };

		add_row(ret, s, request, evidence, phase);
		add_tasks(ret, s, request, evidence, track, p);
	}
	add_tasks(ret, s, request, evidence, track, NO_INDEX);
	if (!request->all && ret->nr == at + 1 && ret->item[at].state == UNIT_PENDING)
		ret->nr = at;
}

static void collect(struct rows *ret, const struct track_session *s,
		    const struct track_list_request *request, const struct evidence *evidence)
{
	for (size_t i = 0; i < s->tracks.nr; i++)
		add_track(ret, s, request, evidence, i);
	for (size_t i = 0; i < s->tracks.stories.nr; i++)
		add_row(ret, s, request, evidence, unit_of_story(i));
}

/* ---- Output --------------------------------------------------------------------------- */

static void print_json(const struct rows *rows, const struct track_session *s)
{
	json_t *list = json_array();
	json_t *json CLEANUP(json_decref_p) = json_pack("{s:i, s:o}", "format", 1, "units", list);

	for (size_t i = 0; i < rows->nr; i++) {
		const struct row *row = &rows->item[i];
		json_t *unit = track_unit_to_json(&s->tracks, &row->unit);

		json_object_set_new(unit, "state", json_text(unit_state_name(row->state)));
		json_object_set_new(unit, "commits", json_size(row->commits));
		json_array_append_new(list, unit);
	}
	json_print(json);
}

/* Its number in the phase, or the phase's in the plan; 0: it has none. */
static size_t phase_number(const struct track_session *s, const struct unit *unit)
{
	return unit->phase == NO_INDEX ? 0 :
					 s->tracks.item[unit->track].plan.phase[unit->phase].number;
}

static size_t task_number(const struct track_session *s, const struct unit *unit)
{
	return unit->task == NO_INDEX ? 0 :
					s->tracks.item[unit->track].plan.task[unit->task].number;
}

/* What names a track, or a story, on the command line; free() it. */
static char *unit_name(const struct track_session *s, const struct unit *unit)
{
	return unit->kind == UNIT_STORY ? xstrdup(s->tracks.stories.item[unit->story].name) :
					  track_name(&s->tracks, unit->track);
}

static void print_number(size_t number)
{
	if (number)
		printf("%zu", number);
	putchar('\t');
}

static void print_porcelain(const struct rows *rows, const struct track_session *s)
{
	bool nul = s->session.common->nul;

	for (size_t i = 0; i < rows->nr; i++) {
		const struct row *row = &rows->item[i];
		char *name CLEANUP(free_p) = unit_name(s, &row->unit);

		printf("%s\t", unit_kind_name(row->unit.kind));
		output_field(name, nul, '\t');
		print_number(phase_number(s, &row->unit));
		print_number(task_number(s, &row->unit));
		printf("%s\t%zu\t", unit_state_name(row->state), row->commits);
		output_field(unit_title(&s->tracks, &row->unit), nul, nul ? '\0' : '\n');
	}
}

/* How the command line has it: the id, the phase's number, "<phase>.<task>". */
static void name_cell(struct table *table, const struct track_session *s, const struct unit *unit)
{
	char *name CLEANUP(free_p) = NULL;

	switch (unit->kind) {
	case UNIT_PHASE: table_cellf(table, COLOR_NONE, "  %zu", phase_number(s, unit)); break;
	case UNIT_TASK:
		if (unit->phase == NO_INDEX)
			table_cellf(table, COLOR_NONE, "    %zu", task_number(s, unit));
		else
			table_cellf(table, COLOR_NONE, "    %zu.%zu", phase_number(s, unit),
				    task_number(s, unit));
		break;
	default: name = unit_name(s, unit); table_cell(table, COLOR_YELLOW, name);
	}
}

static void print_people(const struct rows *rows, const struct track_session *s)
{
	struct table table CLEANUP(table_release) = { .columns = 4, .right = 1 << 2 };
	const struct common_options *common = s->session.common;

	for (size_t i = 0; i < rows->nr; i++) {
		const struct row *row = &rows->item[i];

		name_cell(&table, s, &row->unit);
		table_cell(&table, row->state == UNIT_DONE ? COLOR_GREEN : COLOR_NONE,
			   unit_state_name(row->state));
		table_cellf(&table, COLOR_NONE, "%zu", row->commits);
		table_cell(&table, COLOR_NONE, unit_title(&s->tracks, &row->unit));
	}
	table_print(&table,
		    color_wanted(common->color, settings_git(&s->session.settings, "color.ui")),
		    stdout);
	if (!rows->nr && !common->quiet)
		note("no units of work%s", s->tracks.nr ? ", but with --all" : "");
}

int track_list(const struct track_list_request *request, const struct common_options *common,
	       struct error *err)
{
	struct track_session s CLEANUP(track_session_close) = TRACK_SESSION_INIT;
	struct evidence *evidence CLEANUP(evidence_free_p) = NULL;
	struct evidence_request read = { .tracks = &s.tracks };
	struct rows rows CLEANUP(rows_release) = { 0 };

	if (track_session_open(&s, common, err) < 0)
		return -1;
	read.repo = &s.session.repo;
	if (evidence_read(&evidence, &read, err) < 0)
		return -1;
	collect(&rows, &s, request, evidence);
	if (common->json)
		print_json(&rows, &s);
	else if (common->porcelain)
		print_porcelain(&rows, &s);
	else
		print_people(&rows, &s);
	return finish_output(EXIT_DONE);
}
