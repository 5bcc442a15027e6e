/* SPDX-License-Identifier: MIT */
/*
 * payload-environment: an environment template without the lines that hold secrets.
 *
 * A line goes
 *   - that assigns (= or :) to what calls itself a key, secret, password, token, credential
 *     and so on, in any case, in a comment too, or anywhere in the line;
 *   - in which a password stands before an @, as in postgres://user:password@host, or a
 *     name or token alone, as in https://token@host;
 *   - that belongs to a block of "-----BEGIN ...-----";
 *   - over which such a value goes on: to its closing quote, or behind a backslash.
 * In doubt it goes: what is lost is a line of a template that is in git anyway.
 */
#ifndef FLOW_PAYLOAD_ENVIRONMENT_H
#define FLOW_PAYLOAD_ENVIRONMENT_H

#include "base/compat.h"
#include "base/strbuf.h"

/* ".env", ".env.local", ".env.production": what must not be kept. */
bool payload_environment_is_real(const char *path);
/* ".env.example", ".env.sample", ".env.template", ".env.dist". */
bool payload_environment_is_template(const char *path);
/* The names above, from the top; NULL ends them. */
extern const char *const payload_environment_templates[];

/* Does it call itself a key, secret, password and so on, in any case, anywhere in it? */
bool payload_environment_is_secret(const char *name, size_t len);

/*
 * Appends what may be kept, and returns the number of lines that were left out; -1, and
 * nothing is appended, when this is no plain text (it has a NUL).
 */
int payload_environment_filter(struct strbuf *ret, const char *text, size_t len) MUST_CHECK;

#endif
