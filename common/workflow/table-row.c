/* SPDX-License-Identifier: MIT */
#include "workflow/table-row.h"

#include "workflow/ascii.h"

static struct span trim(const char *text, size_t at, size_t end)
{
	while (at < end && ascii_is_blank(text[at]))
		at++;
	while (end > at && ascii_is_blank(text[end - 1]))
		end--;
	return (struct span){ at, end - at };
}

void table_row_split(struct table_row *ret, const char *text, struct span line)
{
	size_t end = line.at + line.len, start = line.at, at;
	bool code = false;

	ret->nr = 0;
	if (line.len && text[start] == '|')
		start++;
	if (end > start && text[end - 1] == '|' && text[end - 2] != '\\')
		end--;
	for (at = start; at <= end && ret->nr < CELLS_MAX; at++) {
		if (at < end && text[at] == '\\') {
			at++;
		} else if (at == end || (text[at] == '|' && !code)) {
			ret->cell[ret->nr++] = trim(text, start, at);
			start = at + 1;
		} else if (text[at] == '`') {
			code = !code;
		}
	}
}
