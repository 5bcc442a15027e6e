/* SPDX-License-Identifier: MIT */
/*
 * conninfo: what a database's url setting is, and where the secrets in it are.
 *
 * A url is "env:NAME", "service=NAME" with nothing beside it, or anything else that libpq
 * takes: a URI or keywords. Secrets are found as libpq finds them (the URI's first '@',
 * the keywords' quoting), so that nothing but a secret is hidden from a reader.
 */
#ifndef CONFIG_CONNINFO_H
#define CONFIG_CONNINFO_H

#include "base/compat.h"

enum conninfo_kind {
	CONNINFO_ENV,	  /* env:NAME */
	CONNINFO_SERVICE, /* service=NAME */
	CONNINFO_STRING
};

enum conninfo_kind conninfo_kind(const char *url);
/* The NAME of env:NAME. */
const char *conninfo_variable(const char *url);
/* The url with each secret as "***"; free() it. */
char *conninfo_masked(const char *url) MUST_CHECK;
bool conninfo_has_secret(const char *url);

#endif
