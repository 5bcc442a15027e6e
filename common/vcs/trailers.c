/* SPDX-License-Identifier: MIT */
#include "vcs/trailers.h"

#include <git2.h>
#include <strings.h>

#include "base/memory.h"

void trailers_read(struct trailers *ret, const char *message)
{
	git_message_trailer_array array = { 0 };

	*ret = (struct trailers)TRAILERS_INIT;
	git_libgit2_init(); /* counts: what was begun before stays */
	if (git_message_trailers(&array, message) == 0)
		for (size_t i = 0; i < array.count; i++) {
			ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
			ret->item[ret->nr++] = (struct trailer){ xstrdup(array.trailers[i].key),
								 xstrdup(array.trailers[i].value) };
		}
	git_message_trailer_array_free(&array);
}

const char *trailers_find(const struct trailers *trailers, const char *key)
{
	for (size_t i = 0; i < trailers->nr; i++)
		if (!strcasecmp(trailers->item[i].key, key))
			return trailers->item[i].value;
	return NULL;
}

void trailers_release(struct trailers *trailers)
{
	for (size_t i = 0; i < trailers->nr; i++) {
		free(trailers->item[i].key);
		free(trailers->item[i].value);
	}
	free(trailers->item);
	*trailers = (struct trailers)TRAILERS_INIT;
}
