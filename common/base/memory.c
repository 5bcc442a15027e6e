/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

NORETURN static void out_of_memory(void)
{
	fputs("fatal: out of memory\n", stderr);
	exit(EXIT_FAILED);
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "BUG: %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

void *xmalloc(size_t size)
{
	void *ret = malloc(size ? size : 1);

	if (!ret)
		out_of_memory();
	return ret;
}

void *xcalloc(size_t nr, size_t size)
{
	void *ret = calloc(nr ? nr : 1, size ? size : 1);

	if (!ret)
		out_of_memory();
	return ret;
}

void *xreallocarray(void *old, size_t nr, size_t size)
{
	void *ret = reallocarray(old, nr ? nr : 1, size ? size : 1);

	if (!ret)
		out_of_memory();
	return ret;
}

char *xstrdup(const char *s)
{
	return xmemdupz(s, strlen(s));
}

char *xstrdup_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

char *xmemdupz(const void *data, size_t len)
{
	char *ret = xmalloc(len + 1);

	if (len)
		memcpy(ret, data, len);
	ret[len] = '\0';
	return ret;
}

char *xstrfmt(const char *fmt, ...)
{
	va_list ap;
	char *ret = NULL;

	va_start(ap, fmt);
	if (vasprintf(&ret, fmt, ap) < 0)
		out_of_memory();
	va_end(ap);
	return ret;
}

void string_replace(char **where, const char *s)
{
	char *copy = xstrdup_or_null(s);

	free(*where);
	*where = copy;
}
