/* SPDX-License-Identifier: MIT */
#include "flow/trusting.h"

#include "base/file.h"
#include "base/json.h"
#include "base/linediff.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/conninfo.h"
#include "config/inifile.h"
#include "config/trust.h"
#include "term/output.h"
#include "term/table.h"

void trusting_plan_release(struct trusting_plan *plan)
{
	settings_release(&plan->settings);
	free(plan->recorded);
	free(plan->difference);
	*plan = (struct trusting_plan)TRUSTING_PLAN_INIT;
}

/* ---- The file, fit to be seen -------------------------------------------------------- */

static bool is_url(const struct inifile_entry *entry)
{
	const struct setting_key *key = key_find(entry->section, entry->sub != NULL, entry->key);

	return key && key->type == KEY_URL;
}

/* Appends the line, with `value` in it replaced. */
static void add_replaced(struct strbuf *out, const char *line, size_t len, const char *value)
{
	const char *at = *value ? memmem(line, len, value, strlen(value)) : NULL;
	char *masked CLEANUP(free_p) = conninfo_masked(value);

	if (!at) {
		strbuf_add(out, line, len);
		return;
	}
	strbuf_add(out, line, (size_t)(at - line));
	strbuf_addstr(out, masked);
	at += strlen(value);
	strbuf_add(out, at, (size_t)(line + len - at));
}

/* The text with secrets hidden: not in lines that hold no url, so that nothing else hides. */
static int mask_text(struct strbuf *ret, const char *text, size_t len, struct error *err)
{
	struct inifile file CLEANUP(inifile_release) = INIFILE_INIT;
	size_t next = 0, number = 1;

	if (inifile_parse(&file, SETTINGS_FILE, text, len, err) < 0)
		return -1;
	for (const char *line = text; line < text + len; number++) {
		const char *end = memchr(line, '\n', (size_t)(text + len - line));
		size_t size = end ? (size_t)(end + 1 - line) : (size_t)(text + len - line);

		while (next < file.nr && file.item[next].line < number)
			next++;
		if (next < file.nr && file.item[next].line == number && is_url(&file.item[next]))
			add_replaced(ret, line, size, file.item[next].value);
		else
			strbuf_add(ret, line, size);
		line += size;
	}
	return 0;
}

/* NULL where the old text is gone, or was not such a file. */
static int find_difference(struct trusting_plan *plan, struct error *err)
{
	const struct settings *s = &plan->settings;
	struct strbuf before CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf old_text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf new_text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf out = STRBUF_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	int found = trust_content(&before, s->git_dir, plan->recorded, err);

	if (found != FILE_FOUND)
		return found < 0 ? -1 : 0;
	if (mask_text(&new_text, s->file.buf, s->file.len, err) < 0)
		return -1;
	if (mask_text(&old_text, before.buf, before.len, &ignored) < 0)
		return 0;
	linediff(&out, old_text.buf, new_text.buf);
	plan->difference = strbuf_detach(&out);
	return 0;
}

/* ---- Plan ---------------------------------------------------------------------------- */

static bool is_oid(const char *s)
{
	return s && strspn(s, "0123456789abcdefABCDEF") == strlen(s) && strlen(s) >= 40;
}

/* Two states of a file that needs trust and has none: was another one trusted? */
static int look_back(struct trusting_plan *plan, struct error *err)
{
	if (!plan->recorded)
		return TRUSTING_UNTRUSTED;
	if (find_difference(plan, err) < 0)
		return -1;
	return TRUSTING_CHANGED;
}

static int find_state(struct trusting_plan *plan, struct error *err)
{
	const struct setting *recorded = settings_find(&plan->settings, "trust");

	if (recorded && is_oid(recorded->value))
		plan->recorded = xstrdup(recorded->value);
	switch (plan->settings.trust) {
	case SETTINGS_NO_FILE: return TRUSTING_MISSING;
	case SETTINGS_HARMLESS: return TRUSTING_HARMLESS;
	case SETTINGS_TRUSTED: return TRUSTING_TRUSTED;
	case SETTINGS_UNTRUSTED: return look_back(plan, err);
	}
	BUG("unknown state of trust");
}

int trusting_plan(struct trusting_plan *ret, const struct repo *repo, struct error *err)
{
	struct trusting_plan plan CLEANUP(trusting_plan_release) = TRUSTING_PLAN_INIT;
	struct settings *s = &plan.settings;
	int state;

	if (settings_start(s, err) < 0 ||
	    settings_finish(s, repo->worktree, repo->git_dir, err) < 0)
		return -1;
	state = find_state(&plan, err);
	if (state < 0)
		return -1;
	plan.state = (enum trusting_state)state;
	plan.bare = !repo->worktree;
	*ret = plan;
	plan = (struct trusting_plan)TRUSTING_PLAN_INIT;
	return 0;
}

bool trusting_is_due(const struct trusting_plan *plan)
{
	return plan->state == TRUSTING_CHANGED || plan->state == TRUSTING_UNTRUSTED;
}

/* ---- Show ---------------------------------------------------------------------------- */

/* What a setting says, without secrets; free() it. */
static char *shown_value(const struct setting *setting)
{
	if (setting->key->type == KEY_URL)
		return conninfo_masked(setting->value);
	return xstrdup(setting->value);
}

static void print_keys(const struct settings *s, FILE *out)
{
	struct table table CLEANUP(table_release) = { .columns = 4, .right = 1, .indent = 2 };

	for (size_t i = 0; i < s->nr; i++) {
		const struct setting *setting = &s->item[i];
		struct strbuf name CLEANUP(strbuf_release) = STRBUF_INIT;
		char *value CLEANUP(free_p) = NULL;

		if (!setting->demand)
			continue;
		value = shown_value(setting);
		key_spell(&name, setting->key, setting->sub);
		table_cellf(&table, COLOR_NONE, "%zu:", setting->line);
		table_cell(&table, COLOR_NONE, name.buf);
		table_cellf(&table, COLOR_NONE, "(%s)", setting->demand);
		table_cell(&table, COLOR_NONE, value);
	}
	table_print(&table, false, out);
}

static enum color line_color(char sign)
{
	switch (sign) {
	case '+': return COLOR_GREEN;
	case '-': return COLOR_RED;
	case '@': return COLOR_CYAN;
	default: return COLOR_NONE;
	}
}

static void print_difference(const char *text, bool color, FILE *out)
{
	while (*text) {
		struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
		size_t len = strcspn(text, "\n");
		enum color which = line_color(*text);

		text_escape(&line, text, len, true);
		fprintf(out, "%s%s%s\n", color_code(color && which, which), line.buf,
			color_code(color && which, COLOR_RESET));
		text += len + (text[len] == '\n');
	}
}

static void show_change(const struct trusting_plan *plan, const struct common_options *common,
			FILE *out)
{
	if (!plan->difference) {
		fputs(SETTINGS_FILE " is not the one that was trusted, which git no longer has.\n",
		      out);
	} else if (!*plan->difference) {
		fputs(SETTINGS_FILE " has changed since it was trusted, but only in its last line "
				    "end or in passwords.\n",
		      out);
	} else {
		const char *config = settings_git(&plan->settings, "color.ui");
		bool color = out == stdout && color_wanted(common->color, config);

		fputs(SETTINGS_FILE " has changed since it was trusted:\n", out);
		print_difference(plan->difference, color, out);
	}
}

static void show_text(const struct trusting_plan *plan, const struct common_options *common,
		      FILE *out)
{
	switch (plan->state) {
	case TRUSTING_MISSING:
		fputs(plan->bare ? "There is no worktree here, and so no " SETTINGS_FILE ".\n" :
				   "There is no " SETTINGS_FILE " at the top of this worktree.\n",
		      out);
		return;
	case TRUSTING_HARMLESS: fputs("Nothing in " SETTINGS_FILE " needs trust.\n", out); return;
	case TRUSTING_TRUSTED:
		fputs(SETTINGS_FILE " is trusted. These of its keys count only for that:\n", out);
		break;
	case TRUSTING_CHANGED:
		show_change(plan, common, out);
		fputs("These keys need trust:\n", out);
		break;
	case TRUSTING_UNTRUSTED:
		fputs(SETTINGS_FILE " is not trusted. These of its keys need it:\n", out);
		break;
	}
	print_keys(&plan->settings, out);
}

static json_t *json_keys(const struct settings *s)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < s->nr; i++) {
		const struct setting *setting = &s->item[i];
		struct strbuf name CLEANUP(strbuf_release) = STRBUF_INIT;
		char *value CLEANUP(free_p) = NULL;
		json_t *key;

		if (!setting->demand)
			continue;
		value = shown_value(setting);
		key_spell(&name, setting->key, setting->sub);
		key = json_object();
		json_object_set_new(key, "key", json_text(name.buf));
		json_object_set_new(key, "value", json_text(value));
		json_object_set_new(key, "line", json_size(setting->line));
		json_object_set_new(key, "reason", json_text(setting->demand));
		json_array_append_new(ret, key);
	}
	return ret;
}

static void show_json(const struct trusting_plan *plan)
{
	static const char *const states[] = {
		[TRUSTING_MISSING] = "missing",	    [TRUSTING_HARMLESS] = "harmless",
		[TRUSTING_TRUSTED] = "trusted",	    [TRUSTING_CHANGED] = "changed",
		[TRUSTING_UNTRUSTED] = "untrusted",
	};
	json_t *json CLEANUP(json_decref_p) = json_object();

	json_object_set_new(json, "format", json_integer(1));
	json_object_set_new(json, "verdict",
			    json_text(plan->state == TRUSTING_MISSING ? "refused" : "clean"));
	json_object_set_new(json, "state", json_text(states[plan->state]));
	json_object_set_new(json, "file", json_text(SETTINGS_FILE));
	json_object_set_new(json, "blob", json_text(plan->settings.blob));
	json_object_set_new(json, "trusted_blob", json_text(plan->recorded));
	json_object_set_new(json, "keys", json_keys(&plan->settings));
	json_print(json);
}

void trusting_show(const struct trusting_plan *plan, const struct common_options *common, FILE *out)
{
	if (common->json)
		show_json(plan);
	else
		show_text(plan, common, out);
}

void trusting_show_revoked(bool dry_run, bool elsewhere)
{
	json_t *json CLEANUP(json_decref_p) = json_object();

	json_object_set_new(json, "format", json_integer(1));
	json_object_set_new(json, "verdict", json_text("clean"));
	json_object_set_new(json, "dry_run", json_boolean(dry_run));
	json_object_set_new(json, "revoked", json_boolean(!dry_run));
	json_object_set_new(json, "trusted_elsewhere",
			    dry_run ? json_null() : json_boolean(elsewhere));
	json_print(json);
}

/* ---- Execute ------------------------------------------------------------------------- */

int trusting_execute(struct trusting_plan *plan, struct error *err)
{
	const struct settings *s = &plan->settings;

	if (trust_record(s->git_dir, s->file.buf, s->file.len, s->blob, err) < 0)
		return -1;
	string_replace(&plan->recorded, s->blob);
	plan->state = TRUSTING_TRUSTED;
	return 0;
}

int trusting_revoke(const struct repo *repo, struct error *err)
{
	struct settings s CLEANUP(settings_release) = SETTINGS_INIT;

	if (trust_revoke(repo->git_dir, err) < 0)
		return -1;
	/* Without the worktree: a file that cannot be read must not keep trust alive. */
	if (settings_start(&s, err) < 0 || settings_finish(&s, NULL, repo->git_dir, err) < 0)
		return -1;
	return settings_has(&s, "trust") ? TRUSTING_ELSEWHERE : TRUSTING_REVOKED;
}

static void print_warnings(const struct strvec *texts)
{
	for (size_t i = 0; i < texts->nr; i++)
		warning("%s", texts->v[i]);
}

void trusting_warn_of_secrets(const struct trusting_plan *plan)
{
	struct strvec texts CLEANUP(strvec_release) = STRVEC_INIT;

	settings_secrets(&plan->settings, &texts);
	print_warnings(&texts);
}

void trusting_warn(const struct settings *settings)
{
	struct strvec texts CLEANUP(strvec_release) = STRVEC_INIT;

	settings_warnings(settings, &texts);
	print_warnings(&texts);
	if (settings_withheld(settings))
		hint(SETTINGS_TRUST_HINT);
}
