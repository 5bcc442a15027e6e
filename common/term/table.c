/* SPDX-License-Identifier: MIT */
#include "term/table.h"

#include "base/memory.h"
#include "base/text.h"

#include <wchar.h>

/* Wider cells do not push the rest of all rows out of the window. */
#define WIDEST 60

void table_release(struct table *t)
{
	strvec_release(&t->text);
	free(t->color);
	t->color = NULL;
	t->color_alloc = 0;
}

void table_cell(struct table *t, enum color color, const char *text)
{
	ARRAY_GROW(t->color, t->text.nr + 1, t->color_alloc);
	t->color[t->text.nr] = color;
	strvec_push_nodup(&t->text, text_escaped(text));
}

void table_cellf(struct table *t, enum color color, const char *fmt, ...)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	table_cell(t, color, text.buf);
}

size_t table_width(const char *text)
{
	size_t left = strlen(text), width = 0;
	mbstate_t state = { 0 };

	while (left) {
		wchar_t c;

		if (*text >= ' ' && *text <= '~') { /* most are, and the rest takes its time */
			text++;
			left--;
			width++;
			continue;
		}
		size_t len = mbrtowc(&c, text, left, &state);

		/* In the C locale a letter beyond ASCII is so many unknown bytes. */
		if (len == 0 || len > left) {
			state = (mbstate_t){ 0 };
			len = 1;
			width++;
		} else {
			int columns = wcwidth(c);

			width += columns < 0 ? 1 : (size_t)columns;
		}
		text += len;
		left -= len;
	}
	return width;
}

static void measure(const struct table *t, size_t *width)
{
	for (size_t i = 0; i < t->text.nr; i++) {
		size_t cell = table_width(t->text.v[i]);

		if (cell > width[i % t->columns] && cell <= WIDEST)
			width[i % t->columns] = cell;
	}
}

static void add_cell(const struct table *t, size_t i, size_t width, bool color, struct strbuf *out)
{
	size_t column = i % t->columns, own = table_width(t->text.v[i]);
	int pad = own < width ? (int)(width - own) : 0;
	bool right = t->right >> column & 1, last = column + 1 == t->columns;
	bool colored = color && t->color[i] != COLOR_NONE;

	strbuf_addf(out, "%*s", right ? pad : 0, "");
	strbuf_addstr(out, color_code(colored, t->color[i]));
	strbuf_addstr(out, t->text.v[i]);
	strbuf_addstr(out, color_code(colored, COLOR_RESET));
	if (!last)
		strbuf_addf(out, "%*s", (right ? 0 : pad) + 2, "");
}

void table_add_to(const struct table *t, bool color, struct strbuf *out)
{
	size_t *width CLEANUP(free_p) = xcalloc(t->columns, sizeof(*width));

	measure(t, width);
	for (size_t i = 0; i < t->text.nr; i++) {
		size_t column = i % t->columns;

		if (!column)
			strbuf_addf(out, "%*s", (int)t->indent, "");
		add_cell(t, i, width[column], color, out);
		if (column + 1 == t->columns || i + 1 == t->text.nr) {
			/* An empty last cell leaves the blanks of those before it. */
			while (out->len && out->buf[out->len - 1] == ' ')
				strbuf_setlen(out, out->len - 1);
			strbuf_addch(out, '\n');
		}
	}
}

void table_print(const struct table *t, bool color, FILE *out)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	table_add_to(t, color, &text);
	fwrite(text.buf, 1, text.len, out);
}
