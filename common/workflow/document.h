/* SPDX-License-Identifier: MIT */
/*
 * document: what all readers of the workflow's documents share: places in a text, edits of it, and
 * what could not be read.
 *
 * The sentence that rules this folder: a document is somebody else's. It is read for its meaning,
 * and where it is edited, it is by splices: a few bytes are replaced, and all others stay as they
 * are, whatever the line ends, the indentation, or the spelling.
 */
#ifndef WORKFLOW_DOCUMENT_H
#define WORKFLOW_DOCUMENT_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"

/* A document of more bytes than this is not looked at: no person has written it. */
#define DOCUMENT_MAX ((size_t)4 << 20)

/* What is not there, where an index is asked for. */
#define NO_INDEX SIZE_MAX

/* Bytes of a text. What is not there has a length of 0, and mostly an `at` of 0. */
struct span {
	size_t at, len;
};
static inline size_t span_end(struct span span)
{
	return span.at + span.len;
}

/* What cannot be read, and does not stop the rest. */
struct document_problem {
	char *path;
	size_t line; /* from 1; 0: the whole file */
	char *text;  /* one line, lower case, no full stop: "no closing bracket" */
};
struct document_problems {
	struct document_problem *item;
	size_t nr, alloc;
};
#define DOCUMENT_PROBLEMS_INIT \
	{                      \
		0              \
	}
PRINTF(4, 5)
void document_problems_add(struct document_problems *problems, const char *path, size_t line,
			   const char *fmt, ...);
void document_problems_release(struct document_problems *problems);

/*
 * Edits of one text: splices_add() in any order, then splices_apply(). They may touch; bytes that
 * several take out go once; where two are equal, one counts. Different functions may add to the
 * same splices, as long as all of their places are in the same text.
 */
struct splice {
	struct span at; /* these bytes go; a length of 0 inserts */
	char *text;	/* these come; never NULL */
};
struct splices {
	struct splice *item;
	size_t nr, alloc;
};
#define SPLICES_INIT \
	{            \
		0    \
	}
void splices_add(struct splices *splices, struct span at, const char *text);
/*
 * Appends the edited text. -1: something is put in where another takes out, or one is not in the
 * text.
 */
int splices_apply(struct strbuf *ret, const char *text, size_t len, struct splices *splices,
		  struct error *err) MUST_CHECK;
void splices_release(struct splices *splices);

#endif
