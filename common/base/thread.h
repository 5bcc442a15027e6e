/* SPDX-License-Identifier: MIT */
/*
 * thread: a thread that works for the program's first one, and has nothing to do with signals.
 *
 * Use:    thread_start(); then pthread_join().
 * Errors: errno's values, as pthread_create() gives them; 0: it runs.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

#include "base/compat.h"

/* `attr` may be NULL. All signals go to the threads that were there before. */
int thread_start(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
	MUST_CHECK;

#endif
