/* SPDX-License-Identifier: MIT */
#include "sql/statement.h"

#include <strings.h>

#include "base/memory.h"
#include "sql/lexer.h"
#include "sql/parser.h"
#include "sql/tree.h"

static const char *const kind_names[] = {
	[SQL_ORDINARY] = "statement",
	[SQL_DO] = "DO",
	[SQL_CALL] = "CALL",
	[SQL_ALTER_TYPE_ADD_VALUE] = "ALTER TYPE ... ADD VALUE",
	[SQL_SAVEPOINT] = "SAVEPOINT",
	[SQL_RELEASE] = "RELEASE SAVEPOINT",
	[SQL_ROLLBACK_TO] = "ROLLBACK TO SAVEPOINT",
	[SQL_CREATE_INDEX_CONCURRENTLY] = "CREATE INDEX CONCURRENTLY",
	[SQL_DROP_INDEX_CONCURRENTLY] = "DROP INDEX CONCURRENTLY",
	[SQL_REINDEX_CONCURRENTLY] = "REINDEX CONCURRENTLY",
	[SQL_REINDEX_ALL] = "REINDEX of a whole schema or database",
	[SQL_DETACH_PARTITION_CONCURRENTLY] = "DETACH PARTITION CONCURRENTLY",
	[SQL_VACUUM] = "VACUUM",
	[SQL_CLUSTER_ALL] = "CLUSTER without a table",
	[SQL_ALTER_SYSTEM] = "ALTER SYSTEM",
	[SQL_CREATE_DATABASE] = "CREATE DATABASE",
	[SQL_DROP_DATABASE] = "DROP DATABASE",
	[SQL_ALTER_DATABASE_SET_TABLESPACE] = "ALTER DATABASE SET TABLESPACE",
	[SQL_CREATE_TABLESPACE] = "CREATE TABLESPACE",
	[SQL_DROP_TABLESPACE] = "DROP TABLESPACE",
	[SQL_CREATE_SUBSCRIPTION] = "CREATE SUBSCRIPTION",
	[SQL_ALTER_SUBSCRIPTION] = "ALTER SUBSCRIPTION",
	[SQL_DROP_SUBSCRIPTION] = "DROP SUBSCRIPTION",
	[SQL_DISCARD_ALL] = "DISCARD ALL",
	[SQL_BEGIN] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_PREPARE_TRANSACTION] = "PREPARE TRANSACTION",
	[SQL_COMMIT_PREPARED] = "COMMIT PREPARED",
	[SQL_ROLLBACK_PREPARED] = "ROLLBACK PREPARED",
	[SQL_COPY_FROM_STDIN] = "COPY FROM STDIN",
	[SQL_COPY_TO_STDOUT] = "COPY TO STDOUT",
};

const char *sql_kind_name(enum sql_kind kind)
{
	return kind_names[kind];
}

static void name_release(struct sql_name *name)
{
	free(name->schema);
	free(name->name);
	*name = (struct sql_name){ 0 };
}

void sql_statement_release(struct sql_statement *s)
{
	name_release(&s->object);
	name_release(&s->table);
}

/* --- Reading libpg_query's trees. A missing string is "" in them. --- */

static char *string_of(const char *s)
{
	return s && *s ? xstrdup(s) : NULL;
}

static struct sql_name name_of_range(const PgQuery__RangeVar *range)
{
	struct sql_name ret = { 0 };

	if (range) {
		ret.schema = string_of(range->schemaname);
		ret.name = string_of(range->relname);
	}
	return ret;
}

/* A qualified name as a list of strings; of database.schema.name the last two count. */
static struct sql_name name_of_list(PgQuery__Node *const *list, size_t nr)
{
	struct sql_name ret = { 0 };

	if (nr > 1 && list[nr - 2]->node_case == PG_QUERY__NODE__NODE_STRING)
		ret.schema = string_of(list[nr - 2]->string->sval);
	if (nr && list[nr - 1]->node_case == PG_QUERY__NODE__NODE_STRING)
		ret.name = string_of(list[nr - 1]->string->sval);
	return ret;
}

/* As the server's defGetBoolean(); `missing` where the option is not given. */
static bool option_bool(PgQuery__Node *const *options, size_t nr, const char *name, bool missing)
{
	const PgQuery__DefElem *elem = sql_tree_option(options, nr, name);
	const char *value;

	if (!elem)
		return missing;
	if (!elem->arg)
		return true;
	if (elem->arg->node_case == PG_QUERY__NODE__NODE_INTEGER)
		return elem->arg->integer->ival != 0;
	if (elem->arg->node_case == PG_QUERY__NODE__NODE_BOOLEAN)
		return elem->arg->boolean->boolval;
	if (elem->arg->node_case == PG_QUERY__NODE__NODE_A_CONST)
		return elem->arg->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL &&
		       elem->arg->a_const->ival->ival != 0;
	value = sql_tree_text(elem->arg);
	return !value || (strcasecmp(value, "false") && strcasecmp(value, "off"));
}

/* --- Passwords --- */

static bool is_secret_option(const PgQuery__Node *node)
{
	static const char *const names[] = { "password", "passwd", "passphrase", "secret" };

	if (node->node_case != PG_QUERY__NODE__NODE_DEF_ELEM || !node->def_elem->arg)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (sql_mentions(node->def_elem->defname, strlen(node->def_elem->defname),
				 names[i]))
			return true;
	return false;
}

static bool has_secret_option(PgQuery__Node *const *options, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (is_secret_option(options[i]))
			return true;
	return false;
}

/* libpq's two forms: "host=h password=p", and "postgresql://user:p@host/". */
static bool conninfo_has_secret(const char *s)
{
	const char *authority = s ? strstr(s, "://") : NULL;

	if (!s)
		return false;
	if (authority) {
		const char *end, *colon;

		authority += 3;
		end = authority + strcspn(authority, "/?");
		colon = memchr(authority, ':', (size_t)(end - authority));
		if (colon && memchr(colon, '@', (size_t)(end - colon)))
			return true;
	}
	return sql_mentions(s, strlen(s), "password");
}

/* A DO block that creates a role unless it exists: PASSWORD, blanks, a quote. */
static bool body_has_secret(const char *text, size_t len)
{
	for (size_t i = 0; i + 9 < len; i++) {
		size_t k = i + 8;

		if ((text[i] | 0x20) != 'p' || !sql_mentions(text + i, 8, "password"))
			continue;
		while (k < len && strchr(" \t\r\n", text[k]))
			k++;
		if (k < len && text[k] == '\'')
			return true;
	}
	return false;
}

/* --- One function for each shape of tree --- */

static void outside(struct sql_statement *s, enum sql_kind kind)
{
	s->kind = kind;
	s->outside = true;
}

/* What a BEGIN can ask for and a transaction of ours cannot give. */
static int check_begin(const PgQuery__TransactionStmt *t, struct error *err)
{
	const PgQuery__DefElem *level =
		sql_tree_option(t->options, t->n_options, "transaction_isolation");
	const char *name = level ? sql_tree_text(level->arg) : NULL;

	if (name && strcmp(name, "read committed") && strcmp(name, "read uncommitted"))
		error_refused(err,
			      "BEGIN cannot ask for another isolation level than READ COMMITTED");
	else if (option_bool(t->options, t->n_options, "transaction_read_only", false))
		error_refused(err, "BEGIN cannot ask for READ ONLY");
	else if (option_bool(t->options, t->n_options, "transaction_deferrable", false))
		error_refused(err, "BEGIN cannot ask for DEFERRABLE");
	else
		return 0;
	return error_hint(err, "The script runs inside a transaction that was already begun, "
			       "together with the record of it. Leave these options out.");
}

static int check_chain(const PgQuery__TransactionStmt *t, struct error *err)
{
	if (!t->chain)
		return 0;
	error_refused(err, "AND CHAIN is not possible in a script");
	return error_hint(err, "Script and record commit together, in one transaction. "
			       "Make what comes after it a script of its own.");
}

static int classify_transaction(struct sql_statement *s, const PgQuery__TransactionStmt *t,
				struct error *err)
{
	switch (t->kind) {
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
		s->kind = SQL_BEGIN;
		return check_begin(t, err);
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
		s->kind = SQL_COMMIT;
		return check_chain(t, err);
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK: s->kind = SQL_ROLLBACK; return 0;
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT: s->kind = SQL_SAVEPOINT; break;
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE: s->kind = SQL_RELEASE; break;
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
		s->kind = SQL_ROLLBACK_TO;
		break;
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
		s->kind = SQL_PREPARE_TRANSACTION;
		return 0;
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED:
		s->kind = SQL_COMMIT_PREPARED;
		return 0;
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED:
		s->kind = SQL_ROLLBACK_PREPARED;
		return 0;
	default: BUG("unknown kind of transaction statement %d", (int)t->kind);
	}
	s->object.name = string_of(t->savepoint_name);
	return 0;
}

static void classify_index(struct sql_statement *s, const PgQuery__IndexStmt *i)
{
	if (!i->concurrent)
		return;
	outside(s, SQL_CREATE_INDEX_CONCURRENTLY);
	s->conditional = i->if_not_exists;
	s->table = name_of_range(i->relation);
	s->object.schema = xstrdup_or_null(s->table.schema);
	s->object.name = string_of(i->idxname);
}

static void classify_drop(struct sql_statement *s, const PgQuery__DropStmt *d)
{
	if (!d->concurrent)
		return;
	outside(s, SQL_DROP_INDEX_CONCURRENTLY);
	s->conditional = d->missing_ok;
	/* The server drops no more than one concurrently. */
	if (d->n_objects && d->objects[0]->node_case == PG_QUERY__NODE__NODE_LIST)
		s->object = name_of_list(d->objects[0]->list->items, d->objects[0]->list->n_items);
}

static void classify_reindex(struct sql_statement *s, const PgQuery__ReindexStmt *r)
{
	switch (r->kind) {
	case PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX:
	case PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE:
		if (!option_bool(r->params, r->n_params, "concurrently", false))
			return;
		outside(s, SQL_REINDEX_CONCURRENTLY);
		s->is_table = r->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE;
		s->object = name_of_range(r->relation);
		return;
	default: outside(s, SQL_REINDEX_ALL); s->object.name = string_of(r->name);
	}
}

static void classify_alter_table(struct sql_statement *s, const PgQuery__AlterTableStmt *a)
{
	for (size_t i = 0; i < a->n_cmds; i++) {
		const PgQuery__AlterTableCmd *cmd = a->cmds[i]->alter_table_cmd;

		if (a->cmds[i]->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_CMD ||
		    cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition || !cmd->def ||
		    cmd->def->node_case != PG_QUERY__NODE__NODE_PARTITION_CMD ||
		    !cmd->def->partition_cmd->concurrent || s->outside)
			continue;
		outside(s, SQL_DETACH_PARTITION_CONCURRENTLY);
		s->conditional = a->missing_ok;
		s->table = name_of_range(a->relation);
		s->object = name_of_range(cmd->def->partition_cmd->name);
	}
}

static void classify_create_subscription(struct sql_statement *s,
					 const PgQuery__CreateSubscriptionStmt *c)
{
	bool connect = option_bool(c->options, c->n_options, "connect", true);

	s->kind = SQL_CREATE_SUBSCRIPTION;
	s->outside = option_bool(c->options, c->n_options, "create_slot", connect);
	s->object.name = string_of(c->subname);
	s->has_secret = conninfo_has_secret(c->conninfo);
}

static bool alters_on_publisher(const PgQuery__AlterSubscriptionStmt *a)
{
	switch (a->kind) {
	case PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_REFRESH: return true;
	case PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_SET_PUBLICATION:
	case PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_ADD_PUBLICATION:
	case PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_DROP_PUBLICATION:
		return option_bool(a->options, a->n_options, "refresh", true);
	default: /* the slot's own properties, since PostgreSQL 17 and 18 */
		return sql_tree_option(a->options, a->n_options, "failover") ||
		       sql_tree_option(a->options, a->n_options, "two_phase");
	}
}

static void classify_alter_subscription(struct sql_statement *s,
					const PgQuery__AlterSubscriptionStmt *a)
{
	const PgQuery__DefElem *slot = sql_tree_option(a->options, a->n_options, "slot_name");
	const char *name = slot ? sql_tree_text(slot->arg) : NULL;

	s->outside = alters_on_publisher(a);
	s->drops_slot = name && !strcmp(name, "none");
	s->kind = SQL_ALTER_SUBSCRIPTION;
	s->object.name = string_of(a->subname);
	s->has_secret = conninfo_has_secret(a->conninfo);
}

static void classify_alter_system(struct sql_statement *s, const PgQuery__AlterSystemStmt *a)
{
	outside(s, SQL_ALTER_SYSTEM);
	for (size_t i = 0; i < a->setstmt->n_args; i++)
		if (conninfo_has_secret(sql_tree_text(a->setstmt->args[i])))
			s->has_secret = true;
}

static void classify_copy(struct sql_statement *s, const PgQuery__CopyStmt *c)
{
	if (c->is_program || (c->filename && *c->filename))
		return;
	s->kind = c->is_from ? SQL_COPY_FROM_STDIN : SQL_COPY_TO_STDOUT;
}

static void classify_named(struct sql_statement *s, enum sql_kind kind, const char *name,
			   bool conditional)
{
	outside(s, kind);
	s->object.name = string_of(name);
	s->conditional = conditional;
}

static int classify_tree(struct sql_statement *s, const PgQuery__Node *n, struct error *err)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
		return classify_transaction(s, n->transaction_stmt, err);
	case PG_QUERY__NODE__NODE_INDEX_STMT: classify_index(s, n->index_stmt); break;
	case PG_QUERY__NODE__NODE_DROP_STMT: classify_drop(s, n->drop_stmt); break;
	case PG_QUERY__NODE__NODE_REINDEX_STMT: classify_reindex(s, n->reindex_stmt); break;
	case PG_QUERY__NODE__NODE_VACUUM_STMT:
		if (n->vacuum_stmt->is_vacuumcmd)
			outside(s, SQL_VACUUM);
		break;
	case PG_QUERY__NODE__NODE_CLUSTER_STMT:
		if (!n->cluster_stmt->relation)
			outside(s, SQL_CLUSTER_ALL);
		break;
	case PG_QUERY__NODE__NODE_CREATEDB_STMT:
		classify_named(s, SQL_CREATE_DATABASE, n->createdb_stmt->dbname, false);
		break;
	case PG_QUERY__NODE__NODE_DROPDB_STMT:
		classify_named(s, SQL_DROP_DATABASE, n->dropdb_stmt->dbname,
			       n->dropdb_stmt->missing_ok);
		break;
	case PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT:
		if (sql_tree_option(n->alter_database_stmt->options,
				    n->alter_database_stmt->n_options, "tablespace"))
			classify_named(s, SQL_ALTER_DATABASE_SET_TABLESPACE,
				       n->alter_database_stmt->dbname, false);
		break;
	case PG_QUERY__NODE__NODE_CREATE_TABLE_SPACE_STMT:
		classify_named(s, SQL_CREATE_TABLESPACE, n->create_table_space_stmt->tablespacename,
			       false);
		break;
	case PG_QUERY__NODE__NODE_DROP_TABLE_SPACE_STMT:
		classify_named(s, SQL_DROP_TABLESPACE, n->drop_table_space_stmt->tablespacename,
			       n->drop_table_space_stmt->missing_ok);
		break;
	case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
		classify_alter_table(s, n->alter_table_stmt);
		break;
	case PG_QUERY__NODE__NODE_CREATE_SUBSCRIPTION_STMT:
		classify_create_subscription(s, n->create_subscription_stmt);
		break;
	case PG_QUERY__NODE__NODE_ALTER_SUBSCRIPTION_STMT:
		classify_alter_subscription(s, n->alter_subscription_stmt);
		break;
	case PG_QUERY__NODE__NODE_DROP_SUBSCRIPTION_STMT:
		classify_named(s, SQL_DROP_SUBSCRIPTION, n->drop_subscription_stmt->subname,
			       n->drop_subscription_stmt->missing_ok);
		break;
	case PG_QUERY__NODE__NODE_DISCARD_STMT:
		if (n->discard_stmt->target == PG_QUERY__DISCARD_MODE__DISCARD_ALL)
			outside(s, SQL_DISCARD_ALL);
		break;
	case PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT:
		classify_alter_system(s, n->alter_system_stmt);
		break;
	case PG_QUERY__NODE__NODE_ALTER_ENUM_STMT:
		if (n->alter_enum_stmt->old_val && *n->alter_enum_stmt->old_val)
			break; /* RENAME VALUE */
		s->kind = SQL_ALTER_TYPE_ADD_VALUE;
		s->conditional = n->alter_enum_stmt->skip_if_new_val_exists;
		s->object = name_of_list(n->alter_enum_stmt->type_name,
					 n->alter_enum_stmt->n_type_name);
		break;
	case PG_QUERY__NODE__NODE_COPY_STMT: classify_copy(s, n->copy_stmt); break;
	case PG_QUERY__NODE__NODE_CREATE_ROLE_STMT:
		s->has_secret = has_secret_option(n->create_role_stmt->options,
						  n->create_role_stmt->n_options);
		break;
	case PG_QUERY__NODE__NODE_ALTER_ROLE_STMT:
		s->has_secret = has_secret_option(n->alter_role_stmt->options,
						  n->alter_role_stmt->n_options);
		break;
	case PG_QUERY__NODE__NODE_CREATE_USER_MAPPING_STMT:
		s->has_secret = has_secret_option(n->create_user_mapping_stmt->options,
						  n->create_user_mapping_stmt->n_options);
		break;
	case PG_QUERY__NODE__NODE_ALTER_USER_MAPPING_STMT:
		s->has_secret = has_secret_option(n->alter_user_mapping_stmt->options,
						  n->alter_user_mapping_stmt->n_options);
		break;
	case PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT:
		s->has_secret = has_secret_option(n->create_foreign_server_stmt->options,
						  n->create_foreign_server_stmt->n_options);
		break;
	case PG_QUERY__NODE__NODE_ALTER_FOREIGN_SERVER_STMT:
		s->has_secret = has_secret_option(n->alter_foreign_server_stmt->options,
						  n->alter_foreign_server_stmt->n_options);
		break;
	default: break;
	}
	return 0;
}

/* --- Which statements cannot do without a tree --- */

/*
 * What these first words do not say is ordinary, whatever comes behind them; `mention`
 * must occur somewhere, too. A list that is too long costs time, one that is too short
 * lets a statement through that the server will refuse.
 */
static const struct {
	const char *words, *mention;
} needs_tree[] = {
	{ "begin", NULL },
	{ "start", NULL },
	{ "commit", NULL },
	{ "end", NULL },
	{ "rollback", NULL },
	{ "abort", NULL },
	{ "savepoint", NULL },
	{ "release", NULL },
	{ "prepare transaction", NULL },
	{ "create index concurrently", NULL },
	{ "create unique index concurrently", NULL },
	{ "drop index concurrently", NULL },
	{ "reindex", NULL },
	{ "alter table", "concurrently" },
	{ "vacuum", NULL },
	{ "cluster", NULL },
	{ "alter system", NULL },
	{ "create database", NULL },
	{ "drop database", NULL },
	{ "alter database", "tablespace" },
	{ "create tablespace", NULL },
	{ "drop tablespace", NULL },
	{ "create subscription", NULL },
	{ "alter subscription", NULL },
	{ "drop subscription", NULL },
	{ "discard", NULL },
	{ "alter type", "value" },
	{ "copy", "stdin" },
	{ "copy", "stdout" },
	{ "create role", "password" },
	{ "create user", NULL }, /* also USER MAPPING, whose options have any name */
	{ "create group", "password" },
	{ "create server", NULL },
	{ "alter role", "password" },
	{ "alter user", NULL },
	{ "alter server", NULL },
};

static bool must_have_tree(const char *words, const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(needs_tree); i++)
		if (sql_words_start(words, needs_tree[i].words) &&
		    (!needs_tree[i].mention || sql_mentions(text, len, needs_tree[i].mention)))
			return true;
	return false;
}

/* `must`: no tree is an error. Else only the loss needs it, which then stays unknown. */
static int parse_tree(struct sql_statement *s, const char *text, bool must, struct error *err)
{
	struct sql_tree tree CLEANUP(sql_tree_release) = { 0 };
	int ret = 0;

	sql_tree_parse(&tree, text, s->len);
	if (tree.statement) {
		s->loss = sql_loss_of_tree(tree.statement);
		ret = classify_tree(s, tree.statement, err);
	} else if (must) {
		ret = error_set(err, "cannot parse the statement by itself%s%s",
				tree.message ? ": " : "", tree.message ? tree.message : "");
	}
	return ret;
}

int sql_statement_classify(struct sql_statement *s, const char *text, struct error *err)
{
	const char *start = text + s->offset;
	char words[64];
	bool must;

	sql_first_words(words, sizeof(words), start, s->len, 0, 4);
	s->loss = SQL_LOSS_UNKNOWN;
	if (sql_words_start(words, "do") || sql_words_start(words, "call")) {
		s->kind = sql_words_start(words, "do") ? SQL_DO : SQL_CALL;
		s->opaque = true;
		s->has_secret = body_has_secret(start, s->len);
		return 0;
	}
	must = must_have_tree(words, start, s->len);
	if (must && s->len > SQL_TREE_MAX)
		return error_refused(err,
				     "the statement is too long to be examined: %zu bytes, "
				     "the limit is %zu for one that starts with '%s'",
				     s->len, SQL_TREE_MAX, words);
	if (!must && (sql_loss_of_text(&s->loss, words, start, s->len) || s->len > SQL_TREE_MAX))
		return 0;
	return parse_tree(s, start, must, err);
}
