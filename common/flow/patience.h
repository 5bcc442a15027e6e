/* SPDX-License-Identifier: MIT */
/*
 * patience: waiting for what another process holds, as --wait says.
 *
 * Use:    struct patience p = patience_of("the database", seconds, pause_us); then try, and
 *         where it is held patience_wait() before the next attempt: it says once, on stderr,
 *         who is waited for.
 * Errors: without --wait, or when its time is over, refused (2) with the holder's name; -1
 *         also when interrupted.
 */
#ifndef FLOW_PATIENCE_H
#define FLOW_PATIENCE_H

#include "base/error.h"
#include "base/json.h"
#include "journal/journal.h"
#include "term/options.h"

struct patience {
	const char *what; /* "the database" */
	int seconds;	  /* 0: none; negative: without end */
	int pause_us;
	int64_t start;
	bool told;
};

/* How long --wait allows: 0 without it, negative without end. */
int patience_seconds(const struct common_options *common);
struct patience patience_of(const char *what, int seconds, int pause_us);
int patience_wait(struct patience *p, const char *holder, struct error *err) MUST_CHECK;

/* What it says: while it waits, and when it does not wait. */
void patience_tell(void *data, const char *holder);
int patience_refuse(const char *what, const char *holder, struct error *err);

/*
 * operation_lock() and operation_begin() (journal.h), waiting for the repository's lock: that
 * is flock(2), so it is tried again and again.
 */
int patience_lock_operation(struct operation *operation, const char *common_dir,
			    const char *command, const struct common_options *common,
			    struct error *err) MUST_CHECK;
int patience_begin_operation(struct operation *operation, const char *common_dir,
			     const char *command, json_t *members,
			     const struct common_options *common, struct error *err) MUST_CHECK;

#endif
