/* SPDX-License-Identifier: MIT */
#include "sql/digest.h"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include "base/digest.h"
#include "base/memory.h"
#include "base/text.h"
#include "sql/parser.h"

struct token {
	size_t start, end;
	bool comment;
};

/*
 * The scanner answers with a protobuf message (ScanResult in pg_query.proto) of 50 bytes
 * a token once it is unpacked; read in place, a large script costs no more than the
 * message itself. Only what is needed of the wire format is here: varints and lengths.
 */
struct wire {
	const unsigned char *at, *end;
};

static uint64_t read_varint(struct wire *w)
{
	uint64_t ret = 0;

	for (unsigned shift = 0; w->at < w->end && shift < 64; shift += 7) {
		unsigned char byte = *w->at++;

		ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return ret;
	}
	BUG("a message of the scanner is cut off");
}

static struct wire read_message(struct wire *w)
{
	uint64_t len = read_varint(w);
	struct wire ret = { .at = w->at };

	if (len > (uint64_t)(w->end - w->at))
		BUG("a message of the scanner is cut off");
	w->at += len;
	ret.end = w->at;
	return ret;
}

enum { WIRE_VARINT = 0, WIRE_MESSAGE = 2 };
enum { RESULT_TOKENS = 2 };
enum { TOKEN_START = 1, TOKEN_END = 2, TOKEN_KIND = 4 };

static struct token read_token(struct wire w)
{
	struct token ret = { 0 };

	while (w.at < w.end) {
		uint64_t key = read_varint(&w), value;

		if ((key & 7) != WIRE_VARINT)
			BUG("a token with a field of type %d", (int)(key & 7));
		value = read_varint(&w);
		if (key >> 3 == TOKEN_START)
			ret.start = (size_t)value;
		else if (key >> 3 == TOKEN_END)
			ret.end = (size_t)value;
		else if (key >> 3 == TOKEN_KIND)
			ret.comment = value == PG_QUERY__TOKEN__SQL_COMMENT ||
				      value == PG_QUERY__TOKEN__C_COMMENT;
	}
	return ret;
}

static bool next_token(struct wire *w, struct token *ret)
{
	while (w->at < w->end) {
		uint64_t key = read_varint(w);

		if ((key & 7) == WIRE_VARINT) {
			read_varint(w);
		} else if (key == (RESULT_TOKENS << 3 | WIRE_MESSAGE)) {
			*ret = read_token(read_message(w));
			return true;
		} else {
			BUG("a scan result with a field of type %d", (int)(key & 7));
		}
	}
	return false;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A keyword or a plain identifier: letters, digits and more, but nothing quoted. */
static bool is_plain_word(const char *s, size_t len)
{
	if (!is_letter(s[0]) && s[0] != '_' && !((unsigned char)s[0] & 0x80))
		return false;
	return !memchr(s, '\'', len) && !memchr(s, '"', len);
}

static void add_token(struct digest *digest, const char *s, size_t len, char *buf)
{
	bool fold = is_plain_word(s, len);
	unsigned char size[8];
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\r' && i + 1 < len && s[i + 1] == '\n')
			continue;
		buf[n++] = fold && s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20) : s[i];
	}
	for (unsigned i = 0; i < sizeof(size); i++)
		size[i] = (unsigned char)((uint64_t)n >> (56 - 8 * i));
	digest_add(digest, size, sizeof(size));
	digest_add(digest, buf, n);
}

/*
 * A token reaches to the next one, less the blanks between: the scanner's own `end` is
 * too early for U&"..." (15-4.0.0 says that such a token is one byte long).
 */
static void add_tokens(struct digest *digest, const char *text, size_t len, struct wire w)
{
	char *buf CLEANUP(free_p) = xmalloc(len + 1);
	struct token token, next;
	bool more = next_token(&w, &token);

	while (more) {
		size_t start, end;

		more = next_token(&w, &next);
		start = token.comment ? token.end : token.start;
		end = more ? next.start : len;
		while (end > start && strchr(" \t\r\n\v\f", text[end - 1]))
			end--;
		while (start < end && strchr(" \t\r\n\v\f", text[start]))
			start++;
		if (start < end)
			add_token(digest, text + start, end - start, buf);
		token = next;
	}
}

struct digest_job {
	const char *path, *text;
	size_t len;
	char *hex;
	struct error *err;
	int result;
};

static void digest_job_run(void *data)
{
	struct digest_job *job = data;
	PgQueryScanResult scan = pg_query_scan(job->text);
	struct digest digest;

	if (scan.error) {
		size_t chars = scan.error->cursorpos > 0 ? (size_t)scan.error->cursorpos - 1 : 0;

		job->result = error_set(job->err, "%s", scan.error->message);
		error_at(job->err, job->path, job->text, job->len,
			 text_byte_offset(job->text, job->len, chars));
	} else {
		const unsigned char *at = (const unsigned char *)scan.pbuf.data;

		digest_init(&digest, DIGEST_SHA256);
		add_tokens(&digest, job->text, job->len,
			   (struct wire){ .at = at, .end = at + scan.pbuf.len });
		digest_end(job->hex, &digest);
	}
	pg_query_free_scan_result(scan);
}

int sql_token_digest(char ret_hex[SQL_DIGEST_LEN + 1], const char *path, const void *bytes,
		     size_t len, struct error *err)
{
	char hex[DIGEST_HEX];
	char *text CLEANUP(free_p) = NULL;
	struct digest_job job = { .path = path, .hex = hex, .err = err };
	size_t bom;

	_Static_assert(sizeof(hex) == SQL_DIGEST_LEN + 1, "a SHA-256 in hexadecimal");
	if (sql_text_check(&bom, path, bytes, len, err) < 0)
		return -1;
	job.len = len - bom;
	job.text = text = xmemdupz(len ? (const char *)bytes + bom : "", job.len);
	if (sql_parser_run(digest_job_run, &job, err) < 0 || job.result < 0)
		return -1;
	memcpy(ret_hex, hex, sizeof(hex));
	return 0;
}
