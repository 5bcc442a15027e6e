/* SPDX-License-Identifier: MIT */
#include "migration/down.h"

#include "base/memory.h"
#include "migration/history.h"
#include "vcs/applied.h"

const char *down_origin_name(enum down_origin origin)
{
	static const char *const names[] = {
		[DOWN_NOWHERE] = "nowhere",	    [DOWN_WORKTREE] = "worktree",
		[DOWN_APPLIED_REF] = "applied-ref", [DOWN_LOG] = "log",
		[DOWN_HISTORY] = "history",
	};

	return names[origin];
}

void down_search_add(struct down_search *search, const struct ledger_entry *applied,
		     const struct log_applied *log)
{
	/* What the log says of another up script is no record of this one. */
	bool same = log && applied->checksum && log->up_checksum &&
		    !strcmp(log->up_checksum, applied->checksum);

	ARRAY_GROW(search->item, search->nr + 1, search->alloc);
	search->item[search->nr++] = (struct down){
		.applied = applied,
		.file = migrations_find(search->files, applied->version),
		.log = same ? log : NULL,
		.text = STRBUF_INIT,
		.recorded = STRBUF_INIT,
	};
}

void down_search_release(struct down_search *search)
{
	for (size_t i = 0; i < search->nr; i++) {
		struct down *down = &search->item[i];

		free(down->path);
		free(down->place);
		free(down->reason);
		strbuf_release(&down->text);
		strbuf_release(&down->recorded);
	}
	free(search->item);
	*search = (struct down_search)DOWN_SEARCH_INIT;
}

static void found(struct down *down, enum down_origin origin, char *path, char *place)
{
	down->origin = origin;
	down->path = path;
	down->place = place;
	migration_checksum(down->checksum, down->text.buf, down->text.len);
}

static bool has_digest(const char *bytes, size_t len, const char *digest)
{
	char own[DIGEST_HEX];

	migration_checksum(own, bytes, len);
	return !strcmp(own, digest);
}

static int take_worktree(struct down *down, const struct down_search *search, struct error *err)
{
	if (migrations_load(&down->text, search->files, &down->file->down, err) < 0)
		return -1;
	found(down, DOWN_WORKTREE, xstrdup(down->file->down.path),
	      search->files->commit ? xstrfmt("commit %.7s", search->files->commit) :
				      xstrdup("the worktree"));
	return 0;
}

static int look_in_worktree(struct down *down, const struct down_search *search, struct error *err)
{
	struct migration *file = down->file;
	const char *recorded = down->log ? down->log->down_checksum : NULL;

	if (!file || !file->up.path)
		return 0;
	if (migrations_digest_one(search->files, file, err) < 0)
		return -1;
	down->up_changed =
		!down->applied->checksum || strcmp(file->checksum, down->applied->checksum) != 0;
	if (down->up_changed || !file->down.path)
		return 0;
	if (take_worktree(down, search, err) < 0)
		return -1;
	if (!recorded || !strcmp(recorded, down->checksum))
		return 0;
	/* It was corrected after the up script was applied; or the other one is asked for. */
	down->corrected = true;
	if (down->log->down_sql)
		strbuf_addstr(&down->recorded, down->log->down_sql);
	if (search->recorded_down) {
		down->corrected = false;
		down->origin = DOWN_NOWHERE;
		strbuf_reset(&down->text);
		strbuf_reset(&down->recorded);
		free(down->path);
		free(down->place);
		down->path = down->place = NULL;
	}
	return 0;
}

/* Is this script, from outside the worktree, the one that was recorded? */
static bool is_trusted(struct down *down, const struct strbuf *text, bool force)
{
	if (force)
		down->forced = true;
	if (force || !down->log)
		return true; /* nothing is recorded: the up script's checksum vouches for it */
	return down->log->down_checksum &&
	       has_digest(text->buf, text->len, down->log->down_checksum);
}

static int look_in_refs(struct down_search *search, bool force, struct error *err)
{
	const char **versions CLEANUP(free_p) = xcalloc(search->nr, sizeof(*versions));
	const char **checksums CLEANUP(free_p) = xcalloc(search->nr, sizeof(*checksums));
	struct down **wanted CLEANUP(free_p) = xcalloc(search->nr, sizeof(*wanted));
	struct applied_found *answers CLEANUP(free_p) = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < search->nr; i++) {
		struct down *down = &search->item[i];

		if (down->origin || !down->applied->checksum)
			continue;
		versions[nr] = down->applied->version;
		checksums[nr] = down->applied->checksum;
		wanted[nr++] = down;
	}
	if (!nr)
		return 0;
	answers = xcalloc(nr, sizeof(*answers));
	if (applied_read(answers, versions, checksums, nr, err) < 0)
		return -1;
	for (size_t i = 0; i < nr; i++) {
		struct down *down = wanted[i];

		if (answers[i].has_down &&
		    has_digest(answers[i].up.buf, answers[i].up.len, checksums[i]) &&
		    is_trusted(down, &answers[i].down, force)) {
			strbuf_add(&down->text, answers[i].down.buf, answers[i].down.len);
			found(down, DOWN_APPLIED_REF,
			      xstrfmt("refs/rollback/applied/%s/%s:down.sql", versions[i],
				      checksums[i]),
			      xstrdup("the scripts kept in git when it was applied"));
		}
		applied_found_release(&answers[i]);
	}
	return 0;
}

static void look_in_log(struct down *down, bool force)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (down->origin || !down->log || !down->log->down_sql)
		return;
	strbuf_addstr(&text, down->log->down_sql);
	if (!is_trusted(down, &text, force))
		return;
	strbuf_add(&down->text, text.buf, text.len);
	found(down, DOWN_LOG, xstrfmt("%s.down.sql in the database's log", down->applied->version),
	      xstrdup("the database's log"));
}

static int look_in_history(struct down_search *search, bool force, struct error *err)
{
	struct history_search history CLEANUP(history_search_release) = HISTORY_SEARCH_INIT;
	struct down **wanted CLEANUP(free_p) = xcalloc(search->nr, sizeof(*wanted));

	history.with_downs = true;
	for (size_t i = 0; i < search->nr; i++) {
		struct down *down = &search->item[i];

		if (down->origin || !down->applied->checksum || (down->log && !force))
			continue;
		wanted[history.nr] = down;
		history_search_add(&history, down->applied->version, down->applied->checksum);
	}
	if (history_search_run(&history, force, err) < 0)
		return -1;
	for (size_t i = 0; i < history.nr; i++) {
		const struct history_match *match = &history.item[i];
		struct down *down = wanted[i];

		if (!match->found || !match->down_path || !is_trusted(down, &match->down, force))
			continue;
		strbuf_add(&down->text, match->down.buf, match->down.len);
		found(down, DOWN_HISTORY, xstrfmt("%.12s:%s", match->commit, match->down_path),
		      xstrdup(match->place));
	}
	return 0;
}

/* The last resort of `force`: the worktree's, although its up script was changed. */
static int take_forced(struct down *down, const struct down_search *search, struct error *err)
{
	if (down->origin || !search->force || !down->file || !down->file->down.path)
		return 0;
	down->forced = true;
	return take_worktree(down, search, err);
}

static void explain(struct down *down)
{
	if (down->origin)
		return;
	if (!down->applied->checksum)
		down->reason =
			xstrdup("no checksum is recorded of what was applied, so that no script "
				"is known to fit it");
	else if (down->up_changed && down->file->down.path)
		down->reason =
			xstrfmt("the up script '%s' is not the one that was applied, and the down "
				"script that was recorded with it is nowhere",
				down->file->up.path);
	else if (down->log && !down->log->down_checksum)
		down->reason =
			xstrdup("it was applied without a down script, and the worktree has none");
	else
		down->reason =
			xstrdup("there is none in the worktree, in refs/rollback/applied, in the "
				"database's log, or in the history of local refs");
}

static int look_outside(struct down_search *search, bool force, struct error *err)
{
	if (look_in_refs(search, force, err) < 0)
		return -1;
	for (size_t i = 0; i < search->nr; i++)
		look_in_log(&search->item[i], force);
	return look_in_history(search, force, err);
}

int down_search_run(struct down_search *search, struct error *err)
{
	for (size_t i = 0; i < search->nr; i++)
		if (look_in_worktree(&search->item[i], search, err) < 0)
			return -1;
	/* With `force` too the right script, wherever it is, comes before any other. */
	if (look_outside(search, false, err) < 0 ||
	    (search->force && look_outside(search, true, err) < 0))
		return -1;
	for (size_t i = 0; i < search->nr; i++) {
		if (take_forced(&search->item[i], search, err) < 0)
			return -1;
		explain(&search->item[i]);
	}
	return 0;
}
