/* SPDX-License-Identifier: MIT */
#include "workflow/plan-line.h"

#include <strings.h>

#include "base/memory.h"
#include "workflow/ascii.h"
#include "workflow/commit-mark.h"

/* ---- Boxes --------------------------------------------------------------------------- */

/* The bytes of a character by its first one. */
static size_t character_len(char c)
{
	unsigned char u = (unsigned char)c;

	return u < 0x80 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
}

/* "[", at most one character that is no digit, "]". Its length, or 0. */
static size_t box_len(const char *s, size_t len)
{
	size_t inside;

	if (len < 2 || s[0] != '[')
		return 0;
	if (s[1] == ']')
		return 2;
	if (ascii_is_digit(s[1]) || s[1] == '[' || s[1] == '\t')
		return 0;
	inside = character_len(s[1]);
	return len >= inside + 2 && s[1 + inside] == ']' ? inside + 2 : 0;
}

bool line_find_box(struct span *ret_mark, size_t *ret_behind, const char *text, struct span line)
{
	size_t at = line.at, end = line.at + line.len, len;

	while (at < end && (text[at] == '*' || text[at] == '_'))
		at++;
	len = box_len(text + at, end - at);
	if (!len || (at + len < end && !ascii_is_blank(text[at + len])))
		return false;
	*ret_mark = (struct span){ at + 1, len - 2 };
	*ret_behind = at + len;
	return true;
}

bool line_find_box_behind(struct span *ret_mark, struct span *ret_box, const char *text,
			  struct span line)
{
	size_t end = line.at + line.len;

	for (size_t len = 2; len <= 6 && len < line.len; len++) {
		size_t at = end - len;

		if (box_len(text + at, len) != len || !ascii_is_blank(text[at - 1]))
			continue;
		*ret_mark = (struct span){ at + 1, len - 2 };
		*ret_box = (struct span){ at, len };
		return true;
	}
	return false;
}

/* ---- Status -------------------------------------------------------------------------- */

/* Nothing but signs, digits and blanks: a date may stand behind "COMPLETED". */
static bool is_plain_rest(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (ascii_is_letter(s[i]))
			return false;
	return true;
}

/* A status in brackets that ends at `end`; where it begins, or NO_INDEX. */
static size_t bracketed_status(enum unit_state *ret, const char *text, size_t start, size_t end,
			       bool parentheses)
{
	enum { STATUS_MAX = 40 };
	char close = end > start ? text[end - 1] : '\0';
	char open = close == ']' ? '[' : close == ')' && parentheses ? '(' : '\0';
	size_t len;

	if (!open)
		return NO_INDEX;
	for (size_t at = end - 1; at-- > start && end - at < STATUS_MAX;) {
		const char *s = text + at + 1;

		if (text[at] != open)
			continue;
		while (ascii_is_blank(*s) || *s == '*')
			s++;
		len = (size_t)(text + end - 1 - s);
		if (s > text + end - 1)
			return NO_INDEX;
		size_t word = unit_state_word(ret, s, len);

		return word && is_plain_rest(s + word, len - word) ? at : NO_INDEX;
	}
	return NO_INDEX;
}

/* The same of a picture. */
static size_t pictured_status(enum unit_state *ret, const char *text, size_t start, size_t end)
{
	static const char selector[] = "\ufe0f"; /* asks for a coloured one */
	size_t n = strlen(selector);

	if (end - start > n && !memcmp(text + end - n, selector, n))
		end -= n;
	for (size_t len = 3; len <= 4 && len <= end - start; len++) {
		const char *s = text + end - len;

		if ((unsigned char)*s >= 0xe0 && unit_state_word(ret, s, len) == len)
			return end - len;
	}
	return NO_INDEX;
}

/* The one that ends at `end`; where it begins, with the blanks in front, or NO_INDEX. */
static size_t find_one_status(enum unit_state *ret, enum line_kind kind, const char *text,
			      size_t start, size_t end)
{
	size_t at = bracketed_status(ret, text, start, end, kind != LINE_TASK);

	if (at == NO_INDEX)
		at = pictured_status(ret, text, start, end);
	while (at != NO_INDEX && at > start && ascii_is_blank(text[at - 1]))
		at--;
	return at;
}

bool line_find_status(struct span *ret, enum unit_state *ret_state, enum line_kind kind,
		      const char *text, struct span line)
{
	size_t end = line.at + line.len, at, next;
	enum unit_state before;

	while (end > line.at && (ascii_is_blank(text[end - 1]) || text[end - 1] == '*'))
		end--;
	at = find_one_status(ret_state, kind, text, line.at, end);
	if (at == NO_INDEX)
		return false;
	/* "[COMPLETE] \u2705" is one. */
	while ((next = find_one_status(&before, kind, text, line.at, at)) != NO_INDEX)
		at = next;
	*ret = (struct span){ at, end - at };
	return true;
}

/* Where the value of the field begins, or 0. `first`: it begins the line. */
static size_t field_value(const char *text, struct span line, const char *name, bool first)
{
	size_t end = line.at + line.len, at = line.at, len = strlen(name);

	if (first)
		while (at < end && strchr(" \t*_>-", text[at]))
			at++;
	while (at + len < end && strncasecmp(text + at, name, len) != 0 && !first)
		at++;
	if (at + len >= end || strncasecmp(text + at, name, len) != 0)
		return 0;
	at += len;
	while (at < end && (text[at] == '*' || text[at] == '_'))
		at++;
	if (at >= end || text[at] != ':')
		return 0;
	at++;
	while (at < end && strchr(" \t*_`", text[at]))
		at++;
	return at;
}

struct span line_find_field(const char *text, struct span line, const char *name, bool first)
{
	size_t end = line.at + line.len, at = field_value(text, line, name, first), stop;

	if (!at)
		return (struct span){ 0 };
	for (stop = at; stop < end && !strchr("|(*`\t\r\n", text[stop]);)
		stop++;
	while (stop > at && (ascii_is_blank(text[stop - 1]) || text[stop - 1] == '_'))
		stop--;
	return (struct span){ at, stop - at };
}

struct span line_find_status_field(const char *text, struct span line, bool first)
{
	struct span ret = line_find_field(text, line, "status", first);
	enum unit_state state;
	size_t word = unit_state_word(&state, text + ret.at, ret.len);

	/* "\u2705 Complete" is one, too. */
	if (word && (unsigned char)text[ret.at] < 0x80)
		ret.len = word;
	return ret;
}

void line_find_field_commits(struct plan_commits *ret, const char *text, struct span line,
			     struct span *status)
{
	static const char *const names[] = { "commits",		 "commit", "commit sha",
					     "commit hash",	 "sha",	   "checkpoint",
					     "checkpoint commit" };
	struct span value = *status;

	for (size_t i = 0; !value.len && i < ARRAY_SIZE(names); i++)
		value = line_find_field(text, line, names[i], true);
	if (!value.len)
		return;
	/* With what commits are enclosed by, but not what parts fields on one line. */
	while (value.at > line.at && strchr(" \t*_`", text[value.at - 1]))
		value.at--;
	value.len = span_end(line) - value.at;
	if (memchr(text + value.at, '|', value.len))
		value.len = strcspn(text + value.at, "|");
	commit_marks_find(ret, text, value);
	if (status->len && ret->nr && ret->item[0].cut.at < span_end(*status))
		status->len = ret->item[0].cut.at - status->at;
}

/* ---- Labels -------------------------------------------------------------------------- */

static const char *const phase_words[] = {
	"phase",  "fase", "faza", "fáze", "étape", "etapa", "stage",	"milestone",
	"sprint", "этап", "фаза", "阶段", "階段",  "단계",  "フェーズ", NULL,
};
static const char *const task_words[] = {
	"sub-task", "subtask", "task", "tarefa", "tarea", "tâche",  "aufgabe", "taak",
	"compito",  "задача",  "任务", "任務",	 "작업",  "タスク", NULL,
};
static const char *const track_words[] = { "track", "component", "storage component", NULL };

static const char *const *const label_words[] = {
	[LINE_TASK] = task_words,
	[LINE_TASK_HEADING] = task_words,
	[LINE_PHASE] = phase_words,
	[LINE_TRACK] = track_words,
};

static size_t word_len(const char *s, const char *const *words)
{
	for (; *words; words++) {
		size_t len = strlen(*words);

		if (!strncasecmp(s, *words, len) && !ascii_is_letter(s[len]))
			return len;
	}
	return 0;
}

static size_t blanks(const char *s)
{
	return strspn(s, " \t");
}

/* "2", "2.1", "2b", "A", "IV", "one". Its length, or 0. */
static size_t number_len(const char *s)
{
	static const char *const words[] = { "one",   "two",   "three", "four", "five", "six",
					     "seven", "eight", "nine",	"ten",	NULL };
	size_t len = strspn(s, "0123456789");

	if (len) {
		while (s[len] == '.' && ascii_is_digit(s[len + 1]))
			len += 1 + strspn(s + len + 1, "0123456789");
		if (ascii_is_letter(s[len]) && !ascii_is_letter(s[len + 1]) &&
		    !ascii_is_digit(s[len + 1]))
			len++;
		return ascii_is_letter(s[len]) ? 0 : len;
	}
	len = word_len(s, words);
	if (len)
		return len;
	len = strspn(s, "IVX");
	if (!len && *s >= 'A' && *s <= 'Z')
		len = 1;
	return ascii_is_letter(s[len]) || ascii_is_digit(s[len]) ? 0 : len;
}

/* "7-9", "7–9": the number goes on. */
static size_t range_len(const char *s, size_t len)
{
	static const char dash[] = "\u2013";
	size_t at = len;

	if (s[at] == '-')
		at++;
	else if (!strncmp(s + at, dash, strlen(dash)))
		at += strlen(dash);
	if (at == len || !ascii_is_digit(s[at]))
		return len;
	return at + strspn(s + at, "0123456789");
}

/* ":" and its like, with the blanks around them. 0: something else, or the end. */
static size_t separator_len(const char *s)
{
	static const char *const separators[] = { ":", "\uff1a", "\u2013", "\u2014",
						  "-", ".",	 ")",	   "|" };
	size_t at = blanks(s);

	for (size_t i = 0; i < ARRAY_SIZE(separators); i++) {
		size_t len = strlen(separators[i]);

		if (strncmp(s + at, separators[i], len) != 0)
			continue;
		/* A dash within a word parts nothing. */
		if (*separators[i] == '-' && !ascii_is_blank(s[at + len]) && s[at + len])
			return 0;
		at += len;
		return at + blanks(s + at);
	}
	return 0;
}

/* A number by itself: "2.1 T", "2. T", "2) T", "2: T"; not "85 passed". */
static struct line_label find_number(const char *s)
{
	struct line_label ret = { 0 };
	size_t digits = strspn(s, "0123456789"), len = digits ? number_len(s) : 0, separator;

	if (!len || digits > 3)
		return ret;
	separator = separator_len(s + len);
	if (!separator && (!memchr(s, '.', len) || !ascii_is_blank(s[len])))
		return ret;
	if (separator && !s[len + separator])
		return ret;
	ret.numbered = true;
	ret.separated = separator > 0;
	ret.number = (struct span){ 0, len };
	ret.len = len + (separator ? separator : blanks(s + len));
	return ret;
}

struct line_label line_find_label(const char *s, enum line_kind kind)
{
	struct line_label ret = { 0 };
	size_t word = word_len(s, label_words[kind]), at, number, separator;

	if (!word)
		return kind == LINE_TRACK ? ret : find_number(s);
	at = word + strspn(s + word, " \t#-");
	number = number_len(s + at);
	if (number) {
		ret.number = (struct span){ at, number };
		number = range_len(s + at, number);
		ret.number.len = number;
	} else {
		at = word;
	}
	separator = separator_len(s + at + number);
	ret.separated = separator || !s[at + number];
	/* "Task list", "Phase overview", "Track A": a word of the title. */
	if (!separator && (!number || (!ascii_is_blank(s[at + number]) && s[at + number])))
		return (struct line_label){ 0 };
	if (!separator && number == 1 && !ascii_is_digit(s[at]))
		return (struct line_label){ 0 };
	ret.named = true;
	ret.numbered = number > 0;
	ret.len = at + number + separator;
	ret.len += blanks(s + ret.len);
	return ret;
}

/* ---- Titles -------------------------------------------------------------------------- */

/* Takes a pair of marks off, where the text begins with the one: "**a** b" is "a b". */
static void strip_pair(struct strbuf *s, const char *mark)
{
	size_t len = strlen(mark);
	char *close;

	if (strncmp(s->buf, mark, len) != 0)
		return;
	close = strstr(s->buf + len, mark);
	if (!close)
		return;
	memmove(close, close + len, s->len - (size_t)(close - s->buf) - len + 1);
	memmove(s->buf, s->buf + len, s->len - 2 * len + 1);
	strbuf_setlen(s, s->len - 2 * len);
}

static void strip_emphasis(struct strbuf *s)
{
	strip_pair(s, "**");
	strip_pair(s, "__");
	strip_pair(s, "*");
}

/* A picture in front, where something comes behind. */
static void strip_picture(struct strbuf *s)
{
	size_t at = 0;

	while (at < s->len &&
	       (!strncmp(s->buf + at, "\xf0\x9f", 2) || !strncmp(s->buf + at, "\xef\xb8\x8f", 3) ||
		(!strncmp(s->buf + at, "\xe2", 1) && s->buf[at + 1] >= '\x98' &&
		 s->buf[at + 1] <= '\xad'))) {
		at += character_len(s->buf[at]);
		if (at > s->len)
			return;
		at += blanks(s->buf + at);
	}
	if (!at || at >= s->len)
		return;
	memmove(s->buf, s->buf + at, s->len - at + 1);
	strbuf_setlen(s, s->len - at);
}

/* One blank for many, none around it. */
static void add_single_blanks(struct strbuf *out, const char *s, size_t len)
{
	size_t before = out->len;

	for (size_t i = 0; i < len; i++) {
		if (!ascii_is_blank(s[i]) && s[i])
			strbuf_addch(out, s[i]);
		else if (out->len > before && out->buf[out->len - 1] != ' ')
			strbuf_addch(out, ' ');
	}
	strbuf_rtrim(out);
}

char *line_plain(const char *text, size_t len)
{
	struct strbuf s = STRBUF_INIT;

	add_single_blanks(&s, text, len);
	strip_picture(&s);
	strip_emphasis(&s);
	return strbuf_detach(&s);
}

/* Takes the label off the front, and gives its number. */
static char *take_label(struct strbuf *s, enum line_kind kind)
{
	struct line_label label = line_find_label(s->buf, kind);
	char *number =
		label.number.len ? xmemdupz(s->buf + label.number.at, label.number.len) : NULL;

	memmove(s->buf, s->buf + label.len, s->len - label.len + 1);
	strbuf_setlen(s, s->len - label.len);
	return number;
}

/*
 * What of the line is left without its commits, its status and an empty checkpoint: the cuts are
 * in the order of the line.
 */
static void add_text(struct strbuf *out, const struct plan_line *line, const char *text, size_t at,
		     size_t end)
{
	size_t next = 0;

	while (at < end) {
		size_t stop = end, go_on = end;

		while (next < line->commit.nr &&
		       line->commit.item[next].cut.at + line->commit.item[next].cut.len <= at)
			next++;
		const struct span cuts[] = {
			next < line->commit.nr ? line->commit.item[next].cut : (struct span){ 0 },
			line->status,
			line->empty_checkpoint,
		};

		for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
			size_t cut_end = cuts[i].at + cuts[i].len;

			if (!cuts[i].len || cut_end <= at || cuts[i].at >= stop)
				continue;
			stop = cuts[i].at > at ? cuts[i].at : at;
			go_on = cut_end;
		}
		strbuf_add(out, text + at, stop - at);
		at = go_on;
	}
}

/* "[text](address)" is "text". */
static void strip_links(struct strbuf *s)
{
	char *middle = strstr(s->buf, "]("), *open, *close;

	while (middle) {
		close = strchr(middle, ')');
		*middle = '\0';
		open = strrchr(s->buf, '[');
		*middle = ']';
		if (open && close) {
			memmove(middle, close + 1, s->len - (size_t)(close - s->buf));
			strbuf_setlen(s, s->len - (size_t)(close + 1 - middle));
			memmove(open, open + 1, s->len - (size_t)(open - s->buf));
			strbuf_setlen(s, s->len - 1);
			middle = strstr(open, "](");
		} else {
			middle = strstr(middle + 1, "](");
		}
	}
}

static void set_title(struct plan_line *ret, enum line_kind kind, const char *text, size_t at,
		      size_t end)
{
	struct strbuf raw CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf title = STRBUF_INIT;

	add_text(&raw, ret, text, at, end);
	if (kind == LINE_TRACK)
		strip_links(&raw);
	add_single_blanks(&title, raw.buf, raw.len);
	strip_picture(&title);
	strip_emphasis(&title);
	ret->label = take_label(&title, kind);
	strip_emphasis(&title);
	if (kind <= LINE_TASK_HEADING && !ret->label) /* "Task: 2.1 T" */
		ret->label = take_label(&title, kind);
	ret->title = strbuf_detach(&title);
}

/* The line without the commits at its end. */
static struct span before_commits(const struct plan_line *line, struct span rest)
{
	for (size_t i = line->commit.nr; i-- > 0;) {
		struct span cut = line->commit.item[i].cut;

		if (cut.at + cut.len == rest.at + rest.len && cut.at >= rest.at)
			rest.len = cut.at - rest.at;
	}
	return rest;
}

/* ---- All of it ----------------------------------------------------------------------- */

void plan_line_parse(struct plan_line *ret, enum line_kind kind, const char *text, struct span line,
		     struct span last)
{
	size_t behind = line.at, end = line.at + line.len;
	struct span rest, box;

	*ret = (struct plan_line){ .text = line };
	ret->has_box = line_find_box(&ret->mark, &behind, text, line);
	while (behind < end && ascii_is_blank(text[behind]))
		behind++;
	rest = (struct span){ behind, end - behind };
	if (kind != LINE_TASK && !ret->has_box &&
	    line_find_box_behind(&ret->mark, &box, text, rest)) {
		ret->has_box = true;
		end = box.at;
		rest.len = end - behind;
	}
	commit_marks_find(&ret->commit, text, rest);
	checkpoint_find_empty(&ret->empty_checkpoint, &ret->checkpoint_word, text, rest);
	line_find_status(&ret->status, &ret->state, kind, text, before_commits(ret, rest));
	if (ret->has_box && ret->state != UNIT_REVERTED)
		ret->state = unit_state_of_mark(text + ret->mark.at, ret->mark.len);
	set_title(ret, kind, text, behind, end);
	if (last.at > line.at)
		commit_marks_find(&ret->commit, text, last);
}

void plan_line_release(struct plan_line *line)
{
	free(line->title);
	free(line->label);
	plan_commits_release(&line->commit);
	*line = (struct plan_line){ 0 };
}
