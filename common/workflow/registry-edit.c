/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "workflow/registry.h"
#include "workflow/state-word.h"

static const char *mark_of(enum unit_state state)
{
	return state == UNIT_IN_PROGRESS ? "~" : " ";
}

/* What stands behind the title goes, or says that it was reverted. */
static void set_title_status(struct splices *ret, const struct registry_entry *entry,
			     enum unit_state state)
{
	bool reverted = state == UNIT_REVERTED && !entry->status.len;

	if (entry->title_status.len)
		splices_add(ret, entry->title_status, reverted ? " [Reverted]" : "");
	else if (reverted)
		splices_add(ret, entry->title_end, " [Reverted]");
}

void registry_set_state(struct splices *ret, const struct registry *registry, size_t entry,
			enum unit_state state)
{
	const struct registry_entry *it = &registry->entry[entry];
	const char *status = registry->text + it->status.at;
	enum unit_state box = unit_state_of_mark(registry->text + it->mark.at, it->mark.len);

	if (it->has_box && box != (state == UNIT_REVERTED ? UNIT_PENDING : state))
		splices_add(ret, it->mark, mark_of(state));
	set_title_status(ret, it, state);
	if (it->status.len && unit_state_of_word(status, it->status.len) != state) {
		char *word CLEANUP(free_p) = state_word(state, status, it->status.len);

		splices_add(ret, it->status, word);
	}
}

void registry_remove(struct splices *ret, const struct registry *registry, size_t entry)
{
	splices_add(ret, registry->entry[entry].section, "");
}
