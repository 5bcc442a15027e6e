/* SPDX-License-Identifier: MIT */
/*
 * amount: ages, durations and sizes as people say them.
 *
 * Units:  what is passed is in microseconds (times as clock_now() has them) and bytes.
 * Text:   for people only; it is ASCII and may change. Machines get the numbers.
 */
#ifndef TERM_AMOUNT_H
#define TERM_AMOUNT_H

#include "base/compat.h"
#include "base/strbuf.h"

/* "just now", "40 seconds ago", "2 hours ago", "3 days ago"; later than now: "in 2 hours". */
void amount_add_age(struct strbuf *out, int64_t time_us, int64_t now_us);

/* "0.4 ms", "45 ms", "1.2 s", "2 min 5 s", "3 h 20 min", "2 d 4 h". */
void amount_add_duration(struct strbuf *out, int64_t us);

/* "0 bytes", "1 byte", "1.5 KiB", "20 MiB". */
void amount_add_size(struct strbuf *out, uint64_t bytes);

/* "1 migration", "2 migrations"; `many` is NULL where an "s" is enough. */
void amount_add_count(struct strbuf *out, uint64_t nr, const char *one, const char *many);

/* "150 rows", "~3,000,000 rows" where it is not exact, "an unknown number of rows" below 0. */
void amount_add_estimate(struct strbuf *out, int64_t nr, bool exact, const char *one);

#endif
