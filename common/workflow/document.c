/* SPDX-License-Identifier: MIT */
#include "workflow/document.h"

#include "base/memory.h"
#include "base/sort.h"

void document_problems_add(struct document_problems *problems, const char *path, size_t line,
			   const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	ARRAY_GROW(problems->item, problems->nr + 1, problems->alloc);
	problems->item[problems->nr++] = (struct document_problem){
		.path = xstrdup(path),
		.line = line,
		.text = strbuf_detach(&text),
	};
}

void document_problems_release(struct document_problems *problems)
{
	for (size_t i = 0; i < problems->nr; i++) {
		free(problems->item[i].path);
		free(problems->item[i].text);
	}
	free(problems->item);
	*problems = (struct document_problems)DOCUMENT_PROBLEMS_INIT;
}

/* ---- Splices ------------------------------------------------------------------------- */

void splices_add(struct splices *splices, struct span at, const char *text)
{
	ARRAY_GROW(splices->item, splices->nr + 1, splices->alloc);
	splices->item[splices->nr++] = (struct splice){ .at = at, .text = xstrdup(text) };
}

void splices_release(struct splices *splices)
{
	for (size_t i = 0; i < splices->nr; i++)
		free(splices->item[i].text);
	free(splices->item);
	*splices = (struct splices)SPLICES_INIT;
}

/* By place; what is put in comes before what is replaced there. */
static int splice_compare(const void *a, const void *b)
{
	const struct splice *x = a, *y = b;

	if (x->at.at != y->at.at)
		return x->at.at < y->at.at ? -1 : 1;
	if (x->at.len != y->at.len)
		return x->at.len < y->at.len ? -1 : 1;
	return strcmp(x->text, y->text);
}

int splices_apply(struct strbuf *ret, const char *text, size_t len, struct splices *splices,
		  struct error *err)
{
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t done = 0;

	sort(splices->item, splices->nr, sizeof(*splices->item), splice_compare);
	for (size_t i = 0; i < splices->nr; i++) {
		const struct splice *it = &splices->item[i];

		if (i && !splice_compare(it - 1, it))
			continue;
		if (it->at.at > len || it->at.len > len - it->at.at)
			return error_set(err, "cannot edit at byte %zu: the text has %zu",
					 it->at.at, len);
		if (it->at.at < done && *it->text)
			return error_set(err, "cannot edit at byte %zu twice", it->at.at);
		if (it->at.at > done)
			strbuf_add(&edited, text + done, it->at.at - done);
		strbuf_addstr(&edited, it->text);
		if (it->at.at + it->at.len > done)
			done = it->at.at + it->at.len;
	}
	strbuf_add(&edited, text + done, len - done);
	strbuf_add(ret, edited.buf, edited.len);
	return 0;
}
