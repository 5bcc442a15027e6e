/* SPDX-License-Identifier: MIT */
/*
 * clock: times as microseconds since 1970-01-01 UTC, and as text.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/compat.h"

#define CLOCK_RFC3339 32 /* "2026-01-12T10:20:30.123456Z" and the NUL */

/* Now; GIT_ROLLBACK_TEST_NOW (seconds) stands still instead, for tests. */
int64_t clock_now(void);
/* For durations: never goes back. */
int64_t clock_monotonic(void);
/* RFC 3339 in UTC, with microseconds where there are any. */
void clock_rfc3339(char ret[CLOCK_RFC3339], int64_t at);
/* The time that clock_rfc3339() wrote; 0: it is none, or NULL. */
int64_t clock_parse_rfc3339(const char *text);

#endif
