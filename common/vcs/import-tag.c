/* SPDX-License-Identifier: MIT */
#include "vcs/import.h"

#include "base/digest.h"
#include "base/memory.h"
#include "vcs/git.h"

/* As zlib has it, without its work: stored blocks, and the checksum Adler-32. */
static void add_stored(struct strbuf *out, const struct strbuf *data)
{
	uint32_t a = 1, b = 0;
	size_t at = 0;

	strbuf_add(out, "\x78\x01", 2);
	do {
		size_t len = data->len - at < 0xffff ? data->len - at : 0xffff;
		const unsigned char head[] = { at + len == data->len, len & 0xff, (len >> 8) & 0xff,
					       ~len & 0xff, (~len >> 8) & 0xff };

		strbuf_add(out, head, sizeof(head));
		strbuf_add(out, data->buf + at, len);
		at += len;
	} while (at < data->len);
	for (size_t i = 0; i < data->len; i++) {
		a = (a + (unsigned char)data->buf[i]) % 65521;
		b = (b + a) % 65521;
	}
	const unsigned char sum[] = { b >> 8 & 0xff, b & 0xff, a >> 8 & 0xff, a & 0xff };
	strbuf_add(out, sum, sizeof(sum));
}

static enum digest_kind kind_of(const struct repo *repo)
{
	return strcmp(repo->object_format, "sha256") ? DIGEST_SHA1 : DIGEST_SHA256;
}

/* A pack (git's gitformat-pack) of one tag. */
static void make_pack(struct strbuf *out, const struct strbuf *tag, const struct repo *repo)
{
	static const char head[] = "PACK\0\0\0\2\0\0\0\1";
	enum { TAG = 4, MORE = 0x80 };
	size_t size = tag->len >> 4;
	char hex[DIGEST_HEX];
	struct digest digest;

	strbuf_add(out, head, sizeof(head) - 1);
	strbuf_addch(out, (char)(TAG << 4 | (tag->len & 15) | (size ? MORE : 0)));
	for (; size; size >>= 7)
		strbuf_addch(out, (char)((size & 127) | (size >> 7 ? MORE : 0)));
	add_stored(out, tag);
	digest_init(&digest, kind_of(repo));
	digest_add(&digest, out->buf, out->len);
	digest_end(hex, &digest);
	for (const char *at = hex; *at; at += 2) {
		const char byte[] = { at[0], at[1], '\0' };

		strbuf_addch(out, (char)strtoul(byte, NULL, 16));
	}
}

static char *tag_id(const struct strbuf *tag, const struct repo *repo)
{
	char *header CLEANUP(free_p) = xstrfmt("tag %zu", tag->len);
	char hex[DIGEST_HEX];
	struct digest digest;

	digest_init(&digest, kind_of(repo));
	digest_add(&digest, header, strlen(header) + 1);
	digest_add(&digest, tag->buf, tag->len);
	digest_end(hex, &digest);
	return xstrdup(hex);
}

int import_tag(char **ret_oid, const struct repo *repo, const char *quarantine, const char *name,
	       const char *commit, const char *identity, int64_t time, const char *message,
	       struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf data CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf pack CLEANUP(strbuf_release) = STRBUF_INIT;
	char *what CLEANUP(free_p) = xstrfmt("write tag '%s'", name);

	/*
	 * fast-import would make the ref as well, and at once; and a loose object could be pruned
	 * before there is one.
	 */
	strbuf_addf(&data, "object %s\ntype commit\ntag %s\ntagger %s %" PRId64 " +0000\n\n%s",
		    commit, name, identity, time, message);
	make_pack(&pack, &data, repo);
	repo_environment(&env, repo);
	import_environment(&env, repo, quarantine);
	git_prepare(&process, repo, &env);
	strvec_pushl(&process.argv, "-c", "core.fsync=pack,pack-metadata", "-c",
		     "core.fsyncMethod=fsync", "index-pack", "--stdin", NULL);
	process.input = pack.buf;
	process.input_len = pack.len;
	if (git_run(&process, what, err) < 0)
		return -1;
	*ret_oid = tag_id(&data, repo);
	return 0;
}
