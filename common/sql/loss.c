/* SPDX-License-Identifier: MIT */
#include "sql/loss.h"

#include "sql/lexer.h"
#include "sql/tree.h"

enum sql_loss sql_loss_worse(enum sql_loss a, enum sql_loss b)
{
	if (a == SQL_LOSES_ROWS || b == SQL_LOSES_ROWS)
		return SQL_LOSES_ROWS;
	return a == SQL_LOSS_UNKNOWN || b == SQL_LOSS_UNKNOWN ? SQL_LOSS_UNKNOWN : SQL_KEEPS_ROWS;
}

static enum sql_loss cascaded(bool cascade, enum sql_loss loss)
{
	return cascade ? loss : SQL_KEEPS_ROWS;
}

/* --- Without a tree --- */

static bool is_word(const char *word, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(word, list[i]))
			return true;
	return false;
}

/*
 * Whether an INSERT has VALUES only, no query, no ON CONFLICT, and no call of a function
 * that does not only compute. Doubt makes it false: a string that may go on behind E'',
 * and an index in the list of columns, which can be any expression.
 */
static bool insert_is_plain(const char *text, size_t len)
{
	static const char *const no_words[] = { "conflict", "select", "table", "with" };
	struct sql_token t, before = { 0 };
	char word[32] = "";
	bool values = false, qualified = false;

	for (size_t pos = 0; sql_next_token(&t, text, len, &pos); before = t) {
		if ((t.kind == '\'' && before.kind == 'e') || (t.kind == '[' && !values))
			return false;
		if (t.kind == '(' && values &&
		    (before.kind == '"' ||
		     (before.kind == 'a' &&
		      (qualified || (strcmp(word, "values") && !sql_name_only_computes(word))))))
			return false;
		if (t.kind != 'a')
			continue;
		sql_first_words(word, sizeof(word), text, t.end, t.start, 1);
		if (is_word(word, no_words, ARRAY_SIZE(no_words)))
			return false;
		qualified = before.kind == '.';
		values = values || !strcmp(word, "values");
	}
	return values;
}

bool sql_loss_of_text(enum sql_loss *ret, const char *words, const char *text, size_t len)
{
	static const char *const losers[] = { "delete", "merge", "truncate", "update" };

	for (size_t i = 0; i < ARRAY_SIZE(losers); i++)
		if (sql_words_start(words, losers[i])) {
			*ret = SQL_LOSES_ROWS;
			return true;
		}
	if (sql_words_start(words, "insert") && insert_is_plain(text, len)) {
		*ret = SQL_KEEPS_ROWS;
		return true;
	}
	return false;
}

/* --- Queries: whatever the tree has in it, as deep as it may be --- */

static enum sql_loss loss_of_node(const PgQuery__Node *n)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_DELETE_STMT:
	case PG_QUERY__NODE__NODE_MERGE_STMT:
	case PG_QUERY__NODE__NODE_UPDATE_STMT: return SQL_LOSES_ROWS;
	case PG_QUERY__NODE__NODE_INSERT_STMT:
		if (n->insert_stmt->on_conflict_clause &&
		    n->insert_stmt->on_conflict_clause->action !=
			    PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_NOTHING)
			return SQL_LOSES_ROWS;
		return SQL_KEEPS_ROWS;
	case PG_QUERY__NODE__NODE_FUNC_CALL:
		return sql_call_only_computes(n->func_call) ? SQL_KEEPS_ROWS : SQL_LOSS_UNKNOWN;
	case PG_QUERY__NODE__NODE_EXECUTE_STMT: return SQL_LOSS_UNKNOWN;
	default: return SQL_KEEPS_ROWS;
	}
}

static void add_loss_of_node(const PgQuery__Node *n, void *data)
{
	enum sql_loss *loss = data;

	*loss = sql_loss_worse(*loss, loss_of_node(n));
}

static enum sql_loss worst_in(const ProtobufCMessage *m)
{
	enum sql_loss ret = SQL_KEEPS_ROWS;

	sql_tree_walk(m, add_loss_of_node, &ret);
	return ret;
}

/* --- One function for each shape of tree --- */

static enum sql_loss loss_of_drop(const PgQuery__DropStmt *d)
{
	bool cascade = d->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;

	switch (d->remove_type) {
	case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: return SQL_LOSES_ROWS;
	case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN:
	case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA: /* without CASCADE it has to be empty */
	case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE: return cascaded(cascade, SQL_LOSES_ROWS);
	case PG_QUERY__OBJECT_TYPE__OBJECT_EVENT_TRIGGER:
	case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
	case PG_QUERY__OBJECT_TYPE__OBJECT_POLICY:
	case PG_QUERY__OBJECT_TYPE__OBJECT_PUBLICATION:
	case PG_QUERY__OBJECT_TYPE__OBJECT_RULE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_STATISTIC_EXT:
	case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER: return SQL_KEEPS_ROWS;
	case PG_QUERY__OBJECT_TYPE__OBJECT_ACCESS_METHOD: /* with its tables */
	case PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_CAST:
	case PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION: /* with its columns */
	case PG_QUERY__OBJECT_TYPE__OBJECT_CONVERSION:
	case PG_QUERY__OBJECT_TYPE__OBJECT_FDW:
	case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_SERVER:
	case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE: /* with ordinary ones that inherit */
	case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:	  /* with generated columns */
	case PG_QUERY__OBJECT_TYPE__OBJECT_LANGUAGE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW: /* with columns of its type, as VIEW */
	case PG_QUERY__OBJECT_TYPE__OBJECT_OPCLASS:
	case PG_QUERY__OBJECT_TYPE__OBJECT_OPERATOR:
	case PG_QUERY__OBJECT_TYPE__OBJECT_OPFAMILY:
	case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_TRANSFORM:
	case PG_QUERY__OBJECT_TYPE__OBJECT_TSCONFIGURATION:
	case PG_QUERY__OBJECT_TYPE__OBJECT_TSDICTIONARY:
	case PG_QUERY__OBJECT_TYPE__OBJECT_TSPARSER:
	case PG_QUERY__OBJECT_TYPE__OBJECT_TSTEMPLATE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW: return cascaded(cascade, SQL_LOSS_UNKNOWN);
	default: return SQL_LOSS_UNKNOWN; /* EXTENSION may hold tables */
	}
}

/* The server computes a new column's default for each row that is there. */
static enum sql_loss loss_of_new_column(const PgQuery__Node *def)
{
	enum sql_loss ret = SQL_KEEPS_ROWS;

	if (!def || def->node_case != PG_QUERY__NODE__NODE_COLUMN_DEF)
		return SQL_LOSS_UNKNOWN;
	for (size_t i = 0; i < def->column_def->n_constraints; i++) {
		const PgQuery__Node *n = def->column_def->constraints[i];

		if (n->node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
		    n->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT &&
		    n->constraint->raw_expr)
			ret = sql_loss_worse(ret, worst_in(&n->constraint->raw_expr->base));
	}
	return ret;
}

enum sql_loss sql_loss_of_alter_command(const PgQuery__AlterTableCmd *cmd)
{
	switch (cmd->subtype) {
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn: /* or a type's attribute */
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropIdentity: return SQL_LOSES_ROWS;
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetIdentity:
		if (!cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_LIST)
			return SQL_LOSS_UNKNOWN;
		return cascaded(sql_tree_option(cmd->def->list->items, cmd->def->list->n_items,
						"restart") != NULL,
				SQL_LOSES_ROWS);
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
		return cascaded(cmd->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE,
				SQL_LOSS_UNKNOWN);
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn: return loss_of_new_column(cmd->def);
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AddIdentity:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AddInherit:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AddOf:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnGenericOptions:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterConstraint:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ClusterOn:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartitionFinalize:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableRowSecurity:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableRule:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigUser:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropCluster:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropInherit:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropOf:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableAlwaysRule:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableAlwaysTrig:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableReplicaRule:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableReplicaTrig:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRowSecurity:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRule:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ForceRowSecurity:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_GenericOptions:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_NoForceRowSecurity:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ReplicaIdentity:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetOptions:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetRelOptions:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetCompression:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetLogged:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetOptions:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStorage:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetTableSpace:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetUnLogged:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint: return SQL_KEEPS_ROWS;
	default: return SQL_LOSS_UNKNOWN; /* TYPE, DROP EXPRESSION, SET ACCESS METHOD */
	}
}

static enum sql_loss loss_of_alter_table(const PgQuery__AlterTableStmt *a)
{
	enum sql_loss ret = SQL_KEEPS_ROWS;

	for (size_t i = 0; i < a->n_cmds; i++)
		ret = sql_loss_worse(
			ret, a->cmds[i]->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD ?
				     sql_loss_of_alter_command(a->cmds[i]->alter_table_cmd) :
				     SQL_LOSS_UNKNOWN);
	return ret;
}

/* It makes the server read strings otherwise than the parser that we trust. */
static enum sql_loss loss_of_set(const PgQuery__VariableSetStmt *v)
{
	const PgQuery__Node *arg = v->n_args ? v->args[0] : NULL;

	if (strcmp(v->name, "standard_conforming_strings") || !arg)
		return SQL_KEEPS_ROWS;
	if (arg->node_case == PG_QUERY__NODE__NODE_A_CONST &&
	    arg->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL &&
	    !strcmp(arg->a_const->sval->sval, "on"))
		return SQL_KEEPS_ROWS;
	return SQL_LOSS_UNKNOWN;
}

enum sql_loss sql_loss_of_tree(const PgQuery__Node *n)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_DROP_STMT: return loss_of_drop(n->drop_stmt);
	case PG_QUERY__NODE__NODE_DROP_OWNED_STMT:
	case PG_QUERY__NODE__NODE_DROPDB_STMT:
	case PG_QUERY__NODE__NODE_TRUNCATE_STMT: return SQL_LOSES_ROWS;
	case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT: return loss_of_alter_table(n->alter_table_stmt);
	case PG_QUERY__NODE__NODE_ALTER_SEQ_STMT:
		return cascaded(sql_tree_option(n->alter_seq_stmt->options,
						n->alter_seq_stmt->n_options, "restart") != NULL,
				SQL_LOSES_ROWS);
	case PG_QUERY__NODE__NODE_DISCARD_STMT: /* temporary tables */
		return cascaded(n->discard_stmt->target == PG_QUERY__DISCARD_MODE__DISCARD_ALL ||
					n->discard_stmt->target ==
						PG_QUERY__DISCARD_MODE__DISCARD_TEMP,
				SQL_LOSES_ROWS);
	case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT: return loss_of_set(n->variable_set_stmt);
	case PG_QUERY__NODE__NODE_COPY_STMT:
		if (n->copy_stmt->is_program)
			return SQL_LOSS_UNKNOWN;
		return worst_in(&n->base);
	case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
	case PG_QUERY__NODE__NODE_DELETE_STMT:
	case PG_QUERY__NODE__NODE_INSERT_STMT:
	case PG_QUERY__NODE__NODE_MERGE_STMT:
	case PG_QUERY__NODE__NODE_SELECT_STMT:
	case PG_QUERY__NODE__NODE_UPDATE_STMT: return worst_in(&n->base);
	case PG_QUERY__NODE__NODE_ALTER_COLLATION_STMT:
	case PG_QUERY__NODE__NODE_ALTER_DATABASE_REFRESH_COLL_STMT:
	case PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT:
	case PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT:
	case PG_QUERY__NODE__NODE_ALTER_DEFAULT_PRIVILEGES_STMT:
	case PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT:
	case PG_QUERY__NODE__NODE_ALTER_ENUM_STMT:
	case PG_QUERY__NODE__NODE_ALTER_EVENT_TRIG_STMT:
	case PG_QUERY__NODE__NODE_ALTER_EXTENSION_CONTENTS_STMT:
	case PG_QUERY__NODE__NODE_ALTER_FDW_STMT:
	case PG_QUERY__NODE__NODE_ALTER_FOREIGN_SERVER_STMT:
	case PG_QUERY__NODE__NODE_ALTER_FUNCTION_STMT:
	case PG_QUERY__NODE__NODE_ALTER_OBJECT_DEPENDS_STMT:
	case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
	case PG_QUERY__NODE__NODE_ALTER_OPERATOR_STMT:
	case PG_QUERY__NODE__NODE_ALTER_OP_FAMILY_STMT:
	case PG_QUERY__NODE__NODE_ALTER_OWNER_STMT:
	case PG_QUERY__NODE__NODE_ALTER_POLICY_STMT:
	case PG_QUERY__NODE__NODE_ALTER_PUBLICATION_STMT:
	case PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT:
	case PG_QUERY__NODE__NODE_ALTER_ROLE_STMT:
	case PG_QUERY__NODE__NODE_ALTER_STATS_STMT:
	case PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT:
	case PG_QUERY__NODE__NODE_ALTER_TABLE_MOVE_ALL_STMT:
	case PG_QUERY__NODE__NODE_ALTER_TABLE_SPACE_OPTIONS_STMT:
	case PG_QUERY__NODE__NODE_ALTER_TSCONFIGURATION_STMT:
	case PG_QUERY__NODE__NODE_ALTER_TSDICTIONARY_STMT:
	case PG_QUERY__NODE__NODE_ALTER_USER_MAPPING_STMT:
	case PG_QUERY__NODE__NODE_CHECK_POINT_STMT:
	case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
	case PG_QUERY__NODE__NODE_CLUSTER_STMT:
	case PG_QUERY__NODE__NODE_COMMENT_STMT:
	case PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT:
	case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT:
	case PG_QUERY__NODE__NODE_CREATEDB_STMT:
	case PG_QUERY__NODE__NODE_CREATE_AM_STMT:
	case PG_QUERY__NODE__NODE_CREATE_CAST_STMT:
	case PG_QUERY__NODE__NODE_CREATE_CONVERSION_STMT:
	case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT:
	case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT:
	case PG_QUERY__NODE__NODE_CREATE_EVENT_TRIG_STMT:
	case PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT:
	case PG_QUERY__NODE__NODE_CREATE_FDW_STMT:
	case PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT:
	case PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT:
	case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT:
	case PG_QUERY__NODE__NODE_CREATE_OP_CLASS_STMT:
	case PG_QUERY__NODE__NODE_CREATE_OP_FAMILY_STMT:
	case PG_QUERY__NODE__NODE_CREATE_PLANG_STMT:
	case PG_QUERY__NODE__NODE_CREATE_POLICY_STMT:
	case PG_QUERY__NODE__NODE_CREATE_PUBLICATION_STMT:
	case PG_QUERY__NODE__NODE_CREATE_RANGE_STMT:
	case PG_QUERY__NODE__NODE_CREATE_ROLE_STMT:
	case PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT:
	case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT:
	case PG_QUERY__NODE__NODE_CREATE_STATS_STMT:
	case PG_QUERY__NODE__NODE_CREATE_STMT:
	case PG_QUERY__NODE__NODE_CREATE_TABLE_SPACE_STMT:
	case PG_QUERY__NODE__NODE_CREATE_TRANSFORM_STMT:
	case PG_QUERY__NODE__NODE_CREATE_TRIG_STMT:
	case PG_QUERY__NODE__NODE_CREATE_USER_MAPPING_STMT:
	case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
	case PG_QUERY__NODE__NODE_DEFINE_STMT:
	case PG_QUERY__NODE__NODE_DROP_ROLE_STMT:
	case PG_QUERY__NODE__NODE_DROP_TABLE_SPACE_STMT: /* it has to be empty */
	case PG_QUERY__NODE__NODE_DROP_USER_MAPPING_STMT:
	case PG_QUERY__NODE__NODE_GRANT_ROLE_STMT:
	case PG_QUERY__NODE__NODE_GRANT_STMT:
	case PG_QUERY__NODE__NODE_IMPORT_FOREIGN_SCHEMA_STMT:
	case PG_QUERY__NODE__NODE_INDEX_STMT:
	case PG_QUERY__NODE__NODE_LISTEN_STMT:
	case PG_QUERY__NODE__NODE_LOCK_STMT:
	case PG_QUERY__NODE__NODE_NOTIFY_STMT:
	case PG_QUERY__NODE__NODE_REASSIGN_OWNED_STMT:
	case PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT:
	case PG_QUERY__NODE__NODE_REINDEX_STMT:
	case PG_QUERY__NODE__NODE_RENAME_STMT:
	case PG_QUERY__NODE__NODE_RULE_STMT:
	case PG_QUERY__NODE__NODE_SEC_LABEL_STMT:
	case PG_QUERY__NODE__NODE_TRANSACTION_STMT: /* what it undoes the script has done */
	case PG_QUERY__NODE__NODE_UNLISTEN_STMT:
	case PG_QUERY__NODE__NODE_VACUUM_STMT:
	case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
	case PG_QUERY__NODE__NODE_VIEW_STMT: return SQL_KEEPS_ROWS;
	default: return SQL_LOSS_UNKNOWN;
	}
}
