/* SPDX-License-Identifier: MIT */
/*
 * table-row: the cells of a row. Tables are no part of CommonMark: for libcmark their rows are the
 * lines of a paragraph.
 */
#ifndef WORKFLOW_TABLE_ROW_H
#define WORKFLOW_TABLE_ROW_H

#include "workflow/document.h"

/* More cells than this are left out. */
enum { CELLS_MAX = 32 };

struct table_row {
	struct span cell[CELLS_MAX]; /* without blanks around */
	size_t nr;
};
/* "\|" and a "|" in a code span part nothing. */
void table_row_split(struct table_row *ret, const char *text, struct span line);

#endif
