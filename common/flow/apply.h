/* SPDX-License-Identifier: MIT */
/*
 * apply: applying pending migrations, as plan, show, execute.
 *
 * Use:    apply_plan() computes what will be done and touches nothing; apply_show() prints
 *         that; apply_execute() does it, or with `rehearse` does it in a transaction that
 *         it rolls back; apply_report() prints what came of it.
 * Owner:  the caller; apply_plan_release(). The plan borrows from the session.
 * Files:  apply-plan.c, apply-show.c, apply-execute.c, apply-rehearse.c.
 */
#ifndef FLOW_APPLY_H
#define FLOW_APPLY_H

#include "flow/session.h"
#include "flow/verdict.h"
#include "sql/script.h"

enum apply_mode {
	APPLY_ALL,	/* all pending ones, or those named as operands */
	APPLY_TO,	/* up to and with a version */
	APPLY_NEXT,	/* the next n */
	APPLY_CONTINUE, /* go on with an interrupted one */
	APPLY_BASELINE	/* record up to and with a version, run nothing */
};

struct apply_request {
	int mode; /* enum apply_mode */
	const char *to;
	long next;
	const char **operand; /* versions, or paths of up scripts */
	size_t operands;
	const char *database;
	bool rehearse, allow_missing_down, allow_out_of_order, single_transaction, no_proof;
	struct common_options common;
};
#define APPLY_REQUEST_INIT                    \
	{                                     \
		.common = COMMON_OPTIONS_INIT \
	}

struct apply_step {
	const char *version, *name;
	const struct migration *file;		 /* NULL when it goes on from the log's copy */
	const struct log_unfinished *unfinished; /* what it goes on with, or NULL */
	struct strbuf up_text, down_text;	 /* the bytes as applied */
	bool has_down;
	char checksum[DIGEST_HEX], down_checksum[DIGEST_HEX], tokens[DIGEST_HEX];
	struct sql_script script;
	bool done;
	int64_t microseconds;
	struct catalog_changes changes;
	struct strvec locks; /* of a rehearsal: "public.t: AccessExclusiveLock" */
};

struct apply_plan {
	struct session *session;
	const struct apply_request *request;
	struct apply_step *step;
	size_t nr, alloc;
	struct verdict verdict;
	bool outside;	 /* some step runs outside a transaction */
	char *operation; /* id, once executed */
	char *snapshot;	 /* its label, once it was taken; NULL: none is wanted */
};
#define APPLY_PLAN_INIT \
	{               \
		0       \
	}

int apply_plan(struct apply_plan *ret, struct session *s, const struct apply_request *request,
	       struct error *err) MUST_CHECK;
void apply_plan_release(struct apply_plan *plan);
/* To stdout with --dry-run; with --verbose otherwise to stderr. */
void apply_show(const struct apply_plan *plan);
/* The line of one step that is done; apply_execute() calls it as it goes. */
void apply_show_done(const struct apply_plan *plan, const struct apply_step *step);

/* 0, or -1 with `err`: earlier steps stay applied (step.done), the failed one left nothing
 * but, outside a transaction, what the log says. */
int apply_execute(struct apply_plan *plan, struct error *err) MUST_CHECK;
/* `failure` is NULL when all went well. Of what was refused, only --json has a report. */
void apply_report(const struct apply_plan *plan, const struct error *failure);

#endif
