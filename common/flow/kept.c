/* SPDX-License-Identifier: MIT */
#include "flow/kept.h"

#include "base/memory.h"
#include "migration/status.h"

void kept_add(struct kept *kept, const struct applied_scripts *scripts)
{
	ARRAY_GROW(kept->item, kept->nr + 1, kept->alloc);
	kept->item[kept->nr++] = *scripts;
}

int kept_write(struct kept *kept, json_t *members, struct error *err)
{
	json_t *list;

	if (applied_write(kept->item, kept->nr, err) < 0)
		return -1;
	list = json_array();
	for (size_t i = 0; i < kept->nr; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s}", "version", kept->item[i].version,
						"checksum", kept->item[i].checksum, "tree",
						kept->item[i].tree));
	json_object_set_new(members, "scripts", list);
	return 0;
}

int kept_prepare(struct kept *kept, struct error *err)
{
	return applied_prepare(&kept->refs, kept->item, kept->nr, err);
}

int kept_publish(struct kept *kept, size_t done, json_t *record, struct error *err)
{
	int ret;

	if (done == kept->nr) {
		ret = applied_commit(&kept->refs, err);
	} else {
		applied_abandon(&kept->refs);
		ret = applied_publish(kept->item, done, err);
	}
	if (!ret)
		json_object_del(record, "scripts");
	return ret;
}

void kept_release(struct kept *kept)
{
	applied_abandon(&kept->refs);
	for (size_t i = 0; i < kept->nr; i++)
		free(kept->item[i].tree);
	free(kept->item);
	*kept = (struct kept)KEPT_INIT;
}

void kept_unlock(const json_t *record, const char *common_dir)
{
	const json_t *scripts = json_object_get(record, "scripts");
	size_t i;
	json_t *script;

	json_array_foreach(scripts, i, script)
	{
		const char *version = json_member(script, "version");
		const char *checksum = json_member(script, "checksum");

		if (version && checksum)
			applied_unlock(common_dir, version, checksum);
	}
}

int kept_recover(const json_t *record, const struct ledger *ledger, struct error *err)
{
	const json_t *scripts = json_object_get(record, "scripts");
	struct kept kept CLEANUP(kept_release) = KEPT_INIT;
	size_t i;
	json_t *script;

	json_array_foreach(scripts, i, script)
	{
		const char *version = json_member(script, "version");
		const char *checksum = json_member(script, "checksum");
		const char *tree = json_member(script, "tree");
		const struct ledger_entry *entry = version ? ledger_find(ledger, version) : NULL;

		if (!checksum || !tree || !entry || !entry->checksum ||
		    strcmp(entry->checksum, checksum) != 0)
			continue;
		kept_add(&kept, &(struct applied_scripts){ .version = version,
							   .checksum = checksum,
							   .tree = xstrdup(tree) });
	}
	return applied_publish(kept.item, kept.nr, err);
}
