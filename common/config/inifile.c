/* SPDX-License-Identifier: MIT */
#include "config/inifile.h"

#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ini.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

/* inih keeps lines in an array of INI_MAX_LINE and section names in one of 50. */
_Static_assert(INIFILE_LINE < INI_MAX_LINE - 3, "a line of ours must fit into inih's");

#define NUMBER_TEXT_(n) #n
#define NUMBER_TEXT(n)	NUMBER_TEXT_(n)
#define UTF8_BOM	"\xef\xbb\xbf"

int inifile_place(struct error *err, const char *name, size_t line)
{
	free(err->place);
	err->place = xstrfmt("%s:%zu", name, line);
	return -1;
}

void inifile_release(struct inifile *f)
{
	for (size_t i = 0; i < f->nr; i++) {
		free(f->item[i].section);
		free(f->item[i].sub);
		free(f->item[i].key);
		free(f->item[i].value);
	}
	free(f->item);
	*f = (struct inifile)INIFILE_INIT;
}

/* ---- Reading ----------------------------------------------------------------------- */

static int read_plain(struct strbuf *ret, int fd, const char *name, struct error *err)
{
	struct stat st;
	char buffer[8192];
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot read '%s'", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, "cannot read '%s': it is not a plain file", name);
	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read '%s'", name);
		strbuf_add(ret, buffer, (size_t)n);
		if (ret->len > INIFILE_SIZE)
			return error_set(err, "cannot read '%s': it is larger than %d KiB", name,
					 INIFILE_SIZE / 1024);
	}
	return FILE_FOUND;
}

int inifile_read(struct strbuf *ret, const char *path, const char *name, struct error *err)
{
	/* A link would show what is elsewhere on this machine; O_NONBLOCK is for a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), code;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return FILE_MISSING;
	if (fd < 0 && errno == ELOOP)
		return error_set(err, "cannot read '%s': it is a symbolic link", name);
	if (fd < 0)
		return error_errno(err, "cannot read '%s'", name);
	code = read_plain(ret, fd, name, err);
	close(fd);
	return code;
}

/* ---- What inih would misread --------------------------------------------------------- */

/* One line without blanks around it, and without its end. */
struct line {
	const char *text;
	size_t len, number;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_word(const char *s, size_t len)
{
	if (!len || !isalpha((unsigned char)s[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' && s[i] != '-')
			return false;
	return true;
}

static bool is_empty(const struct line *line)
{
	return !line->len || line->text[0] == ';' || line->text[0] == '#';
}

/* The bytes from `start` to the next line; advances it. */
static struct line next_line(const char *text, size_t len, size_t *start, size_t number)
{
	const char *end = memchr(text + *start, '\n', len - *start);
	struct line ret = { .text = text + *start, .number = number };

	ret.len = end ? (size_t)(end - ret.text) : len - *start;
	*start += ret.len + (end != NULL);
	if (ret.len && ret.text[ret.len - 1] == '\r')
		ret.len--;
	for (; ret.len && is_blank(ret.text[0]); ret.text++)
		ret.len--;
	while (ret.len && is_blank(ret.text[ret.len - 1]))
		ret.len--;
	return ret;
}

/* [section] or [section "name"], and behind it nothing but a comment. NULL: fine. */
static const char *check_section(const struct line *line)
{
	const char *s = line->text + 1, *end = line->text + line->len, *word = s;
	const char *close = memchr(s, ']', (size_t)(end - s));

	if (!close)
		return "a section needs a ']'";
	while (s < close && !is_blank(*s))
		s++;
	if (!is_word(word, (size_t)(s - word)))
		return "a section is [section] or [section \"name\"]";
	while (s < close && is_blank(*s))
		s++;
	if (s < close) {
		if (close - s < 3 || *s != '"' || close[-1] != '"')
			return "a section's name stands in double quotes: [section \"name\"]";
		for (const char *c = s + 1; c < close - 1; c++)
			if (strchr("\"\\;", *c))
				return "a section's name cannot hold quotes, '\\', ';' or ']'";
	}
	if (close - word > INIFILE_SECTION)
		return "this section is too long: " NUMBER_TEXT(
			INIFILE_SECTION) " bytes are the limit";
	for (s = close + 1; s < end && is_blank(*s); s++)
		;
	if (s < end && *s != ';' && *s != '#')
		return "a key stands on a line of its own, not behind a ']'";
	return NULL;
}

static const char *check_value(const char *value, const char *end)
{
	bool in_double = false, in_single = false;

	for (const char *s = value; s < end; s++) {
		in_double ^= *s == '"';
		in_single ^= *s == '\'';
		if (s == value || !is_blank(s[-1]))
			continue;
		if (*s == ';')
			return in_double || in_single ?
				       "a blank and ';' start a comment, in quotes too" :
				       NULL;
		if (*s == '#' && !in_double && !in_single)
			return "behind a value a comment starts with ';', not with '#'";
	}
	return NULL;
}

static const char *check_line(const struct line *line)
{
	const char *equals = memchr(line->text, '=', line->len);
	size_t name;

	if (line->len > INIFILE_LINE)
		return "this line is too long: " NUMBER_TEXT(INIFILE_LINE) " bytes are the limit";
	if (line->text[0] == '[')
		return check_section(line);
	if (!equals)
		return "expected 'key = value', [section] or a comment";
	name = (size_t)(equals - line->text);
	while (name && is_blank(line->text[name - 1]))
		name--;
	if (!is_word(line->text, name))
		return "a key is made of letters and digits, '_' and '-'";
	return check_value(equals + 1, line->text + line->len);
}

/* A byte that no line may hold; `len` when there is none. */
static size_t find_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\r' && i + 1 < len && text[i + 1] == '\n')
			continue;
		if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f)
			return i;
	}
	return len;
}

static int check_text(const char *name, const char *text, size_t len, struct error *err)
{
	size_t at = find_control(text, len), start = 0;

	if (at < len) {
		error_set(err, "this line holds a control character (0x%02x)",
			  (unsigned)(unsigned char)text[at]);
		return inifile_place(err, name, text_place(text, len, at).line);
	}
	at = text_utf8_check(text, len);
	if (at < len) {
		error_set(err, "this line is not valid UTF-8");
		return inifile_place(err, name, text_place(text, len, at).line);
	}
	for (size_t number = 1; start < len; number++) {
		struct line line = next_line(text, len, &start, number);
		const char *problem = is_empty(&line) ? NULL : check_line(&line);

		if (problem) {
			error_set(err, "%s", problem);
			return inifile_place(err, name, number);
		}
	}
	return 0;
}

/* ---- Parsing ------------------------------------------------------------------------- */

struct reader {
	struct inifile *file;
	const char *text;
	size_t len, start, number;
	const char *problem; /* of line `number` */
};

/* Indentation would make it a continuation for inih; git's users indent their keys. */
static char *read_line(char *buffer, int size, void *data)
{
	struct reader *reader = data;

	if (reader->start >= reader->len || reader->problem)
		return NULL;
	struct line line = next_line(reader->text, reader->len, &reader->start, ++reader->number);
	if (is_empty(&line))
		line.len = 0;
	if (size < 1 || line.len >= (size_t)size) {
		reader->problem = "this line is longer than libinih takes";
		return NULL;
	}
	memcpy(buffer, line.text, line.len);
	buffer[line.len] = '\0';
	return buffer;
}

static char *lower_word(const char *s, size_t len)
{
	char *ret = xmemdupz(s, len);

	for (char *c = ret; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return ret;
}

static char *key_word(const char *s)
{
	char *ret = lower_word(s, strlen(s)), *to = ret;

	for (const char *from = ret; *from; from++)
		if (*from != '_')
			*to++ = *from;
	*to = '\0';
	return ret;
}

static char *unquoted(const char *value)
{
	size_t len = strlen(value);

	if (len >= 2 && value[0] == '"' && value[len - 1] == '"' &&
	    !memchr(value + 1, '"', len - 2) && !memchr(value + 1, '\\', len - 2))
		return xmemdupz(value + 1, len - 2);
	return xstrdup(value);
}

static int take_entry(void *data, const char *section, const char *name, const char *value)
{
	struct reader *reader = data;
	struct inifile *f = reader->file;
	size_t word = strcspn(section, " \t");
	const char *quote = strchr(section, '"');

	if (!*section) {
		reader->problem = "this key stands before the first [section]";
		return 0;
	}
	ARRAY_GROW(f->item, f->nr + 1, f->alloc);
	f->item[f->nr++] = (struct inifile_entry){
		.section = lower_word(section, word),
		.sub = quote ? xmemdupz(quote + 1, strlen(quote) - 2) : NULL,
		.key = key_word(name),
		.value = unquoted(value),
		.line = reader->number,
	};
	return 1;
}

int inifile_parse(struct inifile *ret, const char *name, const char *text, size_t len,
		  struct error *err)
{
	struct inifile file CLEANUP(inifile_release) = INIFILE_INIT;
	struct reader reader = { .file = &file };
	int failed;

	if (len >= strlen(UTF8_BOM) && !memcmp(text, UTF8_BOM, strlen(UTF8_BOM))) {
		text += strlen(UTF8_BOM);
		len -= strlen(UTF8_BOM);
	}
	if (check_text(name, text, len, err) < 0)
		return -1;
	reader.text = text;
	reader.len = len;
	failed = ini_parse_stream(read_line, &reader, take_entry, &reader);
	if (failed || reader.problem) {
		error_set(err, "%s", reader.problem ? reader.problem : "cannot be parsed");
		return inifile_place(err, name, reader.problem ? reader.number : (size_t)failed);
	}
	*ret = file;
	file = (struct inifile)INIFILE_INIT;
	return 0;
}
