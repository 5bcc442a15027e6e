/* SPDX-License-Identifier: MIT */
/*
 * payload-schema: a dumped schema without the passwords that stand in it.
 *
 * Foreign servers, user mappings, wrappers and tables have options with values, and pg_dump
 * shows them to who may see them. The values of a user mapping, but for the user's name, and
 * of any option that calls itself a key, secret, password and so on become '***'.
 * What a function or a default has in it stays: nobody can tell a secret there. Subscriptions
 * are not in a dump that dump_start() makes.
 */
#ifndef FLOW_PAYLOAD_SCHEMA_H
#define FLOW_PAYLOAD_SCHEMA_H

#include "base/compat.h"
#include "base/strbuf.h"

/* Appends the text, and returns how many values were masked. */
size_t payload_schema_mask(struct strbuf *ret, const char *text, size_t len);

#endif
