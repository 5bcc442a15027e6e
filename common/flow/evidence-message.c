/* SPDX-License-Identifier: MIT */
/* What messages and notes name: units by id, by title, and in trailers. */
#include <ctype.h>

#include "base/memory.h"
#include "flow/evidence-parts.h"
#include "vcs/trailers.h"

/* A title of fewer words is said of too much else. */
#define TITLE_WORDS 3
#define WORD_MAX    64 /* bytes of a word that count */

/* ---- Words ---------------------------------------------------------------------------- */

/* Letters and digits, and all that is not ASCII. Not isalnum(): each character of a history. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

/* The next word in lower case, or false. */
static bool next_word(const char **at, char ret[WORD_MAX])
{
	size_t len = 0;

	while (**at && !is_letter(**at))
		(*at)++;
	if (!**at)
		return false;
	for (; is_letter(**at); (*at)++)
		if (len < WORD_MAX - 1)
			ret[len++] = (char)tolower((unsigned char)**at);
	ret[len] = '\0';
	return true;
}

/* The words of a text with one blank between them, in front and behind. */
static size_t add_words(struct strbuf *out, const char *text, size_t len)
{
	char *copy CLEANUP(free_p) = xmemdupz(text, len);
	const char *at = copy;
	char word[WORD_MAX];
	size_t nr = 0;

	strbuf_addch(out, ' ');
	for (; next_word(&at, word); nr++)
		strbuf_addf(out, "%s ", word);
	return nr;
}

size_t common_words(const char *a, const char *b)
{
	struct strbuf other CLEANUP(strbuf_release) = STRBUF_INIT;
	char word[WORD_MAX];
	size_t nr = 0;

	add_words(&other, b, strlen(b));
	while (next_word(&a, word)) {
		char *bounded CLEANUP(free_p) = xstrfmt(" %s ", word);

		nr += strlen(word) > 3 && strstr(other.buf, bounded) != NULL;
	}
	return nr;
}

/* ---- The vocabulary ------------------------------------------------------------------- */

struct term {
	char *text;	     /* " its words " of a title, or an id in lower case */
	const char *spelled; /* as its document has it; belongs to the tracks */
	size_t words;
	bool id, distinct; /* distinct: an id that nobody would write but for this unit */
	struct unit unit;
	size_t next; /* of the same first word; NO_INDEX: none */
};
struct vocabulary {
	struct term *item;
	size_t nr, alloc;
	size_t *first; /* by the digest of the first word */
	size_t size;
	bool id_start[256], title_start[256]; /* characters that one begins with */
	size_t *wanted_id;		      /* those that are asked for */
	size_t wanted_ids;
};

static size_t word_slot(const struct vocabulary *v, const char *word, size_t len)
{
	uint64_t hash = 14695981039346656037U; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)word[i]) * 1099511628211U;
	return (size_t)(hash & (v->size - 1));
}

/* The first word of a term: up to the next character that is none of a word. */
static const char *first_word(const char *text, size_t *ret_len)
{
	size_t len = 0;

	while (*text && !is_letter(*text))
		text++;
	while (is_letter(text[len]))
		len++;
	*ret_len = len;
	return text;
}

/* With the day it was made, or, of a story, letters and a number. Words are written for other reasons. */
static bool is_distinct(const char *id, const struct unit *unit)
{
	if (unit->kind != UNIT_STORY)
		return id_length_without_date(id) < strlen(id);
	return strpbrk(id, "0123456789") && strcspn(id, "0123456789-_") > 0;
}

static void add_term(struct vocabulary *v, const char *text, bool id, struct unit unit)
{
	struct strbuf words CLEANUP(strbuf_release) = STRBUF_INIT;
	struct term term = { .spelled = text, .id = id, .unit = unit, .next = NO_INDEX };

	term.words = add_words(&words, text, strlen(text));
	if (id) {
		term.distinct = is_distinct(text, &unit);
		strbuf_reset(&words);
		for (; *text; text++)
			strbuf_addch(&words, (char)tolower((unsigned char)*text));
	}
	if (id ? words.len < 3 : term.words < TITLE_WORDS)
		return;
	term.text = strbuf_detach(&words);
	ARRAY_GROW(v->item, v->nr + 1, v->alloc);
	v->item[v->nr++] = term;
}

static void add_track_terms(struct vocabulary *v, const struct evidence *e, size_t t)
{
	const struct track *track = &e->tracks->item[t];

	add_term(v, track->id, true, unit_of_track(t));
	add_term(v, track->description, false, unit_of_track(t));
	for (size_t p = 0; p < track->plan.phases; p++)
		if (track->plan.phase[p].has_heading)
			add_term(v, track->plan.phase[p].is.title, false, unit_of_phase(t, p));
	for (size_t k = 0; k < track->plan.tasks; k++)
		add_term(v, track->plan.task[k].is.title, false, unit_of_task(e->tracks, t, k));
}

struct vocabulary *vocabulary_new(const struct evidence *e)
{
	struct vocabulary *v = xcalloc(1, sizeof(*v));
	const bool story = e->request.only && e->request.only->kind == UNIT_STORY;

	for (size_t t = 0; t < e->tracks->nr && !story; t++)
		add_track_terms(v, e, t);
	for (size_t s = 0; s < e->tracks->stories.nr && (story || !e->request.only); s++) {
		add_term(v, e->tracks->stories.item[s].id, true, unit_of_story(s));
		add_term(v, e->tracks->stories.item[s].title, false, unit_of_story(s));
	}
	v->wanted_id = xreallocarray(NULL, v->nr + 1, sizeof(*v->wanted_id));
	for (size_t i = 0; i < v->nr; i++)
		if (v->item[i].id && evidence_wants(e, &v->item[i].unit))
			v->wanted_id[v->wanted_ids++] = i;
	for (v->size = 64; v->size < 4 * v->nr;)
		v->size *= 2;
	v->first = xreallocarray(NULL, v->size, sizeof(*v->first));
	for (size_t i = 0; i < v->size; i++)
		v->first[i] = NO_INDEX;
	for (size_t i = 0; i < v->nr; i++) {
		size_t len, slot;
		const char *word = first_word(v->item[i].text, &len);

		slot = word_slot(v, word, len);
		v->item[i].next = v->first[slot];
		v->first[slot] = i;
		(v->item[i].id ? v->id_start : v->title_start)[(unsigned char)*word] = true;
	}
	return v;
}

void vocabulary_free(struct vocabulary *v)
{
	for (size_t i = 0; i < v->nr; i++)
		free(v->item[i].text);
	free(v->item);
	free(v->first);
	free(v->wanted_id);
	free(v);
}

/* ---- Mentions ------------------------------------------------------------------------- */

/* Of the commit that is looked at, whose mentions are the last ones. */
static void add_mention(struct evidence *e, size_t first, const struct mention *mention)
{
	for (size_t i = first; i < e->mentions; i++) {
		struct mention *other = &e->mention[i];

		if (other->kind == mention->kind && other->by_id == mention->by_id &&
		    other->quoted == mention->quoted &&
		    unit_contains(&other->unit, &mention->unit) &&
		    unit_contains(&mention->unit, &other->unit)) {
			other->named |= mention->named;
			return;
		}
	}
	ARRAY_GROW(e->mention, e->mentions + 1, e->mentions_alloc);
	e->mention[e->mentions++] = *mention;
}

/*
 * The mentions are kept where one of them is of a unit that will be asked for: the others tell
 * whether it is meant alone.
 */
static void keep_mentions(struct evidence *e, size_t first, const struct log_commit *commit)
{
	bool wanted = false;
	uint32_t known;

	for (size_t i = first; i < e->mentions && !wanted; i++)
		wanted = evidence_wants(e, &e->mention[i].unit);
	if (!wanted) {
		e->mentions = first;
		return;
	}
	if (commit->commit_time < e->mentioned)
		e->mentioned = commit->commit_time;
	known = evidence_keep(e, commit);
	for (size_t i = first; i < e->mentions; i++)
		e->mention[i].commit = known;
}

/* An id may go on behind a letter of its kind: "auth_2" is not "auth_20260101". */
static bool is_id_letter(char c)
{
	return is_letter(c) || c == '_' || c == '-';
}

/* Is the id at `at` all of a word? One of letters alone is too common to count. */
static bool id_stands(const char *id, const char *text, const char *at)
{
	size_t len = strlen(id);

	return !is_id_letter(at[len]) && (at == text || !is_id_letter(at[-1])) &&
	       strpbrk(id, "0123456789_-") != NULL;
}

static bool id_matches(const struct term *term, const char *text, const char *at)
{
	return !strncmp(at, term->text, strlen(term->text)) && id_stands(term->text, text, at);
}

/* Of what was merged, the text is the branch's name. */
static bool is_named(const struct term *term, const char *text, const char *at,
		     enum evidence_kind kind)
{
	size_t len = strlen(term->text);

	return kind == EVIDENCE_BRANCH ? id_is_part_of_branch(text, at, len) :
					 id_is_named(text, at, len, term->distinct);
}

/* The terms that may begin at a word. `words_at` is the same place in the words; NULL: ids alone. */
static void match_word(const struct vocabulary *v, struct evidence *e, size_t first,
		       const char *text, const char *word, const char *words_at,
		       struct mention mention)
{
	size_t len;

	for (len = 0; is_letter(word[len]);)
		len++;
	for (size_t i = v->first[word_slot(v, word, len)]; i != NO_INDEX; i = v->item[i].next) {
		const struct term *term = &v->item[i];

		if (term->id ? !id_matches(term, text, word) :
			       !words_at || strncmp(words_at, term->text, strlen(term->text)) != 0)
			continue;
		mention.unit = term->unit;
		mention.by_id = term->id;
		mention.words = term->words;
		mention.named = term->id && is_named(term, text, word, mention.kind);
		add_mention(e, first, &mention);
	}
}

/* A text's words, as add_words() has them, made when they are first asked for. */
struct words {
	const char *text;
	struct strbuf all;
	const char *at; /* before the word `nr` */
	size_t nr;
};

static void words_release(struct words *words)
{
	strbuf_release(&words->all);
}

static const char *words_from(struct words *words, size_t nr)
{
	if (!words->at) {
		add_words(&words->all, words->text, strlen(words->text));
		words->at = words->all.buf;
	}
	for (; words->nr < nr; words->nr++)
		words->at = strchr(words->at + 1, ' ');
	return words->at;
}

/* `text` is in lower case; of its titles only where these are wanted. */
static void match_terms(const struct vocabulary *v, struct evidence *e, size_t first,
			const char *text, bool titles, struct mention mention)
{
	struct words words CLEANUP(words_release) = { .text = text, .all = STRBUF_INIT };
	size_t nr = 0;

	for (const char *at = text; *at; nr++) {
		const char *word;
		unsigned char start;

		while (*at && !is_letter(*at))
			at++;
		if (!*at)
			return;
		word = at;
		start = (unsigned char)*word;
		while (is_letter(*at))
			at++;
		if (titles && v->title_start[start])
			match_word(v, e, first, text, word, words_from(&words, nr), mention);
		else if (v->id_start[start])
			match_word(v, e, first, text, word, NULL, mention);
	}
}

static char *lower_case(const char *text, size_t len)
{
	char *ret = xmemdupz(text, len);

	for (char *c = ret; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return ret;
}

/* ---- Trailers ------------------------------------------------------------------------- */

/* Where the last paragraph begins: after the last empty line but those at the end. */
static const char *last_paragraph(const char *message, const char *end)
{
	while (end > message && end[-1] == '\n')
		end--;
	for (; end > message; end--)
		if (end[-1] == '\n' && (end - 1 == message || end[-2] == '\n'))
			return end;
	return message;
}

/* Does a line begin with one of these words? git is only asked of what trailers there are if so. */
static bool has_line(const char *paragraph, const char *a, const char *b)
{
	for (const char *line = paragraph; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncasecmp(line, a, strlen(a)) || !strncasecmp(line, b, strlen(b)))
			return true;
	}
	return false;
}

static bool find_unit(struct unit *ret, const struct evidence *e, const struct unit_words *words)
{
	struct units candidates CLEANUP(units_release) = UNITS_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	enum unit_kind missing;

	return unit_find(ret, &candidates, &missing, e->tracks, words, &err) == UNIT_FOUND;
}

/* Of several lists: where the commit has changed files will tell which of them is meant. */
static void add_stories(struct evidence *e, size_t first, const char *id, struct mention mention)
{
	for (size_t i = 0; i < e->tracks->stories.nr; i++) {
		if (strcmp(e->tracks->stories.item[i].id, id) != 0)
			continue;
		mention.unit = unit_of_story(i);
		add_mention(e, first, &mention);
	}
}

/* What the words say in full is certain; what they are only a part of may be something else. */
static bool add_trailer(struct evidence *e, size_t first, const struct unit_words *words,
			bool whole)
{
	struct mention mention = { .kind = EVIDENCE_TRAILER, .by_id = true, .named = whole };
	struct unit_words these = *words;

	these.whole = whole;
	mention.clear = whole && words->story;
	if (!find_unit(&mention.unit, e, &these))
		return false;
	add_mention(e, first, &mention);
	return true;
}

/* The whole of it, or, where the plan has no such phase or task any more, as much as there is. */
static void read_track_trailers(struct evidence *e, size_t first, const struct trailers *trailers)
{
	const char *track = trailers_find(trailers, "Track");
	const char *phase = trailers_find(trailers, "Phase");
	const char *task = trailers_find(trailers, "Task");
	const struct unit_words words[] = {
		{ .track = track, .phase = phase, .task = task },
		{ .track = track, .phase = phase },
		{ .track = track },
	};
	bool in_part = false;

	for (size_t i = 0; track && i < ARRAY_SIZE(words); i++) {
		if (add_trailer(e, first, &words[i], true))
			return;
		in_part = in_part || add_trailer(e, first, &words[i], false);
	}
}

static void read_trailers(struct evidence *e, size_t first, const char *message)
{
	struct trailers trailers CLEANUP(trailers_release) = TRAILERS_INIT;
	struct unit_words story = { 0 };
	size_t before;

	trailers_read(&trailers, message);
	read_track_trailers(e, first, &trailers);
	story.story = trailers_find(&trailers, "Story");
	if (!story.story || add_trailer(e, first, &story, true))
		return;
	before = e->mentions;
	add_stories(e, first, story.story,
		    (struct mention){ .kind = EVIDENCE_TRAILER, .by_id = true, .named = true });
	if (e->mentions == before)
		(void)add_trailer(e, first, &story, false);
}

/* ---- One commit ----------------------------------------------------------------------- */

/* The id behind such words, or NULL; free() it. */
static char *id_behind(const char *message, const char *words)
{
	const char *at = strstr(message, words);
	size_t len;

	if (!at)
		return NULL;
	at += strlen(words);
	len = strspn(at, "0123456789abcdef");
	return len >= 7 ? xmemdupz(at, len) : NULL;
}

static void read_origin(struct evidence *e, const struct log_commit *commit)
{
	char *picked CLEANUP(free_p) = id_behind(commit->message, "(cherry picked from commit ");
	char *reverts CLEANUP(free_p) = id_behind(commit->message, "This reverts commit ");
	uint32_t known;

	if (!picked && !reverts)
		return;
	known = oid_map_get(&e->by_oid, commit->oid);
	if (known == NO_COMMIT) {
		known = evidence_keep(e, commit);
		e->commit[known].origin_only = true;
	}
	string_replace(&e->commit[known].picked_from, picked);
	string_replace(&e->commit[known].reverts, reverts);
}

/* "Merge branch 'track/auth_20260101'", "Merge pull request #7 from somebody/auth_20260101" */
static bool is_merge_of_branch(const struct log_commit *commit)
{
	return strchr(commit->parents, ' ') && !strncmp(commit->message, "Merge ", 6);
}

/* Ids behind the subject; of a walk for one unit, only its own: others would tell nothing of it. */
static void match_body(const struct vocabulary *v, struct evidence *e, size_t first,
		       const char *body, size_t len)
{
	struct mention mention = { .kind = EVIDENCE_MESSAGE };

	if (!e->request.only) {
		char *low CLEANUP(free_p) = lower_case(body, len);

		match_terms(v, e, first, low, false, mention);
		return;
	}
	for (size_t i = 0; i < v->wanted_ids; i++) {
		const struct term *term = &v->item[v->wanted_id[i]];

		for (const char *at = body; (at = strstr(at, term->spelled)); at++)
			if (id_stands(term->spelled, body, at)) {
				mention.unit = term->unit;
				mention.by_id = true;
				mention.words = term->words;
				add_mention(e, first, &mention);
				break;
			}
	}
}

/* "track 'Sign people in'" is exact, whatever its words are. */
static void match_quoted(struct evidence *e, size_t first, const struct log_commit *commit)
{
	struct mention mention = { .kind = EVIDENCE_MESSAGE, .in_subject = true, .quoted = true };
	char *subject CLEANUP(free_p) = log_subject(commit->message);
	size_t named[8];
	size_t nr = evidence_named_tracks(e, subject, named, ARRAY_SIZE(named));

	for (size_t i = 0; i < nr; i++) {
		mention.unit = unit_of_track(named[i]);
		add_mention(e, first, &mention);
	}
}

/* The commits that a merge brought are those of what it says was merged, and not of where it was. */
static void match_branch(const struct vocabulary *v, struct evidence *e, size_t first,
			 const char *subject)
{
	char *branch CLEANUP(free_p) = merged_branch(subject);
	const struct mention mention = { .kind = EVIDENCE_BRANCH, .in_subject = true };

	if (branch)
		match_terms(v, e, first, branch, false, mention);
}

static void read_mentions(const struct vocabulary *v, struct evidence *e, size_t first,
			  const struct log_commit *commit)
{
	size_t len = strcspn(commit->message, "\n");
	char *low CLEANUP(free_p) = lower_case(commit->message, len);
	struct mention mention = { .kind = EVIDENCE_MESSAGE, .in_subject = true };
	const char *body = commit->message + len;

	if (is_merge_of_branch(commit)) {
		match_branch(v, e, first, low);
		return;
	}
	match_terms(v, e, first, low, true, mention);
	match_quoted(e, first, commit);
	len = strlen(body);
	if (len > 1) {
		if (has_line(last_paragraph(body, body + len), "Track", "Story"))
			read_trailers(e, first, commit->message);
		match_body(v, e, first, body, len);
	}
	if (*commit->note) {
		char *note CLEANUP(free_p) = lower_case(commit->note, strlen(commit->note));

		mention.kind = EVIDENCE_NOTE;
		mention.in_subject = false;
		match_terms(v, e, first, note, true, mention);
	}
}

void vocabulary_read(const struct vocabulary *v, struct evidence *e,
		     const struct log_commit *commit)
{
	size_t first = e->mentions;

	read_origin(e, commit);
	if (!v->nr)
		return;
	read_mentions(v, e, first, commit);
	if (e->mentions > first)
		keep_mentions(e, first, commit);
}
