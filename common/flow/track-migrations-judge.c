/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/text.h"
#include "flow/track-migrations.h"
#include "migration/status.h"
#include "migration/version.h"

/* ---- What harm there is -------------------------------------------------------------- */

/* It would be, were the files not left. */
static bool is_at_stake(const struct track_migration *it, size_t environment)
{
	const struct track_migration_place *place = &it->place[environment];

	if (!place->applied || it->undone_by)
		return false;
	return it->change == TRACK_MIGRATION_GOES ||
	       (it->change == TRACK_MIGRATION_CHANGES && place->fit == TRACK_FIT_NOW);
}

bool track_migration_harms(const struct track_migration *it, size_t environment)
{
	return !it->stays && is_at_stake(it, environment);
}

/* Of one environment, in the order to roll them back: what was applied last first. */
struct harm {
	struct strvec all, going, changing; /* versions */
	bool kept, conflict, renumbered;    /* renumbered: all that go are */
};

static void harm_release(struct harm *harm)
{
	strvec_release(&harm->all);
	strvec_release(&harm->going);
	strvec_release(&harm->changing);
}

static void find_harm(struct harm *ret, const struct track_migrations *m, size_t environment,
		      bool stays_too)
{
	const struct ledger *ledger = &m->environments.item[environment].ledger;

	ret->kept = ret->renumbered = true;
	for (size_t l = ledger->nr; l; l--)
		for (size_t i = 0; i < m->nr; i++) {
			const struct track_migration *it = &m->item[i];
			const char *version = ledger->item[l - 1].version;

			if (it->place[environment].applied != &ledger->item[l - 1] ||
			    !is_at_stake(it, environment) || (it->stays && !stays_too))
				continue;
			strvec_push(&ret->all, version);
			strvec_push(it->change == TRACK_MIGRATION_GOES ? &ret->going :
									 &ret->changing,
				    version);
			ret->kept &= it->place[environment].kept;
			ret->conflict |= it->conflict;
			ret->renumbered &= it->twin != NO_TWIN;
		}
}

/* ---- Commands ------------------------------------------------------------------------ */

static void add_command(struct strbuf *out, const char *verb, const struct environment *environment)
{
	strbuf_addf(out, "git %s --database=", verb);
	text_shell_word(out, environment->name);
	if (environment->is_protected) {
		strbuf_addstr(out, " --confirm=");
		text_shell_word(out, environment->name);
	}
}

static void add_rollback(struct strbuf *out, const struct environment *environment,
			 const struct strvec *versions)
{
	add_command(out, "rollback-db", environment);
	for (size_t i = 0; i < versions->nr; i++) {
		strbuf_addch(out, ' ');
		text_shell_word(out, versions->v[i]);
	}
}

void track_migrations_commands(const struct track_migrations *m, struct strvec *ret)
{
	for (size_t e = 0; e < m->environments.nr; e++) {
		struct harm harm CLEANUP(harm_release) = { 0 };
		struct strbuf command CLEANUP(strbuf_release) = STRBUF_INIT;

		find_harm(&harm, m, e, false);
		if (!harm.all.nr)
			continue;
		add_rollback(&command, &m->environments.item[e], &harm.all);
		strvec_push(ret, command.buf);
	}
}

/* Something later is applied there, and is not rolled back first. */
static bool is_out_of_order(const struct track_migrations *m, const struct track_migration *it,
			    size_t environment)
{
	const struct ledger *ledger = &m->environments.item[environment].ledger;

	for (size_t l = 0; l < ledger->nr; l++) {
		bool goes = false;

		if (version_compare(ledger->item[l].version, it->file->version) <= 0)
			continue;
		for (size_t i = 0; i < m->nr && !goes; i++)
			goes = m->item[i].place[environment].applied == &ledger->item[l] &&
			       track_migration_harms(&m->item[i], environment);
		if (!goes)
			return true;
	}
	return false;
}

/* There is something to apply there that was not before; of what is rolled back, the other text. */
static bool is_to_apply(const struct track_migration *it, size_t environment)
{
	if (it->stays)
		return false;
	return it->change == TRACK_MIGRATION_COMES ?
		       it->place[environment].fit == TRACK_FIT_PENDING :
		       it->change == TRACK_MIGRATION_CHANGES &&
			       track_migration_harms(it, environment);
}

void track_migrations_commands_after(const struct track_migrations *m, struct strvec *ret)
{
	for (size_t e = 0; e < m->environments.nr; e++) {
		struct strbuf command CLEANUP(strbuf_release) = STRBUF_INIT;
		bool any = false, late = false;

		for (size_t i = 0; i < m->nr; i++)
			if (is_to_apply(&m->item[i], e)) {
				any = true;
				late |= is_out_of_order(m, &m->item[i], e);
			}
		if (!any)
			continue;
		add_command(&command, "apply-migration", &m->environments.item[e]);
		strbuf_addstr(&command, late ? " --allow-out-of-order" : "");
		strvec_push(ret, command.buf);
	}
}

/* ---- Refusing ------------------------------------------------------------------------ */

static void add_list(struct strbuf *out, const struct strvec *versions)
{
	strbuf_addf(out, "migration%s ", versions->nr == 1 ? "" : "s");
	for (size_t i = 0; i < versions->nr; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", versions->v[i]);
}

/* --confirm has one name, or several with commas. */
static bool is_confirmed(const struct common_options *common, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = common->confirm; at && *at; at += strcspn(at, ",")) {
		at += *at == ',';
		if (strcspn(at, ",") == len && !strncmp(at, name, len))
			return true;
	}
	return false;
}

static void judge_protected(const struct environment *environment, const char *has,
			    const struct track_migrations_wish *wish, struct verdict *verdict)
{
	if (!environment->is_protected || is_confirmed(wish->common, environment->name))
		return;
	verdict_refuse(verdict, "database '%s' is protected, and %s", environment->name, has);
	verdict_hint(verdict, "Use --confirm=%s to go on all the same.", environment->name);
}

static void refuse_harm(const struct environment *environment, const struct harm *harm,
			struct verdict *verdict)
{
	const char *when =
		harm->conflict ? ", if the conflict is resolved for what was there before" : "";
	struct strbuf list CLEANUP(strbuf_release) = STRBUF_INIT;

	if (harm->going.nr) {
		add_list(&list, &harm->going);
		verdict_refuse(verdict, "database '%s' has %s, whose files would go%s",
			       environment->name, list.buf, when);
	}
	strbuf_reset(&list);
	if (harm->changing.nr) {
		add_list(&list, &harm->changing);
		verdict_refuse(verdict,
			       "database '%s' has %s as it is now, and the up script would be "
			       "another one%s",
			       environment->name, list.buf, when);
	}
}

/* What would be rolled back, and whose way back is not in this commit. */
static void hint_no_down(const struct track_migrations *m, size_t at, struct verdict *verdict)
{
	for (size_t i = 0; i < m->nr; i++) {
		const struct track_migration *it = &m->item[i];

		if (track_migration_harms(it, at) && !it->place[at].kept && !it->down_rows)
			verdict_hint(verdict,
				     "Migration %s has no down script here: git rollback-db looks "
				     "in git and in the database's log; where it finds none, "
				     "write one first.",
				     it->file->version);
	}
}

static void judge_applied(const struct track_migrations *m, size_t at,
			  const struct track_migrations_wish *wish, struct verdict *verdict)
{
	const struct environment *environment = &m->environments.item[at];
	struct harm stake CLEANUP(harm_release) = { 0 }, harm CLEANUP(harm_release) = { 0 };
	struct strbuf has CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf command CLEANUP(strbuf_release) = STRBUF_INIT;

	find_harm(&stake, m, at, true);
	find_harm(&harm, m, at, false);
	if (!stake.all.nr)
		return;
	strbuf_addstr(&has, "has ");
	add_list(&has, &stake.all);
	judge_protected(environment, has.buf, wish, verdict);
	if (!harm.all.nr)
		return;
	add_rollback(&command, environment, &harm.all);
	/* Why they are not left was told by who cannot write what undoes them. */
	if (wish->forward_fix && !wish->no_fix) {
		verdict_hint(verdict, "Roll back there first: %s", command.buf);
		return;
	}
	if (wish->common->yes && harm.kept) {
		verdict_warn(verdict,
			     "database '%s' %s, whose files %s: git keeps them for 'git "
			     "rollback-db' (refs/rollback/applied)",
			     environment->name, has.buf,
			     !harm.changing.nr ? "go" :
			     harm.going.nr     ? "go or change" :
						 "change");
		return;
	}
	refuse_harm(environment, &harm, verdict);
	hint_no_down(m, at, verdict);
	verdict_hint(verdict, "Roll back there first: %s", command.buf);
	if (harm.going.nr && !wish->no_fix)
		verdict_hint(verdict, harm.renumbered ?
					      "Or use --forward-fix, which leaves the number." :
					      "Or use --forward-fix, which keeps these files and "
					      "writes new migrations that undo them.");
	if (harm.kept)
		verdict_hint(verdict, "Or use --yes: 'git rollback-db' finds the scripts in git "
				      "(refs/rollback/applied) when the files are gone.");
}

/* ---- Warning ------------------------------------------------------------------------- */

/* What is to be known, and is no reason not to do it. */
static void warn_at(const struct track_migrations *m, const struct track_migration *it, size_t at,
		    struct verdict *verdict)
{
	const char *name = m->environments.item[at].name, *version = it->file->version;
	const struct track_migration_place *place = &it->place[at];

	if (it->stays)
		return;
	if (it->change == TRACK_MIGRATION_COMES && place->fit == TRACK_FIT_PENDING)
		verdict_warn(
			verdict, "migration %s comes back, and is pending in database '%s' then%s",
			version, name,
			is_out_of_order(m, it, at) ? ", out of order: later ones are applied" : "");
	else if (place->fit == TRACK_FIT_OTHER && it->change != TRACK_MIGRATION_GOES)
		verdict_warn(verdict,
			     "database '%s' has migration %s with another text than its up "
			     "script has%s",
			     name, version,
			     it->change == TRACK_MIGRATION_CHANGES ? ", now or then" : " then");
	if (it->change == TRACK_MIGRATION_DOWN && place->applied && it->now && it->now->down.path &&
	    (!it->then || !it->then->down.path) && !place->kept)
		verdict_warn(verdict,
			     "the down script of migration %s goes, which database '%s' has, and "
			     "git keeps no copy of it",
			     version, name);
}

/* Of what --forward-fix cannot undo for that it was told. */
static void warn_of_uses(const struct track_migrations *m, const struct track_migration *it,
			 struct verdict *verdict)
{
	if (it->change != TRACK_MIGRATION_GOES || it->stays || (m->forward && it->applied))
		return;
	for (size_t i = 0; i < it->uses; i++)
		verdict_warn(verdict,
			     "migration %s (%s) stays, and uses '%s' of migration %s, which goes",
			     it->use[i].by->version, it->use[i].by->name, it->use[i].name,
			     it->file->version);
}

static bool has_problem(const struct migrations *files, const char *text)
{
	for (size_t i = 0; i < files->problems; i++)
		if (!strcmp(files->problem[i].text, text))
			return true;
	return false;
}

static bool any_stays(const struct track_migrations *m)
{
	for (size_t i = 0; i < m->nr; i++)
		if (m->item[i].stays)
			return true;
	return false;
}

/* What nobody can apply then. */
static void warn_of_files(const struct track_migrations *m, struct verdict *verdict)
{
	for (size_t i = 0; !any_stays(m) && i < m->after.problems; i++)
		if (m->after.problem[i].kind == PROBLEM_SAME_VERSION &&
		    !has_problem(&m->files, m->after.problem[i].text))
			verdict_warn(verdict, "%s then", m->after.problem[i].text);
}

/* ---- All of it ----------------------------------------------------------------------- */

static bool touches_up(const struct track_migrations *m)
{
	for (size_t i = 0; i < m->nr; i++)
		if (m->item[i].change != TRACK_MIGRATION_DOWN && !m->item[i].undone_by)
			return true;
	return false;
}

static void judge_environment(const struct track_migrations *m, size_t at,
			      const struct track_migrations_wish *wish, struct verdict *verdict)
{
	const struct environment *environment = &m->environments.item[at];

	if (environment->reachable) {
		judge_applied(m, at, wish, verdict);
		for (size_t i = 0; i < m->nr; i++)
			warn_at(m, &m->item[i], at, verdict);
		return;
	}
	if (!touches_up(m))
		return;
	verdict_warn(verdict, "whether database '%s' has these migrations is not known: %s",
		     environment->name, environment->reason);
	judge_protected(environment, "could not be asked for its migrations", wish, verdict);
}

void track_migrations_judge(const struct track_migrations *m,
			    const struct track_migrations_wish *wish, struct verdict *verdict)
{
	if (m->problem)
		verdict_warn(verdict,
			     "whether there are migrations among the files is not known: %s",
			     m->problem);
	for (size_t e = 0; e < m->environments.nr; e++)
		judge_environment(m, e, wish, verdict);
	for (size_t i = 0; i < m->nr; i++)
		warn_of_uses(m, &m->item[i], verdict);
	warn_of_files(m, verdict);
	if (touches_up(m) && !m->environments.nr)
		verdict_warn(verdict, "no database is configured: whether these migrations are "
				      "applied somewhere is not known");
}

void track_migrations_kept(const struct track_migrations *m, struct strvec *ret)
{
	for (size_t i = 0; i < m->nr; i++) {
		const struct migration *sides[] = { m->item[i].now, m->item[i].then };

		for (size_t s = 0; m->item[i].stays && s < ARRAY_SIZE(sides); s++) {
			if (sides[s] && sides[s]->up.path)
				strvec_push(ret, sides[s]->up.path);
			if (sides[s] && sides[s]->down.path)
				strvec_push(ret, sides[s]->down.path);
		}
	}
}
