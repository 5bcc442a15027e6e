/* SPDX-License-Identifier: MIT */
/*
 * digest: SHA-256 as 64 lower-case hexadecimal digits; and SHA-1 as 40, for git's names alone.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "base/compat.h"

#define DIGEST_HEX 65 /* 64 digits and the NUL */

/* Piece by piece: digest_init(), digest_add() any number of times, digest_end(). */
enum digest_kind { DIGEST_SHA1, DIGEST_SHA256 };
struct digest {
	enum digest_kind kind;
	union {
		struct sha1_ctx sha1;
		struct sha256_ctx sha256;
	} context;
};
void digest_init(struct digest *digest, enum digest_kind kind);
void digest_add(struct digest *digest, const void *data, size_t len);
void digest_end(char ret[DIGEST_HEX], struct digest *digest);

/*
 * A sum over pieces, whatever their order: of the SHA-256 of each, modulo 2^256. Two heaps of rows
 * that are the same have the same.
 */
struct digest_sum {
	uint64_t word[4]; /* the lowest first */
};
void digest_sum_add(struct digest_sum *sum, const void *data, size_t len);
void digest_sum_end(char ret[DIGEST_HEX], const struct digest_sum *sum);

void digest_hex(char ret[DIGEST_HEX], const void *data, size_t len);
/* First eight bytes of the SHA-256 of a string, big-endian: a number that is the same everywhere. */
uint64_t digest_number(const char *s);

#endif
