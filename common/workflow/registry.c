/* SPDX-License-Identifier: MIT */
#include "workflow/registry.h"

#include <strings.h>

#include "base/memory.h"
#include "workflow/markdown.h"
#include "workflow/plan-line.h"
#include "workflow/registry-parts.h"

void registry_release(struct registry *registry)
{
	for (size_t i = 0; i < registry->nr; i++) {
		free(registry->entry[i].title);
		free(registry->entry[i].link);
		free(registry->entry[i].id);
	}
	free(registry->entry);
	document_problems_release(&registry->problem);
	free(registry->path);
	free(registry->text);
	*registry = (struct registry)REGISTRY_INIT;
}

/* ---- What is an entry ---------------------------------------------------------------- */

bool registry_says(const char *text, struct span in, const char *word)
{
	size_t len = strlen(word);

	for (size_t at = in.at; at + len <= span_end(in); at++)
		if (!strncasecmp(text + at, word, len))
			return true;
	return false;
}

bool registry_is_track_link(const char *url)
{
	static const char *const folders[] = { "tracks/", "archive/", "archived/", "storages/" };
	const char *colon = strstr(url, "://");

	if (colon)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		const char *at = strstr(url, folders[i]);

		if (at && (at == url || at[-1] == '/') && at[strlen(folders[i])])
			return true;
	}
	return false;
}

static bool has_link(const struct registry_reader *r, size_t line)
{
	size_t i = markdown_links_from(&r->md, line);

	for (; i < r->md.links && r->md.link[i].line == line; i++)
		if (registry_is_track_link(r->md.link[i].url))
			return true;
	return false;
}

static bool says_track(const struct registry_reader *r, const struct markdown_block *block)
{
	size_t behind = block->text.at;
	struct span mark;
	struct line_label label;

	line_find_box(&mark, &behind, r->md.text, block->text);

	char *plain CLEANUP(free_p) =
		line_plain(r->md.text + behind, span_end(block->text) - behind);

	label = line_find_label(plain, LINE_TRACK);
	return label.named;
}

static bool has_box(const struct registry_reader *r, const struct markdown_block *block)
{
	struct span mark, box;
	size_t behind;

	return line_find_box(&mark, &behind, r->md.text, block->text) ||
	       line_find_box_behind(&mark, &box, r->md.text, block->text);
}

/* "## Cats", and below it a status and a link to a track, before the next heading. */
static bool describes_track(const struct registry_reader *r, const struct markdown_block *block)
{
	size_t end = r->md.lines;
	bool linked = false, told = false;

	for (const struct markdown_block *it = block + 1; it < r->md.block + r->md.nr; it++)
		if (it->kind == MARKDOWN_HEADING) {
			end = it->first;
			break;
		}
	for (size_t i = markdown_links_from(&r->md, block->first + 1);
	     !linked && i < r->md.links && r->md.link[i].line < end; i++)
		linked = registry_is_track_link(r->md.link[i].url);
	for (size_t line = block->first + 1; linked && line < end && !told; line++)
		told = line_find_field(r->md.text, markdown_line(&r->md, line), "status", true).len;
	return told;
}

/* Below a heading that is an entry, an item is one only when it says so. */
static bool is_entry(const struct registry_reader *r, const struct markdown_block *block)
{
	bool named = says_track(r, block);

	if (block->kind == MARKDOWN_HEADING)
		return block->level > 1 && (named || has_box(r, block) ||
					    has_link(r, block->first) || describes_track(r, block));
	if (block->kind != MARKDOWN_ITEM)
		return false;
	if (r->heading != NO_INDEX)
		return named;
	return named || has_box(r, block) || has_link(r, block->first);
}

/* ---- The parts of an entry ----------------------------------------------------------- */

struct registry_found *registry_add(struct registry_reader *r, size_t block)
{
	ARRAY_GROW(r->found, r->registry->nr + 1, r->found_alloc);
	ARRAY_GROW(r->registry->entry, r->registry->nr + 1, r->registry->alloc);
	r->registry->entry[r->registry->nr] = (struct registry_entry){
		.state = UNIT_OTHER,
		.archived = r->archived,
	};
	r->found[r->registry->nr] = (struct registry_found){ .block = block };
	return &r->found[r->registry->nr++];
}

static void add_entry(struct registry_reader *r, size_t block)
{
	const struct markdown_block *it = &r->md.block[block];
	struct registry_found *found = registry_add(r, block);
	struct registry_entry *entry = &r->registry->entry[r->registry->nr - 1];
	struct plan_line line;

	found->first = it->first;
	found->last = it->last;
	plan_line_parse(&line, LINE_TRACK, r->md.text, it->text, it->text);
	entry->form = it->kind == MARKDOWN_HEADING ? REGISTRY_HEADING : REGISTRY_ITEM;
	entry->labelled = says_track(r, it);
	entry->title = STEAL(line.title);
	entry->has_box = line.has_box;
	entry->mark = line.mark;
	entry->line = it->first + 1;
	entry->title_end = (struct span){ span_end(it->text), 0 };
	if (line.has_box || line.status.len)
		entry->state = line.state;
	entry->title_status = line.status;
	plan_line_release(&line);
}

static void read_status(struct registry_reader *r, size_t index)
{
	struct registry_entry *entry = &r->registry->entry[index];

	for (size_t line = r->found[index].first; line <= r->found[index].last; line++) {
		struct span value =
			line_find_status_field(r->md.text, markdown_line(&r->md, line), false);
		enum unit_state state;

		if (!value.len)
			continue;
		state = unit_state_of_word(r->md.text + value.at, value.len);
		/* The words know more states than boxes do. */
		if (entry->state == UNIT_OTHER || state == UNIT_REVERTED ||
		    (entry->state == UNIT_PENDING &&
		     (state == UNIT_IN_PROGRESS || state == UNIT_CANCELLED)))
			entry->state = state;
		entry->status = value;
		return;
	}
}

/* "*ID: cats_20260107*", where no link says it. */
static void read_id(struct registry_reader *r, size_t index)
{
	struct registry_entry *entry = &r->registry->entry[index];

	for (size_t line = r->found[index].first; line <= r->found[index].last; line++) {
		struct span value =
			line_find_field(r->md.text, markdown_line(&r->md, line), "id", true);

		if (entry->id || !value.len)
			continue;
		entry->id = xmemdupz(r->md.text + value.at, value.len);
	}
}

/* A path that is written without being a link. */
static char *bare_path(const char *text, struct span line)
{
	static const char around[] = " \t*`()[]<>\"'|,\r\n";

	for (size_t at = line.at, start; at < span_end(line);) {
		while (at < span_end(line) && strchr(around, text[at]))
			at++;
		for (start = at; at < span_end(line) && !strchr(around, text[at]);)
			at++;
		if (at == start)
			continue;

		char *word CLEANUP(free_p) = xmemdupz(text + start, at - start);

		if (registry_is_track_link(word))
			return STEAL(word);
	}
	return NULL;
}

static void set_link(struct registry_entry *entry, const char *url)
{
	entry->link = xstrdup(url);
	free(entry->id);
	entry->id = registry_link_id(url);
}

/* The first link to a track in its lines, else the first path to one, else the first link. */
static void read_link(struct registry_reader *r, size_t index)
{
	struct registry_entry *entry = &r->registry->entry[index];
	const struct registry_found *found = &r->found[index];
	struct markdown_link *first = NULL;

	for (size_t i = markdown_links_from(&r->md, found->first);
	     i < r->md.links && r->md.link[i].line <= found->last; i++) {
		struct markdown_link *link = &r->md.link[i];

		if (registry_is_track_link(link->url)) {
			set_link(entry, link->url);
			return;
		}
		if (!first && !strstr(link->url, "://") && *link->url != '#')
			first = link;
	}
	for (size_t line = found->first; line <= found->last; line++) {
		char *path CLEANUP(free_p) = bare_path(r->md.text, markdown_line(&r->md, line));

		if (!path)
			continue;
		set_link(entry, path);
		return;
	}
	if (first)
		set_link(entry, first->url);
}

static void read_archived(struct registry_reader *r, size_t index)
{
	struct registry_entry *entry = &r->registry->entry[index];
	const struct registry_found *found = &r->found[index];

	if (entry->link && (strstr(entry->link, "archive/") || strstr(entry->link, "archived/")))
		entry->archived = true;
	for (size_t line = found->first; line <= found->last; line++)
		entry->archived |=
			registry_says(r->md.text, markdown_line(&r->md, line), "(archived)");
}

/* ---- Walking through the document ---------------------------------------------------- */

/* A heading that is no entry: "## Archived Tracks". */
static void enter_group(struct registry_reader *r, const struct markdown_block *block)
{
	r->archived = registry_says(r->md.text, block->text, "archiv");
	r->heading = NO_INDEX;
}

/* An entry by heading has all up to the next entry, heading of its level, or rule. */
static void end_heading(struct registry_reader *r, size_t line)
{
	if (r->heading != NO_INDEX && line > r->found[r->heading].first)
		r->found[r->heading].last = line - 1;
	r->heading = NO_INDEX;
}

static bool is_inside_entry(const struct registry_reader *r, const struct markdown_block *block)
{
	const struct registry_found *found;

	if (!r->registry->nr || block->kind != MARKDOWN_ITEM)
		return false;
	found = &r->found[r->registry->nr - 1];
	return r->registry->entry[r->registry->nr - 1].form == REGISTRY_ITEM &&
	       block->first <= found->last;
}

static void enter_block(struct registry_reader *r, size_t index)
{
	const struct markdown_block *block = &r->md.block[index];
	bool entry = !is_inside_entry(r, block) && is_entry(r, block);
	bool heading = block->kind == MARKDOWN_HEADING;

	if (entry || block->kind == MARKDOWN_RULE ||
	    (heading && r->heading != NO_INDEX && block->level <= r->level))
		end_heading(r, block->first);
	if (entry) {
		add_entry(r, index);
		if (heading) {
			r->heading = r->registry->nr - 1;
			r->level = block->level;
			r->found[r->heading].last = r->md.lines - 1;
		}
	} else if (heading && r->heading == NO_INDEX) {
		enter_group(r, block);
	} else if (block->kind == MARKDOWN_PARAGRAPH && r->heading == NO_INDEX &&
		   block->parent == NO_INDEX) {
		registry_read_table(r, block);
	}
}

void registry_parse(struct registry *ret, const char *path, const char *text, size_t len)
{
	struct registry_reader r = { .registry = ret, .heading = NO_INDEX };

	*ret = (struct registry){ .path = xstrdup(path), .len = len };
	ret->text = xmemdupz(text, len);
	markdown_parse(&r.md, ret->text, len);
	for (size_t i = 0; i < r.md.nr; i++)
		enter_block(&r, i);
	for (size_t i = 0; i < ret->nr; i++) {
		if (ret->entry[i].form == REGISTRY_ROW)
			continue;
		read_status(&r, i);
		read_link(&r, i);
	}
	registry_join_links(&r);
	for (size_t i = 0; i < ret->nr; i++)
		read_id(&r, i);
	for (size_t i = 0; i < ret->nr; i++)
		read_archived(&r, i);
	registry_find_sections(&r);
	free(r.found);
	markdown_release(&r.md);
}
