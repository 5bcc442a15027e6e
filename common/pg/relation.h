/* SPDX-License-Identifier: MIT */
/*
 * relation: what saving a table's rows, and putting them back, depends on; and which tables the
 * open transaction has touched. All SQL on that.
 *
 * Owner:  the caller; the _release() functions free all.
 * Errors: -1 with `err` set; a transaction is then aborted.
 */
#ifndef PG_RELATION_H
#define PG_RELATION_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "pg/db.h"

/* "{1,2}": OIDs as a parameter of type oid[]; free() it. */
char *relation_oid_array(const uint32_t *oid, size_t nr) MUST_CHECK;

struct relation_column {
	char *name;
	int16_t number; /* pg_attribute.attnum */
	uint32_t type;	/* its OID */
	bool generated; /* GENERATED ALWAYS AS (...) STORED: computed, never stored by COPY */
};
struct relation {
	uint32_t oid;
	char *schema, *name;
	char *identity;	  /* quoted where needed: public.t */
	char kind;	  /* pg_class.relkind: 'r', 'p', 'm', 'f', ... */
	char persistence; /* 'p', 'u' */
	int64_t bytes;	  /* of its rows, TOAST and all */
	struct relation_column *column;
	size_t nr, alloc;
	struct strvec
		key; /* columns of the primary key, or of a unique index that can stand for one */
};
struct relations {
	struct relation *item; /* sorted by identity */
	size_t nr, alloc;
};
#define RELATIONS_INIT \
	{              \
		0      \
	}

/*
 * The relations of these OIDs that exist, partitioned tables replaced by their leaves.
 * Temporary ones are left out.
 */
int relations_read(struct relations *ret, struct db *db, const uint32_t *oid, size_t nr,
		   struct error *err) MUST_CHECK;
void relations_release(struct relations *relations);
bool relation_has_column(const struct relation *relation, const char *name);
/* The OID of what a name (quoted where needed) stands for; 0: nothing. */
int relation_find(uint32_t *ret, struct db *db, const char *name, struct error *err) MUST_CHECK;

/*
 * LOCK TABLE ... IN EXCLUSIVE MODE of those that are tables, and of the partitioned ones, with all
 * that are below them: so nobody writes, and no partition comes.
 */
int relations_lock(struct db *db, const uint32_t *oid, size_t nr, struct error *err) MUST_CHECK;

/* --- Sequences --- */

struct relation_sequence {
	uint32_t oid;
	char *identity;
	bool readable; /* the role may; else the position is not known */
	int64_t last_value;
	bool is_called;
};
struct relation_sequences {
	struct relation_sequence *item;
	size_t nr, alloc;
};
#define RELATION_SEQUENCES_INIT \
	{                       \
		0               \
	}
/*
 * The sequences that belong to these tables' columns (serial, identity), and those that are
 * among the OIDs themselves, with their positions.
 */
int relation_sequences_read(struct relation_sequences *ret, struct db *db, const uint32_t *oid,
			    size_t nr, struct error *err) MUST_CHECK;
void relation_sequences_release(struct relation_sequences *sequences);

/* --- Foreign keys --- */

struct relation_foreign_key {
	uint32_t oid;
	char *table;	  /* identity of the table that has it */
	char *name;	  /* quoted */
	char *definition; /* "FOREIGN KEY (a) REFERENCES public.t(id) ..." */
	char *comment;	  /* a literal, or NULL */
	/* Which of its triggers are switched in another way than by default, and how, as
	   relation_foreign_key_switch() takes it: JSON; or NULL. */
	char *switched;
};
struct relation_foreign_keys {
	struct relation_foreign_key *item;
	size_t nr, alloc;
};
#define RELATION_FOREIGN_KEYS_INIT \
	{                          \
		0                  \
	}
/* Those of and to these tables, each once; of partitions, the partitioned table's. */
int relation_foreign_keys_read(struct relation_foreign_keys *ret, struct db *db,
			       const uint32_t *oid, size_t nr, struct error *err) MUST_CHECK;
/* All in the database whose triggers are `switched`. */
int relation_foreign_keys_switched(struct relation_foreign_keys *ret, struct db *db,
				   struct error *err) MUST_CHECK;
void relation_foreign_keys_release(struct relation_foreign_keys *keys);

enum relation_switching { RELATION_SWITCHED = 0, RELATION_SUPERUSERS_ONLY = 1 };
/*
 * Switches the triggers of a foreign key, which is new and so has them as by default. None where there
 * is no such key. `name` is quoted.
 */
int relation_foreign_key_switch(struct db *db, const char *table, const char *name,
				const char *switched, struct error *err) MUST_CHECK;

/* --- What a transaction did --- */

/*
 * witness: all tables and sequences (but those of pg/keep.h) as they are before a transaction changes any, so that afterwards,
 * still in it, one can tell which of them it has touched: whatever did it, a DO block or a trigger,
 * too. What it altered or changed the transaction holds a lock on: only those are looked at.
 */
struct relation_witness {
	struct db_result tables; /* OID, relfilenode, columns, schema, name, relkind; sorted by OID */
};
#define RELATION_WITNESS_INIT             \
	{                                 \
		.tables = DB_RESULT_INIT, \
	}
int relation_witness_take(struct relation_witness *ret, struct db *db, struct error *err)
	MUST_CHECK;
void relation_witness_release(struct relation_witness *witness);

/* What became of one of them. */
struct relation_loss {
	uint32_t oid;
	char *schema, *name; /* as it was before; NULL: the witness does not know it */
	bool dropped;
	bool rewritten; /* by TRUNCATE, or as a column was converted; of a sequence: restarted */
	char *columns;	/* those that are left, where one is gone or has another type; else NULL */
	int64_t inserted, updated, deleted; /* rows; where the server does not count, -1 */
	bool sequence;
};
/* The gravest of what became of it. */
enum relation_loss_kind {
	RELATION_DROPPED,
	RELATION_REWRITTEN,
	RELATION_COLUMNS,
	RELATION_CHANGED,
	RELATION_ADDED /* rows only came */
};
enum relation_loss_kind relation_loss_kind(const struct relation_loss *loss);
struct relation_losses {
	struct relation_loss *item;
	size_t nr, alloc;
};
#define RELATION_LOSSES_INIT \
	{                    \
		0            \
	}
/*
 * Those that the transaction has changed. One that the witness does not know, and that is gone, came
 * after the witness, or the transaction itself has made it.
 */
int relation_witness_compare(struct relation_losses *ret, const struct relation_witness *witness,
			     struct db *db, struct error *err) MUST_CHECK;
/* Is the column, with its type, among those of a loss? All of `wanted`? */
bool relation_column_is_in(const struct relation_column *column, const char *columns);
bool relation_columns_are_in(const char *wanted, const char *columns);
/* The relation's columns but these (names), as a loss has them; free() it. */
char *relation_columns_without(const struct relation *relation, const struct strvec *without)
	MUST_CHECK;
void relation_losses_release(struct relation_losses *losses);

#endif
