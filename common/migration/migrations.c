/* SPDX-License-Identifier: MIT */
#include "migration/migrations.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/sort.h"
#include "base/strvec.h"
#include "base/text.h"
#include "migration/version.h"
#include "vcs/object.h"

/* Where migrations are looked for when no folder is configured. */
static const char *const usual_folders[] = {
	"migrations",	  "db/migrations",	    "database/migrations", "sql/migrations",
	"src/migrations", "internal/db/migrations", "supabase/migrations", "schema/migrations",
};

int migration_layout_parse(enum migration_layout *ret, const char *text, struct error *err)
{
	static const char *const known[] = { "auto", "pair", "directory" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(text, known[i])) {
			*ret = (enum migration_layout)i;
			return 0;
		}
	error_set(err, "migration layout '%s' is not supported", text);
	return error_hint(err, "Set rollback.migrations.layout to auto, pair or directory.");
}

void migrations_release(struct migrations *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		struct migration *item = &m->item[i];

		free(item->version);
		free(item->name);
		free(item->up.path);
		free(item->up.oid);
		free(item->up.name);
		free(item->down.path);
		free(item->down.oid);
		free(item->down.name);
	}
	for (size_t i = 0; i < m->problems; i++) {
		free(m->problem[i].version);
		free(m->problem[i].text);
	}
	free(m->item);
	free(m->problem);
	free(m->folder);
	free(m->configured);
	free(m->root);
	free(m->commit);
	*m = (struct migrations)MIGRATIONS_INIT;
}

PRINTF(4, 5)
static void add_problem(struct migrations *m, enum migration_problem_kind kind, const char *version,
			const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	ARRAY_GROW(m->problem, m->problems + 1, m->problems_alloc);
	m->problem[m->problems++] = (struct migration_problem){
		.kind = kind,
		.version = xstrdup_or_null(version),
		.text = strbuf_detach(&text),
	};
}

/* --- names -------------------------------------------------------------------------- */

/* What a path below the folder means: one half of a migration. */
struct half {
	char *version, *name;
	bool is_up;
};

static void half_release(struct half *half)
{
	free(half->version);
	free(half->name);
}

static bool ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && !memcmp(s + len - n, end, n);
}

enum half_parsed { HALF_PARSED, HALF_OTHER, HALF_NO_VERSION };

/* "<version>_<name>" of `len` bytes. */
static enum half_parsed parse_stem(struct half *ret, const char *stem, size_t len)
{
	char *copy CLEANUP(free_p) = xmemdupz(stem, len);
	size_t version = version_prefix(copy);

	if (!version || version > VERSION_MAX || (copy[version] && !strchr("_-.", copy[version])))
		return HALF_NO_VERSION;
	ret->version = xmemdupz(copy, version);
	ret->name = xstrdup(copy[version] ? copy + version + 1 : "");
	return HALF_PARSED;
}

static enum half_parsed parse_path(struct half *ret, const char *path, enum migration_layout layout)
{
	size_t len = strlen(path);
	const char *slash = strchr(path, '/');

	*ret = (struct half){ 0 };
	if (!slash && layout != LAYOUT_DIRECTORY) {
		ret->is_up = ends_with(path, len, ".up.sql");
		if (ret->is_up)
			return parse_stem(ret, path, len - strlen(".up.sql"));
		if (ends_with(path, len, ".down.sql"))
			return parse_stem(ret, path, len - strlen(".down.sql"));
	}
	if (slash && layout != LAYOUT_PAIR) {
		ret->is_up = !strcmp(slash, "/up.sql");
		if (ret->is_up || !strcmp(slash, "/down.sql")) {
			enum half_parsed parsed = parse_stem(ret, path, (size_t)(slash - path));

			return parsed == HALF_PARSED ? HALF_PARSED : HALF_OTHER;
		}
	}
	return HALF_OTHER;
}

char *migration_path_version(const char *path, bool *ret_is_up)
{
	const char *name = strrchr(path, '/');
	struct half half = { 0 };
	char *ret = NULL;

	if (name && (!strcmp(name, "/up.sql") || !strcmp(name, "/down.sql")))
		while (name > path && name[-1] != '/')
			name--;
	else
		name = name ? name + 1 : path;
	if (parse_path(&half, name, LAYOUT_AUTO) == HALF_PARSED) {
		ret = STEAL(half.version);
		*ret_is_up = half.is_up;
	}
	half_release(&half);
	return ret;
}

/* --- collecting --------------------------------------------------------------------- */

/* A file that was found, before ups and downs are brought together. */
struct found {
	struct half half;
	char *path, *oid;
};
struct found_list {
	struct found *item;
	size_t nr, alloc;
};

static void found_list_release(struct found_list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		half_release(&list->item[i].half);
		free(list->item[i].path);
		free(list->item[i].oid);
	}
	free(list->item);
}

/* `below` is the path below the folder. */
static void add_found(struct found_list *list, struct migrations *m, const char *folder,
		      const char *below, const char *oid, enum migration_layout layout)
{
	struct half half;
	char *path = *folder ? xstrfmt("%s/%s", folder, below) : xstrdup(below);
	enum half_parsed parsed = parse_path(&half, below, layout);

	if (parsed == HALF_PARSED) {
		ARRAY_GROW(list->item, list->nr + 1, list->alloc);
		list->item[list->nr++] = (struct found){
			.half = half,
			.path = path,
			.oid = xstrdup_or_null(oid),
		};
		return;
	}
	if (parsed == HALF_NO_VERSION)
		add_problem(m, PROBLEM_NOT_A_VERSION, NULL,
			    version_prefix(below) ?
				    "the version of '%s' cannot be used: passed over" :
				    "'%s' has no version at the front of its name: passed over",
			    path);
	half_release(&half);
	free(path);
}

/* One level of folders: those named like a migration may hold up.sql and down.sql. */
static int collect_folder(struct found_list *list, struct migrations *m, const char *root,
			  const char *folder, enum migration_layout layout, struct error *err)
{
	char *path CLEANUP(free_p) =
		*folder == '/' ? xstrdup(folder) : xstrfmt("%s/%s", root, folder);
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	int found = file_list(&names, path, err);

	if (found != FILE_FOUND)
		return found;
	for (size_t i = 0; i < names.nr; i++) {
		const char *name = names.v[i];
		size_t len = strlen(name);

		if (ends_with(name, len, ".sql")) {
			add_found(list, m, folder, name, NULL, layout);
			continue;
		}
		if (layout == LAYOUT_PAIR || !version_prefix(name))
			continue;
		struct strvec inner CLEANUP(strvec_release) = STRVEC_INIT;
		char *inner_path CLEANUP(free_p) = xstrfmt("%s/%s", path, name);
		if (file_list(&inner, inner_path, err) < 0)
			return -1;
		for (size_t k = 0; k < inner.nr; k++) {
			char *below CLEANUP(free_p) = xstrfmt("%s/%s", name, inner.v[k]);

			add_found(list, m, folder, below, NULL, layout);
		}
	}
	return FILE_FOUND;
}

static int collect_tree(struct found_list *list, struct migrations *m,
			const struct tree_files *files, const char *folder,
			enum migration_layout layout)
{
	size_t len = strlen(folder);
	bool any = false;

	for (size_t i = 0; i < files->nr; i++) {
		const char *path = files->item[i].path;

		if (len && (strncmp(path, folder, len) != 0 || path[len] != '/'))
			continue;
		any = true;
		add_found(list, m, folder, path + len + (len ? 1 : 0), files->item[i].oid, layout);
	}
	return any ? FILE_FOUND : FILE_MISSING;
}

/* Reads one folder; FILE_MISSING when it is not there. */
static int collect(struct found_list *list, struct migrations *m, const struct tree_files *files,
		   const char *folder, enum migration_layout layout, struct error *err)
{
	if (m->root)
		return collect_folder(list, m, m->root, folder, layout, err);
	return collect_tree(list, m, files, folder, layout);
}

static int look_around(struct found_list *list, struct migrations *m,
		       const struct tree_files *files, enum migration_layout layout,
		       struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(usual_folders); i++) {
		size_t before = list->nr;
		int found = collect(list, m, files, usual_folders[i], layout, err);

		if (found < 0)
			return -1;
		if (list->nr == before)
			continue;
		if (m->folder) {
			error_refused(err, "there are migrations in '%s' and in '%s'", m->folder,
				      usual_folders[i]);
			return error_hint(
				err, "Set rollback.migrations.directory to the one that counts.");
		}
		m->folder = xstrdup(usual_folders[i]);
	}
	return 0;
}

/* --- pairing ------------------------------------------------------------------------ */

static int compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int ret = version_compare(x->half.version, y->half.version);

	return ret ? ret : strcmp(x->path, y->path);
}

static void take_half(struct migration *item, struct found *found)
{
	struct migration_script *script = found->half.is_up ? &item->up : &item->down;

	script->path = STEAL(found->path);
	script->oid = STEAL(found->oid);
	script->name = STEAL(found->half.name);
	/* Where the two differ, the up script's spelling counts. */
	if (!item->version || found->half.is_up) {
		string_replace(&item->version, found->half.version);
		string_replace(&item->name, script->name);
	}
}

/* Sorted, all files of one version stand together. */
static void pair(struct migrations *m, struct found_list *list)
{
	sort(list->item, list->nr, sizeof(*list->item), compare_found);
	for (size_t i = 0; i < list->nr;) {
		struct migration item = { 0 };
		size_t next = i;

		for (; next < list->nr &&
		       !version_compare(list->item[i].half.version, list->item[next].half.version);
		     next++) {
			struct found *found = &list->item[next];
			struct migration_script *script = found->half.is_up ? &item.up : &item.down;

			if (script->path)
				add_problem(m, PROBLEM_SAME_VERSION, item.version,
					    "'%s' and '%s' have the same version", script->path,
					    found->path);
			else
				take_half(&item, found);
		}
		if (!item.up.path)
			add_problem(m, PROBLEM_NO_UP, item.version,
				    "'%s' has no up script beside it", item.down.path);
		else if (!item.down.path)
			add_problem(m, PROBLEM_NO_DOWN, item.version,
				    "'%s' has no down script beside it", item.up.path);
		else if (strcmp(item.up.name, item.down.name) != 0)
			add_problem(m, PROBLEM_NAMES_DIFFER, item.version,
				    "'%s' and '%s' are one migration, but their names differ",
				    item.up.path, item.down.path);
		ARRAY_GROW(m->item, m->nr + 1, m->alloc);
		m->item[m->nr++] = item;
		i = next;
	}
}

/* Of the worktree where `m` has a root, else of `files`. */
static int find_all(struct migrations *m, const struct tree_files *files, const char *folder,
		    enum migration_layout layout, struct error *err)
{
	struct found_list list CLEANUP(found_list_release) = { 0 };

	m->configured = xstrdup_or_null(folder);
	if (folder) {
		int found = collect(&list, m, files, folder, layout, err);

		if (found < 0)
			return -1;
		if (found == FILE_FOUND)
			m->folder = xstrdup(folder);
	} else if (look_around(&list, m, files, layout, err) < 0) {
		return -1;
	}
	pair(m, &list);
	return 0;
}

int migrations_read(struct migrations *ret, const char *root, const char *commit,
		    const char *folder, enum migration_layout layout, struct error *err)
{
	struct migrations m CLEANUP(migrations_release) = MIGRATIONS_INIT;
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;

	m.root = xstrdup_or_null(root);
	m.commit = xstrdup_or_null(commit);
	if (commit && tree_list(&files, commit, folder ? folder : "", err) < 0)
		return -1;
	if (find_all(&m, &files, folder, layout, err) < 0)
		return -1;
	*ret = m;
	m = (struct migrations)MIGRATIONS_INIT;
	return 0;
}

int migrations_of_files(struct migrations *ret, const struct tree_files *files, const char *folder,
			enum migration_layout layout, struct error *err)
{
	struct migrations m CLEANUP(migrations_release) = MIGRATIONS_INIT;

	if (find_all(&m, files, folder, layout, err) < 0)
		return -1;
	*ret = m;
	m = (struct migrations)MIGRATIONS_INIT;
	return 0;
}

struct migration *migrations_find(const struct migrations *m, const char *version)
{
	size_t low = 0, high = m->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = version_compare(version, m->item[middle].version);

		if (!order)
			return &m->item[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* --- content ------------------------------------------------------------------------ */

int migrations_load(struct strbuf *ret, const struct migrations *m,
		    const struct migration_script *script, struct error *err)
{
	if (!script->path)
		BUG("no script to load");
	if (script->oid) {
		struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;

		objects_add(&objects, script->oid);
		if (objects_read(&objects, err) < 0)
			return -1;
		if (!objects.item[0].oid)
			return error_set(err, "cannot read '%s' of commit %.12s: git has lost it",
					 script->path, m->commit);
		strbuf_add(ret, objects.item[0].data.buf, objects.item[0].data.len);
		return 0;
	}
	char *path CLEANUP(free_p) = *script->path == '/' ? xstrdup(script->path) :
							    xstrfmt("%s/%s", m->root, script->path);
	int found = file_read(ret, path, err);
	if (found == FILE_MISSING) {
		errno = ENOENT;
		return error_errno(err, "cannot open '%s'", script->path);
	}
	if (found < 0) { /* by its path in the repository */
		errno = err->sys_errno;
		error_clear(err);
		return error_errno(err, "cannot read '%s'", script->path);
	}
	return found;
}

void migration_checksum(char ret[DIGEST_HEX], const char *bytes, size_t len)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) {
		bytes += 3;
		len -= 3;
	}
	if (!memchr(bytes, '\r', len)) {
		digest_hex(ret, bytes, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != '\r' || i + 1 == len || bytes[i + 1] != '\n')
			strbuf_addch(&text, bytes[i]);
	digest_hex(ret, text.buf, text.len);
}

/* Is it text? Else that is a problem of the file at `path`. */
static bool check_text(struct migrations *m, const struct migration *item, const char *path,
		       const char *bytes, size_t len)
{
	size_t bad = text_utf8_check(bytes, len);
	struct text_place place;

	if (bad == len)
		return true;
	place = text_place(bytes, len, bad);
	if (bytes[bad])
		add_problem(m, PROBLEM_UNREADABLE, item->version,
			    "'%s' is no UTF-8 text: byte 0x%02x in line %zu", path,
			    (unsigned char)bytes[bad], place.line);
	else
		add_problem(m, PROBLEM_UNREADABLE, item->version,
			    "'%s' is no text: a NUL byte in line %zu", path, place.line);
	return false;
}

static void use_content(struct migrations *m, struct migration *item, const char *bytes, size_t len)
{
	migration_checksum(item->checksum, bytes, len);
	item->unreadable = !check_text(m, item, item->up.path, bytes, len);
}

static int digest_commit(struct migrations *m, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	size_t next = 0;

	for (size_t i = 0; i < m->nr; i++)
		if (m->item[i].up.path)
			objects_add(&objects, m->item[i].up.oid);
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < m->nr; i++)
		if (m->item[i].up.path) {
			const struct strbuf *data = &objects.item[next++].data;

			use_content(m, &m->item[i], data->buf, data->len);
		}
	return 0;
}

static void digest_file(struct migrations *m, struct migration *item)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	if (migrations_load(&text, m, &item->up, &reason) < 0) {
		item->unreadable = true;
		add_problem(m, PROBLEM_UNREADABLE, item->version, "%s", reason.message);
	} else {
		use_content(m, item, text.buf, text.len);
	}
}

int migrations_digest(struct migrations *m, struct error *err)
{
	if (m->commit)
		return digest_commit(m, err);
	for (size_t i = 0; i < m->nr; i++)
		if (m->item[i].up.path)
			digest_file(m, &m->item[i]);
	return 0;
}

int migrations_digest_one(struct migrations *m, struct migration *item, struct error *err)
{
	if (!item->up.path || *item->checksum || item->unreadable)
		return 0;
	if (m->commit) /* one process for all is as fast as one for it alone */
		return digest_commit(m, err);
	digest_file(m, item);
	return 0;
}

int migrations_check_downs(struct migrations *m, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	size_t next = 0;

	for (size_t i = 0; m->commit && i < m->nr; i++)
		if (m->item[i].down.path)
			objects_add(&objects, m->item[i].down.oid);
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < m->nr; i++) {
		const struct migration *item = &m->item[i];
		struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
		struct error reason CLEANUP(error_release) = ERROR_INIT;

		if (!item->down.path)
			continue;
		if (m->commit)
			strbuf_add(&text, objects.item[next].data.buf, objects.item[next].data.len);
		else if (migrations_load(&text, m, &item->down, &reason) < 0)
			add_problem(m, PROBLEM_UNREADABLE, item->version, "%s", reason.message);
		next++;
		check_text(m, item, item->down.path, text.buf, text.len);
	}
	return 0;
}
