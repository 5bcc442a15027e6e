/* SPDX-License-Identifier: MIT */
/*
 * nearest: which of the names that there are was probably meant.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/compat.h"
#include "base/strvec.h"

/* Insertions, deletions, replacements and swaps of neighbours, letter case aside. */
size_t nearest_distance(const char *a, const char *b);
/* The name nearest to `name`, or NULL when none is near. Belongs to the strvec. */
const char *nearest_name(const char *name, const struct strvec *names);

#endif
