/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "workflow/plan-document.h"
#include "workflow/state-word.h"

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

static void cut_status(struct splices *ret, const struct plan_document *plan,
		       const struct plan_line *line)
{
	struct span status = line->status;

	if (status.len && unit_state_of_word(plan->text + status.at, status.len) != UNIT_PENDING)
		splices_add(ret, status, "");
}

static void reopen(struct splices *ret, const struct plan_document *plan,
		   const struct plan_line *line)
{
	clear_box(ret, plan, line);
	cut_commits(ret, &line->commit);
	cut_checkpoint_word(ret, plan, line);
	cut_status(ret, plan, line);
}

static void set_field(struct splices *ret, const struct plan_document *plan,
		      const struct plan_field *field, enum unit_state state)
{
	const char *text = plan->text + field->status.at;
	char *word CLEANUP(free_p) = NULL;

	if (!field->status.len || field->state == UNIT_OTHER || field->state == UNIT_CANCELLED ||
	    field->state == state)
		return;
	word = state_word(state, text, field->status.len);
	splices_add(ret, field->status, word);
}

/* "**Status:** Completed" is no more. */
static void reopen_field(struct splices *ret, const struct plan_document *plan,
			 const struct plan_field *field)
{
	if (field->state == UNIT_DONE || field->state == UNIT_IN_PROGRESS)
		set_field(ret, plan, field, UNIT_PENDING);
	if (field->row && field->state != UNIT_PENDING)
		splices_add(ret, field->mark, " ");
	cut_commits(ret, &field->commit);
}

void plan_document_uncheck_task(struct splices *ret, const struct plan_document *plan, size_t task)
{
	const struct plan_task *it = &plan->task[task];

	reopen(ret, plan, &it->is);
	for (size_t i = it->first_item; i < it->first_item + it->items; i++)
		reopen(ret, plan, &plan->item[i].is);
	for (size_t i = 0; i < plan->fields; i++)
		if (plan->field[i].task == task)
			reopen_field(ret, plan, &plan->field[i]);
}

void plan_document_reopen_phase(struct splices *ret, const struct plan_document *plan, size_t phase)
{
	reopen(ret, plan, &plan->phase[phase].is);
	for (size_t i = 0; i < plan->fields; i++)
		if (plan->field[i].phase == phase && plan->field[i].task == NO_INDEX &&
		    !plan->field[i].row)
			reopen_field(ret, plan, &plan->field[i]);
}

/* Those that are no task's. */
static void reopen_rows(struct splices *ret, const struct plan_document *plan, size_t phase)
{
	for (size_t i = 0; i < plan->fields; i++)
		if (plan->field[i].row && plan->field[i].phase == phase &&
		    plan->field[i].task == NO_INDEX)
			reopen_field(ret, plan, &plan->field[i]);
}

void plan_document_uncheck_phase(struct splices *ret, const struct plan_document *plan,
				 size_t phase)
{
	plan_document_reopen_phase(ret, plan, phase);
	reopen_rows(ret, plan, phase);
	for (size_t t = 0; t < plan->tasks; t++)
		if (plan->task[t].phase == phase)
			plan_document_uncheck_task(ret, plan, t);
}

static bool is_own(const struct plan_field *field)
{
	return field->phase == NO_INDEX && field->task == NO_INDEX;
}

void plan_document_set_status(struct splices *ret, const struct plan_document *plan,
			      enum unit_state state)
{
	for (size_t i = 0; i < plan->fields; i++) {
		const struct plan_field *field = &plan->field[i];
		bool more = field->state == UNIT_DONE ||
			    (field->state == UNIT_IN_PROGRESS && state == UNIT_PENDING);

		if (is_own(field) && (more || state == UNIT_REVERTED))
			set_field(ret, plan, field, state);
	}
}

void plan_document_uncheck_all(struct splices *ret, const struct plan_document *plan)
{
	cut_commits(ret, &plan->commit);
	for (size_t i = 0; i < plan->fields; i++)
		if (is_own(&plan->field[i]))
			cut_commits(ret, &plan->field[i].commit);
	for (size_t p = 0; p < plan->phases; p++) {
		plan_document_reopen_phase(ret, plan, p);
		reopen_rows(ret, plan, p);
	}
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

/* ---- Applying ------------------------------------------------------------------------ */

/* The first one from `at` on; they are in order. */
static size_t first_from(const struct splices *splices, size_t at)
{
	size_t low = 0, high = splices->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (splices->item[middle].at.at < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_edited(const struct splices *splices, struct span block)
{
	size_t next = first_from(splices, block.at);

	if (next < splices->nr && splices->item[next].at.at <= block.at + block.len)
		return true;
	return next && splices->item[next - 1].at.at + splices->item[next - 1].at.len >= block.at;
}

/* How many of the commits stay. */
static size_t count_kept(const struct plan_commits *commits, const struct splices *splices)
{
	size_t ret = 0;

	for (size_t i = 0; i < commits->nr; i++) {
		struct span cut = commits->item[i].cut;
		bool goes = false;

		for (size_t k = first_from(splices, cut.at);
		     k < splices->nr && splices->item[k].at.at == cut.at; k++)
			goes |= splices->item[k].at.len == cut.len;
		ret += !goes;
	}
	return ret;
}

/* An item may be a field, whose words change. */
static bool is_field(const struct plan_document *plan, size_t line)
{
	for (size_t i = 0; i < plan->fields; i++)
		if (plan->field[i].line == line)
			return true;
	return false;
}

static bool is_same(const struct plan_document *plan, const struct plan_line *was,
		    const struct plan_line *is, const struct splices *splices, bool edited)
{
	if (was->has_box != is->has_box ||
	    (strcmp(was->title, is->title) != 0 && !is_field(plan, was->line)))
		return false;
	if (edited)
		return is->commit.nr == count_kept(&was->commit, splices);
	return was->state == is->state && was->commit.nr == is->commit.nr;
}

/* The line that is not the same any more, or 0. */
static size_t find_change(const struct plan_document *plan, const struct plan_document *after,
			  const struct splices *splices)
{
	for (size_t t = 0; t < plan->tasks; t++) {
		const struct plan_task *was = &plan->task[t];
		const struct plan_task *is = t < after->tasks ? &after->task[t] : NULL;
		bool edited = is_edited(splices, was->block);

		if (!is || was->phase != is->phase || was->items != is->items ||
		    !is_same(plan, &was->is, &is->is, splices, edited))
			return was->is.line;
		for (size_t i = 0; i < was->items; i++) {
			const struct plan_line *item = &plan->item[was->first_item + i].is;

			if (!is_same(plan, item, &after->item[is->first_item + i].is, splices,
				     edited))
				return item->line;
		}
	}
	return after->tasks == plan->tasks && after->phases == plan->phases ? 0 : 1;
}

int plan_document_apply(struct strbuf *ret, const struct plan_document *plan,
			struct splices *splices, struct error *err)
{
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	struct plan_document after CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	size_t line;

	if (splices_apply(&edited, plan->text, plan->len, splices, err) < 0)
		return error_prefix(err, "cannot edit '%s'", plan->path);
	plan_document_parse(&after, plan->path, edited.buf, edited.len);
	line = find_change(plan, &after, splices);
	if (line)
		return error_set(err, "cannot edit '%s': line %zu would mean something else",
				 plan->path, line);
	strbuf_add(ret, edited.buf, edited.len);
	return 0;
}
