/* SPDX-License-Identifier: MIT */
#include "flow/save-rows.h"

#include "pg/copy.h"

/* As pg_dump has them: the same text whoever writes it, and readable by whoever reads it. */
int save_settings(struct db *db, struct error *err)
{
	return db_exec(db,
		       "SELECT pg_catalog.set_config('row_security', 'off', true),"
		       " pg_catalog.set_config('search_path', '', true),"
		       " pg_catalog.set_config('client_encoding', 'UTF8', true),"
		       " pg_catalog.set_config('TimeZone', 'UTC', true),"
		       " pg_catalog.set_config('lc_monetary', 'C', true),"
		       " pg_catalog.set_config('DateStyle', 'ISO', true),"
		       " pg_catalog.set_config('IntervalStyle', 'postgres', true),"
		       " pg_catalog.set_config('extra_float_digits', '3', true),"
		       " pg_catalog.set_config('bytea_output', 'hex', true),"
		       " pg_catalog.set_config('xmlbinary', 'base64', true),"
		       " pg_catalog.set_config('statement_timeout', '0', true),"
		       " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true)",
		       err);
}

void save_copy_target(struct strbuf *out, struct db *db, const char *table, const json_t *columns)
{
	size_t i;
	json_t *column;

	strbuf_addstr(out, table);
	json_array_foreach(columns, i, column)
	{
		strbuf_addstr(out, i ? ", " : " (");
		db_quote_identifier(out, db, json_string_value(column));
	}
	if (json_array_size(columns))
		strbuf_addch(out, ')');
}

/*
 * In the binary format the file's header stands in front of the first row, which one that is, and a
 * trailer behind the last (PostgreSQL's COPY, "Binary Format").
 */
void save_digest_add(struct save_digest *digest, const void *bytes, size_t len)
{
	const size_t header = 19;
	const char *row = bytes;

	if (digest->binary && !digest->started && len >= header) {
		row += header;
		len -= header;
	}
	digest->started = true;
	if (!digest->binary || (len > 0 && (len != 2 || memcmp(row, "\377\377", 2) != 0)))
		digest_sum_add(&digest->sum, row, len);
}

static bool is_binary(const json_t *part)
{
	const char *format = json_member(part, "format");

	return format && !strcmp(format, "binary");
}

const char *save_format_clause(const json_t *part)
{
	return is_binary(part) ? " (FORMAT binary)" : "";
}

static int count_sink(void *data, const void *bytes, size_t len, struct error *err)
{
	(void)err;
	save_digest_add(data, bytes, len);
	return 0;
}

int save_count_rows(struct save_count *ret, struct db *db, const json_t *part, const char *table,
		    const json_t *columns, struct error *err)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct save_digest digest = { .binary = is_binary(part) };

	strbuf_addstr(&sql, "COPY ");
	save_copy_target(&sql, db, table, columns);
	strbuf_addf(&sql, " TO STDOUT%s", save_format_clause(part));
	if (copy_out(&ret->rows, db, sql.buf, count_sink, &digest, err) < 0)
		return error_prefix(err, "could not read the rows of %s", table);
	digest_sum_end(ret->digest, &digest.sum);
	return 0;
}
