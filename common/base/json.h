/* SPDX-License-Identifier: MIT */
/*
 * json: what jansson leaves to its users.
 *
 * Owner: the caller gets a new reference from each of these.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"

CLEANUP_POINTER(json_t, json_decref)

/* A string, with what is not UTF-8 shown as \xNN; NULL becomes null. */
json_t *json_text(const char *s) MUST_CHECK;
/* A time (clock.h) as RFC 3339. */
json_t *json_time(int64_t at) MUST_CHECK;
json_t *json_size(size_t n) MUST_CHECK;
/* An array of them. */
json_t *json_strings(const struct strvec *strings) MUST_CHECK;
/* {"message", "sqlstate", "place", "detail", "hint"}. */
json_t *error_to_json(const struct error *err) MUST_CHECK;
/* The string member `key` of an object, or NULL. Belongs to the object. */
const char *json_member(const json_t *object, const char *key);

/* Is an equal value in the array? */
bool json_has(const json_t *array, const json_t *value);

/* Parses a text strictly: duplicate keys are refused. `what` names it in the error. */
int json_parse(json_t **ret, const char *what, const char *text, size_t len, struct error *err)
	MUST_CHECK;
/* Indented text with a line end; free() it. */
char *json_format(const json_t *json) MUST_CHECK;
/* Prints json_format() on stdout. */
void json_print(const json_t *json);
/* Was anything? --json is one object, whatever happens. */
bool json_was_printed(void);

#endif
