/* SPDX-License-Identifier: MIT */
#include "flow/track-revert.h"

#include "base/memory.h"
#include "flow/confirm.h"
#include "flow/track-menu.h"
#include "term/amount.h"
#include "term/output.h"

static bool has_unit(const struct unit_words *words)
{
	return words->track || words->story;
}

/* All of it is undone by now: that is said, and good. */
static int say_nothing_to_do(const struct track_plan *plan)
{
	char *unit CLEANUP(free_p) = track_unit_text(plan);
	struct strbuf commits CLEANUP(strbuf_release) = STRBUF_INIT;
	const struct common_options *common = plan->session->common;

	amount_add_count(&commits, plan->nr, "commit", NULL);
	verdict_print(&plan->verdict, false);
	if (common->json)
		track_plan_refused(plan, NULL);
	else if (!common->quiet)
		note("nothing to do: %s is reverted already (%s)", unit, commits.buf);
	return EXIT_DONE;
}

static int agree(const struct track_plan *plan, struct error *err)
{
	track_plan_show(plan);
	if (!verdict_is_clean(&plan->verdict))
		return error_refused(err, "nothing was changed");
	return confirm_ask(plan->run.stops ? "Revert, up to the first conflict?" : "Revert?", false,
			   plan->session->common, err);
}

static int run(const struct checkpoint_session *s, struct track_plan_request *request,
	       struct error *err)
{
	struct track_plan plan CLEANUP(track_plan_release) = TRACK_PLAN_INIT;
	struct track_choice choice CLEANUP(track_choice_release) = { 0 };
	int ret;

	if (!has_unit(&request->words)) {
		if (track_menu(&choice, s, err) < 0)
			return -1;
		request->words = (struct unit_words){ choice.track, choice.phase, choice.task,
						      choice.story };
	}
	ret = track_plan(&plan, s, request, err);
	if (ret)
		return ret;
	if (s->common->dry_run) {
		track_plan_show(&plan);
		return EXIT_DONE;
	}
	if (plan.result == TRACK_DONE_ALREADY && verdict_is_clean(&plan.verdict))
		return say_nothing_to_do(&plan);
	if (agree(&plan, err) < 0) {
		track_plan_refused(&plan, err);
		return -1;
	}
	return track_plan_execute(&plan, err);
}

int track_revert(struct track_plan_request *request, const struct common_options *common,
		 struct error *err)
{
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;

	if (checkpoint_session_open(&s, common, err) < 0)
		return -1;
	return run(&s, request, err);
}
