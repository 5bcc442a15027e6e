/* SPDX-License-Identifier: MIT */
/*
 * process: running another program and reading what it says.
 *
 * Use:    process_run() runs to the end: feeds `input`, collects stdout and stderr.
 *         process_start()/process_finish() let something else happen meanwhile.
 * No shell is involved. Children get default signals and none of our descriptors.
 * Errors: -1 only when the program could not be run or waited for; its own exit code is
 *         in `status` (128 + the signal's number if one ended it).
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <sys/types.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"

struct process {
	struct strvec argv;
	const char *dir;	  /* run there; NULL: here */
	const struct strvec *env; /* "NAME=value" on top of ours; NULL: nothing */
	const char *input;	  /* NULL: /dev/null */
	size_t input_len;
	bool inherit_stderr; /* else it is collected */
	bool inherit_stdout; /* the same; what we have printed is flushed first */
	int out_to;	     /* its stdout; the caller's; -1: it is collected */
	bool stop;	     /* SIGTERM ends it, when we are interrupted or give it up */
	/* What came of it: */
	struct strbuf out, err;
	int status;
	/* Between start and finish: */
	pid_t pid;
	int in_fd, out_fd, err_fd;
};

#define PROCESS_INIT                                                                    \
	{                                                                               \
		.argv = STRVEC_INIT, .out = STRBUF_INIT, .err = STRBUF_INIT, .pid = -1, \
		.out_to = -1, .in_fd = -1, .out_fd = -1, .err_fd = -1                   \
	}

void process_release(struct process *process);
int process_start(struct process *process, struct error *err) MUST_CHECK;
int process_finish(struct process *process, struct error *err) MUST_CHECK;
int process_run(struct process *process, struct error *err) MUST_CHECK;

/*
 * Between start and finish, of a process whose `input` is "": gives it some input. What a
 * process that has ended does not take is no error: process_finish() tells. Its stdout is
 * not read meanwhile: whoever writes more than a pipe holds may not let it answer as much.
 */
int process_write(struct process *process, const void *data, size_t len, struct error *err)
	MUST_CHECK;

/* The same: there is no more. */
void process_end_input(struct process *process);
/*
 * The same: waits for a whole line on its stdout, and appends it without its end. False at
 * the end of its output, where there is no whole line: process_finish() tells why; and when
 * we are interrupted meanwhile: then that, which ends its input, gives it up. Only for
 * a process that writes little else meanwhile: nothing is read from its stderr.
 */
bool process_read_line(struct process *process, struct strbuf *ret) MUST_CHECK;
/* The same, for that many bytes. */
bool process_read(struct process *process, struct strbuf *ret, size_t len) MUST_CHECK;

/* The first line of what it wrote to stderr, without "fatal: " or "error: "; for messages. */
char *process_reason(const struct process *process) MUST_CHECK;
/*
 * Of one that ended badly: sets "<text>: <reason>", and returns -1. A terminal sends its signals
 * to all processes at once: where it is such a one that ended it, and that is to end us too,
 * that is no failure of its own, and it is error_interrupted().
 */
PRINTF(3, 4)
int process_error(const struct process *process, struct error *err, const char *fmt, ...);

#endif
