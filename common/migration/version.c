/* SPDX-License-Identifier: MIT */
#include "migration/version.h"

#define DIGITS "0123456789"
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

/* Compares the numbers at the front and moves both pointers behind them. */
static int compare_number(const char **a, const char **b)
{
	size_t la, lb;
	int ret;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	la = strspn(*a, DIGITS);
	lb = strspn(*b, DIGITS);
	ret = la != lb ? (la < lb ? -1 : 1) : strncmp(*a, *b, la);
	*a += la;
	*b += lb;
	return ret;
}

int version_compare(const char *a, const char *b)
{
	bool valid_a = version_is_valid(a), valid_b = version_is_valid(b);

	if (!valid_a || !valid_b)
		return valid_a != valid_b ? (valid_a ? -1 : 1) : strcmp(a, b);
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
