/* SPDX-License-Identifier: MIT */
#include "workflow/state-word.h"

#include "base/memory.h"

static bool is_small(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* What is between the words, and where capitals are, in what stood there. */
struct spelling {
	char blank;
	bool first, all; /* capitals: the first letter of each word; all letters */
};

static struct spelling spelling_of(const char *was, size_t len)
{
	struct spelling ret = { 0 };
	size_t small = 0, capital = 0;
	char before = ' ';

	for (size_t i = 0; i < len; before = was[i++]) {
		ret.first |= !small && !capital && is_capital(was[i]);
		small += is_small(was[i]);
		capital += is_capital(was[i]);
		if (i + 1 < len && strchr(" _-", was[i]) &&
		    (is_small(before) || is_capital(before)))
			ret.blank = was[i];
	}
	ret.all = capital > 1 && !small;
	if (!ret.blank)
		ret.blank = ret.first ? ' ' : '_';
	return ret;
}

char *state_word(enum unit_state state, const char *was, size_t len)
{
	struct spelling spelling = spelling_of(was, len);
	char *word;

	switch (state) {
	case UNIT_IN_PROGRESS: word = xstrdup("in progress"); break;
	case UNIT_REVERTED: word = xstrdup("reverted"); break;
	case UNIT_DONE: word = xstrdup("completed"); break;
	default: word = xstrdup(spelling.first ? "planning" : "new"); break;
	}
	for (char *c = word; *c; c++) {
		bool starts = c == word || c[-1] == spelling.blank;

		if (*c == ' ')
			*c = spelling.blank;
		else if (spelling.all || (spelling.first && starts))
			*c = (char)(*c - 'a' + 'A');
	}
	return word;
}
