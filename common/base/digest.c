/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void digest_init(struct digest *digest, enum digest_kind kind)
{
	digest->kind = kind;
	if (kind == DIGEST_SHA1)
		SHA1Init(&digest->context.sha1);
	else
		SHA256Init(&digest->context.sha2);
}

void digest_add(struct digest *digest, const void *data, size_t len)
{
	if (digest->kind == DIGEST_SHA1)
		SHA1Update(&digest->context.sha1, data, len);
	else
		SHA256Update(&digest->context.sha2, data, len);
}

void digest_end(char ret[DIGEST_HEX], struct digest *digest)
{
	if (digest->kind == DIGEST_SHA1)
		SHA1End(&digest->context.sha1, ret);
	else
		SHA256End(&digest->context.sha2, ret);
}

void digest_hex(char ret[DIGEST_HEX], const void *data, size_t len)
{
	SHA256Data(data, len, ret);
}

static void digest_raw(uint8_t raw[SHA256_DIGEST_LENGTH], const void *data, size_t len)
{
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, data, len);
	SHA256Final(raw, &context);
}

/* Eight bytes, the highest first. */
static uint64_t word_at(const uint8_t *raw)
{
	uint64_t ret = 0;

	for (size_t i = 0; i < sizeof(ret); i++)
		ret = ret << 8 | raw[i];
	return ret;
}

void digest_sum_add(struct digest_sum *sum, const void *data, size_t len)
{
	uint8_t raw[SHA256_DIGEST_LENGTH];
	bool carry = false;

	digest_raw(raw, data, len);
	for (size_t i = 0; i < ARRAY_SIZE(sum->word); i++) {
		uint64_t word = word_at(raw + sizeof(raw) - 8 * (i + 1));
		uint64_t with_carry = word + carry;
		bool wrapped = carry && !with_carry;

		sum->word[i] += with_carry;
		carry = wrapped || sum->word[i] < with_carry;
	}
}

void digest_sum_end(char ret[DIGEST_HEX], const struct digest_sum *sum)
{
	snprintf(ret, DIGEST_HEX, "%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64,
		 sum->word[3], sum->word[2], sum->word[1], sum->word[0]);
}

uint64_t digest_number(const char *s)
{
	uint8_t raw[SHA256_DIGEST_LENGTH];

	digest_raw(raw, s, strlen(s));
	return word_at(raw);
}
