/* SPDX-License-Identifier: MIT */
#include "flow/confirm.h"

#include "base/interrupt.h"
#include "term/prompt.h"

int confirm_protected(const struct database_setting *database, const struct common_options *common,
		      struct error *err)
{
	if (!database->is_protected ||
	    (common->confirm && !strcmp(common->confirm, database->name)))
		return 0;
	error_refused(err, "database '%s' is protected", database->name);
	return error_hint(err, "Use --confirm=%s to change it all the same.", database->name);
}

int confirm_ask(const char *question, bool destroys, const struct common_options *common,
		struct error *err)
{
	enum prompt_result answer;

	if (common->yes)
		return 0;
	answer = destroys ? prompt_word(question, "ROLLBACK") : prompt_yes_no(question);
	if (answer == PROMPT_CONFIRMED)
		return 0;
	if (interrupt_pending())
		return error_interrupted(err);
	if (answer == PROMPT_DECLINED)
		return error_refused(err, "not confirmed; nothing was changed");
	error_refused(err, "not confirmed: there is no terminal to ask on");
	return error_hint(err, "Use --yes to confirm on the command line.");
}
