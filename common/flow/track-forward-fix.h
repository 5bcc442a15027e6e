/* SPDX-License-Identifier: MIT */
/*
 * track-forward-fix: `git revert-track --forward-fix`: the files of migrations that some database
 * has are kept, and for each a new migration is written that undoes it (forward-fix.h). When that can
 * be done, and when not, is in the table of track-migrations.h.
 *
 * What is undone so already is known by its fix among HEAD's migrations, and stays, asked for or not.
 * Order:  what was applied last is undone first, so the new versions go up as the old go down.
 * Owner:  the caller; track_forward_fixes_release().
 */
#ifndef FLOW_TRACK_FORWARD_FIX_H
#define FLOW_TRACK_FORWARD_FIX_H

#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "flow/checkpoint.h"
#include "flow/track-migrations.h"
#include "flow/verdict.h"

struct track_forward_fix {
	char *undoes;	      /* the version that it undoes */
	char *version, *name; /* its own */
	char *up_path, *down_path;
	struct strbuf up, down;
	struct strvec databases; /* that have what it undoes, and so need it */
};
struct track_forward_fixes {
	struct track_forward_fix *item;
	size_t nr, alloc;
};
#define TRACK_FORWARD_FIXES_INIT \
	{                        \
		0                \
	}

/*
 * Decides which migrations stay (their `stays`), and with `wanted` plans what undoes them. `verdict`
 * gets warnings, and why one cannot be undone so. Nothing is written.
 */
int track_forward_fixes_plan(struct track_forward_fixes *ret,
			     const struct checkpoint_session *session,
			     struct track_migrations *migrations, bool wanted,
			     struct verdict *verdict, struct error *err) MUST_CHECK;
void track_forward_fixes_release(struct track_forward_fixes *fixes);
/* [{"undoes", "version", "name", "up", "down", "databases"}] */
json_t *track_forward_fixes_to_json(const struct track_forward_fixes *fixes) MUST_CHECK;
void track_forward_fixes_text(struct strbuf *out, const struct track_forward_fixes *fixes);

#endif
