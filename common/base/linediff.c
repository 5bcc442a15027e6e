/* SPDX-License-Identifier: MIT */
#include "base/linediff.h"

#include "base/memory.h"

#define CONTEXT 3
#define CELLS	((size_t)4 << 20)

struct line {
	const char *text;
	size_t len;
};
struct lines {
	struct line *item;
	size_t nr, alloc;
};

/* One line of the result, and where it stands in the new text. */
struct step {
	char sign;
	const struct line *line;
	size_t number;
};
struct script {
	struct step *item;
	size_t nr, alloc;
};

static void split(struct lines *ret, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct line){ .text = text, .len = len };
		text += len + (text[len] == '\n');
	}
}

static bool same(const struct line *a, const struct line *b)
{
	return a->len == b->len && !memcmp(a->text, b->text, a->len);
}

static void add_step(struct script *script, char sign, const struct line *line, size_t number)
{
	ARRAY_GROW(script->item, script->nr + 1, script->alloc);
	script->item[script->nr++] =
		(struct step){ .sign = sign, .line = line, .number = number + 1 };
}

/*
 * The middle, where the texts differ: a[from..a_end) against b[from..b_end). Each cell is
 * the length of the longest common subsequence of what follows it.
 */
static void compare_middle(struct script *script, const struct lines *a, const struct lines *b,
			   size_t from, size_t a_end, size_t b_end)
{
	size_t rows = a_end - from, columns = b_end - from, width = columns + 1;
	bool small = rows < CELLS / width;
	uint32_t *cell = small ? xcalloc((rows + 1) * width, sizeof(*cell)) : NULL;
	size_t i = 0, j = 0;

	for (size_t r = small ? rows : 0; r--;)
		for (size_t c = columns; c--;) {
			uint32_t below = cell[(r + 1) * width + c], right = cell[r * width + c + 1];

			if (same(&a->item[from + r], &b->item[from + c]))
				cell[r * width + c] = cell[(r + 1) * width + c + 1] + 1;
			else
				cell[r * width + c] = below > right ? below : right;
		}
	while (i < rows || j < columns) {
		if (small && i < rows && j < columns &&
		    same(&a->item[from + i], &b->item[from + j])) {
			add_step(script, ' ', &b->item[from + j], from + j);
			i++;
			j++;
		} else if (i < rows && (!small || j == columns ||
					cell[(i + 1) * width + j] >= cell[i * width + j + 1])) {
			add_step(script, '-', &a->item[from + i++], from + j);
		} else {
			add_step(script, '+', &b->item[from + j], from + j);
			j++;
		}
	}
	free(cell);
}

static void compare(struct script *script, const struct lines *a, const struct lines *b)
{
	size_t start = 0, a_end = a->nr, b_end = b->nr;

	while (start < a_end && start < b_end && same(&a->item[start], &b->item[start])) {
		add_step(script, ' ', &b->item[start], start);
		start++;
	}
	while (a_end > start && b_end > start && same(&a->item[a_end - 1], &b->item[b_end - 1])) {
		a_end--;
		b_end--;
	}
	compare_middle(script, a, b, start, a_end, b_end);
	for (size_t j = b_end; j < b->nr; j++)
		add_step(script, ' ', &b->item[j], j);
}

static bool near_change(const struct script *script, size_t at)
{
	size_t from = at > CONTEXT ? at - CONTEXT : 0;

	for (size_t i = from; i < script->nr && i <= at + CONTEXT; i++)
		if (script->item[i].sign != ' ')
			return true;
	return false;
}

static void add_line(struct strbuf *out, const struct step *step)
{
	size_t len = step->line->len;
	bool cr = len && step->line->text[len - 1] == '\r';

	strbuf_addch(out, step->sign);
	strbuf_add(out, step->line->text, len - cr);
	strbuf_addstr(out, cr ? "\\r\n" : "\n");
}

void linediff(struct strbuf *out, const char *old_text, const char *new_text)
{
	struct lines a = { 0 }, b = { 0 };
	struct script script = { 0 };
	bool shown = false;

	split(&a, old_text);
	split(&b, new_text);
	compare(&script, &a, &b);
	for (size_t i = 0; i < script.nr; i++) {
		if (!near_change(&script, i)) {
			shown = false;
			continue;
		}
		if (!shown)
			strbuf_addf(out, "@@ line %zu @@\n", script.item[i].number);
		add_line(out, &script.item[i]);
		shown = true;
	}
	free(script.item);
	free(a.item);
	free(b.item);
}
