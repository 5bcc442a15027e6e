/* SPDX-License-Identifier: MIT */
/*
 * memory: allocation that cannot fail, and growing arrays.
 *
 * Out of memory ends the process with exit code 128: no caller could do better.
 * Owner: the caller frees what these return with free().
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/compat.h"

void *xmalloc(size_t size) MUST_CHECK;
void *xcalloc(size_t nr, size_t size) MUST_CHECK;
void *xreallocarray(void *old, size_t nr, size_t size) MUST_CHECK;
char *xstrdup(const char *s) MUST_CHECK;
/* NULL for NULL. */
char *xstrdup_or_null(const char *s) MUST_CHECK;
/* A copy of `len` bytes with a NUL behind them. */
char *xmemdupz(const void *data, size_t len) MUST_CHECK;
PRINTF(1, 2) char *xstrfmt(const char *fmt, ...) MUST_CHECK;
/* Frees *where and puts a copy of `s` (or NULL) there. */
void string_replace(char **where, const char *s);

/* Cleanup function of a `char *` or any other malloc()ed pointer. */
static inline void free_p(void *pointer)
{
	void *memory;

	memcpy(&memory, pointer, sizeof(memory));
	free(memory);
}

/* Makes room for at least `nr` items; `alloc` is the number there is room for. */
#define ARRAY_GROW(item, nr, alloc)                                                  \
	do {                                                                         \
		if ((nr) > (alloc)) {                                                \
			(alloc) = (nr) > 2 * (alloc) + 16 ? (nr) : 2 * (alloc) + 16; \
			(item) = xreallocarray((item), (alloc), sizeof(*(item)));    \
		}                                                                    \
	} while (0)

#endif
