/* SPDX-License-Identifier: MIT */
#include "sql/parser.h"

#include <pg_query.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "base/thread.h"

/*
 * One thread serves many jobs: starting one, and libpg_query's first breath on it, take
 * ten times as long as parsing a small script. After JOBS_MAX it is replaced, so that
 * what libpg_query keeps for itself does not grow with the number of scripts.
 */
#define JOBS_MAX 512

static struct {
	pthread_mutex_t callers; /* held for a whole job: one at a time */
	pthread_mutex_t mutex;	 /* protects what follows */
	pthread_cond_t changed;
	void (*run)(void *arg); /* the job; NULL: none is waiting */
	void *arg;
	bool busy, ending;
	/* Only the callers' side looks at these: */
	pthread_t thread;
	char *memory; /* guard page and stack; NULL: there is no thread */
	size_t jobs;
} worker = {
	.callers = PTHREAD_MUTEX_INITIALIZER,
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

static _Thread_local bool on_worker;

/* The first breath: most of it is pages of memory that come in. */
static void breathe(void)
{
	pg_query_free_protobuf_parse_result(pg_query_parse_protobuf("SELECT 1"));
}

static void *serve(void *unused UNUSED)
{
	on_worker = true;
	breathe();
	pthread_mutex_lock(&worker.mutex);
	for (;;) {
		void (*run)(void *arg);

		while (!worker.run && !worker.ending)
			pthread_cond_wait(&worker.changed, &worker.mutex);
		if (worker.ending)
			break;
		run = worker.run;
		pthread_mutex_unlock(&worker.mutex);
		run(worker.arg);
		pthread_mutex_lock(&worker.mutex);
		worker.run = NULL;
		worker.busy = false;
		pthread_cond_broadcast(&worker.changed);
	}
	pthread_mutex_unlock(&worker.mutex);
	return NULL;
}

static int create_on(void *stack)
{
	pthread_attr_t attr;
	int code = pthread_attr_init(&attr);

	if (code)
		return code;
	code = pthread_attr_setstack(&attr, stack, SQL_PARSER_STACK);
	if (!code)
		code = thread_start(&worker.thread, &attr, serve, NULL);
	pthread_attr_destroy(&attr);
	return code;
}

static size_t guard_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int start_worker(struct error *err)
{
	size_t guard = guard_size();
	char *memory = mmap(NULL, guard + SQL_PARSER_STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	int code;

	if (memory == MAP_FAILED)
		return error_errno(err, "could not get %zu MB of stack for the SQL parser",
				   SQL_PARSER_STACK >> 20);
#ifdef MADV_NOHUGEPAGE
	madvise(memory, guard + SQL_PARSER_STACK, MADV_NOHUGEPAGE); /* 2 MB are a lot to zero */
#endif
	code = mprotect(memory, guard, PROT_NONE) < 0 ? errno : create_on(memory + guard);
	if (code) {
		munmap(memory, guard + SQL_PARSER_STACK);
		errno = code;
		return error_errno(err, "could not start a thread for the SQL parser");
	}
	worker.memory = memory;
	worker.jobs = 0;
	return 0;
}

static void end_worker(void)
{
	pthread_mutex_lock(&worker.mutex);
	worker.ending = true;
	pthread_cond_broadcast(&worker.changed);
	pthread_mutex_unlock(&worker.mutex);
	pthread_join(worker.thread, NULL);
	munmap(worker.memory, guard_size() + SQL_PARSER_STACK);
	worker.memory = NULL;
	worker.ending = false;
}

void sql_parser_prepare(void)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	pthread_mutex_lock(&worker.callers);
	if (!worker.memory && start_worker(&ignored) < 0)
		error_clear(&ignored); /* it fails again when it is needed */
	pthread_mutex_unlock(&worker.callers);
}

static void hand_over(void (*job)(void *arg), void *arg)
{
	pthread_mutex_lock(&worker.mutex);
	worker.run = job;
	worker.arg = arg;
	worker.busy = true;
	pthread_cond_broadcast(&worker.changed);
	while (worker.busy)
		pthread_cond_wait(&worker.changed, &worker.mutex);
	pthread_mutex_unlock(&worker.mutex);
}

int sql_parser_run(void (*job)(void *arg), void *arg, struct error *err)
{
	int ret = 0;

	if (on_worker) {
		worker.jobs++; /* whoever waits for us looks at it only afterwards */
		job(arg);
		return 0;
	}
	pthread_mutex_lock(&worker.callers);
	if (worker.memory && worker.jobs >= JOBS_MAX)
		end_worker();
	if (!worker.memory)
		ret = start_worker(err);
	if (!ret) {
		hand_over(job, arg);
		worker.jobs++;
	}
	pthread_mutex_unlock(&worker.callers);
	return ret;
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
