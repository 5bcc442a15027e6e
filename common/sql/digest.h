/* SPDX-License-Identifier: MIT */
/*
 * digest: SHA-256 over the tokens of a script, to tell a formatter's work or a new
 * licence header from a real change.
 *
 * Format: for each token of PostgreSQL's scanner that is no comment, its length as eight
 *         bytes, the most significant first, and its bytes: no two streams of tokens give
 *         the same input. Keywords and plain identifiers count in lower case (ASCII only,
 *         as the server folds them in UTF-8); everything in quotes, numbers and operators
 *         count as they are written, bodies of functions with their comments and blanks.
 *         CRLF counts as LF, inside of strings too, and a byte order mark as nothing, so
 *         that files with the same checksum have the same digest. BEGIN, COMMIT and
 *         semicolons count.
 * Equal:  means: the server gets the same statements, but for line ends. The reverse does
 *         not hold (x and "x", E'a' and 'a' differ here).
 * Errors: what the scanner cannot read (an unterminated string, a NUL byte, invalid UTF-8)
 *         has no digest: -1, with the place. It need not parse, though.
 */
#ifndef SQL_DIGEST_H
#define SQL_DIGEST_H

#include "base/compat.h"
#include "base/error.h"

#define SQL_DIGEST_LEN 64

/* `ret_hex` gets the digest as lower case hexadecimal; `path` is for messages. */
int sql_token_digest(char ret_hex[SQL_DIGEST_LEN + 1], const char *path, const void *bytes,
		     size_t len, struct error *err) MUST_CHECK;

#endif
