/* SPDX-License-Identifier: MIT */
#include "term/prompt.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"

#include <fcntl.h>
#include <signal.h>
#include <strings.h>
#include <sys/select.h>
#include <unistd.h>

bool prompt_is_confirmation(const char *line, const char *word)
{
	size_t start = strspn(line, " \t"), len = strlen(line + start);
	char *answer CLEANUP(free_p) = NULL;

	while (len && strchr(" \t\r", line[start + len - 1]))
		len--;
	answer = xmemdupz(line + start, len);
	if (word)
		return *word && !strcmp(answer, word);
	return !strcasecmp(answer, "y") || !strcasecmp(answer, "yes");
}

/*
 * Waits for input; false after a signal that was caught. A signal may come between asking
 * for it and waiting, and would then be noticed only after the answer: so it is held back,
 * and let through by pselect() itself, which is never restarted. (Not ppoll(): macOS has
 * none, and cannot poll terminals.)
 */
static bool wait_for_input(int fd)
{
	sigset_t held, before;
	bool ready = false;
	fd_set fds;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	if (fd >= FD_SETSIZE || sigprocmask(SIG_BLOCK, &held, &before) < 0)
		return false;
	FD_ZERO(&fds);
	FD_SET(fd, &fds);
	if (!interrupt_pending())
		ready = pselect(fd + 1, &fds, NULL, NULL, NULL, &before) > 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ready;
}

bool prompt_read_line(int fd, struct strbuf *ret_line)
{
	strbuf_reset(ret_line);
	for (;;) {
		char c;

		/*
		 * Byte by byte: what follows the line answers the next question, or belongs
		 * to a program that we start.
		 */
		if (!wait_for_input(fd) || read(fd, &c, 1) != 1)
			return false;
		if (c == '\n')
			return true;
		/* A NUL would end the string early and make "yes" of "yes\0 not". */
		if (!c)
			c = '?';
		strbuf_addch(ret_line, c);
	}
}

bool prompt_may_ask(void)
{
	const char *allowed = getenv("GIT_TERMINAL_PROMPT");

	if (allowed && (!strcmp(allowed, "0") || !strcasecmp(allowed, "false") ||
			!strcasecmp(allowed, "no") || !strcasecmp(allowed, "off")))
		return false;
	return isatty(STDIN_FILENO);
}

/* Where the question can be read; -1 when nowhere. `*ret_opened` wants to be closed. */
static int question_fd(int *ret_opened)
{
	*ret_opened = -1;
	if (isatty(STDERR_FILENO))
		return STDERR_FILENO;
	return *ret_opened = open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC);
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t written = write(fd, text, len);

		if (written < 0)
			return false;
		text += written;
		len -= (size_t)written;
	}
	return true;
}

/* What is asked may have several lines; the cursor stays behind the last one. */
static void add_shown(struct strbuf *out, const char *text)
{
	text_escape_lines(out, text);
	if (*text)
		strbuf_setlen(out, out->len - 1);
}

static enum prompt_result ask_at(int fd, const struct strbuf *question, const char *word)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!write_all(fd, question->buf, question->len))
		return PROMPT_NO_TERMINAL;
	if (!prompt_read_line(STDIN_FILENO, &line)) {
		/* The cursor is still behind the question. If this fails, so be it. */
		(void)write_all(fd, "\n", 1);
		return PROMPT_DECLINED;
	}
	return prompt_is_confirmation(line.buf, word) ? PROMPT_CONFIRMED : PROMPT_DECLINED;
}

static enum prompt_result ask(const char *question, const char *word)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	enum prompt_result result;
	int opened, fd;

	if (!prompt_may_ask() || (fd = question_fd(&opened)) < 0)
		return PROMPT_NO_TERMINAL;
	add_shown(&text, question);
	if (word) {
		strbuf_addstr(&text, "\nType ");
		add_shown(&text, word);
		strbuf_addstr(&text, " to go on: ");
	} else {
		strbuf_addstr(&text, " [y/N] ");
	}
	fflush(stdout);
	fflush(stderr);
	result = ask_at(fd, &text, word);
	if (opened >= 0)
		close(opened);
	return result;
}

enum prompt_result prompt_yes_no(const char *question)
{
	return ask(question, NULL);
}

enum prompt_result prompt_word(const char *question, const char *word)
{
	return ask(question, word);
}
