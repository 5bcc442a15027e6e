/* SPDX-License-Identifier: MIT */
#include "flow/evidence-lines.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/sort.h"
#include "workflow/document.h"

/* ---- Files ---------------------------------------------------------------------------- */

void line_files_release(struct line_files *files)
{
	for (size_t i = 0; i < files->nr; i++) {
		free(files->item[i].old_oid);
		free(files->item[i].new_oid);
	}
	free(files->item);
	*files = (struct line_files){ 0 };
}

static char *oid_or_null(const char *oid)
{
	return strspn(oid, "0") == strlen(oid) ? NULL : xstrdup(oid);
}

static int compare_files(const void *a, const void *b)
{
	const struct line_file *x = a, *y = b;

	return x->path < y->path ? -1 : x->path > y->path;
}

void line_files_take(struct line_files *ret, const struct log_commit *commit,
		     bool (*is_left_out)(const void *data, const char *path), const void *data)
{
	for (size_t i = 0; i < commit->changes; i++) {
		const struct log_change *change = &commit->change[i];

		if (is_left_out(data, change->path))
			continue;
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct line_file){
			.path = digest_number(change->path),
			.old_oid = oid_or_null(change->old_oid),
			.new_oid = oid_or_null(change->new_oid),
			.submodule = change->submodule,
			.old_mode = change->old_mode,
			.new_mode = change->new_mode,
		};
	}
	sort(ret->item, ret->nr, sizeof(*ret->item), compare_files);
}

bool line_files_has(const struct line_files *files, uint64_t path)
{
	const struct line_file wanted = { .path = path };

	return files->nr && bsearch(&wanted, files->item, files->nr, sizeof(*files->item),
				    compare_files) != NULL;
}

/* ---- Lines ---------------------------------------------------------------------------- */

void line_counts_release(struct line_counts *counts)
{
	free(counts->item);
	*counts = (struct line_counts){ 0 };
}

/* FNV-1a, and the end of SplitMix64: sums of what comes out of the first alone could meet. */
static uint64_t digest_line(uint64_t path, const char *text, size_t len)
{
	uint64_t hash = path ^ 14695981039346656037U;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 1099511628211U;
	hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
	hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
	return hash ^ (hash >> 31);
}

static bool has_words(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
		    (text[i] >= '0' && text[i] <= '9') || (unsigned char)text[i] >= 0x80)
			return true;
	return false;
}

static void add_line(struct line_counts *ret, uint64_t path, const char *text, size_t len, int more)
{
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	ret->item[ret->nr++] = (struct line_count){ .line = digest_line(path, text, len),
						    .more = more,
						    .words = has_words(text, len) };
}

static void add_lines(struct line_counts *ret, uint64_t path, const char *text, size_t len,
		      int more)
{
	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *end = memchr(text + at, '\n', len - at);

		n = end ? (size_t)(end - text) - at : len - at;
		add_line(ret, path, text + at, n, more);
	}
}

static bool is_one_line(const struct strbuf *text)
{
	return text->len > DOCUMENT_MAX || memchr(text->buf, '\0', text->len);
}

/* What both begin and end with has no part in it. */
static void add_difference(struct line_counts *ret, uint64_t path, const struct strbuf *old,
			   const struct strbuf *new)
{
	size_t least = old->len < new->len ? old->len : new->len, first = 0, last = 0, at;

	for (at = 0; at < least && old->buf[at] == new->buf[at]; at++)
		if (old->buf[at] == '\n')
			first = at + 1;
	for (at = 1; at <= least - first && old->buf[old->len - at] == new->buf[new->len - at];
	     at++)
		if (old->buf[old->len - at] == '\n')
			last = at - 1;
	add_lines(ret, path, old->buf + first, old->len - last - first, -1);
	add_lines(ret, path, new->buf + first, new->len - last - first, 1);
}

static int compare_counts(const void *a, const void *b)
{
	const struct line_count *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

/* Joins the counts of the same line. */
static void join(struct line_counts *counts)
{
	size_t kept = 0;

	sort(counts->item, counts->nr, sizeof(*counts->item), compare_counts);
	for (size_t i = 0, next; i < counts->nr; i = next) {
		struct line_count it = counts->item[i];

		for (next = i + 1; next < counts->nr && counts->item[next].line == it.line; next++)
			it.more += counts->item[next].more;
		if (it.more)
			counts->item[kept++] = it;
		counts->sum += it.line * (uint64_t)it.more;
	}
	counts->nr = kept;
}

static uint64_t append_digest(uint64_t hash, uint64_t line)
{
	return digest_line(hash, (const char *)&line, sizeof(line));
}

/* Of the lines of one file, the old ones and then the new ones, as they stand there. */
static void note_order(struct line_counts *ret, const struct line_counts *file, uint64_t path)
{
	struct line_counts net CLEANUP(line_counts_release) = { 0 };
	uint64_t kept[2] = { path, path }, order = path;

	net.item = xcalloc(file->nr + 1, sizeof(*net.item));
	net.nr = file->nr;
	for (size_t i = 0; i < file->nr; i++)
		net.item[i] = file->item[i];
	join(&net);
	for (size_t i = 0; i < file->nr; i++) {
		const struct line_count *it = &file->item[i];

		if (net.nr && bsearch(it, net.item, net.nr, sizeof(*it), compare_counts))
			order = append_digest(order, it->line + (uint64_t)it->more);
		else
			kept[it->more > 0] = append_digest(kept[it->more > 0], it->line);
	}
	for (size_t i = 0; i < net.nr; i++)
		ret->text +=
			(uint64_t)(net.item[i].more > 0 ? net.item[i].more : -net.item[i].more);
	ret->order += net.nr ? order : 0;
	ret->moved |= kept[0] != kept[1];
}

static void add_mode(struct line_counts *ret, uint64_t path, unsigned mode, int more)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%cmode %o", '\0', mode);

	add_line(ret, path, text, (size_t)len, more);
	ret->item[ret->nr - 1].words = false;
}

static void take_file(struct line_counts *ret, const struct line_counts *lines,
		      const struct line_file *file)
{
	note_order(ret, lines, file->path);
	ret->creates |= !file->old_mode && lines->nr;
	for (size_t i = 0; i < lines->nr; i++) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = lines->item[i];
	}
	if (file->old_mode)
		add_mode(ret, file->path, file->old_mode, -1);
	if (file->new_mode)
		add_mode(ret, file->path, file->new_mode, 1);
}

static int read_file(struct line_counts *ret, const struct line_file *file,
		     struct object_reader *reader, struct error *err)
{
	struct strbuf old CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf new CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!file->submodule &&
	    ((file->old_oid && object_read(reader, &old, file->old_oid, err) < 0) ||
	     (file->new_oid && object_read(reader, &new, file->new_oid, err) < 0)))
		return -1;
	if (!file->submodule && !is_one_line(&old) && !is_one_line(&new)) {
		add_difference(ret, file->path, &old, &new);
		return 0;
	}
	if (file->old_oid)
		add_line(ret, file->path, file->old_oid, strlen(file->old_oid), -1);
	if (file->new_oid)
		add_line(ret, file->path, file->new_oid, strlen(file->new_oid), 1);
	return 0;
}

int line_counts_read(struct line_counts *ret, const struct line_files *files,
		     struct object_reader *reader, struct error *err)
{
	for (size_t i = 0; i < files->nr; i++) {
		struct line_counts lines CLEANUP(line_counts_release) = { 0 };

		if (read_file(&lines, &files->item[i], reader, err) < 0)
			return -1;
		take_file(ret, &lines, &files->item[i]);
	}
	join(ret);
	return 0;
}

bool line_counts_contain(const struct line_counts *whole, const struct line_counts *part)
{
	bool words = false;

	for (size_t i = 0, k = 0; i < part->nr; i++) {
		const struct line_count *it = &part->item[i], *other;

		while (k < whole->nr && whole->item[k].line < it->line)
			k++;
		if (k == whole->nr || whole->item[k].line != it->line)
			return false;
		other = &whole->item[k];
		if (it->more > 0 ? other->more < it->more : other->more > it->more)
			return false;
		words |= it->words;
	}
	return words;
}
