/* SPDX-License-Identifier: MIT */
/*
 * Tables are no part of CommonMark: for libcmark their rows are the lines of a paragraph.
 */
#include <strings.h>

#include "base/memory.h"
#include "workflow/ascii.h"
#include "workflow/plan-line.h"
#include "workflow/registry-parts.h"
#include "workflow/table-row.h"

static bool is_delimiter(const char *text, struct span line)
{
	bool dash = false, bar = false;

	for (size_t i = 0; i < line.len; i++) {
		char c = text[line.at + i];

		if (!strchr("|:- \t", c) || !c)
			return false;
		dash |= c == '-';
		bar |= c == '|';
	}
	return dash && bar;
}

/* ---- Columns ------------------------------------------------------------------------- */

struct columns {
	size_t id, title, status; /* or NO_INDEX */
};

static bool is_named(const char *text, struct span cell, const char *const *names)
{
	char *plain CLEANUP(free_p) = line_plain(text + cell.at, cell.len);

	for (; *names; names++)
		if (!strcasecmp(plain, *names))
			return true;
	return false;
}

static void find_columns(struct columns *ret, const char *text, const struct table_row *head)
{
	static const char *const ids[] = { "id",	 "track id",	 "track",
					   "storage id", "component id", "storage",
					   "component",	 "track_id",	 NULL };
	static const char *const titles[] = { "title", "name", "description", "track name", NULL };
	static const char *const states[] = { "status", "state", "done", "", NULL };

	*ret = (struct columns){ NO_INDEX, NO_INDEX, NO_INDEX };
	for (size_t i = head->nr; i-- > 0;) {
		if (is_named(text, head->cell[i], ids))
			ret->id = i;
		else if (is_named(text, head->cell[i], titles))
			ret->title = i;
		else if (is_named(text, head->cell[i], states))
			ret->status = i;
	}
}

/* ---- Rows ---------------------------------------------------------------------------- */

static void read_state(struct registry_entry *entry, const char *text, struct span cell)
{
	size_t behind, at = cell.at, end = cell.at + cell.len, len;
	enum unit_state state;

	if (line_find_box(&entry->mark, &behind, text, cell)) {
		entry->has_box = true;
		entry->state = unit_state_of_mark(text + entry->mark.at, entry->mark.len);
		return;
	}
	while (at < end && strchr(" *_`", text[at]))
		at++;
	/* A picture may stand in front of the word, and is a part of what says it. */
	len = unit_state_word(&state, text + at, end - at);
	if (!len)
		return;
	while (end > at && strchr(" *_`", text[end - 1]))
		end--;
	entry->state = state;
	entry->status = (struct span){ at, end - at };
}

static char *cell_text(const char *text, const struct table_row *row, size_t column)
{
	struct plan_line line;
	char *ret;

	if (column >= row->nr)
		return NULL;
	plan_line_parse(&line, LINE_TRACK, text, row->cell[column], row->cell[column]);
	ret = STEAL(line.title);
	plan_line_release(&line);
	return ret;
}

static const char *row_link(const struct registry_reader *r, size_t line)
{
	size_t i = markdown_links_from(&r->md, line);

	for (; i < r->md.links && r->md.link[i].line == line; i++)
		if (registry_is_track_link(r->md.link[i].url))
			return r->md.link[i].url;
	return NULL;
}

static void strip_code(char *s)
{
	size_t len = strlen(s);

	if (len > 2 && s[0] == '`' && s[len - 1] == '`') {
		memmove(s, s + 1, len - 2);
		s[len - 2] = '\0';
	}
}

static void read_row(struct registry_reader *r, const struct columns *columns, size_t line)
{
	const char *text = r->md.text, *link = row_link(r, line);
	struct registry_found *found;
	struct registry_entry *entry;
	struct table_row row;
	size_t title;

	table_row_split(&row, text, markdown_line(&r->md, line));
	if (columns->id == NO_INDEX && !link)
		return;
	title = columns->title < row.nr ? columns->title : columns->id;
	found = registry_add(r, NO_INDEX);
	found->first = found->last = line;
	entry = &r->registry->entry[r->registry->nr - 1];
	entry->form = REGISTRY_ROW;
	entry->labelled = columns->id != NO_INDEX;
	entry->line = line + 1;
	entry->id = cell_text(text, &row, columns->id);
	if (entry->id)
		strip_code(entry->id);
	entry->title = cell_text(text, &row, title);
	if (!entry->title)
		entry->title = xstrdup(entry->id ? entry->id : "");
	if (title < row.nr)
		entry->title_end = (struct span){ row.cell[title].at + row.cell[title].len, 0 };
	if (link) {
		entry->link = xstrdup(link);
		if (!entry->id || columns->title >= row.nr) {
			free(entry->id);
			entry->id = registry_link_id(link);
		}
	}
	for (size_t i = 0; i < row.nr && columns->status >= row.nr; i++)
		if (!entry->has_box)
			read_state(entry, text, row.cell[i]);
	if (columns->status < row.nr)
		read_state(entry, text, row.cell[columns->status]);
}

void registry_read_table(struct registry_reader *r, const struct markdown_block *paragraph)
{
	struct columns columns;
	struct table_row head;

	for (size_t line = paragraph->first; line + 1 <= paragraph->last; line++) {
		if (!is_delimiter(r->md.text, markdown_line(&r->md, line + 1)))
			continue;
		table_row_split(&head, r->md.text, markdown_line(&r->md, line));
		find_columns(&columns, r->md.text, &head);
		for (line += 2; line <= paragraph->last; line++)
			read_row(r, &columns, line);
	}
}
