/* SPDX-License-Identifier: MIT */
/*
 * path: paths as git writes them where their bytes would get in the way.
 *
 * A quoted path stands in double quotes, with \a \b \t \n \v \f \r \" \\ and \ooo (three
 * octal digits) in it, as in `git status` and fast-import.
 */
#ifndef VCS_PATH_H
#define VCS_PATH_H

#include "base/compat.h"
#include "base/error.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"

/* Appends the path in quotes; bytes above 127 stay as they are where `utf8`. */
void path_quote(struct strbuf *out, const char *path, bool utf8);
/* As `git status --short` shows it: in quotes where something in it, or a blank, needs them. */
void path_show(struct strbuf *out, const char *path);

/*
 * Does git take a file of that name into a tree? Not where a part of it is, or on some other
 * file system would be, ".git".
 */
bool path_is_storable(const char *path) MUST_CHECK;

/*
 * A path as a JSON string that path_from_json() turns back into the same bytes: in quotes
 * where it is not UTF-8, or begins with a double quote.
 */
json_t *path_to_json(const char *path) MUST_CHECK;
/* NULL where `text` is no such string; else free() it. */
char *path_from_json(const char *text) MUST_CHECK;
/* An array of such strings, to and from. An absent array (NULL) is an empty one. */
json_t *paths_to_json(const struct strvec *paths) MUST_CHECK;
int paths_from_json(struct strvec *ret, const json_t *array, struct error *err) MUST_CHECK;

#endif
