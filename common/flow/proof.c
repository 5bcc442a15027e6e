/* SPDX-License-Identifier: MIT */
#include "flow/proof.h"

#include "base/memory.h"

/* What an object has to be afterwards. */
struct proof_expected {
	char *kind, *identity;
	char digest[CATALOG_DIGEST_SIZE]; /* "": absent */
	char *definition;		  /* NULL: absent */
	size_t sequence;		  /* later ones, of older migrations, win */
	bool order;			  /* of columns */
};

const char *proof_result_name(enum proof_result result)
{
	static const char *const names[] = {
		[PROOF_SKIPPED] = "skipped",
		[PROOF_PROVEN] = "proven",
		[PROOF_UNRECORDED] = "unrecorded",
		[PROOF_DIFFERENT] = "different",
	};

	return names[result];
}

void proof_release(struct proof *proof)
{
	for (size_t i = 0; i < proof->nr; i++) {
		free(proof->expected[i].kind);
		free(proof->expected[i].identity);
		free(proof->expected[i].definition);
	}
	free(proof->expected);
	strvec_release(&proof->differences);
	strvec_release(&proof->order);
	strvec_release(&proof->unrecorded);
	*proof = (struct proof)PROOF_INIT;
}

/* Takes the change's strings. */
static void add_expected(struct proof *proof, struct catalog_change *change)
{
	struct proof_expected *expected;

	ARRAY_GROW(proof->expected, proof->nr + 1, proof->alloc);
	expected = &proof->expected[proof->nr];
	*expected = (struct proof_expected){
		.kind = change->kind,
		.identity = change->identity,
		.definition = change->before,
		.sequence = proof->nr++,
		.order = change->order,
	};
	memcpy(expected->digest, change->before_digest, sizeof(expected->digest));
	change->kind = change->identity = change->before = NULL;
}

int proof_expect(struct proof *proof, const char *version, const char *objects, struct error *err)
{
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;
	json_t *json CLEANUP(json_decref_p) = NULL;

	if (!objects) {
		/* It is older than those before: what they want back may be what it takes away. */
		strvec_push(&proof->unrecorded, version);
		proof->overruled = proof->nr;
		return 0;
	}
	if (json_parse(&json, "what the log has of a migration's changes", objects, strlen(objects),
		       err) < 0 ||
	    catalog_changes_from_json(&changes, json, err) < 0)
		return error_prefix(err, "migration '%s'", version);
	for (size_t i = 0; i < changes.nr; i++)
		add_expected(proof, &changes.item[i]);
	return 0;
}

static int compare_names(const struct proof_expected *a, const char *kind, const char *identity)
{
	int ret = strcmp(a->kind, kind);

	return ret ? ret : strcmp(a->identity, identity);
}

static int compare_expected(const void *a, const void *b)
{
	const struct proof_expected *x = a, *y = b;
	int ret = compare_names(x, y->kind, y->identity);

	return ret ? ret : (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* Sorted by object, and of each only what the oldest migration wants. */
static bool is_overruled(const struct proof *proof, size_t i)
{
	return i + 1 < proof->nr && !compare_names(&proof->expected[i], proof->expected[i + 1].kind,
						   proof->expected[i + 1].identity);
}

static bool is_expected(const struct proof *proof, size_t nr, const char *kind,
			const char *identity)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_names(&proof->expected[middle], kind, identity);

		if (!order)
			return true;
		if (order > 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static void add_difference(struct proof *proof, const char *kind, const char *identity,
			   const char *expected, const char *actual, bool utf8)
{
	struct strbuf line = STRBUF_INIT;

	catalog_difference_text(&line, kind, identity, expected, actual, utf8);
	strvec_push_nodup(&proof->differences, strbuf_detach(&line));
}

/* "columns: a, "b, c"\n", as the catalog has it, into quoted names. */
static void split_columns(struct strvec *ret, const char *definition)
{
	const char *name = definition + strcspn(definition, " ");
	bool quoted = false;

	while (*name && *name != '\n') {
		const char *end;

		name += strspn(name, ", ");
		for (end = name; *end && *end != '\n' && (quoted || *end != ','); end++)
			if (*end == '"')
				quoted = !quoted;
		strvec_push_nodup(ret, xmemdupz(name, (size_t)(end - name)));
		name = end;
	}
}

/* Do the columns that both have stand in the same order? */
static bool is_same_order(const char *before, const char *after)
{
	struct strvec x CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec y CLEANUP(strvec_release) = STRVEC_INIT;
	size_t k = 0;

	split_columns(&x, before);
	split_columns(&y, after);
	for (size_t i = 0; i < x.nr; i++) {
		if (!strvec_has(&y, x.v[i]))
			continue;
		while (k < y.nr && !strvec_has(&x, y.v[k]))
			k++;
		if (k == y.nr || strcmp(x.v[i], y.v[k++]) != 0)
			return false;
	}
	return true;
}

static void check_expected(struct proof *proof, const struct catalog *now, bool utf8)
{
	for (size_t i = 0; i < proof->nr; i++) {
		const struct proof_expected *want = &proof->expected[i];
		const struct catalog_object *have;

		if (is_overruled(proof, i))
			continue;
		/* What should be there again can have gone with an older one, of which nothing is known. */
		if (want->sequence < proof->overruled && *want->digest)
			continue;
		have = catalog_find(now, want->kind, want->identity);
		if (want->order) {
			/* A table that came or went has no order to compare. */
			if (want->definition && have &&
			    !is_same_order(want->definition, have->definition))
				strvec_push(&proof->order, want->identity);
			continue;
		}
		if (strcmp(want->digest, have ? have->digest : "") != 0)
			add_difference(proof, want->kind, want->identity, want->definition,
				       have ? have->definition : NULL, utf8);
	}
}

/*
 * What no migration is known to have changed has to be again as it was, also after what the
 * next check brings. Where a still older migration did change it, that one's word counts.
 */
static void expect_others(struct proof *proof, struct catalog_changes *changes)
{
	size_t sorted = proof->nr;

	for (size_t i = 0; i < changes->nr; i++) {
		struct catalog_change *change = &changes->item[i];

		if ((change->order || !proof->unrecorded.nr) &&
		    !is_expected(proof, sorted, change->kind, change->identity))
			add_expected(proof, change);
	}
}

static void sort_expected(struct proof *proof)
{
	if (proof->nr)
		qsort(proof->expected, proof->nr, sizeof(*proof->expected), compare_expected);
}

void proof_check(struct proof *proof, const struct catalog *now, struct catalog_changes *changes,
		 bool utf8)
{
	strvec_release(&proof->differences);
	strvec_release(&proof->order);
	sort_expected(proof);
	expect_others(proof, changes);
	sort_expected(proof);
	check_expected(proof, now, utf8);
	proof->result = proof->differences.nr ? PROOF_DIFFERENT :
			proof->unrecorded.nr  ? PROOF_UNRECORDED :
						PROOF_PROVEN;
}

void proof_compare(struct proof *proof, const struct catalog *expected, const struct catalog *now,
		   bool utf8)
{
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;

	catalog_diff(&changes, expected, now);
	for (size_t i = 0; i < changes.nr; i++) {
		const struct catalog_change *change = &changes.item[i];

		if (!change->order)
			add_difference(proof, change->kind, change->identity, change->before,
				       change->after, utf8);
		else if (change->before && change->after &&
			 !is_same_order(change->before, change->after))
			strvec_push(&proof->order, change->identity);
	}
	proof->result = proof->differences.nr ? PROOF_DIFFERENT : PROOF_PROVEN;
}

static json_t *texts(const struct strvec *from)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < from->nr; i++)
		json_array_append_new(ret, json_text(from->v[i]));
	return ret;
}

json_t *proof_to_json(const struct proof *proof)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "result", proof_result_name(proof->result),
			 "differences", texts(&proof->differences), "column_order",
			 texts(&proof->order), "unrecorded", texts(&proof->unrecorded));
}
