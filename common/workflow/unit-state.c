/* SPDX-License-Identifier: MIT */
#include <strings.h>

#include "workflow/unit.h"

const char *unit_state_name(enum unit_state state)
{
	static const char *const names[] = { "pending",	 "in_progress", "done",
					     "reverted", "cancelled",	"other" };

	return names[state];
}

const char *unit_kind_name(enum unit_kind kind)
{
	static const char *const names[] = { "track", "phase", "task", "story" };

	return names[kind];
}

enum unit_state unit_state_of_mark(const char *mark, size_t len)
{
	static const struct {
		const char *mark;
		enum unit_state state;
	} marks[] = {
		{ "", UNIT_PENDING },	 { " ", UNIT_PENDING },	    { "x", UNIT_DONE },
		{ "X", UNIT_DONE },	 { "\u2713", UNIT_DONE },   { "\u2714", UNIT_DONE },
		{ "\u2705", UNIT_DONE }, { "~", UNIT_IN_PROGRESS }, { "/", UNIT_IN_PROGRESS },
		{ "-", UNIT_CANCELLED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strlen(marks[i].mark) == len && !memcmp(marks[i].mark, mark, len))
			return marks[i].state;
	return UNIT_OTHER;
}

/* In lower case, parted by blanks. The longer ones of the same beginning come first. */
static const struct {
	const char *word;
	enum unit_state state;
} words[] = {
	{ "completed", UNIT_DONE },
	{ "complete", UNIT_DONE },
	{ "done", UNIT_DONE },
	{ "finished", UNIT_DONE },
	{ "implemented", UNIT_DONE },
	{ "archived", UNIT_DONE },
	{ "closed", UNIT_DONE },
	{ "merged", UNIT_DONE },
	{ "shipped", UNIT_DONE },
	{ "tested", UNIT_DONE },
	{ "\u2705", UNIT_DONE },
	{ "\u2714", UNIT_DONE },
	{ "in progress", UNIT_IN_PROGRESS },
	{ "inprogress", UNIT_IN_PROGRESS },
	{ "in development", UNIT_IN_PROGRESS },
	{ "in review", UNIT_IN_PROGRESS },
	{ "started", UNIT_IN_PROGRESS },
	{ "active", UNIT_IN_PROGRESS },
	{ "ongoing", UNIT_IN_PROGRESS },
	{ "implementing", UNIT_IN_PROGRESS },
	{ "wip", UNIT_IN_PROGRESS },
	{ "\U0001f6a7", UNIT_IN_PROGRESS },
	{ "new", UNIT_PENDING },
	{ "pending", UNIT_PENDING },
	{ "planned", UNIT_PENDING },
	{ "planning", UNIT_PENDING },
	{ "not started", UNIT_PENDING },
	{ "not yet started", UNIT_PENDING },
	{ "todo", UNIT_PENDING },
	{ "to do", UNIT_PENDING },
	{ "open", UNIT_PENDING },
	{ "proposed", UNIT_PENDING },
	{ "backlog", UNIT_PENDING },
	{ "draft", UNIT_PENDING },
	{ "queued", UNIT_PENDING },
	{ "\u23f3", UNIT_PENDING },
	{ "\u2b1c", UNIT_PENDING },
	{ "reverted", UNIT_REVERTED },
	{ "rolled back", UNIT_REVERTED },
	{ "cancelled", UNIT_CANCELLED },
	{ "canceled", UNIT_CANCELLED },
	{ "removed", UNIT_CANCELLED },
	{ "deleted", UNIT_CANCELLED },
	{ "abandoned", UNIT_CANCELLED },
	{ "dropped", UNIT_CANCELLED },
	{ "obsolete", UNIT_CANCELLED },
	{ "superseded", UNIT_CANCELLED },
	{ "skipped", UNIT_CANCELLED },
	{ "\u274c", UNIT_CANCELLED },
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static char folded(char c)
{
	return c == '_' || c == '-' || c == '\t' ? ' ' :
	       c >= 'A' && c <= 'Z'		 ? (char)(c - 'A' + 'a') :
						   c;
}

static bool begins_with(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	if (len < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (folded(text[i]) != word[i])
			return false;
	return len == n || !is_word(text[n]) || !is_word(word[n - 1]);
}

size_t unit_state_word(enum unit_state *ret, const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!begins_with(text, len, words[i].word))
			continue;
		*ret = words[i].state;
		return strlen(words[i].word);
	}
	return 0;
}

enum unit_state unit_state_of_word(const char *word, size_t len)
{
	enum unit_state state;

	while (len && strchr(" \t*_`\"'([", *word)) {
		word++;
		len--;
	}
	return unit_state_word(&state, word, len) ? state : UNIT_OTHER;
}
