/* SPDX-License-Identifier: MIT */
#include "flow/patience.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "term/output.h"

int patience_refuse(const char *what, const char *holder, struct error *err)
{
	error_refused(err, "%s is being changed by another command: %s", what, holder);
	return error_hint(err, "Wait until it has ended, or use --wait.");
}

void patience_tell(void *data UNUSED, const char *holder)
{
	note("waiting for %s", holder);
}

int patience_seconds(const struct common_options *common)
{
	return common->wait ? common->wait_seconds : 0;
}

struct patience patience_of(const char *what, int seconds, int pause_us)
{
	return (struct patience){
		.what = what, .seconds = seconds, .pause_us = pause_us, .start = clock_monotonic()
	};
}

int patience_wait(struct patience *p, const char *holder, struct error *err)
{
	if (interrupt_pending())
		return error_interrupted(err);
	if (p->seconds >= 0 && clock_monotonic() >= p->start + (int64_t)p->seconds * 1000000)
		return patience_refuse(p->what, holder, err);
	if (!p->told)
		patience_tell(NULL, holder);
	p->told = true;
	usleep((useconds_t)p->pause_us);
	return 0;
}

int patience_lock_operation(struct operation *operation, const char *common_dir,
			    const char *command, const struct common_options *common,
			    struct error *err)
{
	struct patience p = patience_of("this repository", patience_seconds(common), 50000);

	for (;;) {
		char *holder CLEANUP(free_p) = NULL;
		int ret = operation_lock(operation, common_dir, command, &holder, err);

		if (ret != OPERATION_BUSY)
			return ret;
		if (patience_wait(&p, holder, err) < 0)
			return -1;
	}
}

int patience_begin_operation(struct operation *operation, const char *common_dir,
			     const char *command, json_t *members,
			     const struct common_options *common, struct error *err)
{
	char *nobody CLEANUP(free_p) = NULL;

	if (operation->lock.fd < 0 &&
	    patience_lock_operation(operation, common_dir, command, common, err) < 0)
		return -1;
	return operation_begin(operation, common_dir, command, members, &nobody, err);
}
