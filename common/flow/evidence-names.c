/* SPDX-License-Identifier: MIT */
/* What messages call a track: "track '<name>'". */
#include "base/memory.h"
#include "flow/evidence-parts.h"

/* So many words at the beginning of a description are enough to call it. */
#define BEGINNING_WORDS 2

/* ---- Names in messages ---------------------------------------------------------------- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

/* Where the quoted text ends: at the next such quote that is no apostrophe; NULL: nowhere. */
static const char *find_end(const char *at, char quote)
{
	const char *start = at;

	for (; (at = strchr(at, quote)); at++)
		if (at > start && !is_word(at[1]))
			return at;
	return NULL;
}

/* "... track 'Sign people in' ...": what stands in quotes; free() it. NULL: nothing. */
static char *quoted_name(const char *subject)
{
	for (const char *at = subject; (at = strcasestr(at, "track")); at++) {
		const char *quote = at + strlen("track"), *end;

		quote += *quote == 's';
		quote += *quote == ':';
		quote += strspn(quote, " ");
		if ((at > subject && is_word(at[-1])) || !*quote || !strchr("'\"`", *quote))
			continue;
		end = find_end(quote + 1, *quote);
		if (end)
			return xmemdupz(quote + 1, (size_t)(end - quote - 1));
	}
	return NULL;
}

/* ---- Whose they are ------------------------------------------------------------------- */

size_t id_length_without_date(const char *id)
{
	size_t len = strlen(id), digits = 0;

	while (digits < len && id[len - digits - 1] >= '0' && id[len - digits - 1] <= '9')
		digits++;
	if (digits < 6 || digits + 1 >= len ||
	    (id[len - digits - 1] != '_' && id[len - digits - 1] != '-'))
		return len;
	return len - digits - 1;
}

static size_t count_words(const char *text)
{
	size_t nr = 0;

	for (; *text; text++)
		nr += is_word(*text) && !is_word(text[1]);
	return nr;
}

static bool is_same(const char *a, const char *name)
{
	return a && !strcasecmp(a, name);
}

static bool begins_with(const char *text, const char *name)
{
	size_t len = strlen(name);

	return text && !strncasecmp(text, name, len) && !is_word(text[len]) &&
	       count_words(name) >= BEGINNING_WORDS;
}

static bool is_learnt(const struct evidence *e, size_t track, const char *name)
{
	for (size_t i = 0; i < e->names; i++)
		if (e->name[i].track == track && !strcasecmp(e->name[i].text, name))
			return true;
	return false;
}

static bool is_called(const struct evidence *e, size_t t, const char *name)
{
	const struct track *track = &e->tracks->item[t];
	size_t len = id_length_without_date(track->id);

	return is_same(track->id, name) || is_same(track->description, name) ||
	       is_same(track->plan.title, name) || is_same(track->metadata.description, name) ||
	       (strlen(name) == len && !strncasecmp(track->id, name, len)) || is_learnt(e, t, name);
}

size_t evidence_named_tracks(const struct evidence *e, const char *subject, size_t *ret, size_t max)
{
	char *name CLEANUP(free_p) = quoted_name(subject);
	size_t nr = 0;

	for (size_t t = 0; name && t < e->tracks->nr && nr < max; t++)
		if (is_called(e, t, name))
			ret[nr++] = t;
	for (size_t t = 0, whole = nr; name && !whole && t < e->tracks->nr && nr < max; t++)
		if (begins_with(e->tracks->item[t].description, name) ||
		    begins_with(e->tracks->item[t].plan.title, name))
			ret[nr++] = t;
	return nr;
}

bool evidence_names_other(const struct evidence *e, uint32_t commit, size_t track)
{
	size_t named[8];
	size_t nr = evidence_named_tracks(e, e->commit[commit].subject, named, ARRAY_SIZE(named));

	for (size_t i = 0; i < nr; i++)
		if (named[i] == track)
			return false;
	return nr > 0;
}

/* ---- Learning ------------------------------------------------------------------------- */

static bool is_plan(const char *path)
{
	size_t len = strlen(path);

	return len >= strlen("plan.md") && !strcmp(path + len - strlen("plan.md"), "plan.md");
}

void evidence_learn_names(struct evidence *e)
{
	for (size_t i = 0; i < e->changes; i++) {
		const struct doc_change *change = &e->change[i];
		size_t first = i, track, nr = 0;
		char *name CLEANUP(free_p) = NULL;

		if (change->status != 'A' || !is_plan(change->path) ||
		    (track = evidence_track_of_change(e, i)) == NO_INDEX)
			continue;
		while (first && e->change[first - 1].commit == change->commit)
			first--;
		for (size_t k = first; k < e->changes && e->change[k].commit == change->commit; k++)
			nr += e->change[k].status == 'A' && is_plan(e->change[k].path);
		name = nr == 1 ? quoted_name(e->commit[change->commit].subject) : NULL;
		if (!name || is_learnt(e, track, name))
			continue;
		ARRAY_GROW(e->name, e->names + 1, e->names_alloc);
		e->name[e->names++] = (struct track_name){ STEAL(name), track };
	}
}
