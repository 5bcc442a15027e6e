/* SPDX-License-Identifier: MIT */
#include "base/sort.h"

void sort(void *array, size_t nr, size_t size, int (*compare)(const void *a, const void *b))
{
	const char *item = array;

	for (size_t i = 1; i < nr; i++)
		if (compare(item + (i - 1) * size, item + i * size) > 0) {
			qsort(array, nr, size, compare);
			return;
		}
}
