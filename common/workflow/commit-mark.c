/* SPDX-License-Identifier: MIT */
#include "workflow/commit-mark.h"

#include <strings.h>

#include "base/memory.h"
#include "workflow/ascii.h"

enum {
	COMMIT_MIN = 7, /* digits of an abbreviation, as git makes them */
	COMMIT_SHA1 = 40,
	COMMIT_SHA256 = 64,
	LABEL_MAX = 24,
	ENCLOSED_MAX = 512 /* bytes; what is longer is prose */
};

void plan_commits_release(struct plan_commits *commits)
{
	for (size_t i = 0; i < commits->nr; i++)
		free(commits->item[i].hex);
	free(commits->item);
	*commits = (struct plan_commits){ 0 };
}

/* ---- Places in a line ---------------------------------------------------------------- */

static bool has_at(const char *text, struct span in, size_t at, const char *what)
{
	size_t len = strlen(what);

	return at >= in.at && at <= span_end(in) && span_end(in) - at >= len &&
	       !memcmp(text + at, what, len);
}

/* Behind the next `what` from `at` on, where that is near; 0: there is none. */
static size_t find_behind(const char *text, struct span in, size_t at, const char *what)
{
	size_t end = span_end(in) < at + ENCLOSED_MAX ? span_end(in) : at + ENCLOSED_MAX;
	const char *found = at < end ? memmem(text + at, end - at, what, strlen(what)) : NULL;

	return found ? (size_t)(found - text) + strlen(what) : 0;
}

/* ---- One number ---------------------------------------------------------------------- */

/* 20260116: such a number is a date in track ids and in remarks. */
static bool is_date(const char *s, size_t len)
{
	int month, day;

	if (len != 8 || (memcmp(s, "19", 2) && memcmp(s, "20", 2)))
		return false;
	month = (s[4] - '0') * 10 + s[5] - '0';
	day = (s[6] - '0') * 10 + s[7] - '0';
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* `enclosed`: in brackets, so that it is no word and no amount. */
static bool is_commit(const char *s, size_t len, bool enclosed)
{
	size_t digits = 0, small = 0, capital = 0;

	if (len < COMMIT_MIN || (len > COMMIT_SHA1 && len != COMMIT_SHA256))
		return false;
	for (size_t i = 0; i < len; i++) {
		digits += ascii_is_digit(s[i]);
		small += s[i] >= 'a' && s[i] <= 'f';
		capital += s[i] >= 'A' && s[i] <= 'F';
	}
	if (digits + small + capital != len || (capital && (small || !enclosed)))
		return false;
	if (digits == len && (is_date(s, len) || (len > 8 && len < COMMIT_SHA1)))
		return false;
	return digits || enclosed;
}

static void add_commit(struct plan_commits *ret, const char *text, struct span at,
		       enum plan_commit_label label)
{
	char *hex = xmemdupz(text + at.at, at.len);

	for (size_t i = 0; i < at.len; i++)
		if (hex[i] >= 'A' && hex[i] <= 'F')
			hex[i] = (char)(hex[i] - 'A' + 'a');
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	ret->item[ret->nr++] = (struct plan_commit){ .hex = hex, .label = label, .at = at };
}

static void drop_commits(struct plan_commits *commits, size_t nr)
{
	while (commits->nr > nr)
		free(commits->item[--commits->nr].hex);
}

/* ---- Lists of them ------------------------------------------------------------------- */

static const char *const label_words[] = { "checkpoint", "commits", "commit", "sha", "hash" };

static bool is_label_word(const char *s, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(label_words); i++)
		if (strlen(label_words[i]) == len && !strncasecmp(s, label_words[i], len))
			return true;
	return false;
}

struct label {
	size_t len;	   /* of it all, with what parts it from the list */
	bool known, colon; /* it is one of the words; ends with a colon */
	bool checkpoint;
	bool remark; /* other words stand in the list as well */
};

/* "checkpoint:", "commit ", or any few words and a colon. */
static struct label find_label(const char *text, struct span in)
{
	struct label ret = { 0 };
	size_t letters = 0, i;

	for (i = 0; i < in.len && i < LABEL_MAX; i++) {
		char c = text[in.at + i];

		if (c == ':' && i) {
			ret = (struct label){ .len = i + 1, .colon = true };
			break;
		}
		if (!ascii_is_letter(c) && c != '*' && c != '-' && c != ' ')
			break;
		letters += letters == i && ascii_is_letter(c);
	}
	ret.known = letters && is_label_word(text + in.at, letters);
	ret.checkpoint = ret.known && letters == strlen("checkpoint");
	if (ret.known && !ret.colon) {
		if (letters == in.len || ascii_is_blank(text[in.at + letters]))
			ret.len = letters;
		else
			ret = (struct label){ 0 };
	}
	return ret;
}

static bool is_separator(char c)
{
	return ascii_is_blank(c) || strchr(",;/+&`'\"*", c);
}

/*
 * The commits of a list: true when it is one. What else stands in it makes it none, but behind a
 * label that is known, where "abc1234 (approved)" is a commit all the same.
 */
static bool parse_list(struct plan_commits *ret, struct label *ret_label, const char *text,
		       struct span in, bool enclosed)
{
	struct label label = find_label(text, in);
	enum plan_commit_label is = label.checkpoint ? COMMIT_CHECKPOINT : COMMIT_PLAIN;
	size_t before = ret->nr, end = span_end(in);

	for (size_t at = in.at + label.len; at < end;) {
		size_t start = at;

		if (is_separator(text[at])) {
			at++;
			continue;
		}
		while (at < end && !is_separator(text[at]))
			at++;
		if (is_commit(text + start, at - start, enclosed || label.known)) {
			add_commit(ret, text, (struct span){ start, at - start }, is);
		} else if (!label.known) {
			drop_commits(ret, before);
			return false;
		} else {
			label.remark = true;
		}
	}
	*ret_label = label;
	return ret->nr > before;
}

/* ---- The parts of a line ------------------------------------------------------------- */

enum part_kind { PART_WORD, PART_BRACKET, PART_PARENTHESIS, PART_CODE, PART_COMMENT };

struct part {
	enum part_kind kind;
	struct span at, content;
};

static const struct {
	const char *open, *close;
	enum part_kind kind;
} enclosures[] = {
	{ "<!--", "-->", PART_COMMENT },
	{ "[", "]", PART_BRACKET },
	{ "(", ")", PART_PARENTHESIS },
	{ "\uff08", "\uff09", PART_PARENTHESIS },
	{ "\u3010", "\u3011", PART_BRACKET },
	{ "``", "``", PART_CODE },
	{ "`", "`", PART_CODE },
};

/* A link's address goes with its text. */
static size_t link_end(const char *text, struct span line, size_t end)
{
	size_t behind = has_at(text, line, end, "(") ? find_behind(text, line, end, ")") : 0;

	return behind ? behind : end;
}

/* Most characters open nothing. */
static bool may_open(char c)
{
	return c && strchr("<[(`\xef\xe3", c);
}

/* What begins with an opening bracket, and has a closing one. */
static bool read_enclosed(struct part *ret, const char *text, struct span line, size_t at)
{
	for (size_t i = 0; i < ARRAY_SIZE(enclosures); i++) {
		size_t start = at + strlen(enclosures[i].open), end;

		if (!has_at(text, line, at, enclosures[i].open))
			continue;
		end = find_behind(text, line, start, enclosures[i].close);
		if (!end)
			continue;
		ret->kind = enclosures[i].kind;
		ret->content = (struct span){ start, end - strlen(enclosures[i].close) - start };
		if (*enclosures[i].open == '[')
			end = link_end(text, line, end);
		ret->at = (struct span){ at, end - at };
		return true;
	}
	return false;
}

static bool opens(const char *text, struct span line, size_t at)
{
	for (size_t i = 0; may_open(text[at]) && i < ARRAY_SIZE(enclosures); i++)
		if (has_at(text, line, at, enclosures[i].open))
			return true;
	return false;
}

/* The next part from `at` on; false at the end of the line. */
static bool next_part(struct part *ret, const char *text, struct span line, size_t at)
{
	size_t end = span_end(line), start;

	while (at < end && ascii_is_blank(text[at]))
		at++;
	if (at == end)
		return false;
	if (read_enclosed(ret, text, line, at))
		return true;
	/* What is escaped opens nothing. */
	for (start = at; at < end && !ascii_is_blank(text[at]); at++) {
		if (at > start && opens(text, line, at))
			break;
		if (text[at] == '\\' && at + 1 < end && !ascii_is_blank(text[at + 1]))
			at++;
	}
	*ret = (struct part){ .kind = PART_WORD, .at = { start, at - start } };
	ret->content = ret->at;
	return true;
}

/* Glued to a word, as in "call(1234567)", it is no remark on it. */
static bool is_glued(const char *text, struct span line, struct span at)
{
	return at.at > line.at && ascii_is_word(text[at.at - 1]);
}

/* A word without the punctuation and emphasis around it. */
static struct span bare(const char *text, struct span word)
{
	static const char *const behind[] = { "\u3002", "\u3001", "\uff0c" };
	size_t at = word.at, end = span_end(word);

	while (at < end && strchr("*_\"'~", text[at]))
		at++;
	for (;;) {
		size_t was = end;

		while (end > at && strchr("*_\"'~.,;:!", text[end - 1]))
			end--;
		for (size_t i = 0; i < ARRAY_SIZE(behind); i++)
			if (end - at > 3 && !memcmp(text + end - 3, behind[i], 3))
				end -= 3;
		if (end == was)
			break;
	}
	return (struct span){ at, end - at };
}

/* Not a letter or a digit in it: "-", "**", a tick. Pictures begin with one of three bytes. */
static bool is_sign(const char *text, struct span word)
{
	for (size_t i = 0; i < word.len; i++) {
		char c = text[word.at + i];

		if (ascii_is_word(c) || ((unsigned char)c >= 0xc0 && !strchr("\xe2\xef\xf0", c)))
			return false;
	}
	return true;
}

/* May commits stand in front of it that are the line's, nevertheless? */
static bool is_passed_over(const char *text, const struct part *part)
{
	struct span word;

	if (part->kind != PART_WORD)
		return part->kind != PART_CODE;
	word = bare(text, part->at);
	return is_sign(text, part->at) || is_label_word(text + word.at, word.len) ||
	       (word.len == 3 && !memcmp(text + word.at, "and", 3));
}

/* ---- Which of them are the line's ---------------------------------------------------- */

/* Emphasis around it goes with it. */
static struct span with_emphasis(const char *text, struct span line, struct span at)
{
	while (at.at > line.at && span_end(at) < span_end(line) &&
	       (text[at.at - 1] == '*' || text[at.at - 1] == '_') &&
	       text[at.at - 1] == text[span_end(at)]) {
		at.at--;
		at.len += 2;
	}
	return at;
}

static size_t back_over(const char *text, struct span line, size_t at)
{
	static const char *const dashes[] = { "\u2013", "\u2014", "\u2192" };

	if (at == line.at)
		return at;
	if (ascii_is_blank(text[at - 1]) || text[at - 1] == ',' || text[at - 1] == ';')
		return at - 1;
	if (text[at - 1] == '-' && (at - 1 == line.at || ascii_is_blank(text[at - 2])))
		return at - 1;
	for (size_t i = 0; i < ARRAY_SIZE(dashes); i++)
		if (at - line.at > 3 && !memcmp(text + at - 3, dashes[i], 3))
			return at - 3;
	return at;
}

/* Over "commit:", with or without emphasis. */
static size_t back_over_label(const char *text, struct span line, size_t at)
{
	size_t end = at, start;

	while (end > line.at && text[end - 1] == '*')
		end--;
	if (end == line.at || text[end - 1] != ':')
		return at;
	for (start = --end; start > line.at && ascii_is_letter(text[start - 1]);)
		start--;
	if (!is_label_word(text + start, end - start))
		return at;
	while (start > line.at && text[start - 1] == '*')
		start--;
	return start;
}

static struct span commit_mark_cut(const char *text, struct span line, struct span what)
{
	size_t at = what.at, was;

	do {
		was = at;
		at = back_over(text, line, at);
		if (at == was)
			at = back_over_label(text, line, at);
	} while (at != was);
	return (struct span){ at, span_end(what) - at };
}

/* Where nothing stays in front, the blanks behind go, too. */
static struct span with_blanks_behind(const char *text, struct span line, struct span cut)
{
	while (span_end(cut) < span_end(line) && ascii_is_blank(text[span_end(cut)]))
		cut.len++;
	return cut;
}

static void cut_front(struct plan_commits *commits, size_t from, const char *text, struct span line)
{
	size_t reach = line.at;

	for (size_t i = from; i < commits->nr && commits->item[i].cut.at <= reach; i++) {
		struct span *cut = &commits->item[i].cut;

		*cut = with_blanks_behind(text, line, *cut);
		if (span_end(*cut) > reach)
			reach = span_end(*cut);
	}
}

/* A bare word's: what is joined by "," or "+" is one word. */
static void set_cuts_of_word(struct plan_commits *commits, size_t from, const char *text,
			     struct span line)
{
	for (size_t i = from; i < commits->nr; i++) {
		struct plan_commit *it = &commits->item[i];
		struct span what = with_emphasis(text, line, it->at);

		it->cut = commit_mark_cut(text, line, what);
		if (i > from && it->cut.at < span_end(commits->item[i - 1].cut)) {
			size_t end = span_end(it->cut);

			it->cut.at = span_end(commits->item[i - 1].cut);
			it->cut.len = end - it->cut.at;
		}
		while (i > from && it->cut.at > span_end(commits->item[i - 1].cut) &&
		       is_separator(text[it->cut.at - 1])) {
			it->cut.at--;
			it->cut.len++;
		}
	}
}

/* "(commit 1a2b3c4, approved by Jane)" is "(approved by Jane)" without it. */
static void set_cuts_beside_remark(struct plan_commits *commits, size_t from, const char *text,
				   struct span in, size_t label)
{
	size_t reach = in.at + label;
	bool front = true; /* nothing but the label and commits so far */

	for (size_t i = from; i < commits->nr; i++) {
		struct plan_commit *it = &commits->item[i];
		size_t at = it->at.at, end = span_end(it->at);

		while (at > reach && is_separator(text[at - 1]))
			at--;
		front &= at == reach;
		while (front && end < span_end(in) && is_separator(text[end]))
			end++;
		if (front && i == from)
			at = in.at;
		it->cut = (struct span){ at, end - at };
		reach = end;
	}
}

/*
 * The commits that a part records, where the place allows it: `outer` is the line's front or end.
 * How many they are.
 */
static size_t record_part(struct plan_commits *ret, const char *text, struct span line,
			  const struct part *part, bool outer)
{
	bool word = part->kind == PART_WORD;
	bool enclosed = part->kind == PART_BRACKET || part->kind == PART_COMMENT;
	struct span content = word ? bare(text, part->at) : part->content;
	struct label label = { 0 };
	size_t before = ret->nr;

	if (is_glued(text, line, part->at) ||
	    !parse_list(ret, &label, text, content, enclosed || part->kind == PART_CODE))
		return 0;
	if (!outer && (word || part->kind == PART_CODE || (label.len && !label.colon))) {
		drop_commits(ret, before);
		return 0;
	}
	if (word) {
		set_cuts_of_word(ret, before, text, line);
	} else if (label.remark && !label.checkpoint) {
		set_cuts_beside_remark(ret, before, text, content, label.len);
	} else {
		struct span what = with_emphasis(text, line, part->at);

		for (size_t i = before; i < ret->nr; i++)
			ret->item[i].cut = commit_mark_cut(text, line, what);
	}
	return ret->nr - before;
}

/* Bare at the front it must not be a number that something else is counted by. */
static bool is_amount(const char *text, const struct part *part)
{
	struct span word = bare(text, part->at);

	for (size_t i = 0; i < word.len; i++)
		if (!ascii_is_digit(text[word.at + i]))
			return false;
	return part->kind == PART_WORD;
}

struct parts {
	struct part *item;
	size_t nr, alloc;
};

static void parts_release(struct parts *parts)
{
	free(parts->item);
}

static void find_parts(struct parts *ret, const char *text, struct span line)
{
	struct part part;

	for (size_t at = line.at; next_part(&part, text, line, at); at = span_end(part.at)) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = part;
	}
}

/* The first part of those that end the line: commits, and what is passed over. */
static size_t find_tail(const struct parts *parts, const char *text, struct span line)
{
	size_t tail = parts->nr;

	while (tail) {
		struct plan_commits commits = { 0 };
		const struct part *part = &parts->item[tail - 1];
		size_t recorded = record_part(&commits, text, line, part, true);

		plan_commits_release(&commits);
		if (!recorded && !is_passed_over(text, part))
			break;
		tail--;
	}
	return tail;
}

/* Are there as many hexadecimal digits in a row? Most lines need no closer look. */
static bool may_have_commit(const char *text, struct span line)
{
	size_t run = 0;

	for (size_t i = 0; i < line.len && run < COMMIT_MIN; i++) {
		char c = text[line.at + i];
		bool digit = ascii_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

		run = digit ? run + 1 : 0;
	}
	return run >= COMMIT_MIN;
}

void commit_marks_find(struct plan_commits *ret, const char *text, struct span line)
{
	struct parts parts CLEANUP(parts_release) = { 0 };
	bool front = true; /* nothing but commits so far */
	size_t tail, before = ret->nr;

	if (!may_have_commit(text, line))
		return;
	find_parts(&parts, text, line);
	tail = find_tail(&parts, text, line);
	for (size_t i = 0; i < parts.nr; i++) {
		bool outer = i >= tail || (front && !is_amount(text, &parts.item[i]));

		front &= record_part(ret, text, line, &parts.item[i], outer) > 0;
	}
	cut_front(ret, before, text, line);
}

/* ---- Checkpoints without a commit ---------------------------------------------------- */

bool checkpoint_find_empty(struct span *ret, struct span *ret_word, const char *text,
			   struct span line)
{
	struct part part;

	if (!memchr(text + line.at, '[', line.len))
		return false;
	for (size_t at = line.at; next_part(&part, text, line, at); at = span_end(part.at)) {
		struct label label = find_label(text, part.content);
		struct plan_commits commits = { 0 };
		size_t start = part.content.at + label.len, end = span_end(part.content);
		bool has_commit;

		if (part.kind != PART_BRACKET || !label.checkpoint)
			continue;
		has_commit = parse_list(&commits, &label, text, part.content, true);
		plan_commits_release(&commits);
		if (has_commit)
			continue;
		while (start < end && ascii_is_blank(text[start]))
			start++;
		while (end > start && ascii_is_blank(text[end - 1]))
			end--;
		*ret = commit_mark_cut(text, line, part.at);
		if (ret->at == line.at)
			*ret = with_blanks_behind(text, line, *ret);
		*ret_word = (struct span){ start, end - start };
		return true;
	}
	return false;
}
