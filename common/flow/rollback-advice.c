/* SPDX-License-Identifier: MIT */
#include "flow/rollback-advice.h"

#include "base/clock.h"
#include "base/memory.h"

static bool goes_with_rows(const struct impact_item *item)
{
	return (item->kind == IMPACT_TABLE || item->kind == IMPACT_COLUMN) && item->rows > 0 &&
	       !item->kept && (item->relkind == 'r' || item->relkind == 'p');
}

/* The first few names of what was written since. */
static int find_written(struct strvec *ret, struct rollback_plan *plan, struct error *err)
{
	const int limit = 1000; /* milliseconds, for all of them */
	int64_t deadline = clock_monotonic() + (int64_t)limit * 1000;

	for (size_t i = 0; i < plan->impact.nr; i++) {
		const struct impact_item *item = &plan->impact.item[i];
		int64_t left = (deadline - clock_monotonic()) / 1000;
		const struct validation_since since = {
			.schema = item->schema,
			.table = item->table,
			.whole = item->relkind == 'p',
			.place = &plan->session->place,
			.version = plan->step[item->script].applied->version,
			.limit = (int)left,
		};
		bool written = false;

		if (!goes_with_rows(item) || left <= 0)
			continue;
		if (validation_written_since(&written, &plan->session->db, &since, err) < 0)
			return -1;
		if (written)
			strvec_push(ret, item->identity);
	}
	return 0;
}

static void add_names(struct strbuf *out, const struct strvec *names)
{
	const size_t shown = 3;

	for (size_t i = 0; i < names->nr && i < shown; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", names->v[i]);
	if (names->nr > shown)
		strbuf_addf(out, " and %zu more", names->nr - shown);
}

int rollback_advise(struct rollback_plan *plan, struct error *err)
{
	struct strvec written CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf reason CLEANUP(strbuf_release) = STRBUF_INIT;
	const struct database_setting *database = &plan->session->database;

	/* A script undoes no migration, of which there could be another. */
	if (plan->script)
		return 0;
	if (find_written(&written, plan, err) < 0)
		return -1;
	if (database->is_protected)
		strbuf_addf(&reason, "database '%s' is protected", database->name);
	if (written.nr) {
		strbuf_addf(&reason, "%srows written since the migration go with ",
			    reason.len ? ", and " : "");
		add_names(&reason, &written);
	}
	if (reason.len)
		verdict_warn(
			&plan->verdict,
			"a forward fix is safer (--forward-fix), a new migration that undoes this one: %s",
			reason.buf);
	return 0;
}
