/* SPDX-License-Identifier: MIT */
#include "term/amount.h"

#define SECOND INT64_C(1000000) /* in microseconds; the others are in seconds */
#define MINUTE INT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)
#define MONTH  INT64_C(2629746)
#define YEAR   (12 * MONTH)

/*
 * Full units, never rounded up: what is "2 days ago" is at least two days old. Up to two
 * days, weeks and years the smaller unit tells more. Months and years are mean ones;
 * calendars do not matter at this distance.
 */
static const struct age_unit {
	int64_t below, seconds; /* ages below so many seconds are counted in these */
	const char *name;
} age_units[] = {
	{ MINUTE, 1, "second" },     { HOUR, MINUTE, "minute" }, { 2 * DAY, HOUR, "hour" },
	{ 2 * WEEK, DAY, "day" },    { 60 * DAY, WEEK, "week" }, { 2 * YEAR, MONTH, "month" },
	{ INT64_MAX, YEAR, "year" },
};

void amount_add_age(struct strbuf *out, int64_t time_us, int64_t now_us)
{
	bool future = time_us > now_us;
	uint64_t us = future ? (uint64_t)time_us - (uint64_t)now_us :
			       (uint64_t)now_us - (uint64_t)time_us;
	int64_t seconds = (int64_t)(us / (uint64_t)SECOND);
	const struct age_unit *unit = age_units;

	/* Clocks differ by some seconds: a database may be a little ahead of us. */
	if (seconds < (future ? MINUTE : 5)) {
		strbuf_addstr(out, "just now");
		return;
	}
	while (seconds >= unit->below)
		unit++;
	strbuf_addstr(out, future ? "in " : "");
	amount_add_count(out, (uint64_t)(seconds / unit->seconds), unit->name, NULL);
	strbuf_addstr(out, future ? "" : " ago");
}

void amount_add_duration(struct strbuf *out, int64_t us)
{
	if (us < 0)
		us = 0; /* a clock was set back */
	/* Chosen after rounding, so that 999.9 ms is "1.0 s" and 59.96 s is "1 min 0 s". */
	if (us < 9950) {
		strbuf_addf(out, "%.1f ms", (double)us / 1e3);
	} else if (us < 999500) {
		strbuf_addf(out, "%.0f ms", (double)us / 1e3);
	} else if (us < 59950000) {
		strbuf_addf(out, "%.1f s", (double)us / 1e6);
	} else {
		int64_t s = us / SECOND + (us % SECOND >= SECOND / 2);

		if (s < HOUR)
			strbuf_addf(out, "%" PRId64 " min %" PRId64 " s", s / MINUTE, s % MINUTE);
		else if (s < DAY)
			strbuf_addf(out, "%" PRId64 " h %" PRId64 " min", s / HOUR,
				    s % HOUR / MINUTE);
		else
			strbuf_addf(out, "%" PRId64 " d %" PRId64 " h", s / DAY, s % DAY / HOUR);
	}
}

void amount_add_size(struct strbuf *out, uint64_t bytes)
{
	static const char *const unit[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double size = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		amount_add_count(out, bytes, "byte", NULL);
		return;
	}
	for (; size >= 1023.5 && i + 1 < ARRAY_SIZE(unit); i++)
		size /= 1024;
	strbuf_addf(out, size < 9.95 ? "%.1f %s" : "%.0f %s", size, unit[i]);
}

void amount_add_count(struct strbuf *out, uint64_t nr, const char *one, const char *many)
{
	strbuf_addf(out, "%" PRIu64 " ", nr);
	if (nr == 1 || !many)
		strbuf_addf(out, "%s%s", one, nr == 1 ? "" : "s");
	else
		strbuf_addstr(out, many);
}

/* "3,000,000" */
static void add_grouped(struct strbuf *out, int64_t nr)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, nr);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			strbuf_addch(out, ',');
		strbuf_addch(out, digits[i]);
	}
}

void amount_add_estimate(struct strbuf *out, int64_t nr, bool exact, const char *one)
{
	if (nr < 0) {
		strbuf_addf(out, "an unknown number of %ss", one);
		return;
	}
	strbuf_addstr(out, exact ? "" : "~");
	add_grouped(out, nr);
	strbuf_addf(out, " %s%s", one, nr == 1 ? "" : "s");
}
