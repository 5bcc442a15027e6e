/* SPDX-License-Identifier: MIT */
#include "flow/track-mentions.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/track-plan.h"
#include "sql/outline.h"
#include "vcs/git.h"
#include "vcs/object.h"
#include "vcs/path.h"

/* Of more a person looks at none. */
#define WORDS_MAX 50

void track_mentions_release(struct track_mentions *mentions)
{
	for (size_t i = 0; i < mentions->nr; i++) {
		free(mentions->item[i].what);
		strvec_release(&mentions->item[i].paths);
	}
	free(mentions->item);
	*mentions = (struct track_mentions)TRACK_MENTIONS_INIT;
}

/* ---- What goes ----------------------------------------------------------------------- */

static bool goes(const struct track_migrations *m, const struct migration *file)
{
	for (size_t i = 0; i < m->nr; i++)
		if (m->item[i].file == file)
			return track_migration_goes(&m->item[i]);
	return false;
}

/* What the migrations that go make, or the others. */
static int read_outline(struct sql_outline *ret, const struct track_migrations *m, bool going,
			struct error *err)
{
	struct objects texts CLEANUP(objects_release) = OBJECTS_INIT;
	struct sql_source *source;
	int result;

	for (size_t i = 0; i < m->files.nr; i++)
		if (m->files.item[i].up.path && goes(m, &m->files.item[i]) == going)
			objects_add(&texts, m->files.item[i].up.oid);
	if (objects_read(&texts, err) < 0)
		return -1;
	source = xcalloc(texts.nr + 1, sizeof(*source));
	for (size_t i = 0; i < texts.nr; i++)
		source[i] = (struct sql_source){ texts.item[i].name, texts.item[i].data.buf,
						 texts.item[i].data.len };
	result = sql_outline_read(ret, source, texts.nr, err);
	free(source);
	return result;
}

/* A name that goes: one word, or, of a column, two. */
struct name {
	const struct sql_outline_part *part;
	char *object;
	struct strvec object_paths, column_paths; /* where they stand */
};
struct names {
	struct name *item;
	size_t nr, alloc;
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->nr; i++) {
		free(names->item[i].object);
		strvec_release(&names->item[i].object_paths);
		strvec_release(&names->item[i].column_paths);
	}
	free(names->item);
}

static bool has_object(const struct names *names, const char *object)
{
	for (size_t i = 0; i < names->nr; i++)
		if (!names->item[i].part->column && !strcmp(names->item[i].object, object))
			return true;
	return false;
}

static void add_names(struct names *names, const struct sql_outline *going,
		      const struct sql_outline *left, bool columns)
{
	for (size_t i = 0; i < going->parts.nr && names->nr < WORDS_MAX; i++) {
		const struct sql_outline_part *part = &going->parts.item[i];
		/* Of a function without its arguments. */
		char *object CLEANUP(free_p) = xmemdupz(part->object, strcspn(part->object, "("));

		if (part->kind == SQL_OUTLINE_OTHER || (part->column != NULL) != columns ||
		    sql_outline_find(&left->parts, part->text) || has_object(names, object))
			continue;
		ARRAY_GROW(names->item, names->nr + 1, names->alloc);
		names->item[names->nr++] = (struct name){ .part = part, .object = STEAL(object) };
	}
}

/* ---- Where it stands ----------------------------------------------------------------- */

static void take_word(struct names *names, const char *path, const char *word)
{
	for (size_t i = 0; i < names->nr; i++) {
		struct name *it = &names->item[i];

		if (!strcmp(it->object, word) && !strvec_has(&it->object_paths, path))
			strvec_push(&it->object_paths, path);
		if (it->part->column && !strcmp(it->part->column, word) &&
		    !strvec_has(&it->column_paths, path))
			strvec_push(&it->column_paths, path);
	}
}

static bool is_left_out(const struct track_plan *plan, const char *path)
{
	enum file_kind kind = file_kind_of(&plan->kinds, path);

	return kind == FILE_MIGRATION || kind == FILE_SCHEMA ||
	       tree_changes_find(&plan->touched, path) || track_documents_kept(&plan->keep, path);
}

/* "<path> NUL <word> LF", one for each place. */
static void take_places(struct names *names, const struct track_plan *plan,
			const struct strbuf *out)
{
	char *last CLEANUP(free_p) = NULL;
	bool skip = false;

	for (char *at = out->buf, *end = out->buf + out->len; at < end;) {
		char *word = memchr(at, '\0', (size_t)(end - at));
		char *line = word ? memchr(word, '\n', (size_t)(end - word)) : NULL;

		if (!line)
			return;
		*line = '\0';
		if (!last || strcmp(last, at) != 0) {
			free(last);
			last = xstrdup(at);
			skip = is_left_out(plan, at);
		}
		if (!skip)
			take_word(names, at, word + 1);
		at = line + 1;
	}
}

static int grep(struct names *names, const struct track_plan *plan, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, &plan->session->repo, NULL);
	strvec_pushl(&git.argv, "grep", "-I", "-w", "-F", "-o", "-z", "--no-color",
		     "--no-line-number", "--no-column", "--full-name", "--no-recurse-submodules",
		     NULL);
	for (size_t i = 0; i < names->nr; i++) {
		strvec_pushl(&git.argv, "-e", names->item[i].object, NULL);
		if (names->item[i].part->column)
			strvec_pushl(&git.argv, "-e", names->item[i].part->column, NULL);
	}
	if (process_run(&git, err) < 0)
		return -1;
	if (interrupt_pending())
		return error_interrupted(err);
	/* 1: there is none. A grep that fails is no reason not to revert. */
	if (!git.status)
		take_places(names, plan, &git.out);
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------- */

static void add_mention(struct track_mentions *ret, const struct name *name)
{
	struct track_mention mention = { 0 };

	for (size_t i = 0; i < name->object_paths.nr; i++)
		if (!name->part->column || strvec_has(&name->column_paths, name->object_paths.v[i]))
			strvec_push(&mention.paths, name->object_paths.v[i]);
	if (!mention.paths.nr)
		return;
	mention.what = xstrdup(name->part->text);
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	ret->item[ret->nr++] = mention;
}

int track_mentions_find(struct track_mentions *ret, const struct track_plan *plan,
			struct error *err)
{
	struct sql_outline going CLEANUP(sql_outline_release) = SQL_OUTLINE_INIT;
	struct sql_outline left CLEANUP(sql_outline_release) = SQL_OUTLINE_INIT;
	struct names names CLEANUP(names_release) = { 0 };
	bool any = false;

	for (size_t i = 0; i < plan->migrations.nr && !any; i++)
		any = track_migration_goes(&plan->migrations.item[i]);
	if (!any)
		return 0;
	if (read_outline(&going, &plan->migrations, true, err) < 0 ||
	    read_outline(&left, &plan->migrations, false, err) < 0)
		return -1;
	add_names(&names, &going, &left, false);
	add_names(&names, &going, &left, true);
	if (names.nr && grep(&names, plan, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		add_mention(ret, &names.item[i]);
	return 0;
}

/* ---- Showing it ---------------------------------------------------------------------- */

json_t *track_mentions_to_json(const struct track_mentions *mentions)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < mentions->nr; i++)
		json_array_append_new(ret, json_pack("{s:o, s:o}", "what",
						     json_text(mentions->item[i].what), "paths",
						     paths_to_json(&mentions->item[i].paths)));
	return ret;
}

void track_mentions_text(struct strbuf *out, const struct track_mentions *mentions, bool verbose)
{
	const size_t shown = 5;

	if (mentions->nr)
		strbuf_addstr(out, "What goes with the migrations is named in files that stay:\n");
	for (size_t i = 0; i < mentions->nr; i++) {
		const struct track_mention *it = &mentions->item[i];

		strbuf_addstr(out, "  ");
		text_escape(out, it->what, strlen(it->what), false);
		for (size_t p = 0; p < it->paths.nr && (verbose || p < shown); p++) {
			strbuf_addstr(out, p ? ", " : ": ");
			path_show(out, it->paths.v[p]);
		}
		if (!verbose && it->paths.nr > shown)
			strbuf_addf(out, " and %zu more", it->paths.nr - shown);
		strbuf_addch(out, '\n');
	}
}
