/* SPDX-License-Identifier: MIT */
#include "config/settings.h"

#include <ctype.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "config/conninfo.h"
#include "config/inifile.h"
#include "config/trust.h"

extern char **environ;

static void setting_release(struct setting *setting)
{
	free(setting->sub);
	free(setting->value);
	free(setting->variable);
}

void settings_release(struct settings *s)
{
	for (size_t i = 0; i < s->nr; i++)
		setting_release(&s->item[i]);
	free(s->item);
	free(s->worktree);
	free(s->git_dir);
	free(s->blob);
	strbuf_release(&s->file);
	process_release(&s->git);
	*s = (struct settings)SETTINGS_INIT;
}

static struct setting *add(struct settings *s, const struct setting_key *key, const char *sub,
			   const char *value, enum setting_source source)
{
	ARRAY_GROW(s->item, s->nr + 1, s->alloc);
	s->item[s->nr] = (struct setting){
		.key = key,
		.sub = xstrdup_or_null(sub),
		.value = xstrdup_or_null(value),
		.source = source,
	};
	return &s->item[s->nr++];
}

void setting_origin(struct strbuf *out, const struct setting *setting)
{
	switch (setting->source) {
	case SETTING_DEFAULT: strbuf_addstr(out, "the default"); return;
	case SETTING_FILE: strbuf_addf(out, SETTINGS_FILE ":%zu", setting->line); return;
	case SETTING_ENVIRONMENT: strbuf_addstr(out, setting->variable); return;
	case SETTING_GIT:
		strbuf_addstr(out, "git config rollback.");
		key_spell(out, setting->key, setting->sub);
		return;
	}
}

/* ---- git's configuration ------------------------------------------------------------- */

int settings_start(struct settings *s, struct error *err)
{
	/* Only 'git config' itself would read that file, and no other command of git's. */
	unsetenv("GIT_CONFIG");

	strvec_pushl(&s->git.argv, "git", "config", "-z", "--list", NULL);
	return process_start(&s->git, err);
}

/*
 * Splits "section.sub.key" at the first and the last dot, as git does. The section gets
 * lower case; `*ret_section` and `*ret_sub` are the caller's to free.
 */
static const char *split_name(const char *name, char **ret_section, char **ret_sub)
{
	const char *first = strchr(name, '.'), *last = strrchr(name, '.');

	*ret_section = xmemdupz(name, first ? (size_t)(first - name) : 0);
	for (char *c = *ret_section; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*ret_sub = NULL;
	if (!first)
		return name;
	if (first < last)
		*ret_sub = xmemdupz(first + 1, (size_t)(last - first - 1));
	return last + 1;
}

static const struct setting_key *find_key(const char *name, char **ret_sub)
{
	char *section CLEANUP(free_p) = NULL;
	const char *word = split_name(name, &section, ret_sub);

	return key_find(section, *ret_sub != NULL, word);
}

/* Entries are "key LF value NUL", or "key NUL" for one without a value. */
static void take_git(struct settings *s, const struct strbuf *list)
{
	static const char prefix[] = "rollback.";

	for (const char *entry = list->buf; entry < list->buf + list->len;
	     entry += strlen(entry) + 1) {
		char *name CLEANUP(free_p) = NULL, *sub CLEANUP(free_p) = NULL;
		const char *value = strchr(entry, '\n');
		const struct setting_key *key;

		if (strncmp(entry, prefix, strlen(prefix)))
			continue;
		name = xmemdupz(entry + strlen(prefix), strcspn(entry + strlen(prefix), "\n"));
		key = find_key(name, &sub);
		if (key)
			add(s, key, sub, value ? value + 1 : NULL, SETTING_GIT);
	}
}

const char *settings_git(const struct settings *s, const char *key)
{
	const struct strbuf *list = &s->git.out;
	size_t len = strlen(key);
	const char *ret = NULL;

	for (const char *entry = list->buf; entry < list->buf + list->len;
	     entry += strlen(entry) + 1)
		if (!strncmp(entry, key, len) && (!entry[len] || entry[len] == '\n'))
			ret = entry + len + (entry[len] == '\n');
	return ret;
}

bool settings_git_bool(const struct settings *s, const char *key)
{
	const char *value = settings_git(s, key);
	bool ret;

	if (!value)
		return false;
	/* A key without a value is true, one with an empty one is not. */
	if (!*value && value[-1] != '\n')
		value = NULL;
	return key_bool(&ret, value) && ret;
}

static int finish_git(struct settings *s, struct error *err)
{
	if (process_finish(&s->git, err) < 0)
		return -1;
	if (s->git.status)
		return process_error(&s->git, err, "cannot read git's configuration");
	take_git(s, &s->git.out);
	return 0;
}

/* ---- The environment ----------------------------------------------------------------- */

static void take_variable(struct settings *s, const struct setting_key *key, const char *variable)
{
	const char *value = getenv(variable);

	if (value && *value)
		add(s, key, NULL, value, SETTING_ENVIRONMENT)->variable = xstrdup(variable);
}

static void take_environment(struct settings *s)
{
	for (const struct setting_key *key = setting_keys; key->section; key++) {
		struct strbuf variable CLEANUP(strbuf_release) = STRBUF_INIT;

		if (key->flags & (KEY_NAMED | KEY_GIT_ONLY))
			continue;
		key_variable(&variable, key);
		take_variable(s, key, variable.buf);
	}
	take_variable(s, key_find("migrations", false, "database"), "GIT_ROLLBACK_DATABASE");
}

/* ---- .gitrollback -------------------------------------------------------------------- */

static int unknown_key(const struct inifile_entry *entry, struct error *err)
{
	char *suggestion CLEANUP(free_p) = key_suggestion(entry->section, entry->key);

	error_set(err, "there is no setting '%s' in a section [%s%s]", entry->key, entry->section,
		  entry->sub ? " \"...\"" : "");
	if (suggestion)
		error_hint(err, "%s", suggestion);
	return inifile_place(err, SETTINGS_FILE, entry->line);
}

static const struct setting *find_in_file(const struct settings *s, const struct setting_key *key,
					  const char *sub)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->item[i].source == SETTING_FILE && s->item[i].key == key &&
		    (!sub || !strcmp(s->item[i].sub, sub)))
			return &s->item[i];
	return NULL;
}

static int take_entry(struct settings *s, const struct inifile_entry *entry, struct error *err)
{
	const struct setting_key *key = key_find(entry->section, entry->sub != NULL, entry->key);
	const struct setting *same = key ? find_in_file(s, key, entry->sub) : NULL;
	const char *expected = key ? key_expects(key->type, entry->value) : NULL;
	struct strbuf name CLEANUP(strbuf_release) = STRBUF_INIT;
	struct setting *added;

	if (!key)
		return unknown_key(entry, err);
	key_spell(&name, key, entry->sub);
	if (key->flags & KEY_GIT_ONLY)
		error_set(err, "'%s' is only read from git's own configuration", name.buf);
	else if (same && !(key->flags & KEY_MULTI))
		error_set(err, "'%s' is set twice: line %zu has it already", name.buf, same->line);
	else if (expected)
		error_set(err, "'%s' should be %s", name.buf, expected);
	if (error_is_set(err))
		return inifile_place(err, SETTINGS_FILE, entry->line);
	added = add(s, key, entry->sub, entry->value, SETTING_FILE);
	added->line = entry->line;
	added->demand = trust_reason(key->type, entry->value, s->worktree);
	return 0;
}

static bool is_recorded(const struct settings *s)
{
	const struct setting_key *trust = key_find("", false, "trust");

	for (size_t i = 0; i < s->nr; i++)
		if (s->item[i].key == trust && s->item[i].value &&
		    !strcasecmp(s->item[i].value, s->blob))
			return true;
	return false;
}

/* Decides whether what needs trust has it. The id is computed only where it matters. */
static int judge_file(struct settings *s, struct error *err)
{
	bool needed = false;

	for (size_t i = 0; i < s->nr; i++)
		needed |= s->item[i].demand != NULL;
	s->trust = SETTINGS_HARMLESS;
	if (!needed)
		return 0;
	if (trust_blob(&s->blob, s->git_dir, s->file.buf, s->file.len, false, err) < 0)
		return -1;
	s->trust = is_recorded(s) ? SETTINGS_TRUSTED : SETTINGS_UNTRUSTED;
	for (size_t i = 0; i < s->nr; i++)
		s->item[i].withheld = s->item[i].demand && s->trust == SETTINGS_UNTRUSTED;
	return 0;
}

static int take_file(struct settings *s, struct error *err)
{
	struct inifile file CLEANUP(inifile_release) = INIFILE_INIT;
	char *path CLEANUP(free_p) = NULL;
	int found;

	if (!s->worktree)
		return 0;
	path = xstrfmt("%s/" SETTINGS_FILE, s->worktree);
	found = inifile_read(&s->file, path, SETTINGS_FILE, err);
	if (found != FILE_FOUND)
		return found < 0 ? -1 : 0;
	s->trust = SETTINGS_HARMLESS;
	if (inifile_parse(&file, SETTINGS_FILE, s->file.buf, s->file.len, err) < 0)
		return -1;
	for (size_t i = 0; i < file.nr; i++)
		if (take_entry(s, &file.item[i], err) < 0)
			return -1;
	return 0;
}

int settings_finish(struct settings *s, const char *worktree, const char *git_dir,
		    struct error *err)
{
	s->worktree = xstrdup_or_null(worktree);
	s->git_dir = xstrdup_or_null(git_dir);
	if (take_file(s, err) < 0 || finish_git(s, err) < 0)
		return -1;
	if (s->trust == SETTINGS_HARMLESS && judge_file(s, err) < 0)
		return -1;
	take_environment(s);
	return 0;
}

/* ---- What to tell a person ----------------------------------------------------------- */

bool settings_withheld(const struct settings *s)
{
	return s->trust == SETTINGS_UNTRUSTED;
}

static void warn_of_secret(const struct setting *setting, struct strvec *ret)
{
	struct strbuf name CLEANUP(strbuf_release) = STRBUF_INIT;

	if (setting->source != SETTING_FILE || setting->key->type != KEY_URL ||
	    !conninfo_has_secret(setting->value))
		return;
	key_spell(&name, setting->key, setting->sub);
	strvec_pushf(ret,
		     SETTINGS_FILE
		     ":%zu: '%s' holds a password; once committed it is in git's "
		     "history, for everyone who clones it: change it, and use env:NAME",
		     setting->line, name.buf);
}

void settings_secrets(const struct settings *s, struct strvec *ret)
{
	for (size_t i = 0; i < s->nr; i++)
		warn_of_secret(&s->item[i], ret);
}

void settings_warnings(const struct settings *s, struct strvec *ret)
{
	settings_secrets(s, ret);
	for (size_t i = 0; i < s->nr; i++) {
		const struct setting *setting = &s->item[i];
		struct strbuf name CLEANUP(strbuf_release) = STRBUF_INIT;

		if (!setting->withheld)
			continue;
		key_spell(&name, setting->key, setting->sub);
		strvec_pushf(ret, SETTINGS_FILE ":%zu: '%s' is not honoured: %s needs trust",
			     setting->line, name.buf, setting->demand);
	}
}

/* ---- Getters ------------------------------------------------------------------------- */

static bool is_same(const struct setting *setting, const struct setting_key *key, const char *sub)
{
	return setting->key == key && (!sub || !strcmp(setting->sub, sub));
}

static const struct setting_key *known_key(const char *name, char **ret_sub)
{
	const struct setting_key *key = find_key(name, ret_sub);

	if (!key)
		BUG("there is no setting '%s'", name);
	return key;
}

const struct setting *settings_find(const struct settings *s, const char *name)
{
	char *sub CLEANUP(free_p) = NULL;
	const struct setting_key *key = known_key(name, &sub);

	for (size_t i = s->nr; i--;)
		if (is_same(&s->item[i], key, sub))
			return &s->item[i];
	return NULL;
}

bool settings_has(const struct settings *s, const char *name)
{
	return settings_find(s, name) != NULL;
}

static int refuse_withheld(const struct setting *setting, const char *name, struct error *err)
{
	error_refused(err, "'%s' is not honoured: %s needs trust", name, setting->demand);
	error_hint(err, SETTINGS_TRUST_HINT);
	error_hint(err, "Or set your own: git config rollback.%s <value>", name);
	return inifile_place(err, SETTINGS_FILE, setting->line);
}

/* What a getter is about to return: honoured, and fit for its type. */
static int check(const struct setting *setting, const char *name, struct error *err)
{
	const char *expected = key_expects(setting->key->type, setting->value);
	struct strbuf origin CLEANUP(strbuf_release) = STRBUF_INIT;

	if (setting->withheld)
		return refuse_withheld(setting, name, err);
	if (!expected)
		return 0;
	setting_origin(&origin, setting);
	return error_set(err, "'%s' should be %s (it comes from '%s')", name, expected, origin.buf);
}

int settings_string(const char **ret, const struct settings *s, const char *name, struct error *err)
{
	const struct setting *setting = settings_find(s, name);
	char *sub CLEANUP(free_p) = NULL;

	if (setting && check(setting, name, err) < 0)
		return -1;
	*ret = setting ? setting->value : known_key(name, &sub)->fallback;
	return 0;
}

int settings_bool(bool *ret, const struct settings *s, const char *name, struct error *err)
{
	const char *value;

	if (settings_string(&value, s, name, err) < 0)
		return -1;
	if (!key_bool(ret, value))
		BUG("'%s' is no boolean", name);
	return 0;
}

int settings_integer(int64_t *ret, const struct settings *s, const char *name, struct error *err)
{
	const char *value;

	if (settings_string(&value, s, name, err) < 0)
		return -1;
	if (!key_integer(ret, value ? value : "0"))
		BUG("'%s' is no number", name);
	return 0;
}

static void strvec_move(struct strvec *to, struct strvec *from)
{
	for (size_t i = 0; i < from->nr; i++)
		strvec_push_nodup(to, from->v[i]);
	from->nr = 0;
}

int settings_list(struct strvec *ret, const struct settings *s, const char *name, struct error *err)
{
	struct strvec list CLEANUP(strvec_release) = STRVEC_INIT;
	const struct setting *last = settings_find(s, name);

	for (size_t i = 0; last && i < s->nr; i++) {
		const struct setting *setting = &s->item[i];

		if (!is_same(setting, last->key, last->sub) || setting->source != last->source)
			continue;
		if (setting->value && !*setting->value) {
			strvec_release(&list);
			continue;
		}
		if (check(setting, name, err) < 0)
			return -1;
		strvec_push(&list, setting->value);
	}
	strvec_move(ret, &list);
	return 0;
}

void settings_subsections(const struct settings *s, const char *section, struct strvec *ret)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; i < s->nr; i++) {
		const struct setting *setting = &s->item[i];

		if (setting->sub && !strcmp(setting->key->section, section) &&
		    !(setting->key->flags & KEY_GIT_ONLY) && !strvec_has(&names, setting->sub))
			strvec_push(&names, setting->sub);
	}
	strvec_sort(&names);
	strvec_move(ret, &names);
}
