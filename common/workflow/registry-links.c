/* SPDX-License-Identifier: MIT */
#include <strings.h>

#include "base/memory.h"
#include "workflow/ascii.h"
#include "workflow/registry-parts.h"

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				      -1;
}

static char *without_percent(const char *s, size_t len)
{
	char *ret = xmalloc(len + 1);
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		int high = s[i] == '%' && i + 2 < len ? hex_value(s[i + 1]) : -1;
		int low = high >= 0 ? hex_value(s[i + 2]) : -1;

		if (low >= 0 && high + low > 0) {
			ret[out++] = (char)(high * 16 + low);
			i += 2;
		} else {
			ret[out++] = s[i];
		}
	}
	ret[out] = '\0';
	return ret;
}

static bool is_file(const char *name, size_t len)
{
	static const char *const ends[] = { ".md", ".json" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t n = strlen(ends[i]);

		if (len > n && !strncasecmp(name + len - n, ends[i], n))
			return true;
	}
	return false;
}

char *registry_link_id(const char *url)
{
	size_t end = strcspn(url, "#?"), start;

	for (;;) {
		while (end && url[end - 1] == '/')
			end--;
		for (start = end; start && url[start - 1] != '/';)
			start--;
		if (start == end || (end - start <= 2 && url[start] == '.'))
			return NULL;
		if (!is_file(url + start, end - start))
			return without_percent(url + start, end - start);
		end = start;
	}
}

/* ---- Links that stand by themselves -------------------------------------------------- */

/* How many words of the id, of three letters and more, are in the title. */
static size_t common_words(const char *id, const char *title)
{
	size_t ret = 0;

	for (size_t len; *id; id += len) {
		for (; *id && !ascii_is_letter(*id); id++)
			;
		for (len = 0; ascii_is_letter(id[len]);)
			len++;
		if (len < 3)
			continue;
		for (const char *at = title; *at; at++)
			if (!strncasecmp(at, id, len)) {
				ret++;
				break;
			}
	}
	return ret;
}

/* Entries are in the order of their lines. */
static bool is_in_entry(const struct registry_reader *r, size_t line)
{
	size_t low = 0, high = r->registry->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->found[middle].last < line)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->registry->nr && r->found[low].first <= line;
}

/* The entry without a link that it fits best: by words, else the one that it stands below. */
static size_t best_entry(const struct registry_reader *r, const char *id, size_t line)
{
	size_t best = NO_INDEX, most = 0;

	for (size_t i = 0; i < r->registry->nr; i++) {
		const struct registry_entry *entry = &r->registry->entry[i];
		size_t common = entry->link ? 0 : common_words(id, entry->title);

		if (common > most) {
			most = common;
			best = i;
		}
	}
	for (size_t i = r->registry->nr; best == NO_INDEX && i-- > 0;)
		if (r->found[i].last < line)
			return r->registry->entry[i].link ? NO_INDEX : i;
	return best;
}

/* An entry's own paragraph goes with it when it is removed. */
static void extend_entry(struct registry_reader *r, size_t entry, size_t line)
{
	if (line < r->found[entry].last)
		return;
	for (size_t between = r->found[entry].last + 1; between < line; between++)
		if (!markdown_is_blank(&r->md, between))
			return;
	r->found[entry].last = line;
}

void registry_join_links(struct registry_reader *r)
{
	for (size_t i = 0; i < r->md.links; i++) {
		const struct markdown_link *link = &r->md.link[i];
		size_t entry;

		if (!registry_is_track_link(link->url) || is_in_entry(r, link->line))
			continue;

		char *id CLEANUP(free_p) = registry_link_id(link->url);

		entry = id ? best_entry(r, id, link->line) : NO_INDEX;
		if (entry == NO_INDEX)
			continue;
		r->registry->entry[entry].link = xstrdup(link->url);
		free(r->registry->entry[entry].id);
		r->registry->entry[entry].id = STEAL(id);
		extend_entry(r, entry, link->line);
	}
}

/* ---- What goes with an entry --------------------------------------------------------- */

static size_t skip_blank(const struct registry_reader *r, size_t line)
{
	while (line < r->md.lines && markdown_is_blank(&r->md, line))
		line++;
	return line;
}

/* The first line of the next entry, or the number of lines. */
static size_t next_entry(const struct registry_reader *r, size_t index)
{
	return index + 1 < r->registry->nr ? r->found[index + 1].first : r->md.lines;
}

/* The last line that is not blank before `line`, or NO_INDEX. */
static size_t line_above(const struct registry_reader *r, size_t line)
{
	while (line-- > 0)
		if (!markdown_is_blank(&r->md, line))
			return line;
	return NO_INDEX;
}

/*
 * With the rule behind it, where there is one; the last entry with the one in front, when there
 * are others; and with the blank lines behind, where there is one in front.
 */
static void find_section(struct registry_reader *r, size_t index)
{
	struct registry_found *found = &r->found[index];
	size_t first = found->first, last = found->last, next, above = line_above(r, first);

	while (last > first && markdown_is_blank(&r->md, last))
		last--;
	next = skip_blank(r, last + 1);
	if (next < next_entry(r, index) && markdown_is_rule(&r->md, next)) {
		last = next;
		next = skip_blank(r, last + 1);
	} else if (next == r->md.lines && index && above != NO_INDEX &&
		   markdown_is_rule(&r->md, above)) {
		above = line_above(r, above);
		first = above == NO_INDEX ? 0 : above + 1;
	}
	if (next == r->md.lines || (first && markdown_is_blank(&r->md, first - 1)))
		last = next - 1;
	r->registry->entry[index].section = markdown_lines(&r->md, first, last);
}

void registry_find_sections(struct registry_reader *r)
{
	for (size_t i = 0; i < r->registry->nr; i++) {
		struct registry_found *found = &r->found[i];

		if (r->registry->entry[i].form == REGISTRY_ROW)
			r->registry->entry[i].section =
				markdown_lines(&r->md, found->first, found->last);
		else
			find_section(r, i);
	}
}
