/* SPDX-License-Identifier: MIT */
/*
 * strvec: a growing, NULL-terminated array of strings; also an argv.
 *
 * Owner: the struct owns all strings; strvec_release() frees them.
 */
#ifndef BASE_STRVEC_H
#define BASE_STRVEC_H

#include "base/compat.h"

struct strvec {
	char **v; /* never NULL once something was pushed */
	size_t nr, alloc;
};

#define STRVEC_INIT \
	{           \
		0   \
	}

void strvec_release(struct strvec *sv);
void strvec_push(struct strvec *sv, const char *s);
PRINTF(2, 3) void strvec_pushf(struct strvec *sv, const char *fmt, ...);
/* Pushes the arguments up to a NULL. */
__attribute__((sentinel)) void strvec_pushl(struct strvec *sv, ...);
/* Pushes `s` itself, which from now on belongs to the strvec. */
void strvec_push_nodup(struct strvec *sv, char *s);
void strvec_sort(struct strvec *sv);
bool strvec_has(const struct strvec *sv, const char *s);
/* The same of one that strvec_sort() has put into order. */
bool strvec_has_sorted(const struct strvec *sv, const char *s);

#endif
