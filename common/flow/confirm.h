/* SPDX-License-Identifier: MIT */
/*
 * confirm: may it be done? What --yes, --confirm and a person say.
 */
#ifndef FLOW_CONFIRM_H
#define FLOW_CONFIRM_H

#include "config/database.h"
#include "term/options.h"

/* A protected environment wants --confirm=<its name>, whatever else is said. */
int confirm_protected(const struct database_setting *database, const struct common_options *common,
		      struct error *err) MUST_CHECK;

/*
 * Asks `question`, unless --yes: the word ROLLBACK when `destroys`, else yes or no.
 * -1: not confirmed (EXIT_REFUSED), or interrupted.
 */
int confirm_ask(const char *question, bool destroys, const struct common_options *common,
		struct error *err) MUST_CHECK;

#endif
