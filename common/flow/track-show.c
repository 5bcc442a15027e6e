/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/track.h"
#include "term/output.h"

/* ---- JSON and porcelain --------------------------------------------------------------- */

static void print_json(const struct track_session *s, const struct evidence_commits *commits,
		       enum evidence_level min)
{
	json_t *in = json_array(), *out = json_array();
	json_t *json CLEANUP(json_decref_p) =
		json_pack("{s:i, s:o, s:o, s:o}", "format", 1, "unit",
			  track_unit_to_json(&s->tracks, &commits->unit), "commits", in, "left_out",
			  out);

	for (size_t i = 0; i < commits->nr; i++)
		json_array_append_new(commits->item[i].level >= min ? in : out,
				      evidence_commit_to_json(&commits->item[i]));
	json_print(json);
}

static void print_porcelain(const struct evidence_commits *commits, enum evidence_level min,
			    bool nul)
{
	for (size_t i = 0; i < commits->nr; i++) {
		const struct evidence_commit *commit = &commits->item[i];
		struct strbuf kinds CLEANUP(strbuf_release) = STRBUF_INIT;

		for (size_t k = 0; k < commit->reasons; k++)
			strbuf_addf(&kinds, "%s%s", k ? "," : "",
				    evidence_kind_name(commit->reason[k].kind));
		printf("%s\t%s\t%s\t%s\t%s\t", commit->level >= min ? "commit" : "left-out",
		       commit->oid, evidence_level_name(commit->level),
		       evidence_role_name(commit->role), kinds.buf);
		output_field(commit->subject, nul, nul ? '\0' : '\n');
	}
}

/* ---- For people ----------------------------------------------------------------------- */

static void print_commit(const struct evidence_commit *commit, bool color)
{
	char *subject CLEANUP(free_p) = text_escaped(commit->subject);
	time_t at = (time_t)commit->commit_time;
	char date[16] = "";
	struct tm tm;

	if (localtime_r(&at, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	printf("%s%.7s%s %s %s\n", color_code(color, COLOR_YELLOW), commit->oid,
	       color_code(color, COLOR_RESET), date, subject);
	printf("    %s%s%s%s\n", evidence_role_name(commit->role), commit->empty ? ", empty" : "",
	       commit->merge ? ", a merge" : "", commit->reverted ? ", reverted" : "");
	for (size_t i = 0; i < commit->reasons; i++) {
		char *detail CLEANUP(free_p) = text_escaped(commit->reason[i].detail);

		printf("    %s: %s\n", evidence_kind_name(commit->reason[i].kind), detail);
	}
}

/* Those of the level, or those below it. */
static void print_commits(const struct evidence_commits *commits, enum evidence_level min,
			  bool left_out, bool color)
{
	for (size_t i = 0; i < commits->nr; i++)
		if ((commits->item[i].level < min) == left_out)
			print_commit(&commits->item[i], color);
}

static void print_people(const struct track_session *s, const struct evidence_commits *commits,
			 enum evidence_level min)
{
	const struct common_options *common = s->session.common;
	bool color = color_wanted(common->color, settings_git(&s->session.settings, "color.ui"));
	size_t in = min == EVIDENCE_CERTAIN ? commits->certain : commits->nr;
	struct strbuf what CLEANUP(strbuf_release) = STRBUF_INIT;

	unit_describe(&what, &s->tracks, &commits->unit);
	printf("%s%s%s, %s: ", color_code(color, COLOR_BOLD), what.buf,
	       color_code(color, COLOR_RESET),
	       unit_state_name(unit_state(&s->tracks, &commits->unit)));
	if (in)
		printf("%zu commit%s\n", in, in == 1 ? "" : "s");
	else
		printf("no commits\n");
	print_commits(commits, min, false, color);
	if (in == commits->nr)
		return;
	printf("\nleft out, as likely only: %zu commit%s\n", commits->nr - in,
	       commits->nr - in == 1 ? "" : "s");
	print_commits(commits, min, true, color);
	if (!common->quiet)
		hint("Take all of these with --min-evidence=likely, or some with --also=<commit>.");
}

/* ---- */

static int show(struct track_session *s, const struct track_show_request *request,
		struct error *err)
{
	const struct common_options *common = s->session.common;
	struct evidence *evidence CLEANUP(evidence_free_p) = NULL;
	struct evidence_commits commits CLEANUP(evidence_commits_release) = EVIDENCE_COMMITS_INIT;
	struct evidence_request read = { .repo = &s->session.repo, .tracks = &s->tracks };
	struct unit unit;
	int found = track_find_unit(&unit, s, &request->words, err);

	if (found != UNIT_FOUND)
		return found;
	read.only = &unit;
	if (evidence_read(&evidence, &read, err) < 0)
		return -1;
	evidence_find(&commits, evidence, &unit);
	if (s->guessed && !commits.nr)
		return track_deny_story(s, &unit);
	if (common->json)
		print_json(s, &commits, request->min);
	else if (common->porcelain)
		print_porcelain(&commits, request->min, common->nul);
	else
		print_people(s, &commits, request->min);
	return finish_output(EXIT_DONE);
}

int track_show(const struct track_show_request *request, const struct common_options *common,
	       struct error *err)
{
	struct track_session s CLEANUP(track_session_close) = TRACK_SESSION_INIT;

	if (track_session_open(&s, common, err) < 0)
		return -1;
	return show(&s, request, err);
}
