/* SPDX-License-Identifier: MIT */
#include "workflow/plan-document.h"

size_t plan_document_task_at(const struct plan_document *plan, size_t phase, size_t number)
{
	for (size_t t = 0; t < plan->tasks; t++)
		if (plan->task[t].phase == phase && plan->task[t].number == number)
			return t;
	return NO_INDEX;
}

size_t plan_document_find_same_phase(const struct plan_document *other,
				     const struct plan_document *plan, size_t phase)
{
	const struct plan_phase *mine = &plan->phase[phase];
	size_t ret = NO_INDEX;

	for (size_t p = 0; p < other->phases; p++) {
		if (strcmp(other->phase[p].is.title, mine->is.title) != 0)
			continue;
		if (other->phase[p].number == mine->number)
			return p;
		if (ret == NO_INDEX)
			ret = p;
	}
	return ret;
}

/* How well two tasks of the same title fit: 0 to 3. */
static int fit(const struct plan_document *a, const struct plan_task *x,
	       const struct plan_document *b, const struct plan_task *y)
{
	bool both = x->phase != NO_INDEX && y->phase != NO_INDEX;

	return 2 * (both && !strcmp(a->phase[x->phase].is.title, b->phase[y->phase].is.title)) +
	       (x->number == y->number);
}

size_t plan_document_find_same_task(const struct plan_document *other,
				    const struct plan_document *plan, size_t task)
{
	const struct plan_task *mine = &plan->task[task];
	size_t ret = NO_INDEX;
	int best = -1;

	for (size_t t = 0; t < other->tasks; t++) {
		int fits;

		if (strcmp(other->task[t].is.title, mine->is.title) != 0)
			continue;
		fits = fit(other, &other->task[t], plan, mine);
		if (fits > best) {
			best = fits;
			ret = t;
		}
	}
	return ret;
}

/* ---- What says that something is done ------------------------------------------------ */

bool plan_field_is_of(const struct plan_document *plan, const struct plan_field *field,
		      size_t phase, size_t task)
{
	if (task != NO_INDEX)
		return field->task == task;
	if (phase == NO_INDEX)
		return true;
	return field->task == NO_INDEX ? field->phase == phase :
					 plan->task[field->task].phase == phase;
}

/* A check box, or words, of a line. */
static bool line_claims(const struct plan_line *line)
{
	return line->state == UNIT_DONE && (line->has_box || line->status.len);
}

static size_t task_claim(const struct plan_document *plan, const struct plan_task *task)
{
	if (task->is.state == UNIT_DONE)
		return task->is.line;
	for (size_t i = task->first_item; i < task->first_item + task->items; i++)
		if (line_claims(&plan->item[i].is))
			return plan->item[i].is.line;
	return 0;
}

size_t plan_document_claim(const struct plan_document *plan, size_t phase, size_t task)
{
	for (size_t i = 0; i < plan->fields; i++)
		if (plan->field[i].state == UNIT_DONE &&
		    plan_field_is_of(plan, &plan->field[i], phase, task))
			return plan->field[i].line;
	for (size_t p = 0; task == NO_INDEX && p < plan->phases; p++)
		if ((phase == NO_INDEX || p == phase) && line_claims(&plan->phase[p].is))
			return plan->phase[p].is.line;
	for (size_t t = 0; t < plan->tasks; t++) {
		bool in = task != NO_INDEX ? t == task :
					     phase == NO_INDEX || plan->task[t].phase == phase;
		size_t line = in ? task_claim(plan, &plan->task[t]) : 0;

		if (line)
			return line;
	}
	return 0;
}
