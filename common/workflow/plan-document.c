/* SPDX-License-Identifier: MIT */
#include "workflow/plan-document.h"

#include <strings.h>

#include "base/memory.h"
#include "workflow/commit-mark.h"
#include "workflow/plan-line.h"
#include "workflow/plan-parts.h"

void plan_document_release(struct plan_document *plan)
{
	for (size_t i = 0; i < plan->phases; i++)
		plan_line_release(&plan->phase[i].is);
	for (size_t i = 0; i < plan->tasks; i++)
		plan_line_release(&plan->task[i].is);
	for (size_t i = 0; i < plan->items; i++)
		plan_line_release(&plan->item[i].is);
	for (size_t i = 0; i < plan->fields; i++)
		plan_commits_release(&plan->field[i].commit);
	plan_commits_release(&plan->commit);
	free(plan->field);
	free(plan->phase);
	free(plan->task);
	free(plan->item);
	free(plan->title);
	free(plan->path);
	free(plan->text);
	*plan = (struct plan_document)PLAN_DOCUMENT_INIT;
}

/* ---- What the blocks are ------------------------------------------------------------- */

static void take_note(struct plan_reader *r, size_t block)
{
	const struct markdown_block *it = &r->md.block[block];
	struct plan_note *note = &r->note[block];
	size_t behind = it->text.at;
	struct span mark;

	note->task = NO_INDEX;
	note->boxed = line_find_box(&mark, &behind, r->md.text, it->text);
	if (it->kind == MARKDOWN_ITEM)
		return;

	size_t len = it->text.at + it->text.len - behind;
	char *plain CLEANUP(free_p) = line_plain(r->md.text + behind, len);
	struct line_label phase = line_find_label(plain, LINE_PHASE);

	note->says_task = line_find_label(plain, LINE_TASK).named;
	note->says_phase = phase.named;
	note->separated = phase.separated;
}

static bool is_box(const struct plan_reader *r, size_t block)
{
	return r->md.block[block].kind == MARKDOWN_ITEM && r->note[block].boxed;
}

/* The level of the outermost headings that say "Phase"; a single one of level 1 is the title. */
static int labelled_level(const struct plan_reader *r)
{
	int level = 0;
	size_t titles = 0;

	for (size_t i = 0; i < r->md.nr; i++) {
		int own = r->md.block[i].level;

		if (!plan_is_heading(r, i) || !r->note[i].says_phase)
			continue;
		titles += own == 1;
		if (own > 1 && (!level || own < level))
			level = own;
	}
	return titles > 1 || (titles && !level) ? 1 : level;
}

static bool choose_labelled(struct plan_reader *r)
{
	int level = labelled_level(r);

	for (size_t i = 0; level && i < r->md.nr; i++) {
		int own = r->md.block[i].level;

		if (plan_is_heading(r, i) && r->note[i].says_phase && own >= level &&
		    (own == level || r->note[i].separated))
			r->note[i].role = ROLE_PHASE;
	}
	return level;
}

/* "**Phase 1: ...**" on a line by itself is the heading of those who use none. */
static bool choose_paragraphs(struct plan_reader *r)
{
	bool any = false;

	for (size_t i = 0; i < r->md.nr; i++) {
		const struct markdown_block *it = &r->md.block[i];

		if (it->kind != MARKDOWN_PARAGRAPH || it->parent != NO_INDEX ||
		    it->first != it->text_last || !r->note[i].says_phase || !r->note[i].separated)
			continue;
		r->note[i].role = ROLE_PHASE;
		any = true;
	}
	return any;
}

/* Tells all headings around a task of it. */
static void note_tasks(struct plan_reader *r)
{
	enum { LEVELS = 7 };
	size_t around[LEVELS]; /* the heading of that level, or NO_INDEX */

	for (int level = 0; level < LEVELS; level++)
		around[level] = NO_INDEX;
	for (size_t i = 0; i < r->md.nr; i++) {
		bool heading = plan_is_heading(r, i), own = false;
		int level = heading ? r->md.block[i].level : LEVELS;

		for (int deeper = level; deeper < LEVELS; deeper++)
			around[deeper] = NO_INDEX;
		if (is_box(r, i) || (heading && (r->note[i].boxed || r->note[i].says_task)))
			for (int above = level - 1; above > 0; above--) {
				if (around[above] == NO_INDEX)
					continue;
				r->note[around[above]].has_tasks = true;
				r->note[around[above]].has_own |= !own;
				own = true;
			}
		if (heading)
			around[level] = i;
	}
}

/* The outermost headings with tasks below; that of the document, where they are its own. */
static void choose_outermost(struct plan_reader *r)
{
	int level = 0;

	note_tasks(r);
	for (size_t i = 0; i < r->md.nr; i++) {
		const struct plan_note *note = &r->note[i];
		int own = r->md.block[i].level;

		if (!plan_is_heading(r, i) || !note->has_tasks || note->says_task)
			continue;
		if (own == 1 ? note->has_own : !level || own < level)
			level = own;
	}
	for (size_t i = 0; level && i < r->md.nr; i++)
		if (plan_is_heading(r, i) && r->md.block[i].level == level &&
		    r->note[i].has_tasks && !r->note[i].says_task)
			r->note[i].role = ROLE_PHASE;
}

/* ---- Building ------------------------------------------------------------------------ */

static struct span block_last_line(const struct plan_reader *r, const struct markdown_block *block)
{
	return block->text_last > block->first ? markdown_line(&r->md, block->text_last) :
						 block->text;
}

static void parse_line(struct plan_line *ret, enum line_kind kind, const struct plan_reader *r,
		       size_t block)
{
	const struct markdown_block *it = &r->md.block[block];
	size_t line = it->first;

	/* An item's text may begin on a line behind its bullet. */
	while (line < it->text_last && r->md.line[line + 1] <= it->text.at)
		line++;
	plan_line_parse(ret, kind, r->plan->text, it->text, block_last_line(r, it));
	ret->line = line + 1;
}

static size_t add_phase(struct plan_reader *r, size_t block)
{
	struct plan_document *plan = r->plan;
	struct plan_phase *phase;

	ARRAY_GROW(plan->phase, plan->phases + 1, plan->phases_alloc);
	phase = &plan->phase[plan->phases++];
	*phase = (struct plan_phase){ .number = plan->phases };
	if (block != NO_INDEX) {
		phase->has_heading = true;
		parse_line(&phase->is, LINE_PHASE, r, block);
	} else {
		phase->is.title = xstrdup("");
		phase->block.len = plan->len;
	}
	return plan->phases - 1;
}

static size_t add_task(struct plan_reader *r, size_t block, size_t phase)
{
	struct plan_document *plan = r->plan;
	struct plan_task *task;

	ARRAY_GROW(plan->task, plan->tasks + 1, plan->tasks_alloc);
	task = &plan->task[plan->tasks++];
	*task = (struct plan_task){
		.phase = phase,
		.is_heading = plan_is_heading(r, block),
		.first_item = plan->items,
		.block = markdown_lines(&r->md, r->md.block[block].first, r->md.block[block].last),
	};
	if (phase != NO_INDEX)
		task->number = ++plan->phase[phase].tasks;
	parse_line(&task->is, task->is_heading ? LINE_TASK_HEADING : LINE_TASK, r, block);
	return plan->tasks - 1;
}

static void add_item(struct plan_reader *r, size_t block, size_t task, size_t depth)
{
	struct plan_document *plan = r->plan;
	struct plan_item *item;

	ARRAY_GROW(plan->item, plan->items + 1, plan->items_alloc);
	item = &plan->item[plan->items++];
	*item = (struct plan_item){ .depth = depth, .task = task };
	parse_line(&item->is, LINE_TASK, r, block);
	plan->task[task].items++;
	r->note[block].task = task;
	r->note[block].depth = depth;
}

/* Where the walk through the blocks is: the phases and the task heading it is below. */
struct place {
	struct {
		size_t phase;
		int level;
	} * around; /* the outermost first */
	size_t nr, alloc;
	size_t task; /* of the heading, or NO_INDEX */
	int task_level;
	size_t implied; /* the phase without a heading, or NO_INDEX */
};

static void place_release(struct place *place)
{
	free(place->around);
}

static size_t phase_here(const struct place *place)
{
	return place->nr ? place->around[place->nr - 1].phase : place->implied;
}

enum { LEVEL_PARAGRAPH = 7 }; /* deeper than any heading */

static void enter_phase(struct plan_reader *r, struct place *place, size_t block)
{
	int level = plan_is_heading(r, block) ? r->md.block[block].level : LEVEL_PARAGRAPH;

	while (place->nr && place->around[place->nr - 1].level >= level)
		place->nr--;
	ARRAY_GROW(place->around, place->nr + 1, place->alloc);
	place->around[place->nr].phase = add_phase(r, block);
	place->around[place->nr++].level = level;
	place->task = NO_INDEX;
}

static bool is_task_heading(const struct plan_reader *r, const struct place *place, size_t block)
{
	int level = r->md.block[block].level;

	if (r->note[block].says_task)
		return true;
	return r->note[block].boxed && (!place->nr || level > place->around[place->nr - 1].level);
}

static void enter_heading(struct plan_reader *r, struct place *place, size_t block)
{
	int level = r->md.block[block].level;

	if (is_task_heading(r, place, block)) {
		r->note[block].role = ROLE_TASK;
		place->task = add_task(r, block, phase_here(place));
		place->task_level = level;
		return;
	}
	while (place->nr && place->around[place->nr - 1].level >= level)
		place->nr--;
	if (place->task != NO_INDEX && place->task_level >= level)
		place->task = NO_INDEX;
}

static void enter_item(struct plan_reader *r, const struct place *place, size_t block)
{
	size_t parent = r->md.block[block].parent;
	const struct plan_note *around = parent == NO_INDEX ? NULL : &r->note[parent];

	if (around && around->task != NO_INDEX) {
		add_item(r, block, around->task, around->depth + 1);
	} else if (place->task != NO_INDEX) {
		add_item(r, block, place->task, 1);
	} else if (r->note[block].boxed) {
		r->note[block].task = add_task(r, block, phase_here(place));
		r->note[block].depth = 0;
	}
}

static bool has_tasks(const struct plan_reader *r)
{
	for (size_t i = 0; i < r->md.nr; i++)
		if (is_box(r, i) ||
		    (plan_is_heading(r, i) && (r->note[i].boxed || r->note[i].says_task)))
			return true;
	return false;
}

static void build(struct plan_reader *r, bool any_phase)
{
	struct place place CLEANUP(place_release) = { .task = NO_INDEX, .implied = NO_INDEX };

	if (!any_phase && has_tasks(r))
		place.implied = add_phase(r, NO_INDEX);
	for (size_t i = 0; i < r->md.nr; i++) {
		if (r->note[i].role == ROLE_PHASE)
			enter_phase(r, &place, i);
		else if (plan_is_heading(r, i))
			enter_heading(r, &place, i);
		else if (r->md.block[i].kind == MARKDOWN_ITEM)
			enter_item(r, &place, i);
	}
}

/* ---- Where phases and task headings end, and how they stand -------------------------- */

/* The lines from a heading to the next one that is a phase, or as high. */
static struct span section_of(const struct plan_reader *r, size_t block)
{
	const struct markdown_block *it = &r->md.block[block];
	size_t last = r->md.lines - 1;

	for (size_t i = block + 1; i < r->md.nr; i++) {
		bool ends = plan_is_heading(r, i) && it->kind == MARKDOWN_HEADING ?
				    r->md.block[i].level <= it->level :
				    plan_is_heading(r, i);
		bool part = r->note[block].role == ROLE_PHASE && r->note[i].role == ROLE_TASK;

		if ((ends && !part) || r->note[i].role == ROLE_PHASE ||
		    (r->note[block].role == ROLE_TASK && r->note[i].role == ROLE_TASK)) {
			last = r->md.block[i].first - 1;
			break;
		}
	}
	return markdown_lines(&r->md, it->first, last < it->first ? it->first : last);
}

static void find_sections(struct plan_reader *r)
{
	size_t phase = 0, task = 0;

	for (size_t i = 0; i < r->md.nr; i++) {
		if (r->note[i].role == ROLE_PHASE) {
			r->plan->phase[phase++].block = section_of(r, i);
		} else if (r->note[i].role == ROLE_TASK) {
			while (!r->plan->task[task].is_heading)
				task++;
			r->plan->task[task++].block = section_of(r, i);
		}
	}
}

/* How many are in each state. */
struct tally {
	size_t of[UNIT_OTHER + 1], all;
};

static enum unit_state tally_state(const struct tally *tally)
{
	size_t closed = tally->of[UNIT_DONE] + tally->of[UNIT_CANCELLED];

	if (tally->all && closed == tally->all)
		return tally->of[UNIT_DONE] ? UNIT_DONE : UNIT_CANCELLED;
	return closed || tally->of[UNIT_IN_PROGRESS] ? UNIT_IN_PROGRESS : UNIT_PENDING;
}

static void tally_add(struct tally *tally, enum unit_state state)
{
	tally->of[state]++;
	tally->all++;
}

static bool has_boxes(const struct plan_document *plan, const struct plan_task *task)
{
	for (size_t i = task->first_item; i < task->first_item + task->items; i++)
		if (plan->item[i].is.has_box)
			return true;
	return false;
}

static void set_task_states(struct plan_document *plan)
{
	for (size_t t = 0; t < plan->tasks; t++) {
		struct plan_task *task = &plan->task[t];
		struct tally tally = { 0 };

		if (task->is.has_box || task->is.status.len)
			continue;
		for (size_t i = task->first_item; i < task->first_item + task->items; i++)
			if (plan->item[i].is.has_box)
				tally_add(&tally, plan->item[i].is.state);
		task->is.state = tally_state(&tally);
	}
	for (size_t i = 0; i < plan->fields; i++) {
		const struct plan_field *field = &plan->field[i];
		struct plan_task *task = field->task == NO_INDEX ? NULL : &plan->task[field->task];

		if (task && field->status.len && !task->is.has_box && !task->is.status.len &&
		    !has_boxes(plan, task))
			task->is.state = field->state;
	}
}

static void set_phase_states(struct plan_document *plan)
{
	struct tally *tally CLEANUP(free_p) = xcalloc(plan->phases + 1, sizeof(*tally));

	for (size_t t = 0; t < plan->tasks; t++)
		if (plan->task[t].phase != NO_INDEX)
			tally_add(&tally[plan->task[t].phase], plan->task[t].is.state);
	for (size_t i = 0; i < plan->fields; i++)
		if (plan->field[i].row && !plan->phase[plan->field[i].phase].tasks)
			tally_add(&tally[plan->field[i].phase], plan->field[i].state);
	for (size_t p = 0; p < plan->phases; p++)
		if (!plan->phase[p].is.has_box && !plan->phase[p].is.status.len)
			plan->phase[p].is.state = tally_state(&tally[p]);
}

/* "Implementation Plan - Track: T" is a plan for T. */
static char *subject_of(const char *title)
{
	static const char *const words[] = { "implementation ", "project ", "execution ", "plan",
					     "track" };

	for (const char *at = title, *from;;) {
		from = at;
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (!strncasecmp(at, words[i], strlen(words[i])))
				at += strlen(words[i]);
		if (at == from)
			return xstrdup(title);
		at += strspn(at, " ");
		if (*at != ':' && *at != '-' && strncmp(at, "\u2014", strlen("\u2014")) != 0)
			return xstrdup(title);
		at += *at == ':' || *at == '-' ? 1 : strlen("\u2014");
		title = at += strspn(at, " ");
	}
}

static void read_title(struct plan_reader *r)
{
	struct plan_line line;

	for (size_t i = 0; i < r->md.nr; i++) {
		if (!plan_is_heading(r, i))
			continue;
		if (r->note[i].role != ROLE_NONE || r->md.block[i].level > 1)
			return;
		parse_line(&line, LINE_TRACK, r, i);
		r->plan->title = subject_of(line.title);
		r->plan->commit = line.commit;
		line.commit = (struct plan_commits){ 0 };
		plan_line_release(&line);
		return;
	}
}

void plan_document_parse(struct plan_document *ret, const char *path, const char *text, size_t len)
{
	struct plan_reader r = { .plan = ret };
	bool any;

	*ret = (struct plan_document){ .path = xstrdup(path), .len = len };
	ret->text = xmemdupz(text, len);
	markdown_parse(&r.md, ret->text, len);
	r.note = xcalloc(r.md.nr + 1, sizeof(*r.note));
	for (size_t i = 0; i < r.md.nr; i++)
		take_note(&r, i);
	if (!choose_labelled(&r) && !choose_paragraphs(&r))
		choose_outermost(&r);
	any = false;
	for (size_t i = 0; i < r.md.nr; i++)
		any |= r.note[i].role == ROLE_PHASE;
	build(&r, any);
	find_sections(&r);
	plan_find_fields(&r);
	read_title(&r);
	set_task_states(ret);
	set_phase_states(ret);
	free(r.note);
	markdown_release(&r.md);
}
