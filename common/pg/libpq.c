/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/error.h"
#include "base/thread.h"

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

static void *open_library(void *unused UNUSED)
{
	return dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);
}

static struct {
	pthread_t thread;
	bool running;
} loading;

void libpq_load_start(void)
{
	if (!loading.running && !libpq.PQfinish_)
		loading.running = !thread_start(&loading.thread, NULL, open_library, NULL);
}

/* What failed on the thread fails again here, where dlerror() tells why. */
static void *library(void)
{
	void *handle = NULL;

	if (loading.running)
		pthread_join(loading.thread, &handle);
	loading.running = false;
	return handle ? handle : open_library(NULL);
}

int libpq_load(struct error *err)
{
	struct libpq loaded;
	void *handle;

	if (libpq.PQfinish_)
		return 0;
	handle = library();
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
	return 0;
}
