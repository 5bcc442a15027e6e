/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <ctype.h>

#define LONGEST 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

size_t nearest_distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST + 1], m = strlen(a), n = strlen(b);
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	if (m > LONGEST || n > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= n; j++)
		before[j] = above[j] = row[j] = j;
	for (size_t i = 1; i <= m; i++) {
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t changed = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);

			row[j] = least(changed, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[n];
}

const char *nearest_name(const char *name, const struct strvec *names)
{
	size_t best = (strlen(name) + 1) / 3; /* of a short name anything would be near */
	const char *ret = NULL;

	for (size_t i = 0; i < names->nr; i++) {
		size_t distance = nearest_distance(name, names->v[i]);

		if (distance <= best && (!ret || distance < best)) {
			best = distance;
			ret = names->v[i];
		}
	}
	return ret;
}
