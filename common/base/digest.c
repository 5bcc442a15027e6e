/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

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

uint64_t digest_number(const char *s)
{
	uint8_t raw[SHA256_DIGEST_LENGTH];
	uint64_t ret = 0;
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)s, strlen(s));
	SHA256Final(raw, &context);
	for (size_t i = 0; i < 8; i++)
		ret = ret << 8 | raw[i];
	return ret;
}
