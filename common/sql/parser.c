/* SPDX-License-Identifier: MIT */
#include "sql/parser.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"

struct job {
	void (*run)(void *arg);
	void *arg;
};

static void *job_run(void *data)
{
	struct job *job = data;

	job->run(job->arg);
	return NULL;
}

/* All signals go to the threads that were there before: this one has nothing to stop. */
static int start_blocked(pthread_t *ret, const pthread_attr_t *attr, struct job *job)
{
	sigset_t all, before;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(ret, attr, job_run, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

static int run_on(void *stack, struct job *job)
{
	pthread_attr_t attr;
	pthread_t thread;
	int code = pthread_attr_init(&attr);

	if (code)
		return code;
	code = pthread_attr_setstack(&attr, stack, SQL_PARSER_STACK);
	if (!code)
		code = start_blocked(&thread, &attr, job);
	pthread_attr_destroy(&attr);
	if (!code)
		code = pthread_join(thread, NULL);
	return code;
}

int sql_parser_run(void (*job)(void *arg), void *arg, struct error *err)
{
	size_t guard = (size_t)sysconf(_SC_PAGESIZE);
	struct job it = { .run = job, .arg = arg };
	char *memory = mmap(NULL, guard + SQL_PARSER_STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	int code;

	if (memory == MAP_FAILED)
		return error_errno(err, "could not get %zu MB of stack for the SQL parser",
				   SQL_PARSER_STACK >> 20);
#ifdef MADV_NOHUGEPAGE
	madvise(memory, guard + SQL_PARSER_STACK, MADV_NOHUGEPAGE); /* 2 MB are a lot to zero */
#endif
	code = mprotect(memory, guard, PROT_NONE) < 0 ? errno : run_on(memory + guard, &it);
	munmap(memory, guard + SQL_PARSER_STACK);
	if (code) {
		errno = code;
		return error_errno(err, "could not start a thread for the SQL parser");
	}
	return 0;
}

int sql_text_check(size_t *ret_bom, const char *path, const char *bytes, size_t len,
		   struct error *err)
{
	size_t bom = len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
	const char *text = len ? bytes + bom : "";
	size_t bad;

	len -= bom;
	if (len > SQL_TEXT_MAX) {
		error_refused(err, "'%s' is too large: %zu MB, the limit is %zu MB", path,
			      len >> 20, SQL_TEXT_MAX >> 20);
		return error_hint(err, "Load bulk data with COPY from a file, outside of scripts.");
	}
	bad = text_utf8_check(text, len);
	if (bad < len) {
		if (text[bad])
			error_set(err, "byte 0x%02x is not valid UTF-8", (unsigned char)text[bad]);
		else
			error_set(err, "a NUL byte is not valid in SQL");
		error_at(err, path, text, len, bad);
		return error_hint(err, "Save the file as UTF-8.");
	}
	*ret_bom = bom;
	return 0;
}
