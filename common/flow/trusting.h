/* SPDX-License-Identifier: MIT */
/*
 * trusting: a person reads .gitrollback, and says that all of it may count.
 *
 * Use:    trusting_plan() reads the file, once; trusting_show() prints what of it needs
 *         trust, and what has changed since it was trusted; trusting_execute() records
 *         the very bytes that were shown. trusting_warn() is for every other command.
 * Owner:  the caller; trusting_plan_release() frees all.
 */
#ifndef FLOW_TRUSTING_H
#define FLOW_TRUSTING_H

#include "base/compat.h"
#include "base/error.h"
#include "config/settings.h"
#include "term/options.h"
#include "vcs/repo.h"

enum trusting_state {
	TRUSTING_MISSING,  /* there is no .gitrollback */
	TRUSTING_HARMLESS, /* nothing in it needs trust */
	TRUSTING_TRUSTED,
	TRUSTING_CHANGED,  /* it is not what was trusted */
	TRUSTING_UNTRUSTED /* it never was */
};

struct trusting_plan {
	enum trusting_state state;
	bool bare;		  /* no worktree, so no file */
	struct settings settings; /* with the bytes of the file */
	char *recorded;		  /* blob id that is trusted, or NULL */
	char *difference;	  /* from that to the file, secrets hidden; NULL: cannot be told */
};
#define TRUSTING_PLAN_INIT                \
	{                                 \
		.settings = SETTINGS_INIT \
	}

void trusting_plan_release(struct trusting_plan *plan);
int trusting_plan(struct trusting_plan *ret, const struct repo *repo, struct error *err) MUST_CHECK;
/* To `out`; as JSON when common->json. */
void trusting_show(const struct trusting_plan *plan, const struct common_options *common,
		   FILE *out);
/* Warnings on stderr: passwords in the file. */
void trusting_warn_of_secrets(const struct trusting_plan *plan);
/* Is there something to record? */
bool trusting_is_due(const struct trusting_plan *plan);
int trusting_execute(struct trusting_plan *plan, struct error *err) MUST_CHECK;

/*
 * Forgets what was trusted. TRUSTING_ELSEWHERE: configuration that is not this
 * repository's own (the user's, or `git -c`) still has a rollback.trust.
 */
enum trusting_revoked { TRUSTING_REVOKED = 0, TRUSTING_ELSEWHERE = 1 };
int trusting_revoke(const struct repo *repo, struct error *err) MUST_CHECK;
/* What came of it, as JSON. Only planned: nothing is known of what stands elsewhere. */
void trusting_show_revoked(bool dry_run, bool elsewhere);

/* Warns on stderr of what is withheld, and of passwords in the file. */
void trusting_warn(const struct settings *settings);

#endif
