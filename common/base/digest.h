/* SPDX-License-Identifier: MIT */
/*
 * digest: SHA-256 as 64 lower-case hexadecimal digits.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/compat.h"

#define DIGEST_HEX 65 /* 64 digits and the NUL */

void digest_hex(char ret[DIGEST_HEX], const void *data, size_t len);
/* First eight bytes of the SHA-256 of a string, big-endian: a number that is the same everywhere. */
uint64_t digest_number(const char *s);

#endif
