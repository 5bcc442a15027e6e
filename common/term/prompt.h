/* SPDX-License-Identifier: MIT */
/*
 * prompt: asks a person before something is lost.
 *
 * Where:  the answer is read from stdin, which has to be a terminal; the question goes
 *         to stderr, or to /dev/tty when stderr is not a terminal, so that nobody
 *         answers what he cannot read. GIT_TERMINAL_PROMPT=0 forbids asking, as in git.
 * Safety: only a whole line counts. The end of input, a signal and any other answer are
 *         a no. After a signal that was caught the result is PROMPT_DECLINED; the caller asks
 *         interrupt_pending() for the exit code.
 * Text:   questions are escaped (text_escape), line by line, and have no blank at the end.
 */
#ifndef TERM_PROMPT_H
#define TERM_PROMPT_H

#include "base/compat.h"
#include "base/strbuf.h"

enum prompt_result {
	PROMPT_CONFIRMED,
	PROMPT_DECLINED,
	PROMPT_NO_TERMINAL /* nobody there: refuse, and say how to answer on the command line */
};

/* "<question> [y/N] ": "y" and "yes", in any case, confirm. */
enum prompt_result prompt_yes_no(const char *question) MUST_CHECK;
/* "<question>\nType <word> to go on: ": only exactly this word confirms. */
enum prompt_result prompt_word(const char *question, const char *word) MUST_CHECK;

/* Is there a terminal to ask on, and is it allowed? For who asks by himself. */
bool prompt_may_ask(void) MUST_CHECK;

/* The parts that need no terminal. `word` NULL is a question of yes or no. */
bool prompt_is_confirmation(const char *line, const char *word);
/* One line without its end; false at the end of input, on a signal and on errors. */
bool prompt_read_line(int fd, struct strbuf *ret_line) MUST_CHECK;

#endif
