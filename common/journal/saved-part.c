/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "journal/saved.h"

#define LEVEL  1	    /* more costs time and saves next to nothing on rows */
#define BUFFER (128 * 1024) /* of stored bytes */

struct saved_stream {
	int fd;
	char *temporary; /* its name while it is written; NULL: it is read */
	bool foreign;	 /* another program writes it */
	ZSTD_CCtx *packer;
	ZSTD_DCtx *unpacker;
	unsigned char *buffer; /* stored bytes on their way */
	size_t at, len;	       /* in it: those that are read and not yet used; to be written */
	struct digest digest;
	int64_t stored;
	/* Of one that is read, as the manifest has it: */
	char expected_digest[DIGEST_HEX];
	int64_t expected_bytes, expected_content;
	bool frame_open; /* of zstd's: more has to come */
	bool more;	 /* the decompressor may have output without further input */
	bool ended;
};

void saved_part_release(struct saved_part *part)
{
	struct saved_stream *stream = part->stream;

	if (stream) {
		if (stream->temporary)
			unlinkat(part->saved->fd, stream->temporary, 0);
		fd_close_p(&stream->fd);
		free(stream->temporary);
		ZSTD_freeCCtx(stream->packer);
		ZSTD_freeDCtx(stream->unpacker);
		free(stream->buffer);
		free(stream);
	}
	free(part->name);
	*part = (struct saved_part)SAVED_PART_INIT;
}

static struct saved_stream *new_stream(void)
{
	struct saved_stream *stream = xcalloc(1, sizeof(*stream));

	stream->fd = -1;
	stream->buffer = xmalloc(BUFFER);
	digest_init(&stream->digest, DIGEST_SHA256);
	return stream;
}

/* ---- Writing ------------------------------------------------------------------------- */

static int cannot_write(const struct saved_part *part, struct error *err)
{
	return error_errno(err, "could not write '%s/%s'", part->saved->path, part->name);
}

int saved_part_begin(struct saved_part *ret, struct saved *saved, const char *suffix,
		     bool compressed, struct error *err)
{
	struct saved_part part CLEANUP(saved_part_release) = {
		.saved = saved,
		.name = xstrfmt("%04zu.%s%s", saved->parts + 1, suffix, compressed ? ".zst" : ""),
		.stream = new_stream(),
	};
	struct saved_stream *stream = part.stream;
	char *temporary CLEANUP(free_p) = xstrfmt("%s.tmp", part.name);

	stream->fd = openat(saved->fd, temporary,
			    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (stream->fd < 0)
		return cannot_write(&part, err);
	stream->temporary = STEAL(temporary);
	if (compressed) {
		stream->packer = ZSTD_createCCtx();
		if (!stream->packer || ZSTD_isError(ZSTD_CCtx_setParameter(
					       stream->packer, ZSTD_c_compressionLevel, LEVEL)))
			return error_set(err, "out of memory in libzstd");
	}
	saved->parts++;
	*ret = part;
	part = (struct saved_part)SAVED_PART_INIT;
	return 0;
}

/* Writes what is in the buffer. */
static int flush(struct saved_part *part, struct error *err)
{
	struct saved_stream *stream = part->stream;

	if (file_write_fd(stream->fd, stream->buffer, stream->len) < 0)
		return cannot_write(part, err);
	digest_add(&stream->digest, stream->buffer, stream->len);
	stream->stored += (int64_t)stream->len;
	stream->len = 0;
	return 0;
}

static int pack(struct saved_part *part, const void *data, size_t len, ZSTD_EndDirective end,
		struct error *err)
{
	struct saved_stream *stream = part->stream;
	ZSTD_inBuffer in = { .src = data, .size = len };
	size_t left;

	do {
		ZSTD_outBuffer out = { .dst = stream->buffer, .size = BUFFER, .pos = stream->len };

		left = ZSTD_compressStream2(stream->packer, &out, &in, end);
		if (ZSTD_isError(left))
			return error_set(err, "could not compress '%s/%s': %s", part->saved->path,
					 part->name, ZSTD_getErrorName(left));
		stream->len = out.pos;
		if (stream->len == BUFFER && flush(part, err) < 0)
			return -1;
	} while (end == ZSTD_e_end ? left != 0 : in.pos < in.size);
	return 0;
}

static int put(struct saved_part *part, const char *data, size_t len, struct error *err)
{
	struct saved_stream *stream = part->stream;

	while (len) {
		size_t n = len < BUFFER - stream->len ? len : BUFFER - stream->len;

		memcpy(stream->buffer + stream->len, data, n);
		stream->len += n;
		data += n;
		len -= n;
		if (stream->len == BUFFER && flush(part, err) < 0)
			return -1;
	}
	return 0;
}

int saved_part_write(struct saved_part *part, const void *data, size_t len, struct error *err)
{
	part->content_bytes += (int64_t)len;
	return part->stream->packer ? pack(part, data, len, ZSTD_e_continue, err) :
				      put(part, data, len, err);
}

int saved_part_fd(struct saved_part *part)
{
	if (part->stream->packer || part->content_bytes)
		BUG("'%s' is not for another program to write", part->name);
	part->stream->foreign = true;
	return part->stream->fd;
}

/* Reads what another program has written, for the digest. */
static int take_in(struct saved_part *part, struct error *err)
{
	struct saved_stream *stream = part->stream;
	ssize_t n;

	while ((n = pread(stream->fd, stream->buffer, BUFFER, stream->stored)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read '%s/%s'", part->saved->path,
					   part->name);
		digest_add(&stream->digest, stream->buffer, (size_t)n);
		stream->stored += n;
	}
	part->content_bytes = stream->stored;
	return 0;
}

/* All bytes are in the file, on disk, under the part's own name. */
static int settle(struct saved_part *part, struct error *err)
{
	struct saved_stream *stream = part->stream;

	if (stream->foreign && take_in(part, err) < 0)
		return -1;
	if (stream->packer && pack(part, NULL, 0, ZSTD_e_end, err) < 0)
		return -1;
	if (flush(part, err) < 0)
		return -1;
	if (fsync(stream->fd) < 0)
		return cannot_write(part, err);
	/* A full disk may show only here, on some file systems. */
	int failed = close(stream->fd);
	stream->fd = -1;
	if (failed < 0 ||
	    renameat(part->saved->fd, stream->temporary, part->saved->fd, part->name) < 0)
		return cannot_write(part, err);
	free(STEAL(stream->temporary));
	return 0;
}

int saved_part_finish(struct saved_part *part, json_t *members, struct error *err)
{
	json_t *member CLEANUP(json_decref_p) = members;
	char digest[DIGEST_HEX];

	if (settle(part, err) < 0)
		return -1;
	digest_end(digest, &part->stream->digest);
	json_object_set_new(member, "file", json_string(part->name));
	json_object_set_new(member, "bytes", json_integer(part->stream->stored));
	json_object_set_new(member, "content_bytes", json_integer(part->content_bytes));
	json_object_set_new(member, "sha256", json_string(digest));
	json_object_set_new(member, "compression",
			    json_string(part->stream->packer ? "zstd" : "none"));
	json_array_append(json_object_get(part->saved->manifest, "parts"), member);
	return 0;
}

/* ---- Reading ------------------------------------------------------------------------- */

static int is_damaged(const struct saved_part *part, const char *reason, struct error *err)
{
	error_set(err, "'%s/%s' is damaged: %s", part->saved->path, part->name, reason);
	return error_code(err, EXIT_NO);
}

/* What the manifest says of a part is no more to be trusted than the file itself. */
static bool is_file_name(const char *name)
{
	return name && *name && *name != '.' && !strchr(name, '/');
}

/* The member's values, where they are what they have to be. */
static int read_member(struct saved_part *part, const json_t *member, struct error *err)
{
	const char *name = json_member(member, "file");
	const char *compression = json_member(member, "compression");
	const char *digest = json_member(member, "sha256");
	const json_t *bytes = json_object_get(member, "bytes");
	const json_t *content = json_object_get(member, "content_bytes");

	if (!is_file_name(name) || !compression || !digest || strlen(digest) + 1 != DIGEST_HEX ||
	    !json_is_integer(bytes) || !json_is_integer(content)) {
		error_set(err, "'%s' is damaged: its manifest describes a part badly",
			  part->saved->path);
		return error_code(err, EXIT_NO);
	}
	part->name = xstrdup(name);
	memcpy(part->stream->expected_digest, digest, DIGEST_HEX);
	part->stream->expected_bytes = json_integer_value(bytes);
	part->stream->expected_content = json_integer_value(content);
	if (!strcmp(compression, "none"))
		return 0;
	if (strcmp(compression, "zstd") != 0)
		return error_set(err, "cannot read '%s/%s': its compression '%s' is not known",
				 part->saved->path, name, compression);
	part->stream->unpacker = ZSTD_createDCtx();
	return part->stream->unpacker ? 0 : error_set(err, "out of memory in libzstd");
}

static int wrong_size(const struct saved_part *part, int64_t size, struct error *err)
{
	char *reason CLEANUP(free_p) = xstrfmt("it has %" PRId64 " bytes, not %" PRId64, size,
					       part->stream->expected_bytes);

	return is_damaged(part, reason, err);
}

int saved_part_open(struct saved_part *ret, struct saved *saved, const json_t *member,
		    struct error *err)
{
	struct saved_part part CLEANUP(saved_part_release) = {
		.saved = saved,
		.stream = new_stream(),
	};
	struct stat st;

	if (read_member(&part, member, err) < 0)
		return -1;
	part.stream->fd =
		openat(saved->fd, part.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (part.stream->fd < 0 && errno == ENOENT)
		return is_damaged(&part, "it is not there", err);
	if (part.stream->fd < 0 || fstat(part.stream->fd, &st) < 0)
		return error_errno(err, "cannot open '%s/%s'", saved->path, part.name);
	if (!S_ISREG(st.st_mode))
		return is_damaged(&part, "it is not a file", err);
	if (st.st_size != part.stream->expected_bytes)
		return wrong_size(&part, st.st_size, err);
	*ret = part;
	part = (struct saved_part)SAVED_PART_INIT;
	return 0;
}

/* Reads more stored bytes into the buffer, which is used up. At the end `len` stays 0. */
static int fill(struct saved_part *part, struct error *err)
{
	struct saved_stream *stream = part->stream;
	ssize_t n;

	do
		n = read(stream->fd, stream->buffer, BUFFER);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "cannot read '%s/%s'", part->saved->path, part->name);
	digest_add(&stream->digest, stream->buffer, (size_t)n);
	stream->stored += n;
	stream->at = 0;
	stream->len = (size_t)n;
	return 0;
}

/* All stored bytes were read: are they what was written? */
static int check_end(struct saved_part *part, struct error *err)
{
	struct saved_stream *stream = part->stream;
	char digest[DIGEST_HEX];

	if (stream->ended)
		return 0;
	if (stream->stored != stream->expected_bytes)
		return wrong_size(part, stream->stored, err);
	digest_end(digest, &stream->digest);
	if (strcmp(digest, stream->expected_digest) != 0)
		return is_damaged(part, "its digest is not the manifest's", err);
	stream->ended = true;
	return 0;
}

/* Takes content out of what is in the buffer, as much as there is room for. */
static int unpack(struct saved_part *part, void *buf, size_t size, size_t *ret_len,
		  struct error *err)
{
	struct saved_stream *stream = part->stream;
	ZSTD_inBuffer in = { .src = stream->buffer, .size = stream->len, .pos = stream->at };
	ZSTD_outBuffer out = { .dst = buf, .size = size };
	size_t left;

	if (!stream->unpacker) {
		*ret_len = size < stream->len - stream->at ? size : stream->len - stream->at;
		memcpy(buf, stream->buffer + stream->at, *ret_len);
		stream->at += *ret_len;
		return 0;
	}
	left = ZSTD_decompressStream(stream->unpacker, &out, &in);
	if (ZSTD_isError(left))
		return is_damaged(part, "it cannot be decompressed", err);
	stream->at = in.pos;
	stream->frame_open = left != 0;
	stream->more = left && out.pos == size;
	*ret_len = out.pos;
	return 0;
}

int saved_part_read(struct saved_part *part, void *buf, size_t size, size_t *ret_len,
		    struct error *err)
{
	struct saved_stream *stream = part->stream;
	size_t len = 0;

	while (!len && !stream->ended) {
		if (stream->at == stream->len && !stream->more && fill(part, err) < 0)
			return -1;
		if (stream->len || stream->more) {
			if (unpack(part, buf, size, &len, err) < 0)
				return -1;
		} else if (check_end(part, err) < 0) {
			return -1;
		}
	}
	part->content_bytes += (int64_t)len;
	if (part->content_bytes > stream->expected_content ||
	    (!len && (stream->frame_open || part->content_bytes != stream->expected_content)))
		return is_damaged(part, "its content is not of the size in the manifest", err);
	*ret_len = len;
	return 0;
}

int saved_part_read_all(struct strbuf *ret, struct saved *saved, const json_t *member,
			struct error *err)
{
	struct saved_part part CLEANUP(saved_part_release) = SAVED_PART_INIT;
	char *buffer CLEANUP(free_p) = xmalloc(BUFFER);
	size_t before = ret->len, len = 0;

	if (saved_part_open(&part, saved, member, err) < 0)
		return -1;
	do {
		if (saved_part_read(&part, buffer, BUFFER, &len, err) < 0) {
			strbuf_setlen(ret, before);
			return -1;
		}
		strbuf_add(ret, buffer, len);
	} while (len);
	return 0;
}

int saved_part_verify(struct saved *saved, const json_t *member, struct error *err)
{
	struct saved_part part CLEANUP(saved_part_release) = SAVED_PART_INIT;

	if (saved_part_open(&part, saved, member, err) < 0)
		return -1;
	do {
		if (fill(&part, err) < 0)
			return -1;
	} while (part.stream->len);
	return check_end(&part, err);
}

int saved_part_path(char **ret, struct saved *saved, const json_t *member, struct error *err)
{
	if (saved_part_verify(saved, member, err) < 0)
		return -1;
	*ret = xstrfmt("%s/%s", saved->path, json_member(member, "file"));
	return 0;
}
