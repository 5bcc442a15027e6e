/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/text.h"
#include "flow/checkpoint-creation.h"
#include "flow/verdict.h"
#include "term/output.h"

const char *creation_branch(const char *ref)
{
	static const char heads[] = "refs/heads/";

	return ref && !strncmp(ref, heads, strlen(heads)) ? ref + strlen(heads) : ref;
}

static json_t *report_to_json(const struct creation *c)
{
	static const char *const lists[] = { "in_progress", "big",	"secret",      "nested",
					     "submodules",  "left_out", "unconverted", NULL };
	json_t *manifest = c->capture.manifest, *database = json_object_get(manifest, "database");
	bool dry_run = c->session->common->dry_run;
	json_t *ret =
		json_pack("{s:i, s:s, s:b, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			  "format", 1, "verdict", "clean", "dry_run", dry_run, "operation",
			  json_text(dry_run ? NULL : c->operation.id), "name", json_text(c->name),
			  "named", c->named, "ref", json_text(c->ref), "snapshot",
			  json_text(c->capture.commit), "tag",
			  json_text(c->tag ? c->tag_ref : NULL), "created_at",
			  json_time(c->time * 1000000), "commit", json_text(c->capture.state.head),
			  "branch", json_text(creation_branch(c->capture.state.branch)), "counts",
			  checkpoint_counts_to_json(&c->message.counts));

	for (const char *const *key = lists; *key; key++) {
		json_t *list = json_object_get(manifest, *key);

		json_object_set_new(ret, *key, list ? json_incref(list) : json_array());
	}
	json_object_set_new(ret, "database", database ? json_incref(database) : json_null());
	if (!dry_run)
		json_object_set_new(ret, "outcome", json_string(outcome_name(NULL)));
	return ret;
}

void creation_report_failure(const struct creation *c, const struct error *failure)
{
	json_t *json CLEANUP(json_decref_p) =
		json_pack("{s:i, s:s, s:b, s:o, s:o, s:s, s:o}", "format", 1, "verdict",
			  failure->exit_code == EXIT_REFUSED ? "refused" : "clean", "dry_run",
			  c->session->common->dry_run, "operation",
			  json_text(c->operation.record ? c->operation.id : NULL), "name",
			  json_text(c->name), "outcome", outcome_name(failure), "error",
			  error_to_json(failure));

	json_print(json);
}

void creation_report(const struct creation *c)
{
	const struct common_options *common = c->session->common;
	const json_t *database = json_object_get(c->capture.manifest, "database");
	const char *version = json_member(database, "version");
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	char *shown CLEANUP(free_p) = NULL;

	if (common->json) {
		json_t *json CLEANUP(json_decref_p) = report_to_json(c);

		json_print(json);
		return;
	}
	if (common->quiet)
		return;
	strbuf_addf(&text, "%scheckpoint '%s': ", common->dry_run ? "would make " : "", c->name);
	checkpoint_counts_add_to(&c->message.counts, &text);
	if (c->message.branch)
		strbuf_addf(&text, ", on %s", c->message.branch);
	if (version)
		strbuf_addf(&text, ", database %s at %s", json_member(database, "name"), version);
	shown = text_escaped(text.buf);
	puts(shown);
}
