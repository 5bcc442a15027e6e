/* SPDX-License-Identifier: MIT */
/*
 * version: what orders migrations: "1", "000123", "20240101120000", "20260112_001".
 *
 * A version is digits; one of eight digits, a date, may have a second number behind an
 * underscore. Versions compare number by number, of any length: 9 comes before 10, and
 * "123" and "000123" are the same.
 */
#ifndef MIGRATION_VERSION_H
#define MIGRATION_VERSION_H

#include "base/compat.h"

#define VERSION_MAX 50 /* characters, as the tracking table has it */

/* How much of the front of `s` is a version; 0: none of it. */
size_t version_prefix(const char *s);
bool version_is_valid(const char *s);
/* Below, equal to, or above 0, as strcmp(). What is no numbers comes after all that are. */
int version_compare(const char *a, const char *b);
/*
 * The version of a new migration, behind `newest` (NULL: there is none) and made as that is: the
 * present time (`now` as in clock.h, in UTC) where it is a time, 20240101120000, 202401011200 or
 * seconds or milliseconds since 1970; today's date and a number for 20260112_001; else the next
 * number, with as many digits at least. A time or date that is not behind `newest` is counted up
 * from there. free() it.
 */
char *version_next(const char *newest, int64_t now) MUST_CHECK;

#endif
