/* SPDX-License-Identifier: MIT */
/*
 * path: paths as git writes them where their bytes would get in the way, and which of them are
 * no paths of files at all.
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
 * Why a path from a stranger must not be written below a folder, nor one of our own be kept:
 * "it is absolute", "it has an empty part" ("." is one), "it has '..' in it", "it leads into
 * .git". That is all that some file system takes for ".git": in any case, with characters that
 * HFS+ ignores, with the blanks, dots and streams that NTFS drops, behind a backslash, and its
 * short name git~1: stricter than git is by default, and as strict as `git fsck`. NULL: it is
 * well.
 */
const char *path_fault(const char *path) MUST_CHECK;

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
