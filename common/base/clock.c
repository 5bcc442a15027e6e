/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <time.h>

int64_t clock_now(void)
{
	const char *fixed = getenv("GIT_ROLLBACK_TEST_NOW");
	struct timespec ts;

	if (fixed && *fixed)
		return strtoll(fixed, NULL, 10) * 1000000;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void clock_rfc3339(char ret[CLOCK_RFC3339], int64_t at)
{
	int64_t micros = at % 1000000;
	time_t seconds = (time_t)(at / 1000000);
	struct tm tm;
	size_t len;

	if (micros < 0) {
		micros += 1000000;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	len = strftime(ret, CLOCK_RFC3339, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret + len, CLOCK_RFC3339 - len, micros ? ".%06dZ" : "Z", (int)micros);
}

int64_t clock_parse_rfc3339(const char *text)
{
	struct tm tm = { 0 };
	int micro = 0;
	int parts = text ? sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6d", &tm.tm_year, &tm.tm_mon,
				  &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &micro) :
			   0;

	if (parts < 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (int64_t)timegm(&tm) * 1000000 + micro;
}
