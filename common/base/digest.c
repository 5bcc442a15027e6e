/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <inttypes.h>
#include <nettle/base16.h>
#include <stdio.h>
#include <string.h>

void digest_init(struct digest *digest, enum digest_kind kind)
{
	digest->kind = kind;
	if (kind == DIGEST_SHA1)
		sha1_init(&digest->context.sha1);
	else
		sha256_init(&digest->context.sha256);
}

void digest_add(struct digest *digest, const void *data, size_t len)
{
	if (digest->kind == DIGEST_SHA1)
		sha1_update(&digest->context.sha1, len, data);
	else
		sha256_update(&digest->context.sha256, len, data);
}

void digest_end(char ret[DIGEST_HEX], struct digest *digest)
{
	uint8_t raw[SHA256_DIGEST_SIZE];
	size_t len = digest->kind == DIGEST_SHA1 ? SHA1_DIGEST_SIZE : SHA256_DIGEST_SIZE;

	if (digest->kind == DIGEST_SHA1)
		sha1_digest(&digest->context.sha1, len, raw);
	else
		sha256_digest(&digest->context.sha256, len, raw);
	base16_encode_update(ret, len, raw);
	ret[BASE16_ENCODE_LENGTH(len)] = '\0';
}

void digest_hex(char ret[DIGEST_HEX], const void *data, size_t len)
{
	struct digest digest;

	digest_init(&digest, DIGEST_SHA256);
	digest_add(&digest, data, len);
	digest_end(ret, &digest);
}

static void digest_raw(uint8_t raw[SHA256_DIGEST_SIZE], const void *data, size_t len)
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, len, data);
	sha256_digest(&context, SHA256_DIGEST_SIZE, raw);
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
	uint8_t raw[SHA256_DIGEST_SIZE];
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
	uint8_t raw[SHA256_DIGEST_SIZE];

	digest_raw(raw, s, strlen(s));
	return word_at(raw);
}
