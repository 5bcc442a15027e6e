/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a plan, a registry and JSON: read them, edit them, and hold what came out against
 * what the headers promise.
 */
#include "base/memory.h"
#include "workflow/metadata.h"
#include "workflow/plan-document.h"
#include "workflow/registry.h"
#include "workflow/story.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what)
{
	if (!holds)
		BUG("%s", what);
}

static bool is_in(struct span span, struct span in)
{
	return span.at >= in.at && span.len <= in.len && span.at - in.at <= in.len - span.len;
}

static void check_line(const struct plan_line *line, size_t len)
{
	struct span all = { 0, len };

	check(line->title && is_in(line->text, all) && line->line, "a line without its place");
	check(!line->has_box || is_in(line->mark, line->text), "a box out of its line");
	check(!line->status.len || is_in(line->status, line->text), "a status out of its line");
	for (size_t i = 0; i < line->commit.nr; i++) {
		const struct plan_commit *it = &line->commit.item[i];

		check(is_in(it->at, it->cut) && is_in(it->cut, all), "a commit out of its cut");
		check(strlen(it->hex) == it->at.len && it->at.len >= 7,
		      "a commit of another length");
		check(strspn(it->hex, "0123456789abcdef") == it->at.len,
		      "a commit of other digits");
	}
}

static void check_plan(const struct plan_document *plan)
{
	size_t item = 0;

	for (size_t p = 0; p < plan->phases; p++)
		if (plan->phase[p].has_heading)
			check_line(&plan->phase[p].is, plan->len);
	for (size_t t = 0; t < plan->tasks; t++) {
		const struct plan_task *task = &plan->task[t];

		check_line(&task->is, plan->len);
		check(task->first_item == item, "items that belong to nobody");
		check(is_in(task->is.text, task->block), "a task out of its block");
		check(task->phase == NO_INDEX ||
			      plan_document_task_at(plan, task->phase, task->number) == t,
		      "a task with the number of another");
		for (size_t i = 0; i < task->items; i++, item++)
			check_line(&plan->item[item].is, plan->len);
	}
	check(item == plan->items, "items that belong to nobody");
}

/* An edit is refused, or unticks what it is about, and nothing else. */
static void check_uncheck(const struct plan_document *plan, size_t task)
{
	struct plan_document after CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	plan_document_uncheck_task(&splices, plan, task);
	if (plan_document_apply(&edited, plan, &splices, &err) < 0) {
		check(strstr(err.message, "would mean something else"), "edits that overlap");
		return;
	}
	plan_document_parse(&after, "fuzz", edited.buf, edited.len);
	check_plan(&after);
	check(after.tasks == plan->tasks && after.phases == plan->phases, "tasks come or go");
	for (size_t t = 0; t < plan->tasks; t++) {
		const struct plan_line *was = &plan->task[t].is, *is = &after.task[t].is;

		if (t == task)
			check(!is->commit.nr && (!is->has_box || is->state == UNIT_PENDING),
			      "a task that is not unticked");
		else
			check(was->state == is->state && !strcmp(was->title, is->title),
			      "another task is edited");
	}
}

static void check_uncheck_all(const struct plan_document *plan)
{
	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	plan_document_uncheck_all(&splices, plan);
	if (plan_document_apply(&edited, plan, &splices, &err) < 0)
		check(strstr(err.message, "would mean something else"), "edits that overlap");
}

static void check_registry(const struct registry *registry)
{
	struct span all = { 0, registry->len };
	const size_t nr = registry->nr < 8 ? registry->nr : 8;

	for (size_t i = 0; i < nr; i++) {
		struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
		struct splices removal CLEANUP(splices_release) = SPLICES_INIT;
		struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
		struct strbuf removed CLEANUP(strbuf_release) = STRBUF_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const struct registry_entry *it = &registry->entry[i];

		check(it->title && it->line, "an entry without its place");
		check(is_in(it->section, all) && it->section.len, "a section out of the text");
		registry_set_state(&splices, registry, i, UNIT_REVERTED);
		check(!splices_apply(&edited, registry->text, registry->len, &splices, &err),
		      "edits of an entry that overlap");
		registry_remove(&removal, registry, i);
		check(!splices_apply(&removed, registry->text, registry->len, &removal, &err),
		      "a section that cannot go");
		check(removed.len == registry->len - it->section.len, "more goes than a section");
	}
}

static void check_metadata(const char *text, size_t len)
{
	struct metadata metadata CLEANUP(metadata_release) = METADATA_INIT;
	struct metadata after CLEANUP(metadata_release) = METADATA_INIT;
	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (metadata_parse(&metadata, "fuzz", text, len, &err) < 0 ||
	    metadata_set_state(&splices, &metadata, UNIT_REVERTED, &err) < 0) {
		check(err.message != NULL, "an error without a message");
		return;
	}
	check(!splices_apply(&edited, text, len, &splices, &err), "edits of JSON that overlap");
	check(!metadata_parse(&after, "fuzz", edited.buf, edited.len, &err),
	      "edited JSON that is none");
}

static void check_stories(const char *text, size_t len)
{
	struct stories stories CLEANUP(stories_release) = STORIES_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (stories_parse(&stories, "fuzz", text, len, &err) < 0)
		return;
	for (size_t i = 0; i < stories.nr && i < 4; i++) {
		struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
		struct error refused CLEANUP(error_release) = ERROR_INIT;

		if (story_set_state(&splices, &stories, i, UNIT_PENDING, &refused) < 0)
			check(refused.message != NULL, "an error without a message");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	struct registry registry CLEANUP(registry_release) = REGISTRY_INIT;
	/* A copy without a NUL behind it, so that reading on is found out. */
	char *text = size ? memcpy(malloc(size), data, size) : NULL;

	plan_document_parse(&plan, "fuzz", text ? text : "", size);
	check_plan(&plan);
	if (plan.tasks)
		check_uncheck(&plan, size % plan.tasks);
	check_uncheck_all(&plan);
	registry_parse(&registry, "fuzz", text ? text : "", size);
	check_registry(&registry);
	check_metadata(text ? text : "", size);
	check_stories(text ? text : "", size);
	free(text);
	return 0;
}
