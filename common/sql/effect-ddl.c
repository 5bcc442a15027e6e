/* SPDX-License-Identifier: MIT */
#include "sql/effect-maker.h"

#include "base/memory.h"
#include "base/strbuf.h"
#include "sql/loss.h"

/* --- DROP ----------------------------------------------------------------------------------- */

/* How an object is named in a DROP. */
enum naming {
	BY_ROUTINE, /* a name with arguments */
	BY_TYPE,    /* the name of a type */
	BY_LIST,    /* a qualified name */
	IN_TABLE,   /* a table's qualified name, and one more part */
	BY_NAME,    /* one string: there are no schemas */
	BY_ACCESS,  /* a method, and a qualified name */
	BY_TYPES    /* a cast's two types; a transform's type, and its language */
};

static const struct {
	const char *type;
	PgQuery__ObjectType object;
	enum naming naming;
} dropped[] = {
	{ "access method", PG_QUERY__OBJECT_TYPE__OBJECT_ACCESS_METHOD, BY_NAME },
	{ "aggregate", PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE, BY_ROUTINE },
	{ "cast", PG_QUERY__OBJECT_TYPE__OBJECT_CAST, BY_TYPES },
	{ "collation", PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION, BY_LIST },
	{ "conversion", PG_QUERY__OBJECT_TYPE__OBJECT_CONVERSION, BY_LIST },
	{ "type", PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN, BY_TYPE },
	{ "event trigger", PG_QUERY__OBJECT_TYPE__OBJECT_EVENT_TRIGGER, BY_NAME },
	{ "extension", PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION, BY_NAME },
	{ "foreign-data wrapper", PG_QUERY__OBJECT_TYPE__OBJECT_FDW, BY_NAME },
	{ "server", PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_SERVER, BY_NAME },
	{ "foreign table", PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE, BY_LIST },
	{ "function", PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION, BY_ROUTINE },
	{ "index", PG_QUERY__OBJECT_TYPE__OBJECT_INDEX, BY_LIST },
	{ "language", PG_QUERY__OBJECT_TYPE__OBJECT_LANGUAGE, BY_NAME },
	{ "materialized view", PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW, BY_LIST },
	{ "operator class", PG_QUERY__OBJECT_TYPE__OBJECT_OPCLASS, BY_ACCESS },
	{ "operator", PG_QUERY__OBJECT_TYPE__OBJECT_OPERATOR, BY_ROUTINE },
	{ "operator family", PG_QUERY__OBJECT_TYPE__OBJECT_OPFAMILY, BY_ACCESS },
	{ "policy", PG_QUERY__OBJECT_TYPE__OBJECT_POLICY, IN_TABLE },
	{ "procedure", PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE, BY_ROUTINE },
	{ "publication", PG_QUERY__OBJECT_TYPE__OBJECT_PUBLICATION, BY_NAME },
	{ "routine", PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE, BY_ROUTINE },
	{ "rule", PG_QUERY__OBJECT_TYPE__OBJECT_RULE, IN_TABLE },
	{ "schema", PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA, BY_NAME },
	{ "sequence", PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE, BY_LIST },
	{ "statistics object", PG_QUERY__OBJECT_TYPE__OBJECT_STATISTIC_EXT, BY_LIST },
	{ "table", PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, BY_LIST },
	{ "transform", PG_QUERY__OBJECT_TYPE__OBJECT_TRANSFORM, BY_TYPES },
	{ "trigger", PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER, IN_TABLE },
	{ "text search configuration", PG_QUERY__OBJECT_TYPE__OBJECT_TSCONFIGURATION, BY_LIST },
	{ "text search dictionary", PG_QUERY__OBJECT_TYPE__OBJECT_TSDICTIONARY, BY_LIST },
	{ "text search parser", PG_QUERY__OBJECT_TYPE__OBJECT_TSPARSER, BY_LIST },
	{ "text search template", PG_QUERY__OBJECT_TYPE__OBJECT_TSTEMPLATE, BY_LIST },
	{ "type", PG_QUERY__OBJECT_TYPE__OBJECT_TYPE, BY_TYPE },
	{ "view", PG_QUERY__OBJECT_TYPE__OBJECT_VIEW, BY_LIST },
};

/* A type as SQL text that means the same wherever it stands: "pg_catalog"."int4"[]. */
static char *type_text(const PgQuery__TypeName *type)
{
	struct strbuf ret = STRBUF_INIT;

	for (size_t i = 0; i < type->n_names; i++) {
		strbuf_addstr(&ret, i ? ".\"" : "\"");
		for (const char *p = sql_tree_string(type->names[i]); *p; p++) {
			if (*p == '"')
				strbuf_addch(&ret, '"');
			strbuf_addch(&ret, *p);
		}
		strbuf_addch(&ret, '"');
	}
	for (size_t i = 0; i < type->n_array_bounds; i++)
		strbuf_addstr(&ret, "[]");
	return strbuf_detach(&ret);
}

/* An operand that there is not (of a prefix operator) is "NONE". */
static void add_type(struct strvec *args, const PgQuery__Node *n)
{
	if (n->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
		strvec_push_nodup(args, type_text(n->type_name));
	else
		strvec_push(args, "NONE");
}

static void name_routine(struct sql_effect *e, const PgQuery__ObjectWithArgs *o)
{
	effect_set_list(e, o->objname, o->n_objname, 2);
	for (size_t i = 0; i < o->n_objargs; i++)
		add_type(&e->args, o->objargs[i]);
	e->any_args = o->args_unspecified;
}

static void name_types(struct sql_effect *e, PgQuery__Node *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i]->node_case == PG_QUERY__NODE__NODE_STRING)
			strvec_push(&e->args, list[i]->string->sval);
		else
			add_type(&e->args, list[i]);
}

static void name_object(struct sql_effect *e, const PgQuery__Node *n, enum naming naming)
{
	if (n->node_case == PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS)
		name_routine(e, n->object_with_args);
	else if (n->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
		effect_set_list(e, n->type_name->names, n->type_name->n_names, 2);
	else if (n->node_case == PG_QUERY__NODE__NODE_STRING)
		strvec_push(&e->name, n->string->sval);
	else if (n->node_case == PG_QUERY__NODE__NODE_LIST && naming == BY_TYPES)
		name_types(e, n->list->items, n->list->n_items);
	else if (n->node_case == PG_QUERY__NODE__NODE_LIST)
		effect_set_list(e, n->list->items, n->list->n_items, naming == BY_LIST ? 2 : 3);
}

static void effect_of_drop(struct effect_maker *m, const PgQuery__DropStmt *d)
{
	for (size_t k = 0; k < ARRAY_SIZE(dropped); k++) {
		if (dropped[k].object != d->remove_type)
			continue;
		for (size_t i = 0; i < d->n_objects; i++) {
			struct sql_effect *e =
				effect_add(m, SQL_EFFECT_DROP, dropped[k].type, LOCK_DROP);

			if (d->concurrent)
				e->lock = "ShareUpdateExclusiveLock";
			name_object(e, d->objects[i], dropped[k].naming);
			e->cascade = d->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
			e->conditional = d->missing_ok;
		}
	}
}

static void effect_of_drop_owned(struct effect_maker *m, const PgQuery__DropOwnedStmt *d)
{
	for (size_t i = 0; i < d->n_roles; i++) {
		const PgQuery__RoleSpec *role = d->roles[i]->role_spec;
		struct sql_effect *e = effect_add(m, SQL_EFFECT_DROP, "owned", LOCK_DROP);

		if (role->roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CSTRING)
			strvec_push(&e->name, role->rolename);
		e->cascade = d->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
	}
}

static void effect_of_truncate(struct effect_maker *m, const PgQuery__TruncateStmt *t)
{
	for (size_t i = 0; i < t->n_relations; i++) {
		struct sql_effect *e = effect_add(m, SQL_EFFECT_TRUNCATE, "relation", LOCK_DROP);

		effect_set_range(e, t->relations[i]->range_var);
		e->cascade = t->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
		e->restart = t->restart_seqs;
	}
}

/* --- ALTER ---------------------------------------------------------------------------------- */

/* What the server locks the table with: as AlterTableGetLockLevel(), the cases that are less. */
static const char *lock_of_command(const PgQuery__AlterTableCmd *cmd)
{
	switch (cmd->subtype) {
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetOptions:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetOptions:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ClusterOn:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropCluster:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition: return "ShareUpdateExclusiveLock";
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition:
		return cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD &&
				       cmd->def->partition_cmd->concurrent ?
			       "ShareUpdateExclusiveLock" :
			       LOCK_DROP;
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
		return cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
				       cmd->def->constraint->contype ==
					       PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN ?
			       "ShareRowExclusiveLock" :
			       LOCK_DROP;
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableAlwaysTrig:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableReplicaTrig:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigUser: return "ShareRowExclusiveLock";
	default: return LOCK_DROP;
	}
}

static struct sql_effect *add_altered(struct effect_maker *m, enum sql_effect_kind kind,
				      const PgQuery__AlterTableStmt *a, const char *lock)
{
	struct sql_effect *e = effect_add(m, kind, "relation", lock);

	effect_set_range(e, a->relation);
	e->conditional = a->missing_ok;
	return e;
}

static struct sql_effect *add_column(struct effect_maker *m, enum sql_effect_kind kind,
				     const PgQuery__AlterTableStmt *a,
				     const PgQuery__AlterTableCmd *cmd)
{
	struct sql_effect *e = add_altered(m, kind, a, LOCK_DROP);

	e->column = xstrdup(cmd->name);
	e->cascade = cmd->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
	e->conditional = e->conditional || cmd->missing_ok;
	return e;
}

static void drop_constraint(struct effect_maker *m, const PgQuery__AlterTableStmt *a,
			    const PgQuery__AlterTableCmd *cmd)
{
	struct sql_effect *e = add_altered(m, SQL_EFFECT_DROP, a, LOCK_DROP);

	e->type = "table constraint";
	strvec_push(&e->name, cmd->name);
	e->cascade = cmd->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
	e->conditional = e->conditional || cmd->missing_ok;
}

/* Of another table that the command names: a foreign key's, a partition's. */
static void alter_other(struct effect_maker *m, const PgQuery__AlterTableCmd *cmd)
{
	const PgQuery__Node *def = cmd->def;

	if (!def)
		return;
	if (def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT && def->constraint->pktable)
		effect_set_range(effect_add(m, SQL_EFFECT_ALTER, "relation",
					    "ShareRowExclusiveLock"),
				 def->constraint->pktable);
	if (def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD && def->partition_cmd->name)
		effect_set_range(effect_add(m, SQL_EFFECT_ALTER, "relation", LOCK_DROP),
				 def->partition_cmd->name);
}

/* Something of the table's that has this name from here on. */
static void create_part(struct effect_maker *m, const char *type, const PgQuery__RangeVar *range,
			const char *part, bool conditional)
{
	struct sql_effect *e;

	if (!*part)
		return;
	e = effect_add(m, SQL_EFFECT_CREATE, type, NULL);
	effect_set_range(e, range);
	strvec_push(&e->name, part);
	e->conditional = conditional;
}

static void create_parts(struct effect_maker *m, const PgQuery__AlterTableStmt *a,
			 const PgQuery__AlterTableCmd *cmd)
{
	const PgQuery__Node *def = cmd->def;

	if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn && def &&
	    def->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF)
		create_part(m, "table column", a->relation, def->column_def->colname,
			    cmd->missing_ok);
	if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint && def &&
	    def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
		create_part(m, "table constraint", a->relation, def->constraint->conname, false);
}

static void effect_of_command(struct effect_maker *m, const PgQuery__AlterTableStmt *a,
			      const PgQuery__AlterTableCmd *cmd)
{
	if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn) {
		add_column(m, SQL_EFFECT_DROP_COLUMN, a, cmd);
	} else if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType) {
		add_column(m, SQL_EFFECT_RETYPE_COLUMN, a, cmd);
	} else if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint) {
		drop_constraint(m, a, cmd);
	} else {
		enum sql_loss loss = sql_loss_of_alter_command(cmd);

		if (loss == SQL_LOSES_ROWS)
			add_column(m, SQL_EFFECT_RESTART, a, cmd);
		else
			add_altered(m, SQL_EFFECT_ALTER, a, lock_of_command(cmd));
		/* A call in a new column's default is found below. */
		if (loss == SQL_LOSS_UNKNOWN &&
		    cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn)
			effect_unknown(m, xstrdup("ALTER TABLE"));
	}
	create_parts(m, a, cmd);
	alter_other(m, cmd);
	effect_of_query(m, cmd->def ? &cmd->def->base : NULL);
}

static void effect_of_alter_table(struct effect_maker *m, const PgQuery__AlterTableStmt *a)
{
	/* An attribute of a type is one of all columns that are of it: not told here. */
	if (a->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE)
		return;
	for (size_t i = 0; i < a->n_cmds; i++)
		if (a->cmds[i]->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD)
			effect_of_command(m, a, a->cmds[i]->alter_table_cmd);
}

static void effect_of_alter_sequence(struct effect_maker *m, const PgQuery__AlterSeqStmt *a)
{
	struct sql_effect *e;

	if (!sql_tree_option(a->options, a->n_options, "restart"))
		return;
	e = effect_add(m, SQL_EFFECT_RESTART, "sequence", "ShareRowExclusiveLock");
	effect_set_range(e, a->sequence);
	e->conditional = a->missing_ok;
}

/* --- Names that change their meaning -------------------------------------------------------- */

/* "table" for whatever is in pg_class; the rest as DROP calls it. */
static const char *type_of_renamed(PgQuery__ObjectType object)
{
	switch (object) {
	case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
	case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
	case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
	case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE: return "relation";
	case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN: return "table column";
	case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT: return "table constraint";
	default: break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		if (dropped[i].object == object)
			return dropped[i].type;
	return "object";
}

/* The name it has now, into an effect that is not in the list; the caller replaces its last part. */
static void name_renamed(struct sql_effect *e, const PgQuery__RangeVar *relation,
			 const PgQuery__Node *object)
{
	if (relation)
		effect_set_range(e, relation);
	else if (object)
		name_object(e, object, BY_LIST);
	e->only = false;
	while (e->args.nr)
		free(e->args.v[--e->args.nr]);
}

static void replace_last(struct strvec *name, const char *last)
{
	if (name->nr)
		free(name->v[--name->nr]);
	strvec_push(name, last);
}

static void effect_of_rename(struct effect_maker *m, const PgQuery__RenameStmt *r)
{
	const char *type = type_of_renamed(r->rename_type);
	struct sql_effect *e;

	if (r->relation) {
		e = effect_add(m, SQL_EFFECT_ALTER, "relation", LOCK_DROP);
		effect_set_range(e, r->relation);
		e->conditional = r->missing_ok;
	}
	e = effect_add(m, SQL_EFFECT_RENAME, type, NULL);
	name_renamed(e, r->relation, r->object);
	if (r->relation && *r->subname) /* something of the table's */
		strvec_push(&e->name, r->newname);
	else
		replace_last(&e->name, r->newname);
}

static void effect_of_set_schema(struct effect_maker *m, const PgQuery__AlterObjectSchemaStmt *a)
{
	struct sql_effect *e;
	char *last CLEANUP(free_p) = NULL;

	if (a->relation) {
		e = effect_add(m, SQL_EFFECT_ALTER, "relation", LOCK_DROP);
		effect_set_range(e, a->relation);
		e->conditional = a->missing_ok;
	}
	e = effect_add(m, SQL_EFFECT_RENAME, type_of_renamed(a->object_type), NULL);
	name_renamed(e, a->relation, a->object);
	if (!e->name.nr)
		return;
	last = xstrdup(e->name.v[e->name.nr - 1]);
	while (e->name.nr)
		free(e->name.v[--e->name.nr]);
	strvec_push(&e->name, a->newschema);
	strvec_push(&e->name, last);
}

static void effect_of_set(struct effect_maker *m, const PgQuery__VariableSetStmt *v)
{
	struct sql_effect *e;

	if (strcmp(v->name, "search_path") != 0 &&
	    v->kind != PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL)
		return;
	e = effect_add(m, SQL_EFFECT_SEARCH_PATH, NULL, NULL);
	for (size_t i = 0; i < v->n_args; i++)
		if (sql_tree_text(v->args[i]))
			strvec_push(&e->name, sql_tree_text(v->args[i]));
}

/* --- CREATE --------------------------------------------------------------------------------- */

static struct sql_effect *add_created(struct effect_maker *m, const char *type,
				      const PgQuery__RangeVar *range, bool conditional)
{
	struct sql_effect *e = effect_add(m, SQL_EFFECT_CREATE, type, NULL);

	effect_set_range(e, range);
	e->conditional = conditional;
	return e;
}

static void add_created_list(struct effect_maker *m, const char *type, PgQuery__Node *const *list,
			     size_t nr, bool conditional)
{
	struct sql_effect *e = effect_add(m, SQL_EFFECT_CREATE, type, NULL);

	effect_set_list(e, list, nr, 2);
	e->conditional = conditional;
}

static void add_locked(struct effect_maker *m, const PgQuery__RangeVar *range, const char *lock)
{
	effect_set_range(effect_add(m, SQL_EFFECT_ALTER, "relation", lock), range);
}

static void effect_of_index(struct effect_maker *m, const PgQuery__IndexStmt *i)
{
	struct sql_effect *e;

	add_locked(m, i->relation, i->concurrent ? "ShareUpdateExclusiveLock" : "ShareLock");
	if (!*i->idxname)
		return;
	e = effect_add(m, SQL_EFFECT_CREATE, "relation", NULL);
	if (*i->relation->schemaname)
		strvec_push(&e->name, i->relation->schemaname);
	strvec_push(&e->name, i->idxname);
	e->conditional = i->if_not_exists;
}

static void effect_of_schema(struct effect_maker *m, const PgQuery__CreateSchemaStmt *c)
{
	struct sql_effect *e = effect_add(m, SQL_EFFECT_CREATE, "schema", NULL);

	if (*c->schemaname)
		strvec_push(&e->name, c->schemaname);
	else if (c->authrole)
		strvec_push(&e->name, c->authrole->rolename);
	e->conditional = c->if_not_exists;
	for (size_t i = 0; i < c->n_schema_elts; i++)
		effect_of_ddl(m, c->schema_elts[i]);
}

static void effect_of_create_as(struct effect_maker *m, const PgQuery__CreateTableAsStmt *c)
{
	add_created(m, "relation", c->into->rel, c->if_not_exists);
	effect_of_query(m, &c->query->base);
}

static void effect_of_lock(struct effect_maker *m, const PgQuery__LockStmt *l)
{
	/* By number, as lockdefs.h has them. */
	static const char *const modes[] = {
		NULL,
		"AccessShareLock",
		"RowShareLock",
		"RowExclusiveLock",
		"ShareUpdateExclusiveLock",
		"ShareLock",
		"ShareRowExclusiveLock",
		"ExclusiveLock",
		"AccessExclusiveLock",
	};

	if (l->mode < 1 || l->mode >= (int)ARRAY_SIZE(modes))
		return;
	for (size_t i = 0; i < l->n_relations; i++)
		if (l->relations[i]->node_case == PG_QUERY__NODE__NODE_RANGE_VAR)
			add_locked(m, l->relations[i]->range_var, modes[l->mode]);
}

static void effect_of_create(struct effect_maker *m, const PgQuery__Node *n)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_CREATE_STMT:
		add_created(m, "relation", n->create_stmt->relation, n->create_stmt->if_not_exists);
		break;
	case PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT:
		add_created(m, "relation", n->create_foreign_table_stmt->base_stmt->relation,
			    n->create_foreign_table_stmt->base_stmt->if_not_exists);
		break;
	case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
		effect_of_create_as(m, n->create_table_as_stmt);
		break;
	case PG_QUERY__NODE__NODE_VIEW_STMT:
		add_created(m, "relation", n->view_stmt->view, n->view_stmt->replace);
		break;
	case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT:
		add_created(m, "relation", n->create_seq_stmt->sequence,
			    n->create_seq_stmt->if_not_exists);
		break;
	case PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT:
		add_created(m, "type", n->composite_type_stmt->typevar, false);
		break;
	case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT:
		add_created_list(m, "type", n->create_enum_stmt->type_name,
				 n->create_enum_stmt->n_type_name, false);
		break;
	case PG_QUERY__NODE__NODE_CREATE_RANGE_STMT:
		add_created_list(m, "type", n->create_range_stmt->type_name,
				 n->create_range_stmt->n_type_name, false);
		break;
	case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT:
		add_created_list(m, "type", n->create_domain_stmt->domainname,
				 n->create_domain_stmt->n_domainname, false);
		break;
	case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT:
		add_created_list(m, "routine", n->create_function_stmt->funcname,
				 n->create_function_stmt->n_funcname,
				 n->create_function_stmt->replace);
		break;
	case PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT:
		effect_of_schema(m, n->create_schema_stmt);
		break;
	case PG_QUERY__NODE__NODE_INDEX_STMT: effect_of_index(m, n->index_stmt); break;
	case PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT:
		strvec_push(&add_created(m, "extension", NULL,
					 n->create_extension_stmt->if_not_exists)
				     ->name,
			    n->create_extension_stmt->extname);
		break;
	case PG_QUERY__NODE__NODE_CREATE_TRIG_STMT:
		add_locked(m, n->create_trig_stmt->relation, "ShareRowExclusiveLock");
		create_part(m, "trigger", n->create_trig_stmt->relation,
			    n->create_trig_stmt->trigname, n->create_trig_stmt->replace);
		break;
	case PG_QUERY__NODE__NODE_CREATE_POLICY_STMT:
		add_locked(m, n->create_policy_stmt->table, LOCK_DROP);
		create_part(m, "policy", n->create_policy_stmt->table,
			    n->create_policy_stmt->policy_name, false);
		break;
	case PG_QUERY__NODE__NODE_RULE_STMT:
		add_locked(m, n->rule_stmt->relation, LOCK_DROP);
		create_part(m, "rule", n->rule_stmt->relation, n->rule_stmt->rulename,
			    n->rule_stmt->replace);
		break;
	default: break;
	}
}

void effect_of_ddl(struct effect_maker *m, const PgQuery__Node *n)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_DROP_STMT: effect_of_drop(m, n->drop_stmt); break;
	case PG_QUERY__NODE__NODE_DROP_OWNED_STMT:
		effect_of_drop_owned(m, n->drop_owned_stmt);
		break;
	case PG_QUERY__NODE__NODE_TRUNCATE_STMT: effect_of_truncate(m, n->truncate_stmt); break;
	case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
		effect_of_alter_table(m, n->alter_table_stmt);
		break;
	case PG_QUERY__NODE__NODE_ALTER_SEQ_STMT:
		effect_of_alter_sequence(m, n->alter_seq_stmt);
		break;
	case PG_QUERY__NODE__NODE_RENAME_STMT: effect_of_rename(m, n->rename_stmt); break;
	case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
		effect_of_set_schema(m, n->alter_object_schema_stmt);
		break;
	case PG_QUERY__NODE__NODE_ALTER_POLICY_STMT:
		add_locked(m, n->alter_policy_stmt->table, LOCK_DROP);
		break;
	case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT: effect_of_set(m, n->variable_set_stmt); break;
	case PG_QUERY__NODE__NODE_LOCK_STMT: effect_of_lock(m, n->lock_stmt); break;
	default: effect_of_create(m, n);
	}
}
