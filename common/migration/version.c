/* SPDX-License-Identifier: MIT */
#include "migration/version.h"

#define DIGITS	    "0123456789"
#define DATE_DIGITS 8

size_t version_prefix(const char *s)
{
	size_t first = strspn(s, DIGITS), second;

	if (!first)
		return 0;
	if (first != DATE_DIGITS || s[first] != '_')
		return first;
	second = strspn(s + first + 1, DIGITS);
	/* "20240101_2fa": the second word only begins with a digit. */
	if (!second || (s[first + 1 + second] && !strchr("_-./", s[first + 1 + second])))
		return first;
	return first + 1 + second;
}

bool version_is_valid(const char *s)
{
	size_t len = version_prefix(s);

	return len && !s[len] && len <= VERSION_MAX;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Is it numbers with underscores between? (By hand: this is what sorting spends its time in.) */
static bool is_numbers(const char *s)
{
	for (;; s++) {
		if (!is_digit(*s))
			return false;
		while (is_digit(*s))
			s++;
		if (*s != '_')
			return !*s;
	}
}

/* Compares the numbers at the front and moves both pointers behind them. */
static int compare_number(const char **a, const char **b)
{
	const char *x = *a, *y = *b;
	int first = 0; /* how the first digits that differ compare; a longer number wins */

	while (*x == '0')
		x++;
	while (*y == '0')
		y++;
	for (; is_digit(*x) && is_digit(*y); x++, y++)
		if (!first && *x != *y)
			first = *x < *y ? -1 : 1;
	if (is_digit(*x) != is_digit(*y))
		first = is_digit(*x) ? 1 : -1;
	while (is_digit(*x))
		x++;
	while (is_digit(*y))
		y++;
	*a = x;
	*b = y;
	return first;
}

int version_compare(const char *a, const char *b)
{
	bool numbers_a = is_numbers(a), numbers_b = is_numbers(b);

	if (!numbers_a || !numbers_b)
		return numbers_a != numbers_b ? (numbers_a ? -1 : 1) : strcmp(a, b);
	for (;;) {
		int ret = compare_number(&a, &b);

		if (ret)
			return ret;
		if (!*a || !*b)
			return (*a != '\0') - (*b != '\0');
		a++;
		b++;
	}
}
