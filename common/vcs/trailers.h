/* SPDX-License-Identifier: MIT */
/*
 * trailers: "Key: value" at the end of a message, where git sees them: in its last paragraph, which is
 * no subject, and has nothing else in it, or little, beside what git itself has written there.
 *
 * Owner:  the caller; trailers_release() frees all.
 */
#ifndef VCS_TRAILERS_H
#define VCS_TRAILERS_H

#include "base/compat.h"

struct trailer {
	char *key, *value; /* lines of the value as they are */
};
struct trailers {
	struct trailer *item;
	size_t nr, alloc;
};
#define TRAILERS_INIT \
	{             \
		0     \
	}
/* Of a whole message, with its subject. */
void trailers_read(struct trailers *ret, const char *message);
/* The value of the first one, whatever case its key has; or NULL. Belongs to the trailers. */
const char *trailers_find(const struct trailers *trailers, const char *key);
void trailers_release(struct trailers *trailers);

#endif
