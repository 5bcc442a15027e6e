/* SPDX-License-Identifier: MIT */
#include "migration/version.h"

#include <time.h>

#include "base/memory.h"

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

/* ---- The next one ---------------------------------------------------------------------------- */

/* Decimal digits plus one. */
static char *count_up(const char *digits)
{
	char *ret = xstrfmt("0%s", digits);
	size_t i = strlen(ret);

	while (ret[--i] == '9')
		ret[i] = '0';
	ret[i]++;
	if (*ret == '0')
		memmove(ret, ret + 1, strlen(ret));
	return ret;
}

static int digits_value(const char *s, size_t nr)
{
	int ret = 0;

	for (size_t i = 0; i < nr; i++)
		ret = ret * 10 + (s[i] - '0');
	return ret;
}

/* Do eight digits name a day of our time? */
static bool is_date(const char *s)
{
	int year = digits_value(s, 4), month = digits_value(s + 4, 2), day = digits_value(s + 6, 2);

	return year >= 1970 && year < 2200 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* And twelve or fourteen a time? */
static bool is_time(const char *s, size_t len)
{
	return is_date(s) && digits_value(s + 8, 2) < 24 && digits_value(s + 10, 2) < 60 &&
	       (len == 12 || digits_value(s + 12, 2) <= 60);
}

/* The first `len` digits of the time, or as a count of seconds or milliseconds. */
static char *time_digits(size_t len, int64_t now)
{
	time_t seconds = (time_t)(now / 1000000);
	struct tm tm;
	char text[32];

	if (len == 10 || len == 13)
		return xstrfmt("%" PRId64, now / (len == 10 ? 1000000 : 1000));
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm);
	return xmemdupz(text, len);
}

/* A date, and perhaps a number behind it. */
static char *next_of_date(const char *newest, int64_t now)
{
	const char *number = newest[DATE_DIGITS] ? newest + DATE_DIGITS + 1 : "001";
	char *today CLEANUP(free_p) = time_digits(DATE_DIGITS, now);
	char *date CLEANUP(free_p) = xmemdupz(newest, DATE_DIGITS);
	char *next CLEANUP(free_p) = NULL;

	if (strcmp(today, date) > 0)
		return newest[DATE_DIGITS] ? xstrfmt("%s_%0*d", today, (int)strlen(number), 1) :
					     STEAL(today);
	next = newest[DATE_DIGITS] ? count_up(number) : xstrdup(number);
	return xstrfmt("%s_%s", date, next);
}

char *version_next(const char *newest, int64_t now)
{
	size_t len = newest ? strlen(newest) : 14;
	char *ret;
	bool is_moment = !newest || (len == 10 && *newest == '1') ||
			 (len == 13 && *newest == '1') ||
			 ((len == 12 || len == 14) && is_time(newest, len));

	if (newest &&
	    (newest[strspn(newest, DIGITS)] == '_' || (len == DATE_DIGITS && is_date(newest))))
		return next_of_date(newest, now);
	if (!is_moment)
		return count_up(newest);
	ret = time_digits(len, now);
	if (!newest || version_compare(ret, newest) > 0)
		return ret;
	free(ret);
	return count_up(newest);
}
