/* SPDX-License-Identifier: MIT */
/* What a plan says in lines by themselves, and in tables. */
#include <strings.h>

#include "base/memory.h"
#include "workflow/commit-mark.h"
#include "workflow/plan-line.h"
#include "workflow/plan-parts.h"
#include "workflow/table-row.h"

/* Where the walk that looks for fields is. A title that is the only phase leaves them to the plan. */
struct field_place {
	bool begun;	    /* a phase */
	size_t phase, task; /* the task whose heading was the last one; or NO_INDEX */
	size_t headings;    /* in plan.task[]: those before were seen */
	int task_level;
	bool tasks; /* of the phase have begun */
};

static void pass_heading(const struct plan_reader *r, struct field_place *place, size_t block)
{
	int level = r->md.block[block].level;

	if (r->note[block].role == ROLE_PHASE) {
		if (r->plan->phases > 1 || level != 1)
			place->phase = place->begun ? place->phase + 1 : 0;
		place->begun = true;
		place->task = NO_INDEX;
		place->tasks = false;
	} else if (r->note[block].role == ROLE_TASK) {
		while (!r->plan->task[place->headings].is_heading)
			place->headings++;
		place->task = place->headings++;
		place->task_level = level;
		place->tasks = true;
	} else {
		if (place->task != NO_INDEX && level <= place->task_level)
			place->task = NO_INDEX;
		place->tasks |= place->begun;
	}
}

/* The task that a block is in, by the list or by the heading. */
static size_t task_around(const struct plan_reader *r, const struct field_place *place,
			  size_t block)
{
	size_t parent = r->md.block[block].parent;

	if (r->note[block].task != NO_INDEX)
		return r->note[block].task;
	if (parent != NO_INDEX && r->note[parent].task != NO_INDEX)
		return r->note[parent].task;
	return place->task;
}

static void add_field(struct plan_document *plan, const struct plan_field *field)
{
	ARRAY_GROW(plan->field, plan->fields + 1, plan->fields_alloc);
	plan->field[plan->fields++] = *field;
}

/* What ends an item's line is the item's own. */
static bool is_read_already(const struct plan_reader *r, size_t block, struct span status)
{
	struct span own;
	enum unit_state state;

	return r->md.block[block].kind == MARKDOWN_ITEM &&
	       line_find_status(&own, &state, LINE_TASK, r->md.text, r->md.block[block].text) &&
	       span_end(own) > status.at && own.at < span_end(status);
}

static void read_field(struct plan_reader *r, const struct field_place *place, size_t block,
		       size_t line)
{
	const char *text = r->md.text;
	struct span whole = markdown_line(&r->md, line);
	size_t task = task_around(r, place, block);
	bool item = r->md.block[block].kind == MARKDOWN_ITEM;
	struct plan_field field = {
		.state = UNIT_OTHER, .line = line + 1, .phase = place->phase, .task = task
	};

	/* Words of a task may speak of a status; a field of it begins the line, and says one. */
	field.status = line_find_status_field(text, whole, task != NO_INDEX);
	if (field.status.len)
		field.state = unit_state_of_word(text + field.status.at, field.status.len);
	if (task != NO_INDEX &&
	    (field.state == UNIT_OTHER || is_read_already(r, block, field.status)))
		field.status.len = 0;
	if (!item)
		line_find_field_commits(&field.commit, text, whole, &field.status);
	if (field.status.len || field.commit.nr)
		add_field(r->plan, &field);
	else
		plan_commits_release(&field.commit);
}

/* The task of this phase that a cell has the title of. */
static size_t task_in_row(const struct plan_reader *r, size_t phase, const struct table_row *row)
{
	const struct plan_document *plan = r->plan;

	for (size_t c = 0; c < row->nr; c++) {
		char *plain CLEANUP(free_p) =
			line_plain(r->md.text + row->cell[c].at, row->cell[c].len);

		for (size_t t = 0; *plain && t < plan->tasks; t++)
			if (plan->task[t].phase == phase &&
			    !strcasecmp(plan->task[t].is.title, plain))
				return t;
	}
	return NO_INDEX;
}

/* True: it is a row with a check box. */
static bool read_row(struct plan_reader *r, size_t phase, size_t line)
{
	const char *text = r->md.text;
	struct span whole = markdown_line(&r->md, line);
	struct plan_field field = { .row = true, .line = line + 1, .phase = phase };
	struct table_row row;
	bool box = false;

	if (phase == NO_INDEX || !memchr(text + whole.at, '|', whole.len))
		return false;
	table_row_split(&row, text, whole);
	for (size_t c = 0; c < row.nr; c++) {
		size_t behind;

		if (!box && line_find_box(&field.mark, &behind, text, row.cell[c]) &&
		    behind == span_end(row.cell[c]))
			box = true;
	}
	if (!box)
		return false;
	for (size_t c = 0; c < row.nr; c++)
		commit_marks_find(&field.commit, text, row.cell[c]);
	field.state = unit_state_of_mark(text + field.mark.at, field.mark.len);
	field.task = task_in_row(r, phase, &row);
	add_field(r->plan, &field);
	return true;
}

void plan_find_fields(struct plan_reader *r)
{
	struct field_place place = { .phase = NO_INDEX, .task = NO_INDEX };

	for (size_t i = 0; i < r->md.nr; i++) {
		const struct markdown_block *it = &r->md.block[i];

		if (plan_is_heading(r, i) || r->note[i].role != ROLE_NONE) {
			pass_heading(r, &place, i);
			continue;
		}
		place.tasks |= r->note[i].task != NO_INDEX;
		for (size_t line = it->first; line <= it->text_last; line++)
			if ((it->kind != MARKDOWN_PARAGRAPH || !read_row(r, place.phase, line)) &&
			    (!place.tasks || task_around(r, &place, i) != NO_INDEX))
				read_field(r, &place, i, line);
	}
}
