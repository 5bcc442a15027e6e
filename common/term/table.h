/* SPDX-License-Identifier: MIT */
/*
 * table: rows of cells, set in columns for people.
 *
 * Use:    struct table t CLEANUP(table_release) = { .columns = 3, .right = 1 << 2 };
 *         table_cell(&t, COLOR_NONE, "001"); ... then table_print(&t, color, stdout).
 *         Cells fill the rows from left to right.
 * Text:   cells are escaped (text_escape). Widths are the terminal's: a letter with an
 *         accent is one column, an ideograph two. The last column is not padded, so that
 *         no line ends in blanks.
 * Owner:  the struct owns copies of all cells.
 */
#ifndef TERM_TABLE_H
#define TERM_TABLE_H

#include "base/compat.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "term/output.h"

struct table {
	size_t columns;	    /* how many; set by the caller */
	unsigned right;	    /* bit n: column n is set flush right */
	unsigned indent;    /* blanks before each row */
	struct strvec text; /* escaped */
	enum color *color;  /* one per cell */
	size_t color_alloc;
};

void table_release(struct table *t);
void table_cell(struct table *t, enum color color, const char *text);
PRINTF(3, 4) void table_cellf(struct table *t, enum color color, const char *fmt, ...);
/* Colours only when `color`. A last row with cells missing is printed as far as it goes. */
void table_add_to(const struct table *t, bool color, struct strbuf *out);
void table_print(const struct table *t, bool color, FILE *out);

/* How many columns of a terminal a text takes that has no control characters. */
size_t table_width(const char *text);

#endif
