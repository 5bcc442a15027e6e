/* SPDX-License-Identifier: MIT */
#include "workflow/plan-document.h"

static void clear_box(struct splices *ret, const struct plan_document *plan,
		      const struct plan_line *line)
{
	if (line->has_box &&
	    unit_state_of_mark(plan->text + line->mark.at, line->mark.len) != UNIT_PENDING)
		splices_add(ret, line->mark, " ");
}

static void cut_commits(struct splices *ret, const struct plan_commits *commits)
{
	for (size_t i = 0; i < commits->nr; i++)
		splices_add(ret, commits->item[i].cut, "");
}

/* "[checkpoint: audit_done]" goes as one with a commit does; an empty one, or a pending one, stays. */
static void cut_checkpoint_word(struct splices *ret, const struct plan_document *plan,
				const struct plan_line *line)
{
	struct span word = line->checkpoint_word;

	if (word.len && unit_state_of_word(plan->text + word.at, word.len) != UNIT_PENDING)
		splices_add(ret, line->empty_checkpoint, "");
}

static void reopen(struct splices *ret, const struct plan_document *plan,
		   const struct plan_line *line)
{
	clear_box(ret, plan, line);
	cut_commits(ret, &line->commit);
	cut_checkpoint_word(ret, plan, line);
}

void plan_document_uncheck_task(struct splices *ret, const struct plan_document *plan, size_t task)
{
	const struct plan_task *it = &plan->task[task];

	reopen(ret, plan, &it->is);
	for (size_t i = it->first_item; i < it->first_item + it->items; i++)
		reopen(ret, plan, &plan->item[i].is);
}

void plan_document_reopen_phase(struct splices *ret, const struct plan_document *plan, size_t phase)
{
	const struct plan_line *line = &plan->phase[phase].is;

	reopen(ret, plan, line);
	if (line->status.len &&
	    unit_state_of_word(plan->text + line->status.at, line->status.len) != UNIT_PENDING)
		splices_add(ret, line->status, "");
}

void plan_document_uncheck_phase(struct splices *ret, const struct plan_document *plan,
				 size_t phase)
{
	plan_document_reopen_phase(ret, plan, phase);
	for (size_t t = 0; t < plan->tasks; t++)
		if (plan->task[t].phase == phase)
			plan_document_uncheck_task(ret, plan, t);
}

void plan_document_uncheck_all(struct splices *ret, const struct plan_document *plan)
{
	cut_commits(ret, &plan->commit);
	for (size_t p = 0; p < plan->phases; p++)
		plan_document_reopen_phase(ret, plan, p);
	for (size_t t = 0; t < plan->tasks; t++)
		plan_document_uncheck_task(ret, plan, t);
}

void plan_document_mark_phase_reverted(struct splices *ret, const struct plan_document *plan,
				       size_t phase)
{
	const struct plan_phase *it = &plan->phase[phase];

	if (it->has_heading)
		splices_add(ret, (struct span){ it->is.text.at + it->is.text.len, 0 },
			    " [Reverted]");
}
