/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-message.h"

#include "base/memory.h"

/* The trailers that are one string each, in their order. */
static const struct trailer {
	const char *key;
	size_t at; /* the member */
} trailers[] = {
	{ "Checkpoint-Stage: ", offsetof(struct checkpoint_message, stage) },
	{ "Checkpoint-Event: ", offsetof(struct checkpoint_message, event) },
	{ "Checkpoint-Phase: ", offsetof(struct checkpoint_message, phase) },
	{ "Checkpoint-Story: ", offsetof(struct checkpoint_message, story) },
	{ "Checkpoint-Branch: ", offsetof(struct checkpoint_message, branch) },
	{ "Checkpoint-In-Progress: ", offsetof(struct checkpoint_message, in_progress) },
	{ "Checkpoint-Snapshot: ", offsetof(struct checkpoint_message, snapshot) },
	{ "Migration-Version: ", offsetof(struct checkpoint_message, version) },
	{ "Schema-Fingerprint: ", offsetof(struct checkpoint_message, fingerprint) },
};
#define CHANGES "Checkpoint-Changes: "

static char **member(struct checkpoint_message *message, const struct trailer *trailer)
{
	return (char **)(void *)((char *)message + trailer->at);
}

void checkpoint_message_release(struct checkpoint_message *message)
{
	for (size_t i = 0; i < ARRAY_SIZE(trailers); i++)
		free(*member(message, &trailers[i]));
	free(message->subject);
	free(message->text);
	*message = (struct checkpoint_message)CHECKPOINT_MESSAGE_INIT;
}

/* ---- Composing ----------------------------------------------------------------------- */

void checkpoint_message_add_to(const struct checkpoint_message *message, struct strbuf *out)
{
	struct checkpoint_message copy = *message;

	strbuf_addf(out, "%s\n\n", message->subject);
	if (message->text && *message->text) {
		strbuf_addstr(out, message->text);
		strbuf_rtrim(out);
		strbuf_addstr(out, "\n\n");
	}
	for (size_t i = 0; i < ARRAY_SIZE(trailers); i++) {
		const char *value = *member(&copy, &trailers[i]);

		if (value && *value) /* a line end in it would begin another trailer */
			strbuf_addf(out, "%s%.*s\n", trailers[i].key, (int)strcspn(value, "\n"),
				    value);
	}
	strbuf_addf(out, CHANGES "%zu staged, %zu changed, %zu untracked\n", message->counts.staged,
		    message->counts.changed, message->counts.untracked);
}

/* ---- Parsing ------------------------------------------------------------------------- */

static void parse_counts(struct checkpoint_message *ret, const char *text)
{
	size_t *const count[] = { &ret->counts.staged, &ret->counts.changed,
				  &ret->counts.untracked };
	static const char *const word[] = { " staged, ", " changed, ", " untracked" };

	for (size_t i = 0; i < ARRAY_SIZE(count); i++) {
		char *end;

		*count[i] = strtoul(text, &end, 10);
		if (end == text || strncmp(end, word[i], strlen(word[i])) != 0)
			return;
		text = end + strlen(word[i]);
	}
	ret->counted = true;
}

static void parse_trailer(struct checkpoint_message *ret, const char *line, size_t len)
{
	if (!strncmp(line, CHANGES, strlen(CHANGES))) {
		parse_counts(ret, line + strlen(CHANGES));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(trailers); i++) {
		size_t key = strlen(trailers[i].key);

		if (len >= key && !strncmp(line, trailers[i].key, key)) {
			char **where = member(ret, &trailers[i]);

			free(*where);
			*where = xmemdupz(line + key, len - key);
			return;
		}
	}
}

/* Where the last paragraph begins; the end where there is only one. */
static const char *last_paragraph(const char *text, const char *end)
{
	for (const char *at = end; at > text + 1; at--)
		if (at[-1] == '\n' && at[-2] == '\n')
			return at;
	return end;
}

void checkpoint_message_parse(struct checkpoint_message *ret, const char *text)
{
	struct checkpoint_message message = CHECKPOINT_MESSAGE_INIT;
	size_t len = strlen(text), subject = strcspn(text, "\n");
	const char *body, *last;

	while (len && text[len - 1] == '\n')
		len--;
	message.subject = xmemdupz(text, subject);
	body = text + subject;
	body += strspn(body, "\n");
	last = body < text + len ? last_paragraph(text, text + len) : body;
	for (const char *line = last; line < text + len;) {
		size_t n = strcspn(line, "\n");

		if (line + n > text + len)
			n = (size_t)(text + len - line);
		parse_trailer(&message, line, n);
		line += n + 1;
	}
	if (last > body) {
		struct strbuf between CLEANUP(strbuf_release) = STRBUF_INIT;

		strbuf_add(&between, body, (size_t)(last - body));
		strbuf_rtrim(&between);
		message.text = xstrdup(between.buf);
	}
	*ret = message;
}

const char *checkpoint_commit_parse(const char *text, int64_t *ret_time, char **ret_head)
{
	static const char parent[] = "parent ", committer[] = "committer ";
	const char *first = NULL;
	size_t parents = 0;

	*ret_time = 0;
	*ret_head = NULL;
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		if (*line == '\n')
			return line + 1;
		if (!strncmp(line, parent, strlen(parent))) {
			first = parents++ ? first : line + strlen(parent);
			if (parents == 2)
				*ret_head = xmemdupz(first, strcspn(first, "\n"));
		} else if (!strncmp(line, committer, strlen(committer))) {
			const char *end = line + strcspn(line, "\n");

			while (end > line && *end != '>')
				end--;
			*ret_time = strtoll(end + 1, NULL, 10) * 1000000;
		}
		if (!line[strcspn(line, "\n")])
			break;
	}
	return "";
}

/* ---- Counts -------------------------------------------------------------------------- */

struct checkpoint_counts checkpoint_counts_of(const struct worktree_state *state)
{
	struct checkpoint_counts ret = { .untracked = state->untracked.nr };

	for (size_t i = 0; i < state->nr; i++) {
		ret.staged += state->entry[i].staged && !state->entry[i].unmerged;
		ret.changed += state->entry[i].changed || state->entry[i].unmerged;
	}
	return ret;
}

void checkpoint_counts_add_to(const struct checkpoint_counts *counts, struct strbuf *out)
{
	const struct {
		size_t nr;
		const char *what;
	} part[] = {
		{ counts->staged, "staged" },
		{ counts->changed, "changed" },
		{ counts->untracked, "untracked" },
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		if (!part[i].nr)
			continue;
		strbuf_addf(out, "%s%zu %s", any ? ", " : "", part[i].nr, part[i].what);
		any = true;
	}
	if (!any)
		strbuf_addstr(out, "nothing changed");
}

json_t *checkpoint_counts_to_json(const struct checkpoint_counts *counts)
{
	return json_pack("{s:o, s:o, s:o}", "staged", json_size(counts->staged), "changed",
			 json_size(counts->changed), "untracked", json_size(counts->untracked));
}
