/* SPDX-License-Identifier: MIT */
/*
 * markdown: where headings, list items, paragraphs and rules are in a Markdown text (CommonMark).
 *
 * Only this module knows libcmark. It says what there is and where, in bytes of the text as it is
 * (CR, LF or CR LF, tabs, a byte order mark, NUL); it never writes.
 * Use:    markdown_parse(), then block[0 .. nr-1] in the order of the text. Code blocks and HTML
 *         are left out, and so are headings in lists and in quotes. A paragraph with "---" directly
 *         below is a paragraph and a rule, which is what people mean by it, although CommonMark
 *         has it for a heading.
 * Owner:  the caller; markdown_release() frees all. The text must outlive it.
 */
#ifndef WORKFLOW_MARKDOWN_H
#define WORKFLOW_MARKDOWN_H

#include "base/compat.h"
#include "workflow/document.h"

enum markdown_kind { MARKDOWN_HEADING, MARKDOWN_ITEM, MARKDOWN_PARAGRAPH, MARKDOWN_RULE };

struct markdown_block {
	enum markdown_kind kind;
	int level;	    /* of a heading, from 1 */
	size_t parent;	    /* the item that it is in, or NO_INDEX */
	size_t first, last; /* its lines, from 0; an item's with all that is in it */
	struct span text;   /* the first line, without "## ", "- ", a closing " ##", line end */
	size_t text_last;   /* the last line of the paragraph that `text` begins */
};
struct markdown_link {
	size_t line; /* from 0 */
	char *url;
};
struct markdown {
	const char *text;
	size_t len;
	size_t *line; /* where each begins; line[lines] is the end of the text */
	size_t lines, lines_alloc;
	struct markdown_block *block;
	size_t nr, alloc;
	struct markdown_link *link; /* in their order */
	size_t links, links_alloc;
};
#define MARKDOWN_INIT \
	{             \
		0     \
	}

void markdown_parse(struct markdown *ret, const char *text, size_t len);
void markdown_release(struct markdown *md);

/* A line without its end, and without blanks around it. */
struct span markdown_line(const struct markdown *md, size_t line);
/* Whole lines, with the end of the last one. */
struct span markdown_lines(const struct markdown *md, size_t first, size_t last);
bool markdown_is_blank(const struct markdown *md, size_t line);
/* The first link in this line or a later one: an index, perhaps that behind the last. */
size_t markdown_links_from(const struct markdown *md, size_t line);
/* Is there a rule in this line? */
bool markdown_is_rule(const struct markdown *md, size_t line);
/* The last line of the section that the heading begins: up to one of its level or above. */
size_t markdown_section_end(const struct markdown *md, size_t block);

#endif
