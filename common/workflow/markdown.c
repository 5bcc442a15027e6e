/* SPDX-License-Identifier: MIT */
#include "workflow/markdown.h"

#include <cmark.h>

#include "base/memory.h"
#include "workflow/ascii.h"

CLEANUP_POINTER(cmark_node, cmark_node_free)
CLEANUP_POINTER(cmark_iter, cmark_iter_free)

#define BOM "\xef\xbb\xbf"

void markdown_release(struct markdown *md)
{
	for (size_t i = 0; i < md->links; i++)
		free(md->link[i].url);
	free(md->link);
	free(md->block);
	free(md->line);
	*md = (struct markdown)MARKDOWN_INIT;
}

/* ---- Lines --------------------------------------------------------------------------- */

static void add_line(struct markdown *md, size_t at)
{
	ARRAY_GROW(md->line, md->lines + 2, md->lines_alloc);
	md->line[md->lines++] = at;
}

/* As libcmark counts them: CR, LF and CR LF each end one. */
static void find_lines(struct markdown *md)
{
	add_line(md, 0);
	for (size_t i = 0; i < md->len; i++) {
		if (md->text[i] == '\r' && i + 1 < md->len && md->text[i + 1] == '\n')
			continue;
		if ((md->text[i] == '\n' || md->text[i] == '\r') && i + 1 < md->len)
			add_line(md, i + 1);
	}
	md->line[md->lines] = md->len;
}

/* Without blanks and line ends at the end, and at the start. */
static struct span trim(const struct markdown *md, size_t at, size_t end)
{
	while (end > at && ascii_is_blank(md->text[end - 1]))
		end--;
	while (at < end && ascii_is_blank(md->text[at]))
		at++;
	return (struct span){ at, end - at };
}

struct span markdown_line(const struct markdown *md, size_t line)
{
	return trim(md, md->line[line], md->line[line + 1]);
}

struct span markdown_lines(const struct markdown *md, size_t first, size_t last)
{
	return (struct span){ md->line[first], md->line[last + 1] - md->line[first] };
}

bool markdown_is_blank(const struct markdown *md, size_t line)
{
	return !markdown_line(md, line).len;
}

size_t markdown_links_from(const struct markdown *md, size_t line)
{
	size_t low = 0, high = md->links;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (md->link[middle].line < line)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool markdown_is_rule(const struct markdown *md, size_t line)
{
	size_t low = 0, high = md->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (md->block[middle].first < line)
			low = middle + 1;
		else
			high = middle;
	}
	return low < md->nr && md->block[low].first == line && md->block[low].kind == MARKDOWN_RULE;
}

size_t markdown_section_end(const struct markdown *md, size_t block)
{
	for (size_t i = block + 1; i < md->nr; i++)
		if (md->block[i].kind == MARKDOWN_HEADING &&
		    md->block[i].level <= md->block[block].level)
			return md->block[i].first - 1;
	return md->lines - 1;
}

/* ---- Blocks -------------------------------------------------------------------------- */

/* A node's line, from 0. libcmark says odd things of the ends of some nodes: never beyond the text. */
static size_t line_of(const struct markdown *md, int line)
{
	size_t at = line > 0 ? (size_t)line - 1 : 0;

	return at < md->lines ? at : md->lines - 1;
}

/* Where the node's text begins. libcmark drops a byte order mark, and does not count it. */
static size_t start_of(const struct markdown *md, cmark_node *node)
{
	size_t line = line_of(md, cmark_node_get_start_line(node));
	int column = cmark_node_get_start_column(node);
	size_t at = md->line[line] + (column > 0 ? (size_t)column - 1 : 0);

	if (!line && md->len >= strlen(BOM) && !memcmp(md->text, BOM, strlen(BOM)))
		at += strlen(BOM);
	return at < md->line[line + 1] ? at : md->line[line + 1];
}

static size_t last_line_of(const struct markdown *md, cmark_node *node, size_t first)
{
	size_t last = line_of(md, cmark_node_get_end_line(node));

	while (last > first && markdown_is_blank(md, last))
		last--;
	return last < first ? first : last;
}

static struct markdown_block *add_block(struct markdown *md, enum markdown_kind kind,
					cmark_node *node)
{
	struct markdown_block *block;

	ARRAY_GROW(md->block, md->nr + 1, md->alloc);
	block = &md->block[md->nr++];
	*block = (struct markdown_block){ .kind = kind, .parent = NO_INDEX };
	block->first = line_of(md, cmark_node_get_start_line(node));
	block->last = last_line_of(md, node, block->first);
	block->text_last = block->first;
	return block;
}

/* The node's first line of text, from where it begins. */
static void set_text(const struct markdown *md, struct markdown_block *block, cmark_node *node)
{
	size_t line = line_of(md, cmark_node_get_start_line(node));

	block->text = trim(md, start_of(md, node), md->line[line + 1]);
	block->text_last = last_line_of(md, node, line);
}

/* Takes off what makes it a heading in front, and at the end, where that is set off by a blank. */
static void strip_hashes(const struct markdown *md, struct span *text)
{
	size_t at = text->at, end = text->at + text->len, hashes;

	while (at < end && md->text[at] == '#')
		at++;
	for (hashes = end; hashes > at && md->text[hashes - 1] == '#';)
		hashes--;
	if (hashes == at || ascii_is_blank(md->text[hashes - 1]))
		end = hashes;
	*text = trim(md, at, end);
}

/* Is the line below the text just "---"? */
static bool has_rule_below(const struct markdown *md, size_t line)
{
	struct span below;

	if (line + 1 >= md->lines)
		return false;
	below = markdown_line(md, line + 1);
	return below.len == 3 && !memcmp(md->text + below.at, "---", 3);
}

/* The end that libcmark gives for one that is underlined is wrong: look. */
static size_t underline_of(const struct markdown *md, size_t line, int level)
{
	for (; line < md->lines; line++) {
		struct span text = markdown_line(md, line);
		const char *s = md->text + text.at;

		if (text.len && s[0] == (level == 1 ? '=' : '-') && s[text.len - 1] == s[0])
			return line;
	}
	return md->lines - 1;
}

static void add_heading(struct markdown *md, cmark_node *node)
{
	struct markdown_block *block = add_block(md, MARKDOWN_HEADING, node);
	int level = cmark_node_get_heading_level(node);
	size_t last;

	set_text(md, block, node);
	block->level = level;
	if (block->text.len && md->text[block->text.at] == '#') {
		strip_hashes(md, &block->text);
		block->last = block->text_last = block->first;
		return;
	}
	last = underline_of(md, block->first + 1 < md->lines ? block->first + 1 : block->first,
			    level);
	block->last = last;
	block->text_last = last > block->first ? last - 1 : block->first;
	if (level == 2 && has_rule_below(md, block->text_last)) {
		block->kind = MARKDOWN_PARAGRAPH;
		block->level = 0;
		block->last = block->text_last;
		block = add_block(md, MARKDOWN_RULE, node);
		block->first = block->last = block->text_last = last;
	}
}

/* The items that the walk is in, the innermost last. */
struct items {
	size_t *index; /* in md->block */
	size_t nr, alloc;
};

static void items_release(struct items *items)
{
	free(items->index);
}

static size_t innermost(const struct items *items)
{
	return items->nr ? items->index[items->nr - 1] : NO_INDEX;
}

static void enter_item(struct markdown *md, struct items *items, cmark_node *node)
{
	cmark_node *child = cmark_node_first_child(node);
	cmark_node_type type = child ? cmark_node_get_type(child) : CMARK_NODE_NONE;
	struct markdown_block *block = add_block(md, MARKDOWN_ITEM, node);

	block->parent = innermost(items);
	if (type == CMARK_NODE_PARAGRAPH || type == CMARK_NODE_HEADING)
		set_text(md, block, child);
	ARRAY_GROW(items->index, items->nr + 1, items->alloc);
	items->index[items->nr++] = md->nr - 1;
}

/* The first one of an item is in the item's own block. */
static void add_paragraph(struct markdown *md, const struct items *items, cmark_node *node)
{
	cmark_node *parent = cmark_node_parent(node);
	struct markdown_block *block;

	if (cmark_node_get_type(parent) == CMARK_NODE_ITEM && !cmark_node_previous(node))
		return;
	block = add_block(md, MARKDOWN_PARAGRAPH, node);
	block->parent = innermost(items);
	set_text(md, block, node);
}

static void add_link(struct markdown *md, cmark_node *node)
{
	const char *url = cmark_node_get_url(node);

	if (!url || !*url)
		return;
	ARRAY_GROW(md->link, md->links + 1, md->links_alloc);
	md->link[md->links++] = (struct markdown_link){
		.line = line_of(md, cmark_node_get_start_line(node)),
		.url = xstrdup(url),
	};
}

static void enter_node(struct markdown *md, struct items *items, cmark_node *node)
{
	cmark_node *parent = cmark_node_parent(node);
	bool outermost = parent && cmark_node_get_type(parent) == CMARK_NODE_DOCUMENT;

	switch ((int)cmark_node_get_type(node)) {
	case CMARK_NODE_HEADING:
		if (outermost)
			add_heading(md, node);
		break;
	case CMARK_NODE_THEMATIC_BREAK:
		if (outermost)
			add_block(md, MARKDOWN_RULE, node);
		break;
	case CMARK_NODE_ITEM: enter_item(md, items, node); break;
	case CMARK_NODE_PARAGRAPH: add_paragraph(md, items, node); break;
	case CMARK_NODE_LINK: add_link(md, node); break;
	}
}

/* libcmark puts three bytes in the place of a NUL: the places behind would be wrong. */
static char *without_nul(const char *text, size_t len)
{
	char *copy;

	if (!memchr(text, '\0', len))
		return NULL;
	copy = xmemdupz(text, len);
	for (size_t i = 0; i < len; i++)
		if (!copy[i])
			copy[i] = '\x1a';
	return copy;
}

void markdown_parse(struct markdown *ret, const char *text, size_t len)
{
	char *copy CLEANUP(free_p) = len ? without_nul(text, len) : NULL;
	cmark_node *document CLEANUP(cmark_node_free_p) =
		cmark_parse_document(copy ? copy :
				     len  ? text :
					    "",
				     len, CMARK_OPT_DEFAULT);
	cmark_iter *iter CLEANUP(cmark_iter_free_p) = cmark_iter_new(document);
	struct items items CLEANUP(items_release) = { 0 };
	cmark_event_type event;

	*ret = (struct markdown){ .text = text, .len = len };
	find_lines(ret);
	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE)
		if (event == CMARK_EVENT_ENTER)
			enter_node(ret, &items, cmark_iter_get_node(iter));
		else if (cmark_node_get_type(cmark_iter_get_node(iter)) == CMARK_NODE_ITEM)
			items.nr--;
}
