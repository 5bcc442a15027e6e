/* SPDX-License-Identifier: MIT */
#include "flow/track-documents.h"

#include "base/memory.h"
#include "base/sort.h"
#include "base/text.h"
#include "vcs/object.h"
#include "vcs/path.h"
#include "workflow/layout.h"

static void document_release(struct track_document *document)
{
	free(document->path);
	splices_release(&document->splices);
	strbuf_release(&document->text);
}

void track_documents_release(struct track_documents *documents)
{
	for (size_t i = 0; i < documents->nr; i++)
		document_release(&documents->item[i]);
	free(documents->item);
	document_problems_release(&documents->problem);
	*documents = (struct track_documents)TRACK_DOCUMENTS_INIT;
}

/* ---- Which files --------------------------------------------------------------------- */

static void keep(struct strvec *ret, const char *folder, const char *name, const char *end)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s%s%s%s", folder, *folder && *name ? "/" : "", name, end);
	if (strvec_has(ret, path.buf))
		strbuf_release(&path);
	else
		strvec_push_nodup(ret, strbuf_detach(&path));
}

/* At the top of the worktree a folder "archive" may be anything. */
static void keep_home(struct strvec *ret, const char *home)
{
	static const char *const names[] = { "tracks", "storages", "archive", "archived" };

	for (size_t i = 0; home && *home && i < ARRAY_SIZE(names); i++)
		keep(ret, home, names[i], "/");
}

static void keep_old(struct strvec *ret, const char *place)
{
	size_t len = strlen(place);
	char *folder CLEANUP(free_p) = xmemdupz(place, len - (place[len - 1] == '/'));

	if (place[len - 1] == '/' && layout_is_home(folder)) {
		keep_home(ret, folder);
		keep(ret, folder, "tracks.md", "");
	} else {
		keep(ret, "", place, "");
	}
}

void track_documents_keep(struct strvec *ret, const struct tracks *tracks, const struct strvec *old)
{
	for (size_t i = 0; i < tracks->nr; i++) {
		const struct track *track = &tracks->item[i];

		keep_home(ret, track->home);
		if (track->folder && *track->folder)
			keep(ret, track->folder, "", "/");
	}
	for (size_t i = 0; i < tracks->registries; i++) {
		const char *path = tracks->registry[i].path, *slash = strrchr(path, '/');
		char *home CLEANUP(free_p) = slash ? xmemdupz(path, (size_t)(slash - path)) : NULL;

		keep_home(ret, home);
		keep(ret, "", path, "");
	}
	for (size_t i = 0; i < tracks->stories.lists; i++)
		keep(ret, "", tracks->stories.list[i].path, "");
	/* What cannot be read is a document all the same: as text, another track's part would go. */
	for (size_t i = 0; i < tracks->problem.nr; i++)
		keep(ret, "", tracks->problem.item[i].path, "");
	for (size_t i = 0; i < old->nr; i++)
		keep_old(ret, old->v[i]);
	strvec_sort(ret);
}

bool track_documents_kept(const struct strvec *keep, const char *path)
{
	for (size_t i = 0; i < keep->nr; i++) {
		size_t len = strlen(keep->v[i]);

		if (len && keep->v[i][len - 1] == '/' ? !strncmp(path, keep->v[i], len) :
							!strcmp(path, keep->v[i]))
			return true;
	}
	return false;
}

/* ---- Edits --------------------------------------------------------------------------- */

static struct track_document *add_document(struct track_documents *documents, const char *path)
{
	ARRAY_GROW(documents->item, documents->nr + 1, documents->alloc);
	documents->item[documents->nr] = (struct track_document){ .path = xstrdup(path),
								  .splices = SPLICES_INIT,
								  .text = STRBUF_INIT };
	return &documents->item[documents->nr++];
}

/* Of the documents that are edited there are few; each has its text from one place. */
static struct splices *edits_of(struct track_documents *documents, const char *path,
				const char *text, size_t len)
{
	struct track_document *document;

	for (size_t i = 0; i < documents->nr; i++)
		if (documents->item[i].old == text)
			return &documents->item[i].splices;
	document = add_document(documents, path);
	document->old = text;
	document->old_len = len;
	return &document->splices;
}

static void report(struct track_documents *documents, const char *path, const struct error *reason)
{
	document_problems_add(&documents->problem, path, 0, "%s", reason->message);
}

static bool has_whole(const struct units *units, size_t track)
{
	for (size_t i = 0; i < units->nr; i++)
		if (units->item[i].kind == UNIT_TRACK && units->item[i].track == track)
			return true;
	return false;
}

/* What a track is when some of its units are reverted. */
static enum unit_state state_left(const struct tracks *tracks, const struct units *units,
				  size_t track)
{
	const struct plan_document *plan = &tracks->item[track].plan;

	if (has_whole(units, track))
		return UNIT_REVERTED;
	for (size_t i = 0; i < plan->tasks; i++) {
		const struct unit task = unit_of_task(tracks, track, i);

		if (plan->task[i].is.state != UNIT_PENDING && !units_contain(units, &task))
			return UNIT_IN_PROGRESS;
	}
	return UNIT_PENDING;
}

/* Only what claims more than is left is changed. */
static bool claims_more(enum unit_state now, enum unit_state left)
{
	if (left == UNIT_REVERTED)
		return now != UNIT_REVERTED;
	return now == UNIT_DONE || (now == UNIT_IN_PROGRESS && left == UNIT_PENDING);
}

static void edit_metadata(struct track_documents *ret, const struct metadata *metadata,
			  enum unit_state left)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	if (metadata->path && claims_more(metadata->state, left) &&
	    metadata_set_state(edits_of(ret, metadata->path, metadata->text, metadata->len),
			       metadata, left, &reason) < 0)
		report(ret, metadata->path, &reason);
}

/* Of the phases and tasks that metadata.json lists. */
static void edit_parts(struct track_documents *ret, const struct track *track,
		       const struct unit *unit)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	const struct metadata *metadata = &track->metadata;

	if (metadata->path &&
	    metadata_reopen_parts(edits_of(ret, metadata->path, metadata->text, metadata->len),
				  metadata, &track->plan, unit->phase, unit->task, &reason) < 0)
		report(ret, metadata->path, &reason);
}

static void edit_status(struct track_documents *ret, const struct tracks *tracks, size_t track,
			enum unit_state left)
{
	const struct track *it = &tracks->item[track];
	const struct plan_document *plan = &it->plan;

	for (size_t i = 0; i < it->entries; i++) {
		const struct registry *registry = &tracks->registry[it->entry[i].registry];
		size_t entry = it->entry[i].entry;

		if (claims_more(registry->entry[entry].state, left))
			registry_set_state(edits_of(ret, registry->path, registry->text,
						    registry->len),
					   registry, entry, left);
	}
	edit_metadata(ret, &it->metadata, left);
	if (plan->path)
		plan_document_set_status(edits_of(ret, plan->path, plan->text, plan->len), plan,
					 left);
}

static void edit_story(struct track_documents *ret, const struct stories *stories, size_t story)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	const struct story_list *list;

	if (stories->item[story].list == NO_INDEX || stories->item[story].state == UNIT_PENDING)
		return;
	list = &stories->list[stories->item[story].list];
	if (story_set_state(edits_of(ret, list->path, list->text, list->len), stories, story,
			    UNIT_PENDING, &reason) < 0)
		report(ret, list->path, &reason);
}

static void edit_plan(struct track_documents *ret, const struct track *track,
		      const struct unit *unit, enum track_documents_mode mode)
{
	const struct plan_document *plan = &track->plan;
	struct splices *edits;

	if (!plan->path)
		return;
	edits = edits_of(ret, plan->path, plan->text, plan->len);
	if (unit->kind == UNIT_TRACK) {
		plan_document_uncheck_all(edits, plan);
	} else if (unit->kind == UNIT_PHASE) {
		plan_document_uncheck_phase(edits, plan, unit->phase);
		if (mode == TRACK_DOCUMENTS_MARK)
			plan_document_mark_phase_reverted(edits, plan, unit->phase);
	} else {
		plan_document_uncheck_task(edits, plan, unit->task);
		if (unit->phase != NO_INDEX)
			plan_document_reopen_phase(edits, plan, unit->phase);
	}
}

static int remove_track(struct track_documents *ret, const struct tracks *tracks, size_t track,
			const char *head, struct error *err)
{
	const struct track *it = &tracks->item[track];
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;
	char *tree CLEANUP(free_p) = NULL;

	for (size_t i = 0; i < it->entries; i++) {
		const struct registry *registry = &tracks->registry[it->entry[i].registry];

		registry_remove(edits_of(ret, registry->path, registry->text, registry->len),
				registry, it->entry[i].entry);
	}
	if (!it->folder)
		return 0;
	tree = xstrfmt("%s:%s", head, it->folder);
	if (tree_list_all(&files, tree, NULL, err) < 0)
		return error_prefix(err, "cannot list the folder of track '%s'", it->id);
	for (size_t i = 0; i < files.nr; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", it->folder, files.item[i].path);

		add_document(ret, path)->removed = true;
	}
	return 0;
}

/* ---- All of them --------------------------------------------------------------------- */

/* One that is removed and edited comes as the former first. */
static int compare_documents(const void *a, const void *b)
{
	const struct track_document *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : (int)y->removed - (int)x->removed;
}

/* Makes its text: is it another one than before? */
static bool make_text(struct track_documents *documents, struct track_document *it)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	if (it->removed)
		return true;
	if (splices_apply(&it->text, it->old, it->old_len, &it->splices, &reason) < 0) {
		report(documents, it->path, &reason);
		return false;
	}
	return it->text.len != it->old_len || memcmp(it->text.buf, it->old, it->old_len) != 0;
}

/* Makes the texts, and drops what stays as it is. */
static void finish(struct track_documents *documents)
{
	size_t kept = 0;

	sort(documents->item, documents->nr, sizeof(*documents->item), compare_documents);
	for (size_t i = 0; i < documents->nr; i++) {
		struct track_document it = documents->item[i];
		bool twice = kept && !strcmp(documents->item[kept - 1].path, it.path);

		if (!twice && make_text(documents, &it))
			documents->item[kept++] = it;
		else
			document_release(&it);
	}
	documents->nr = kept;
}

static bool is_within_another(const struct units *units, size_t at)
{
	for (size_t i = 0; i < units->nr; i++)
		if (i != at && unit_contains(&units->item[i], &units->item[at]) &&
		    (i < at || !unit_contains(&units->item[at], &units->item[i])))
			return true;
	return false;
}

static int plan_units(struct track_documents *ret, const struct tracks *tracks,
		      const struct units *units, enum track_documents_mode mode, const char *head,
		      struct error *err)
{
	for (size_t i = 0; i < units->nr; i++) {
		const struct unit *unit = &units->item[i];

		if (is_within_another(units, i))
			continue;
		if (unit->kind == UNIT_TRACK && mode == TRACK_DOCUMENTS_REMOVE) {
			if (remove_track(ret, tracks, unit->track, head, err) < 0)
				return -1;
			continue;
		}
		if (unit->kind == UNIT_STORY) {
			edit_story(ret, &tracks->stories, unit->story);
			continue;
		}
		edit_plan(ret, &tracks->item[unit->track], unit, mode);
		edit_parts(ret, &tracks->item[unit->track], unit);
	}
	for (size_t t = 0; t < tracks->nr; t++) {
		bool touched = false;

		for (size_t i = 0; i < units->nr && !touched; i++)
			touched = units->item[i].kind != UNIT_STORY && units->item[i].track == t;
		if (!touched || (mode == TRACK_DOCUMENTS_REMOVE && has_whole(units, t)))
			continue;
		edit_status(ret, tracks, t, state_left(tracks, units, t));
	}
	finish(ret);
	return 0;
}

int track_documents_plan(struct track_documents *ret, const struct tracks *tracks,
			 const struct units *units, enum track_documents_mode mode,
			 const char *head, struct error *err)
{
	struct units all CLEANUP(units_release) = UNITS_INIT;

	if (mode == TRACK_DOCUMENTS_UNTOUCHED)
		return 0;
	for (size_t i = 0; i < units->nr; i++) {
		units_add(&all, units->item[i]);
		units_add_copies(&all, tracks, &units->item[i]);
	}
	return plan_units(ret, tracks, &all, mode, head, err);
}

/* ---- Showing it ---------------------------------------------------------------------- */

/* splices_apply() has sorted them; of equal ones one counts. */
static bool is_repeated(const struct splices *splices, size_t i)
{
	const struct splice *it = &splices->item[i];

	return i && it[-1].at.at == it->at.at && it[-1].at.len == it->at.len &&
	       !strcmp(it[-1].text, it->text);
}

static json_t *bytes_to_json(const char *text, size_t len)
{
	char *copy CLEANUP(free_p) = xmemdupz(text, len);

	return json_text(copy);
}

static json_t *document_to_json(const struct track_document *document)
{
	json_t *edits = json_array();

	for (size_t i = 0; !document->removed && i < document->splices.nr; i++) {
		const struct splice *it = &document->splices.item[i];

		if (is_repeated(&document->splices, i))
			continue;
		json_array_append_new(
			edits,
			json_pack("{s:o, s:o, s:o}", "line",
				  json_size(text_place(document->old, document->old_len, it->at.at)
						    .line),
				  "old", bytes_to_json(document->old + it->at.at, it->at.len),
				  "new", json_text(it->text)));
	}
	return json_pack("{s:o, s:s, s:o}", "path", path_to_json(document->path), "change",
			 document->removed ? "removed" : "edited", "edits", edits);
}

json_t *track_documents_to_json(const struct track_documents *documents)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < documents->nr; i++)
		json_array_append_new(ret, document_to_json(&documents->item[i]));
	return ret;
}

/* Lines of a text, each with a sign in front. */
static void add_lines(struct strbuf *out, char sign, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		struct text_place place = text_place(text, len, at);

		strbuf_addf(out, "      %c ", sign);
		text_escape(out, text + place.line_start, place.line_len, true);
		strbuf_addch(out, '\n');
		at = place.line_start + place.line_len;
		at += at < len && text[at] == '\r';
		at++;
	}
}

/*
 * The lines that the splices from `first` on change, up to the next line that none does: shown as they
 * are, and as they will be. Returns the next splice.
 */
static size_t add_change(struct strbuf *out, const struct track_document *it, size_t first)
{
	struct splices part CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	size_t start = text_place(it->old, it->old_len, it->splices.item[first].at.at).line_start;
	size_t end = start, s = first;

	for (; s < it->splices.nr; s++) {
		struct splice splice = it->splices.item[s];
		size_t from = span_end(splice.at);
		const char *stop;

		if (s > first && splice.at.at >= end)
			break;
		/* What ends with a line takes no part of the next one. */
		if (splice.at.len && it->old[from - 1] == '\n')
			from--;
		stop = memchr(it->old + from, '\n', it->old_len - from);
		from = stop ? (size_t)(stop + 1 - it->old) : it->old_len;
		end = from > end ? from : end;
		splice.at.at -= start;
		splices_add(&part, splice.at, splice.text);
	}
	add_lines(out, '-', it->old + start, end - start);
	if (splices_apply(&text, it->old + start, end - start, &part, &ignored) == 0)
		add_lines(out, '+', text.buf, text.len);
	return s;
}

void track_documents_text(struct strbuf *out, const struct track_documents *documents, bool verbose)
{
	const size_t shown = 6; /* changes of a document */

	if (documents->nr)
		strbuf_addstr(out, "Documents:\n");
	for (size_t i = 0; i < documents->nr; i++) {
		const struct track_document *it = &documents->item[i];
		size_t at = 0;

		strbuf_addstr(out, it->removed ? "  D " : "  M ");
		path_show(out, it->path);
		strbuf_addch(out, '\n');
		for (size_t c = 0; !it->removed && at < it->splices.nr && (verbose || c < shown);
		     c++)
			at = add_change(out, it, at);
		if (!it->removed && at < it->splices.nr)
			strbuf_addstr(out, "      and more: see --verbose\n");
	}
}
