/* SPDX-License-Identifier: MIT */
#include "term/progress.h"

#include "base/clock.h"
#include "base/text.h"
#include "term/amount.h"

#include <unistd.h>

#define FIRST_AFTER 300000 /* microseconds */
#define EVERY	    100000

void progress_start(struct progress *p, const char *title, uint64_t total, enum progress_unit unit,
		    int wanted)
{
	*p = (struct progress){
		.title = title,
		.total = total,
		.unit = unit,
		.forced = wanted > 0,
		.visible = wanted > 0 || (wanted < 0 && isatty(STDERR_FILENO)),
	};
	if (!p->visible)
		return;
	p->started = clock_monotonic();
	p->next = p->started + (p->forced ? 0 : FIRST_AFTER);
}

static void add_amount(struct strbuf *out, enum progress_unit unit, uint64_t amount)
{
	if (unit == PROGRESS_BYTES)
		amount_add_size(out, amount);
	else
		strbuf_addf(out, "%" PRIu64, amount);
}

void progress_add_line(struct strbuf *out, const struct progress *p, int64_t elapsed_us)
{
	text_escape(out, p->title, strlen(p->title), false);
	strbuf_addstr(out, ": ");
	if (p->total) {
		/* A total that grew under us is no more than 100 per cent. */
		double part = (double)p->done / (double)p->total;

		strbuf_addf(out, "%3d%% (", part < 1 ? (int)(part * 100) : 100);
		add_amount(out, p->unit, p->done);
		strbuf_addch(out, '/');
		add_amount(out, p->unit, p->total);
		strbuf_addch(out, ')');
	} else {
		add_amount(out, p->unit, p->done);
	}
	/* A rate over less than this is noise. */
	if (elapsed_us >= FIRST_AFTER && p->done) {
		strbuf_addstr(out, ", ");
		add_amount(out, p->unit, (uint64_t)((double)p->done * 1e6 / (double)elapsed_us));
		strbuf_addstr(out, "/s");
	}
}

/* A job in the background would write over what the person is doing now. */
static bool in_foreground(void)
{
	pid_t foreground = tcgetpgrp(STDERR_FILENO);

	return foreground < 0 || foreground == getpgrp();
}

/* One write per line. Blanks cover what is left of a longer one before. */
static void show(struct progress *p, int64_t now, bool done)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t before = p->width;

	progress_add_line(&line, p, now - p->started);
	strbuf_addstr(&line, done ? ", done." : "");
	p->width = line.len;
	if (before > line.len)
		strbuf_addf(&line, "%*s", (int)(before - line.len), "");
	strbuf_addch(&line, done ? '\n' : '\r');
	fflush(stdout);
	fwrite(line.buf, 1, line.len, stderr);
}

void progress_update(struct progress *p, uint64_t done)
{
	int64_t now;

	p->done = done;
	if (!p->visible || (now = clock_monotonic()) < p->next)
		return;
	p->next = now + EVERY;
	if (p->forced || in_foreground())
		show(p, now, false);
}

void progress_hide(struct progress *p)
{
	if (!p->width)
		return;
	fprintf(stderr, "\r%*s\r", (int)p->width, "");
	p->width = 0;
	p->next = 0;
}

void progress_finish(struct progress *p)
{
	if (p->visible && (p->forced || p->width || clock_monotonic() >= p->next) &&
	    (p->forced || in_foreground()))
		show(p, clock_monotonic(), true);
	*p = (struct progress)PROGRESS_INIT;
}

void progress_abandon(struct progress *p)
{
	if (p->width)
		fputc('\n', stderr);
	*p = (struct progress)PROGRESS_INIT;
}
