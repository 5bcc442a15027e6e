/* SPDX-License-Identifier: MIT */
/*
 * sort: qsort() that is one pass where the array is in order already, as most of ours are.
 */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include "base/compat.h"

/* As qsort(); `array` may be NULL when `nr` is 0. */
void sort(void *array, size_t nr, size_t size, int (*compare)(const void *a, const void *b));

#endif
