/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/error.h"

/* Before the macros of libpq.h take the names. */
#include "pg/libpq.h"

struct libpq libpq;

static int symbol(void *library, const char *name, void *ret_function, struct error *err)
{
	void *address = dlsym(library, name);

	if (!address) {
		error_set(err, "cannot use libpq: it has no %s()", name);
		return error_hint(err, "libpq 14 or newer is needed (Debian package libpq5).");
	}
	memcpy(ret_function, &address, sizeof(address));
	return 0;
}

int libpq_load(struct error *err)
{
	static void *library;
	struct libpq loaded;

	if (library)
		return 0;
	void *handle = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);
	if (!handle) {
		error_set(err, "cannot load PostgreSQL's client library: %s", dlerror());
		return error_hint(err, "Install libpq (Debian package libpq5).");
	}
#define LIBPQ_LOOK_UP(name)                                    \
	if (symbol(handle, #name, &loaded.name##_, err) < 0) { \
		dlclose(handle);                               \
		return -1;                                     \
	}
	LIBPQ_FUNCTIONS(LIBPQ_LOOK_UP)
#undef LIBPQ_LOOK_UP
	libpq = loaded;
	library = handle;
	return 0;
}
