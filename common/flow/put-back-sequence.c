/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/put-back-run.h"
#include "flow/put-back.h"

/* Where it stands, and whether numbers of it may have been used since the rollback. */
struct position {
	bool there, lived; /* since before this undo */
	bool descending, is_called;
	int64_t last;
};

static int read_position(struct position *ret, struct put_back *back, const char *sequence,
			 struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct db_result now CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { sequence, back->sequences };
	char *sql CLEANUP(free_p) = xstrfmt("SELECT last_value, is_called FROM %s", sequence);

	*ret = (struct position){ 0 };
	if (db_query(&res, put_back_db(back),
		     "SELECT seqrelid = ANY ($2::oid[]), seqincrement < 0"
		     " FROM pg_catalog.pg_sequence WHERE seqrelid = pg_catalog.to_regclass($1)",
		     2, params, err) < 0)
		return -1;
	if (!res.rows)
		return 0;
	if (db_query(&now, put_back_db(back), sql, 0, NULL, err) < 0)
		return -1;
	*ret = (struct position){
		.there = true,
		.lived = db_bool(&res, 0, 0),
		.descending = db_bool(&res, 0, 1),
		.last = db_int(&now, 0, 0),
		.is_called = db_bool(&now, 0, 1),
	};
	return 0;
}

/* Has more been used of it than when it was saved? */
static bool is_further(const struct position *now, int64_t last, bool is_called)
{
	if (now->last == last)
		return now->is_called && !is_called;
	return now->descending ? now->last < last : now->last > last;
}

static int put_back_sequence(struct put_back *back, const json_t *sequence, struct error *err)
{
	const char *name = json_member(sequence, "sequence");
	int64_t last = json_integer_value(json_object_get(sequence, "last_value"));
	bool is_called = json_is_true(json_object_get(sequence, "is_called"));
	struct position now;
	char number[24];
	const char *params[] = { name, number, is_called ? "true" : "false" };

	if (read_position(&now, back, name, err) < 0)
		return -1;
	if (!now.there)
		return 0;
	if (now.lived && is_further(&now, last, is_called)) {
		strvec_pushf(&back->further, "%s stays at %" PRId64, name, now.last);
		return 0;
	}
	snprintf(number, sizeof(number), "%" PRId64, last);
	return db_query(NULL, put_back_db(back),
			"SELECT pg_catalog.setval($1::regclass, $2::bigint, $3::boolean)", 3,
			params, err);
}

int put_back_sequences(struct put_back *back, struct error *err)
{
	size_t i;
	json_t *sequence;

	json_array_foreach(json_object_get(back->saved->manifest, "sequences"), i, sequence)
	{
		if (put_back_sequence(back, sequence, err) < 0)
			return error_prefix(err, "could not set sequence %s",
					    json_member(sequence, "sequence"));
	}
	return 0;
}
