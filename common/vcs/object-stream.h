/* SPDX-License-Identifier: MIT */
/*
 * object-stream: reading any number of objects, of any size, through one `git cat-file
 * --batch`, and going on behind one that git cannot read.
 *
 * What is asked for may follow from what was answered: name(i) is asked for the i-th id as
 * soon as there is room for it, answers come in that order, and the stream ends when all are
 * answered and there is no further one.
 *
 * Objects are taken as they are: no replacements (git-replace), and nothing is fetched that
 * a partial clone has left with its remote.
 */
#ifndef VCS_OBJECT_STREAM_H
#define VCS_OBJECT_STREAM_H

#include "base/compat.h"
#include "base/error.h"

enum object_answer {
	OBJECT_READ,
	OBJECT_MISSING,
	OBJECT_UNREADABLE /* git gave up on it, maybe in its middle */
};
struct object_stream_fns {
	const char *(*name)(void *data, size_t i); /* a full id, or NULL: there is none yet */
	void (*begin)(void *data, size_t i, const char *type, uint64_t size);
	void (*content)(void *data, size_t i, const void *bytes, size_t len);
	void (*end)(void *data, size_t i, enum object_answer answer);
};
int object_stream(const struct object_stream_fns *fns, void *data, struct error *err) MUST_CHECK;

#endif
