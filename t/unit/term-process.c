/* SPDX-License-Identifier: MIT */
/* What term/ does to a process: what it writes where, with which code it ends, whom it asks. */
#include "base/interrupt.h"
#include "base/strbuf.h"
#include "term/options.h"
#include "term/output.h"
#include "term/progress.h"
#include "term/prompt.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a child did. */
struct run {
	int code; /* its exit code, or 1000 and the signal */
	struct strbuf out, err;
};
#define RUN_INIT                                       \
	{                                              \
		.out = STRBUF_INIT, .err = STRBUF_INIT \
	}

static void run_release(struct run *r)
{
	strbuf_release(&r->out);
	strbuf_release(&r->err);
}

static int code_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void slurp(FILE *file, struct strbuf *out)
{
	int c;

	rewind(file);
	while ((c = getc(file)) != EOF)
		strbuf_addch(out, (char)c);
	fclose(file);
}

/* Calls fn() in a child, whose stdout goes to `to` or is kept. */
static void run(struct run *r, int (*fn)(void), int to)
{
	FILE *out = tmpfile(), *err = tmpfile();
	pid_t pid;

	assert_true(out && err);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (dup2(null, 0) < 0 || dup2(to >= 0 ? to : fileno(out), 1) < 0 ||
		    dup2(fileno(err), 2) < 0)
			_exit(99);
		exit(fn());
	}
	r->code = code_of(pid);
	slurp(out, &r->out);
	slurp(err, &r->err);
}

static void check(int (*fn)(void), int code, const char *out, const char *err)
{
	struct run r CLEANUP(run_release) = RUN_INIT;

	run(&r, fn, -1);
	assert_string_equal(r.out.buf, out);
	assert_string_equal(r.err.buf, err);
	assert_int_equal(r.code, code);
}

/* Commands that say -h, --version and so on. */

static const char *const usage[] = { "git demo [-x]", NULL };
#define OPTIONS "    -x, --[no-]extra      more\n\n"

static int demo(const char *arg)
{
	const char *args[] = { "git-demo", arg, NULL };
	const char **argv = args;
	int argc = 2;
	bool extra = false;
	const struct opt opts[] = { OPT_BOOL('x', "extra", &extra, "more"), OPT_END };

	parse_options(&argc, &argv, opts, usage);
	printf("extra %d\n", extra);
	return finish_output(EXIT_NO);
}

static int demo_extra(void)
{
	return demo("--extra");
}

static int demo_h(void)
{
	return demo("-h");
}

static int demo_version(void)
{
	return demo("--version");
}

static int demo_completion(void)
{
	return demo("--git-completion-helper");
}

static int demo_unknown(void)
{
	return demo("--\033[2J");
}

static int demo_two_dashes(void)
{
	return demo("-extra");
}

static int demo_misused(void)
{
	return demo("--extra=1");
}

static int demo_usage_error(void)
{
	printf("before\n");
	usage_error(usage, "no version '%s'", "\033");
}

static void test_parse_options(void **state UNUSED)
{
	check(demo_extra, 1, "extra 1\n", "");
	check(demo_h, 0, "usage: git demo [-x]\n\n" OPTIONS, "");
	check(demo_version, 0, "git-rollback version " ROLLBACK_VERSION "\n", "");
	check(demo_completion, 0, "--extra -- --no-extra\n", "");
	check(demo_unknown, 129, "",
	      "error: unknown option `\\x1b[2J'\nusage: git demo [-x]\n\n" OPTIONS);
	check(demo_misused, 129, "",
	      "error: option '--extra' takes no value\nusage: git demo [-x]\n");
	check(demo_usage_error, 129, "before\n",
	      "error: no version '\\x1b'\nusage: git demo [-x]\n");
}

static void test_two_dashes(void **state UNUSED)
{
	check(demo_two_dashes, 129, "",
	      "error: unknown switch `e'\n"
	      "hint: Did you mean '--extra', with two dashes?\n"
	      "usage: git demo [-x]\n\n" OPTIONS);
}

/* stdout */

static int finish_twice(void)
{
	printf("result\n");
	return finish_output(finish_output(EXIT_REFUSED));
}

/* The buffer overflowed, and failed, long before the end. */
static int finish_much(void)
{
	for (int i = 0; i < 100000; i++)
		printf("result\n");
	return finish_output(EXIT_DONE);
}

static int finish_ignoring_sigpipe(void)
{
	signal(SIGPIPE, SIG_IGN);
	return finish_twice();
}

static int finish_default_sigpipe(void)
{
	signal(SIGPIPE, SIG_DFL);
	return finish_twice();
}

static void test_finish_output(void **state UNUSED)
{
	static const char full[] =
		"fatal: cannot write to standard output: No space left on device\n";
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int (*const fn[])(void) = { finish_twice, finish_much, demo_h };

	assert_true(fd >= 0);
	check(finish_twice, EXIT_REFUSED, "result\n", "");
	for (size_t i = 0; i < ARRAY_SIZE(fn); i++) {
		struct run r CLEANUP(run_release) = RUN_INIT;

		run(&r, fn[i], fd);
		assert_int_equal(r.code, EXIT_FAILED);
		assert_string_equal(r.err.buf, full);
	}
	close(fd);
}

static void test_reader_that_left(void **state UNUSED)
{
	struct run ignored CLEANUP(run_release) = RUN_INIT;
	struct run killed CLEANUP(run_release) = RUN_INIT;
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	close(fd[0]);
	run(&ignored, finish_ignoring_sigpipe, fd[1]);
	run(&killed, finish_default_sigpipe, fd[1]);
	close(fd[1]);
	assert_int_equal(ignored.code, 128 + SIGPIPE);
	assert_string_equal(ignored.err.buf, "");
	assert_int_equal(killed.code, 1000 + SIGPIPE);
	assert_string_equal(killed.err.buf, "");
}

/* stderr */

static int talk(void)
{
	error_line("no\nsuch '%s'", "a\033b");
	warning("cannot read '%s'", "a\033b");
	hint("one\n\ntwo");
	note("first\n\nthird\n");
	advise("resetProtected", "Use %d.", 1);
	return 0;
}

static void test_talk(void **state UNUSED)
{
	check(talk, 0, "",
	      "error: no\nerror: such 'a\\x1bb'\n"
	      "warning: cannot read 'a\\x1bb'\n"
	      "hint: one\nhint:\nhint: two\n"
	      "first\n\nthird\n"
	      "hint: Use 1.\n"
	      "hint: Silence this with 'git config advice.resetProtected false'.\n");
}

static int meter(int wanted)
{
	struct progress p CLEANUP(progress_abandon) = PROGRESS_INIT;
	struct progress left CLEANUP(progress_abandon) = PROGRESS_INIT;

	progress_start(&p, "Applying", 200, PROGRESS_COUNT, wanted);
	for (unsigned i = 1; i <= 200; i++)
		progress_update(&p, i);
	progress_hide(&p);
	progress_finish(&p);
	progress_start(&left, "Reading", 2, PROGRESS_COUNT, wanted);
	progress_update(&left, 1);
	return 0;
}

static int meter_auto(void)
{
	return meter(-1);
}

static int meter_never(void)
{
	return meter(0);
}

static int meter_forced(void)
{
	return meter(1);
}

static void test_progress(void **state UNUSED)
{
	struct run r CLEANUP(run_release) = RUN_INIT;

	check(meter_auto, 0, "", ""); /* no terminal */
	check(meter_never, 0, "", "");
	run(&r, meter_forced, -1);
	/*
	 * 200 updates at once are one line; a stalled machine may show some more, so the
	 * text is compared where it cannot differ.
	 */
	assert_memory_equal(r.err.buf, "Applying:   0% (1/200)\r", 23);
	assert_non_null(strstr(r.err.buf, " \rApplying: 100% (200/200)"));
	assert_non_null(strstr(r.err.buf, ", done.\nReading:  50% (1/2)\r\n"));
	assert_true(r.err.len < 200);
}

/* Questions */

static void test_read_line(void **state UNUSED)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
	static const char input[] = "yes\n\nyes\0 not\nyes";
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	assert_int_equal(write(fd[1], input, sizeof(input) - 1), sizeof(input) - 1);
	close(fd[1]);
	assert_true(prompt_read_line(fd[0], &line));
	assert_string_equal(line.buf, "yes");
	assert_true(prompt_read_line(fd[0], &line));
	assert_string_equal(line.buf, "");
	assert_true(prompt_read_line(fd[0], &line));
	assert_string_equal(line.buf, "yes? not");
	assert_false(prompt_read_line(fd[0], &line)); /* no line end: no answer */
	close(fd[0]);
	assert_false(prompt_read_line(fd[0], &line));
}

static int ask_yes_no(void)
{
	return 10 + (int)prompt_yes_no("Go back\nto '\033[2J'?");
}

static int ask_word(void)
{
	return 10 + (int)prompt_word("Rows go.", "ROLLBACK");
}

static int ask_forbidden(void)
{
	setenv("GIT_TERMINAL_PROMPT", "0", 1);
	return ask_yes_no();
}

static int ask_catching_signals(void)
{
	interrupt_catch();
	return ask_yes_no();
}

static int ask_after_a_signal(void)
{
	interrupt_catch();
	raise(SIGTERM);
	return ask_yes_no();
}

static int ask_with_a_log(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	return dup2(null, STDERR_FILENO) < 0 ? 99 : ask_yes_no();
}

/*
 * Runs fn() on a terminal of its own; types `input` once `question` is there. Returns the
 * exit code; what was shown is in `shown`.
 */
static int on_terminal(int (*fn)(void), const char *question, const char *input,
		       struct strbuf *shown)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	bool typed = false;
	char buf[256];
	ssize_t len;
	pid_t pid;

	assert_true(terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal));
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		setsid();
		/* A session's first terminal becomes its own. */
		int fd = open(ptsname(terminal), O_RDWR); /* for exec'ed ones too, as usual */

		if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
			_exit(99);
		unsetenv("GIT_TERMINAL_PROMPT");
		exit(fn());
	}
	/* The read fails with EIO when the child is gone. */
	while ((len = read(terminal, buf, sizeof(buf))) > 0) {
		strbuf_add(shown, buf, (size_t)len);
		if (!typed && strstr(shown->buf, question)) {
			assert_int_equal(write(terminal, input, strlen(input)), strlen(input));
			typed = true;
		}
	}
	close(terminal);
	return code_of(pid);
}

static void test_questions(void **state UNUSED)
{
	static const char yes_no[] = "Go back\r\nto '\\x1b[2J'? [y/N] ";
	static const char word[] = "Rows go.\r\nType ROLLBACK to go on: ";
	static const struct {
		int (*fn)(void);
		const char *question, *input;
		int code;
	} cases[] = {
		{ ask_yes_no, yes_no, "y\n", 10 + PROMPT_CONFIRMED },
		{ ask_yes_no, yes_no, "YES\n", 10 + PROMPT_CONFIRMED },
		{ ask_yes_no, yes_no, "\n", 10 + PROMPT_DECLINED },
		{ ask_yes_no, yes_no, "n\n", 10 + PROMPT_DECLINED },
		{ ask_yes_no, yes_no, "\004", 10 + PROMPT_DECLINED },	   /* ^D: the end */
		{ ask_yes_no, yes_no, "y\004\004", 10 + PROMPT_DECLINED }, /* not a line */
		{ ask_yes_no, yes_no, "\003", 1000 + SIGINT },		   /* ^C */
		{ ask_catching_signals, yes_no, "\003", 10 + PROMPT_DECLINED },
		{ ask_after_a_signal, yes_no, "", 10 + PROMPT_DECLINED },
		{ ask_with_a_log, yes_no, "y\n", 10 + PROMPT_CONFIRMED },
		{ ask_word, word, "ROLLBACK\n", 10 + PROMPT_CONFIRMED },
		{ ask_word, word, "rollback\n", 10 + PROMPT_DECLINED },
		{ ask_word, word, "y\n", 10 + PROMPT_DECLINED },
		{ ask_forbidden, "", "", 10 + PROMPT_NO_TERMINAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf shown CLEANUP(strbuf_release) = STRBUF_INIT;

		assert_int_equal(on_terminal(cases[i].fn, cases[i].question, cases[i].input,
					     &shown),
				 cases[i].code);
		assert_memory_equal(shown.buf, cases[i].question, strlen(cases[i].question));
	}
}

static void test_nobody_to_ask(void **state UNUSED)
{
	check(ask_yes_no, 10 + PROMPT_NO_TERMINAL, "", "");
	check(ask_word, 10 + PROMPT_NO_TERMINAL, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_options), cmocka_unit_test(test_two_dashes),
		cmocka_unit_test(test_finish_output), cmocka_unit_test(test_reader_that_left),
		cmocka_unit_test(test_talk),	      cmocka_unit_test(test_progress),
		cmocka_unit_test(test_read_line),     cmocka_unit_test(test_questions),
		cmocka_unit_test(test_nobody_to_ask),
	};

	alarm(60); /* a question that nobody answers must not stop the suite */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
