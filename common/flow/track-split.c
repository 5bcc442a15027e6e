/* SPDX-License-Identifier: MIT */
#include "flow/track-split.h"

#include "base/memory.h"
#include "base/text.h"
#include "vcs/log.h"

/* A part of a path that is shorter than this says nothing in a sentence. */
#define NAME_MIN 4

/* What is known of one shared commit. */
struct sharing {
	struct track_plan *plan;
	const struct track_commit *commit;
	struct units others;	    /* whose work it is too */
	struct strvec own, theirs;  /* files that other commits of each change */
	struct strvec shared_files; /* that this one changes */
	struct strvec *to;	    /* where the next files go: on_commit() */
};

static void sharing_release(struct sharing *sharing)
{
	units_release(&sharing->others);
	strvec_release(&sharing->own);
	strvec_release(&sharing->theirs);
	strvec_release(&sharing->shared_files);
}

static void find_others(struct sharing *sharing)
{
	const struct track_plan *plan = sharing->plan;
	size_t nr;
	const struct commit_unit *owner =
		commit_units_find(&plan->owners, sharing->commit->oid, &nr);

	for (size_t i = 0; i < nr; i++)
		if (owner[i].level >= sharing->commit->evidence->level &&
		    !units_contain(&plan->units, &owner[i].unit) &&
		    !unit_contains(&owner[i].unit, &plan->unit))
			units_add(&sharing->others, owner[i].unit);
}

/* ---- Refused ------------------------------------------------------------------------- */

/* "git revert-track auth --phase 2" */
static void add_command(struct strbuf *out, const struct tracks *tracks, const struct unit *unit)
{
	char *name CLEANUP(free_p) = track_name(tracks, unit->track);

	strbuf_addstr(out, "git revert-track ");
	text_shell_word(out, name);
	if (unit->phase != NO_INDEX)
		strbuf_addf(out, " --phase %zu", unit->phase + 1);
}

/* What to do instead; NULL: there is no such unit. free() it. */
static char *offer_enclosing(const struct track_plan *plan, const struct units *others)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf command CLEANUP(strbuf_release) = STRBUF_INIT;
	struct unit around = plan->unit;

	for (size_t i = 0; i < others->nr; i++)
		if (!unit_enclosing(&around, &around, &others->item[i]))
			return NULL;
	if (unit_contains(&plan->unit, &around) || around.kind == UNIT_STORY)
		return NULL;
	unit_describe(&text, &plan->tracks, &around);
	add_command(&command, &plan->tracks, &around);
	return xstrfmt("Revert the unit around them, %s: %s", text.buf, command.buf);
}

static void hint_enclosing(struct sharing *sharing)
{
	struct track_plan *plan = sharing->plan;
	char *offer CLEANUP(free_p) = offer_enclosing(plan, &sharing->others);

	if (offer)
		verdict_hint(&plan->verdict, "%s", offer);
}

static void refuse(struct sharing *sharing)
{
	struct track_plan *plan = sharing->plan;
	struct strbuf others CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *oid = sharing->commit->oid;

	for (size_t i = 0; i < sharing->others.nr; i++) {
		strbuf_addstr(&others, i ? " and " : "");
		unit_describe(&others, &plan->tracks, &sharing->others.item[i]);
	}
	verdict_refuse(&plan->verdict, "commit %.10s is also the work of %s", oid,
		       sharing->others.nr ? others.buf : "another unit");
	hint_enclosing(sharing);
	verdict_hint(&plan->verdict,
		     "Use --split to revert only those of its files that are the unit's own.");
	verdict_hint(&plan->verdict, "Use --also=%.10s to revert it whole, with the other's work.",
		     oid);
}

/* ---- Parted by files ----------------------------------------------------------------- */

static int on_commit(void *data, const struct log_commit *commit, struct error *err UNUSED)
{
	struct sharing *sharing = data;

	for (size_t i = 0; i < commit->changes; i++)
		if (!strvec_has(sharing->to, commit->change[i].path))
			strvec_push(sharing->to, commit->change[i].path);
	return 0;
}

static int read_files(struct sharing *sharing, struct strvec *to, const struct strvec *commits,
		      struct error *err)
{
	const struct log_request request = { .repo = &sharing->plan->session->repo,
					     .revs = commits,
					     .these = true,
					     .changes = true };

	sharing->to = to;
	return commits->nr ? log_walk(&request, on_commit, sharing, err) : 0;
}

/* The files of a unit's commits that are nobody else's. */
static int read_unit(struct sharing *sharing, struct strvec *to, const struct unit *unit,
		     struct error *err)
{
	struct evidence_commits commits CLEANUP(evidence_commits_release) = EVIDENCE_COMMITS_INIT;
	struct strvec oids CLEANUP(strvec_release) = STRVEC_INIT;

	evidence_find(&commits, sharing->plan->evidence, unit);
	for (size_t i = 0; i < commits.nr; i++)
		if (!commits.item[i].shared && !commits.item[i].merge &&
		    commits.item[i].role == ROLE_IMPLEMENTATION &&
		    strcmp(commits.item[i].oid, sharing->commit->oid) != 0)
			strvec_push(&oids, commits.item[i].oid);
	evidence_add_lost(&oids, sharing->plan->evidence, sharing->commit->oid, unit);
	return read_files(sharing, to, &oids, err);
}

/* The text of a unit in its plan, with all that is below its line. */
static struct span unit_text(const struct tracks *tracks, const struct unit *unit)
{
	const struct plan_document *plan = &tracks->item[unit->track].plan;

	if (unit->task != NO_INDEX)
		return plan->task[unit->task].block;
	if (unit->phase != NO_INDEX)
		return plan->phase[unit->phase].block;
	return (struct span){ 0, plan->len };
}

/* Letters, digits, and all that is not ASCII. */
static bool is_letter(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (unsigned char)c >= 0x80;
}

static bool ends_word(const char *text)
{
	if (*text == 's' || !strncmp(text, "es", 2))
		text += *text == 's' ? 1 : 2;
	return !is_letter(*text);
}

/* As words, one or many of it: "form" is in "two forms", and not in "performance". In any case. */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; len && (at = strcasestr(at, word)); at++)
		if ((at == text || !is_letter(at[-1])) && ends_word(at + len))
			return true;
	return false;
}

static bool mentions(const struct track_plan *plan, const struct unit *unit, const char *path)
{
	const struct plan_document *document;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct span at;
	char *text CLEANUP(free_p) = NULL, *stem CLEANUP(free_p) = NULL;

	if (unit->kind == UNIT_STORY)
		return false;
	document = &plan->tracks.item[unit->track].plan;
	if (!document->text)
		return false;
	at = unit_text(&plan->tracks, unit);
	text = xmemdupz(document->text + at.at, at.len);
	stem = xmemdupz(name, strcspn(name, "."));
	return has_word(text, name) || (strlen(stem) >= NAME_MIN && has_word(text, stem));
}

static bool is_theirs(const struct sharing *sharing, const char *path)
{
	if (strvec_has(&sharing->theirs, path))
		return true;
	for (size_t i = 0; i < sharing->others.nr; i++)
		if (mentions(sharing->plan, &sharing->others.item[i], path))
			return true;
	return false;
}

static void part(struct sharing *sharing)
{
	struct track_plan *plan = sharing->plan;
	size_t own = 0;

	for (size_t i = 0; i < sharing->shared_files.nr; i++) {
		const char *path = sharing->shared_files.v[i];
		bool ours = strvec_has(&sharing->own, path) || mentions(plan, &plan->unit, path);
		bool theirs = is_theirs(sharing, path);

		if (ours == theirs) {
			verdict_refuse(&plan->verdict,
				       "commit %.10s cannot be split: '%s' is the work of %s",
				       sharing->commit->oid, path, ours ? "both units" : "neither");
			hint_enclosing(sharing);
			return;
		}
		own += ours;
		if (theirs)
			strvec_push(&plan->split_off, path);
	}
	if (!own)
		verdict_refuse(&plan->verdict,
			       "commit %.10s cannot be split: none of its files is the unit's own",
			       sharing->commit->oid);
}

static int split(struct sharing *sharing, struct error *err)
{
	struct strvec files CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec this CLEANUP(strvec_release) = STRVEC_INIT;

	strvec_push(&this, sharing->commit->oid);
	if (read_unit(sharing, &sharing->own, &sharing->plan->unit, err) < 0 ||
	    read_files(sharing, &files, &this, err) < 0)
		return -1;
	for (size_t i = 0; i < sharing->others.nr; i++)
		if (read_unit(sharing, &sharing->theirs, &sharing->others.item[i], err) < 0)
			return -1;
	for (size_t i = 0; i < files.nr; i++)
		if (!track_documents_kept(&sharing->plan->keep, files.v[i]))
			strvec_push(&sharing->shared_files, files.v[i]);
	part(sharing);
	return 0;
}

/* ---- All of them --------------------------------------------------------------------- */

int track_split(struct track_plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->nr; i++) {
		const struct evidence_commit *evidence = plan->commit[i].evidence;
		struct sharing sharing CLEANUP(sharing_release) = { .plan = plan,
								    .commit = &plan->commit[i] };

		if (!evidence || !evidence->code || evidence->reverted ||
		    strvec_has(&plan->also, evidence->oid))
			continue;
		find_others(&sharing);
		/* What is likely may be as likely another unit's: evidence calls none of it shared. */
		if (!evidence->shared && !sharing.others.nr)
			continue;
		/* With --with-dependents the others may be reverted as well. */
		if (!sharing.others.nr && plan->units.nr > 1)
			continue;
		if (!plan->request->split)
			refuse(&sharing);
		else if (split(&sharing, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- What is left out ---------------------------------------------------------------- */

static bool is_chosen(const struct track_plan *plan, const char *oid)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (!strcmp(plan->commit[i].oid, oid))
			return true;
	return false;
}

/* Work that is not taken because it is not certain; what --except names was looked at. */
static const struct evidence_commit *next_unsure(const struct track_plan *plan, size_t *at)
{
	const struct evidence_commits *found = &plan->found[0];

	while (*at < found->nr) {
		const struct evidence_commit *it = &found->item[(*at)++];

		if (it->code && !it->merge && !it->reverted && !is_chosen(plan, it->oid) &&
		    !strvec_has(&plan->except, it->oid))
			return it;
	}
	return NULL;
}

char *track_offer_around(struct track_plan *plan)
{
	struct sharing sharing CLEANUP(sharing_release) = { .plan = plan };
	const struct evidence_commit *it;
	size_t at = 0;

	while ((it = next_unsure(plan, &at))) {
		const struct track_commit commit = { .oid = it->oid, .evidence = it };

		sharing.commit = &commit;
		find_others(&sharing);
	}
	return offer_enclosing(plan, &sharing.others);
}

static bool has_work(const struct track_plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (!plan->commit[i].evidence || plan->commit[i].evidence->code)
			return true;
	return false;
}

/* Work that would be taken, if --except did not name it. */
static bool is_excepted(const struct track_plan *plan, const struct evidence_commit *it)
{
	return it->code && !it->merge && !it->reverted && (int)it->level >= plan->request->level &&
	       strvec_has(&plan->except, it->oid);
}

/* Documents would say of it that it is reverted. */
static void judge_excepted(struct track_plan *plan)
{
	const struct evidence_commits *found = &plan->found[0];
	char *unit CLEANUP(free_p) = track_unit_text(plan);
	bool work = has_work(plan), any = false;

	for (size_t i = 0; i < found->nr; i++) {
		const struct evidence_commit *it = &found->item[i];

		any |= is_excepted(plan, it);
		if (work && is_excepted(plan, it))
			verdict_warn(
				&plan->verdict,
				"commit %.10s stays, and the documents will say that all of %s "
				"is reverted",
				it->oid, unit);
	}
	if (!any || work)
		return;
	verdict_refuse(&plan->verdict,
		       "all the work of %s is left out: its documents would say that it is "
		       "reverted",
		       unit);
	verdict_hint(&plan->verdict, "Use --no-plan-update to leave the documents as they are.");
}

static void refuse_unread(struct track_plan *plan)
{
	for (size_t i = 0; i < plan->units.nr; i++) {
		const struct unit *unit = &plan->units.item[i];
		char *name CLEANUP(free_p) = NULL, *shown CLEANUP(free_p) = NULL;

		if (unit->kind == UNIT_STORY || !plan->tracks.item[unit->track].unread)
			continue;
		name = track_name(&plan->tracks, unit->track);
		shown = text_escaped(name);
		verdict_refuse(
			&plan->verdict,
			"the plan of track '%s' cannot be read: what its work is, is not known",
			shown);
		verdict_hint(&plan->verdict,
			     "Name its commits by --also, and use --no-plan-update.");
	}
}

void track_refuse_untrue(struct track_plan *plan)
{
	if (plan->request->documents == TRACK_DOCUMENTS_UNTOUCHED || plan->untracked)
		return;
	refuse_unread(plan);
	judge_excepted(plan);
}

void track_refuse_unsure(struct track_plan *plan)
{
	char *unit CLEANUP(free_p) = NULL, *around CLEANUP(free_p) = NULL;
	size_t at = 0, nr = 0;

	if (has_work(plan))
		return;
	while (next_unsure(plan, &at))
		nr++;
	if (!nr)
		return;
	unit = track_unit_text(plan);
	around = track_offer_around(plan);
	verdict_refuse(&plan->verdict,
		       "no commit that did the work of %s is certain: %zu %s only likely", unit, nr,
		       nr == 1 ? "is" : "are");
	if (around)
		verdict_hint(&plan->verdict, "%s", around);
	verdict_hint(&plan->verdict, "Use --also=<commit> for what did it, or "
				     "--min-evidence=likely for all of them; --except=<commit> for "
				     "what did not.");
}
