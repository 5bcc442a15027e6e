/* SPDX-License-Identifier: MIT */
#include "flow/verdict.h"

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "term/output.h"

void verdict_release(struct verdict *verdict)
{
	strvec_release(&verdict->reasons);
	strvec_release(&verdict->hints);
	strvec_release(&verdict->warnings);
}

PRINTF(2, 0) static void push(struct strvec *to, const char *fmt, va_list ap)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_vaddf(&sb, fmt, ap);
	if (strvec_has(to, sb.buf))
		strbuf_release(&sb);
	else
		strvec_push_nodup(to, strbuf_detach(&sb));
}

void verdict_refuse(struct verdict *verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	push(&verdict->reasons, fmt, ap);
	va_end(ap);
}

void verdict_hint(struct verdict *verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	push(&verdict->hints, fmt, ap);
	va_end(ap);
}

void verdict_warn(struct verdict *verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	push(&verdict->warnings, fmt, ap);
	va_end(ap);
}

static json_t *texts(const struct strvec *from)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < from->nr; i++)
		json_array_append_new(ret, json_text(from->v[i]));
	return ret;
}

void verdict_to_json(const struct verdict *verdict, json_t *plan)
{
	json_object_set_new(plan, "verdict",
			    json_string(verdict_is_clean(verdict) ? "clean" : "refused"));
	json_object_set_new(plan, "reasons", texts(&verdict->reasons));
	json_object_set_new(plan, "hints", texts(&verdict->hints));
	json_object_set_new(plan, "warnings", texts(&verdict->warnings));
}

const char *outcome_name(const struct error *failure)
{
	if (!failure)
		return "done";
	switch (failure->exit_code) {
	case EXIT_REFUSED: return "refused";
	case EXIT_INTERRUPTED: return "interrupted";
	default: return "failed";
	}
}

int verdict_error(const struct verdict *verdict, struct error *err)
{
	error_refused(err, "%s", verdict->reasons.v[0]);
	for (size_t i = 1; i < verdict->reasons.nr; i++)
		error_detail(err, "%s", verdict->reasons.v[i]);
	for (size_t i = 0; i < verdict->hints.nr; i++)
		error_hint(err, "%s", verdict->hints.v[i]);
	return -1;
}

void verdict_print(const struct verdict *verdict, bool previewed)
{
	/* Each is one line, whatever names are in it. */
	for (size_t i = 0; i < verdict->warnings.nr; i++) {
		char *shown CLEANUP(free_p) = text_escaped(verdict->warnings.v[i]);

		warning("%s", shown);
	}
	for (size_t i = 0; i < verdict->reasons.nr; i++) {
		char *shown CLEANUP(free_p) = text_escaped(verdict->reasons.v[i]);

		if (previewed)
			note("would be refused: %s", shown);
		else
			error_line("%s", shown);
	}
	for (size_t i = 0; i < verdict->hints.nr; i++)
		hint("%s", verdict->hints.v[i]);
}
