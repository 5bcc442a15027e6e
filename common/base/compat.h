/* SPDX-License-Identifier: MIT */
/*
 * compat: what every source file sees first.
 *
 * Attributes, the cleanup idiom, and the functions of libc that this code
 * does not use (they are poisoned: using one is a compile error).
 */
#ifndef BASE_COMPAT_H
#define BASE_COMPAT_H

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST_CHECK	   __attribute__((warn_unused_result))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define NORETURN	   __attribute__((noreturn))
#define UNUSED		   __attribute__((unused))

/* Attached to a variable, runs fn(&variable) when its scope ends. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
/* Defines free_fn_p(), the cleanup function of a pointer that free_fn() frees. */
#define CLEANUP_POINTER(type, free_fn)                        \
	UNUSED static inline void free_fn##_p(type **pointer) \
	{                                                     \
		if (*pointer)                                 \
			free_fn(*pointer);                    \
		*pointer = NULL;                              \
	}
/* Gives a pointer away and forgets it, so that its cleanup does nothing. */
#define STEAL(pointer)                                   \
	__extension__({                                  \
		__typeof__(pointer) stolen_ = (pointer); \
		(pointer) = NULL;                        \
		stolen_;                                 \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* A mistake of ours, never of a user: says where, and aborts. */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
NORETURN PRINTF(3, 4) void bug_at(const char *file, int line, const char *fmt, ...);

/* Exit codes of all commands. */
enum exit_code {
	EXIT_DONE = 0,	   /* done, or the answer is yes */
	EXIT_NO = 1,	   /* the answer is no, or a person is needed; nothing was changed */
	EXIT_REFUSED = 2,  /* not confirmed, protected, or unsafe as asked; nothing was changed */
	EXIT_FAILED = 128, /* it failed */
	EXIT_USAGE = 129,  /* the command line makes no sense */
	EXIT_INTERRUPTED = 130 /* by a signal, at a safe point */
};

#if !defined(__clang__) /* which has some of them as macros when it fortifies */
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol system
#endif

#endif
