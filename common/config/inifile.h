/* SPDX-License-Identifier: MIT */
/*
 * inifile: the entries of an ini file that came with a repository, all of them or none.
 *
 * Use:    inifile_read() the bytes, inifile_parse() them, then f.item[0 .. f.nr-1] in the
 *         order they stand. Whether the keys mean something is not decided here.
 * Rules:  [section] or [section "name"], then key = value, indented or not. A line that
 *         starts with ; or # is a comment, and so is the rest of one after a blank and ;.
 *         A pair of double quotes around a whole value is taken off. BOM and CRLF are fine.
 * Limits: libinih would cut a long line, section or quoted value in silence and go on with
 *         the rest. So everything that it would read otherwise than it looks is refused
 *         before it sees the text: lines beyond INIFILE_LINE bytes (comments may be
 *         longer), ` ;` inside quotes, ` #`, text behind a section's ], control
 *         characters, invalid UTF-8.
 * Names:  section and key are in lower case, and the key is without `_`; the name in
 *         quotes is as it stands.
 * Errors: -1 with `err` set and its place the file and line, never with the line's text,
 *         which may be a connection string.
 */
#ifndef CONFIG_INIFILE_H
#define CONFIG_INIFILE_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"

#define INIFILE_LINE	190
#define INIFILE_SECTION 48
#define INIFILE_SIZE	(256 * 1024)

struct inifile_entry {
	char *section;
	char *sub; /* NULL in [section] */
	char *key;
	char *value;
	size_t line;
};
struct inifile {
	struct inifile_entry *item;
	size_t nr, alloc;
};
#define INIFILE_INIT \
	{            \
		0    \
	}

/*
 * Appends the file's bytes: FILE_FOUND or FILE_MISSING (base/file.h). What is no plain
 * file is refused, symbolic links too, and what is larger than INIFILE_SIZE.
 */
int inifile_read(struct strbuf *ret, const char *path, const char *name, struct error *err)
	MUST_CHECK;
int inifile_parse(struct inifile *ret, const char *name, const char *text, size_t len,
		  struct error *err) MUST_CHECK;
void inifile_release(struct inifile *f);

/* "name:line" becomes the place of an error that is set. Returns -1. */
int inifile_place(struct error *err, const char *name, size_t line);

#endif
