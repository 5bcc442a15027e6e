/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/strbuf.h"
#include "sql/outline-model.h"

/* --- Names and types ------------------------------------------------------------------------ */

struct qualified {
	const char *schema, *name;
};

static struct qualified range_name(const PgQuery__RangeVar *range)
{
	return (struct qualified){ range->schemaname, range->relname };
}

static struct qualified list_name(PgQuery__Node *const *list, size_t nr)
{
	return (struct qualified){ nr > 1 ? sql_tree_string(list[nr - 2]) : "",
				   nr ? sql_tree_string(list[nr - 1]) : "" };
}

/* Of a DROP or a RENAME. */
static struct qualified node_name(const PgQuery__Node *n)
{
	if (n->node_case == PG_QUERY__NODE__NODE_LIST)
		return list_name(n->list->items, n->list->n_items);
	if (n->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
		return list_name(n->type_name->names, n->type_name->n_names);
	return (struct qualified){ "", sql_tree_string(n) };
}

/*
 * "varchar(255)[]", as the catalogue calls it; a serial is an integer with more to it. Functions are
 * known by their types without `modifiers`.
 */
static char *type_text(const PgQuery__TypeName *type, bool modifiers)
{
	static const char *const serials[][2] = {
		{ "serial", "int4" },  { "serial4", "int4" },	  { "bigserial", "int8" },
		{ "serial8", "int8" }, { "smallserial", "int2" }, { "serial2", "int2" },
	};
	const char *name = list_name(type->names, type->n_names).name;
	struct strbuf ret = STRBUF_INIT;
	size_t shown = 0;

	for (size_t i = 0; type->n_names == 1 && i < ARRAY_SIZE(serials); i++)
		if (!strcmp(name, serials[i][0]))
			name = serials[i][1];
	strbuf_addstr(&ret, name);
	for (size_t i = 0; modifiers && i < type->n_typmods; i++) {
		const PgQuery__Node *it = type->typmods[i];

		if (it->node_case == PG_QUERY__NODE__NODE_A_CONST &&
		    it->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL)
			strbuf_addf(&ret, "%s%d", shown++ ? "," : "(", it->a_const->ival->ival);
	}
	strbuf_addstr(&ret, shown ? ")" : "");
	if (type->n_array_bounds)
		strbuf_addstr(&ret, "[]");
	return strbuf_detach(&ret);
}

static bool is_serial(const PgQuery__TypeName *type)
{
	return type->n_names == 1 && strstr(sql_tree_string(type->names[0]), "serial") != NULL;
}

static void add_strings(struct strvec *ret, PgQuery__Node *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		strvec_push(ret, sql_tree_string(list[i]));
}

/* --- Tables --------------------------------------------------------------------------------- */

static void add_foreign_key(struct outline_object *table, const PgQuery__Constraint *c,
			    struct outline_key key)
{
	key.kind = KEY_FOREIGN;
	key.target = xstrdup(c->pktable ? c->pktable->relname : "");
	add_strings(&key.columns, c->fk_attrs, c->n_fk_attrs);
	outline_add_key(table, key);
}

static void add_unique(struct outline_object *table, const PgQuery__Constraint *c,
		       struct outline_key key)
{
	struct outline_key *index = *c->indexname ? outline_key(table, c->indexname) : NULL;

	key.kind = c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ? KEY_PRIMARY : KEY_UNIQUE;
	add_strings(&key.columns, c->keys, c->n_keys);
	/* An index that is there becomes the constraint's. */
	for (size_t i = 0; index && i < index->columns.nr; i++)
		strvec_push(&key.columns, index->columns.v[i]);
	if (index)
		outline_drop_key(table, index);
	outline_add_key(table, key);
}

/* `column`: it stands behind this one's definition; else NULL. */
static void add_constraint(struct outline_object *table, const PgQuery__Constraint *c,
			   const char *column)
{
	struct outline_column *it = column ? outline_column(table, column) : NULL;
	struct outline_key key = { .name = *c->conname ? xstrdup(c->conname) : NULL };

	if (column)
		strvec_push(&key.columns, column);
	switch (c->contype) {
	case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
	case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE: add_unique(table, c, key); return;
	case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN: add_foreign_key(table, c, key); return;
	case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
	case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
		if (it)
			it->not_null = true;
		break;
	default: break;
	}
	free(key.name);
	strvec_release(&key.columns);
}

static void add_column(struct outline_object *table, const PgQuery__ColumnDef *def)
{
	struct outline_column *column = outline_column(table, def->colname);

	if (column) /* IF NOT EXISTS */
		return;
	column = outline_add_column(table, def->colname);
	column->type = def->type_name ? type_text(def->type_name, true) : NULL;
	column->not_null = def->is_not_null || (def->type_name && is_serial(def->type_name));
	for (size_t i = 0; i < def->n_constraints; i++)
		if (def->constraints[i]->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
			add_constraint(table, def->constraints[i]->constraint, def->colname);
}

/* LIKE, INHERITS, PARTITION OF: what is known of the other one. */
static void copy_columns(const struct outline_model *model, struct outline_object *table,
			 const PgQuery__RangeVar *from)
{
	const struct outline_object *other =
		outline_find(model, "table", from->schemaname, from->relname);

	for (size_t i = 0; other && other != table && i < other->columns; i++) {
		struct outline_column *column;

		if (outline_column(table, other->column[i].name))
			continue;
		column = outline_add_column(table, other->column[i].name);
		column->type = xstrdup_or_null(other->column[i].type);
		column->not_null = other->column[i].not_null;
	}
}

static void create_table(struct outline_model *model, const PgQuery__CreateStmt *c)
{
	struct qualified name = range_name(c->relation);
	struct outline_object *table;

	if (!strcmp(c->relation->relpersistence, "t"))
		return;
	table = outline_make(model, "table", name.schema, name.name);
	if (table->path && c->if_not_exists)
		return;
	if (!table->path)
		table->path = xstrdup(model->path);
	for (size_t i = 0; i < c->n_inh_relations; i++)
		copy_columns(model, table, c->inh_relations[i]->range_var);
	for (size_t i = 0; i < c->n_table_elts; i++) {
		const PgQuery__Node *it = c->table_elts[i];

		if (it->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF)
			add_column(table, it->column_def);
		else if (it->node_case == PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE)
			copy_columns(model, table, it->table_like_clause->relation);
	}
	for (size_t i = 0; i < c->n_table_elts; i++)
		if (c->table_elts[i]->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
			add_constraint(table, c->table_elts[i]->constraint, NULL);
}

static void alter_column(struct outline_object *table, const PgQuery__AlterTableCmd *cmd)
{
	struct outline_column *column = outline_column(table, cmd->name);

	if (!column)
		column = outline_add_column(table, cmd->name);
	if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType) {
		free(column->type);
		column->type = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF ?
				       type_text(cmd->def->column_def->type_name, true) :
				       NULL;
	} else {
		column->not_null = cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull;
	}
}

static void alter_table_by(struct outline_object *table, const PgQuery__AlterTableCmd *cmd)
{
	struct outline_key *key;

	switch (cmd->subtype) {
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn:
		if (cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF)
			add_column(table, cmd->def->column_def);
		break;
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn:
		outline_drop_column(table, cmd->name);
		break;
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull:
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AddIdentity: alter_column(table, cmd); break;
	case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
		if (cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
			add_constraint(table, cmd->def->constraint, NULL);
		break;
	case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
		key = outline_key(table, cmd->name);
		if (key)
			outline_drop_key(table, key);
		break;
	default: break;
	}
}

static bool takes_away(const PgQuery__AlterTableStmt *a)
{
	for (size_t i = 0; i < a->n_cmds; i++) {
		const PgQuery__AlterTableCmd *cmd = a->cmds[i]->alter_table_cmd;

		if (a->cmds[i]->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD &&
		    cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn &&
		    cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint)
			return true;
	}
	return false;
}

static void alter_table(struct outline_model *model, const PgQuery__AlterTableStmt *a)
{
	struct qualified name = range_name(a->relation);
	struct outline_object *table;

	if (a->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE)
		return;
	/* One that none of the scripts makes has at least what they say of it. */
	table = outline_get(model, "table", name.schema, name.name);
	if (takes_away(a))
		outline_bury(model, table);
	for (size_t i = 0; i < a->n_cmds; i++)
		if (a->cmds[i]->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD)
			alter_table_by(table, a->cmds[i]->alter_table_cmd);
}

static void create_index(struct outline_model *model, const PgQuery__IndexStmt *i)
{
	struct qualified name = range_name(i->relation);
	struct outline_object *table = outline_get(model, "table", name.schema, name.name);
	struct outline_key key = { .kind = i->unique ? KEY_UNIQUE_INDEX : KEY_INDEX,
				   .partial = i->where_clause != NULL };

	if (*i->idxname && outline_key(table, i->idxname)) /* IF NOT EXISTS */
		return;
	key.name = *i->idxname ? xstrdup(i->idxname) : NULL;
	for (size_t c = 0; c < i->n_index_params; c++) {
		const PgQuery__Node *it = i->index_params[c];
		bool column =
			it->node_case == PG_QUERY__NODE__NODE_INDEX_ELEM && *it->index_elem->name;

		strvec_push(&key.columns, column ? it->index_elem->name : "expression");
	}
	outline_add_key(table, key);
}

/* --- Everything else that is made ----------------------------------------------------------- */

static struct outline_object *create(struct outline_model *model, const char *type,
				     struct qualified name)
{
	struct outline_object *ret = outline_make(model, type, name.schema, name.name);

	if (!ret->path)
		ret->path = xstrdup(model->path);
	return ret;
}

static void create_as(struct outline_model *model, const PgQuery__CreateTableAsStmt *c)
{
	bool view = c->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;

	if (strcmp(c->into->rel->relpersistence, "t") != 0)
		create(model, view ? "materialized view" : "table", range_name(c->into->rel));
}

static void create_enum(struct outline_model *model, const PgQuery__CreateEnumStmt *c)
{
	struct outline_object *type =
		create(model, "type", list_name(c->type_name, c->n_type_name));

	for (size_t i = 0; i < c->n_vals; i++)
		if (!outline_column(type, sql_tree_string(c->vals[i])))
			outline_add_column(type, sql_tree_string(c->vals[i]));
}

static void alter_enum(struct outline_model *model, const PgQuery__AlterEnumStmt *a)
{
	struct qualified name = list_name(a->type_name, a->n_type_name);
	struct outline_object *type = outline_get(model, "type", name.schema, name.name);

	if (*a->old_val) {
		outline_bury(model, type);
		outline_rename_column(type, a->old_val, a->new_val);
	} else if (!outline_column(type, a->new_val)) {
		outline_add_column(type, a->new_val);
	}
}

/* Functions of one name are told apart by what goes in: "total(int4, text)". */
static void add_argument(struct strbuf *name, const PgQuery__TypeName *type)
{
	char *text CLEANUP(free_p) = type_text(type, false);

	if (name->buf[name->len - 1] != '(')
		strbuf_addstr(name, ", ");
	strbuf_addstr(name, text);
}

static void create_function(struct outline_model *model, const PgQuery__CreateFunctionStmt *c)
{
	struct qualified name = list_name(c->funcname, c->n_funcname);
	struct strbuf full CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&full, "%s(", name.name);
	for (size_t i = 0; i < c->n_parameters; i++) {
		const PgQuery__FunctionParameter *it = c->parameters[i]->function_parameter;

		if (it->mode != PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_OUT &&
		    it->mode != PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_TABLE)
			add_argument(&full, it->arg_type);
	}
	strbuf_addch(&full, ')');
	name.name = full.buf;
	create(model, "function", name);
}

/* --- DROP, RENAME, SET SCHEMA --------------------------------------------------------------- */

static const char *type_of(PgQuery__ObjectType object)
{
	switch (object) {
	case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE: return "table";
	case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW: return "view";
	case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW: return "materialized view";
	case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN: return "type";
	case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:
	case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE:
	case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE: return "function";
	default: return NULL;
	}
}

static void drop_function(struct outline_model *model, const PgQuery__ObjectWithArgs *o)
{
	struct qualified name = list_name(o->objname, o->n_objname);
	struct strbuf full CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&full, "%s(", name.name);
	for (size_t i = 0; i < o->n_objargs; i++)
		if (o->objargs[i]->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
			add_argument(&full, o->objargs[i]->type_name);
	if (!o->args_unspecified)
		strbuf_addch(&full, ')');
	for (size_t i = model->nr; i; i--)
		if (!strcmp(model->item[i - 1].type, "function") &&
		    (o->args_unspecified ? !strncmp(model->item[i - 1].name, full.buf, full.len) :
					   !strcmp(model->item[i - 1].name, full.buf)))
			outline_drop(model, &model->item[i - 1]);
}

/* An index is one of some table. */
static struct outline_key *find_index(const struct outline_model *model, const char *name,
				      struct outline_object **ret_table)
{
	for (size_t i = 0; i < model->nr; i++) {
		struct outline_key *key = outline_key(&model->item[i], name);

		*ret_table = &model->item[i];
		if (key)
			return key;
	}
	return NULL;
}

static void drop_index(struct outline_model *model, const char *name)
{
	struct outline_object *table;
	struct outline_key *key = find_index(model, name, &table);

	if (!key)
		return;
	outline_bury(model, table);
	outline_drop_key(table, key);
}

/* The foreign keys of others go with a table, by CASCADE. */
static void drop_references(struct outline_model *model, const char *target)
{
	for (size_t i = 0; i < model->nr; i++)
		for (size_t k = model->item[i].keys; k; k--) {
			struct outline_key *key = &model->item[i].key[k - 1];

			if (!key->target || strcmp(key->target, target) != 0)
				continue;
			outline_bury(model, &model->item[i]);
			outline_drop_key(&model->item[i], key);
		}
}

static void drop_schema(struct outline_model *model, const char *schema)
{
	for (size_t i = model->nr; i; i--)
		if (!strcmp(model->item[i - 1].schema, schema))
			outline_drop(model, &model->item[i - 1]);
}

static void drop_one(struct outline_model *model, const PgQuery__DropStmt *d,
		     const PgQuery__Node *n)
{
	const char *type = type_of(d->remove_type);
	struct outline_object *object;

	if (d->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX) {
		drop_index(model, node_name(n).name);
		return;
	}
	if (d->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA) {
		drop_schema(model, node_name(n).name);
		return;
	}
	if (n->node_case == PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS) {
		drop_function(model, n->object_with_args);
		return;
	}
	if (!type)
		return;
	if (d->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
		drop_references(model, node_name(n).name);
	object = outline_find(model, type, node_name(n).schema, node_name(n).name);
	if (object)
		outline_drop(model, object);
}

static void rename_object(struct outline_model *model, struct outline_object *object,
			  const char *name)
{
	for (size_t i = 0; i < model->nr; i++)
		for (size_t k = 0; k < model->item[i].keys; k++) {
			struct outline_key *key = &model->item[i].key[k];

			if (!key->target || strcmp(key->target, object->name) != 0)
				continue;
			outline_bury(model, &model->item[i]);
			free(key->target);
			key->target = xstrdup(name);
		}
	outline_bury(model, object);
	free(object->name);
	object->name = xstrdup(name);
}

static void rename_key(struct outline_object *table, const char *from, const char *to)
{
	struct outline_key *key = table ? outline_key(table, from) : NULL;

	if (!key)
		return;
	free(key->name);
	key->name = xstrdup(to);
}

static void rename_it(struct outline_model *model, const PgQuery__RenameStmt *r)
{
	const char *type = type_of(r->rename_type);
	struct qualified name = r->relation ? range_name(r->relation) :
				r->object   ? node_name(r->object) :
					      (struct qualified){ "", "" };
	struct outline_object *object =
		outline_find(model, type ? type : "table", name.schema, name.name);

	if (r->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX) {
		if (find_index(model, name.name, &object))
			rename_key(object, name.name, r->newname);
	} else if (r->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT) {
		rename_key(object, r->subname, r->newname);
	} else if (r->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN && object) {
		outline_bury(model, object);
		outline_rename_column(object, r->subname, r->newname);
	} else if (type && object) {
		rename_object(model, object, r->newname);
	}
}

static void set_schema(struct outline_model *model, const PgQuery__AlterObjectSchemaStmt *a)
{
	struct outline_object *object;

	if (!a->relation)
		return;
	object = outline_find(model, "table", a->relation->schemaname, a->relation->relname);
	if (!object)
		return;
	outline_bury(model, object);
	free(object->schema);
	object->schema = xstrdup(a->newschema);
}

/* --- Statements ----------------------------------------------------------------------------- */

static void set_search_path(struct outline_model *model, const PgQuery__VariableSetStmt *v)
{
	const char *first = "";

	if (strcmp(v->name, "search_path") != 0)
		return;
	for (size_t i = 0; i < v->n_args && !*first; i++) {
		const char *name = sql_tree_text(v->args[i]);

		if (name && strcmp(name, "$user") != 0)
			first = name;
	}
	free(model->schema);
	model->schema = xstrdup(first);
}

void outline_ddl(struct outline_model *model, const PgQuery__Node *n)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_CREATE_STMT: create_table(model, n->create_stmt); break;
	case PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT:
		create_table(model, n->create_foreign_table_stmt->base_stmt);
		break;
	case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
		create_as(model, n->create_table_as_stmt);
		break;
	case PG_QUERY__NODE__NODE_VIEW_STMT:
		create(model, "view", range_name(n->view_stmt->view));
		break;
	case PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT:
		create(model, "type", range_name(n->composite_type_stmt->typevar));
		break;
	case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT: create_enum(model, n->create_enum_stmt); break;
	case PG_QUERY__NODE__NODE_CREATE_RANGE_STMT:
		create(model, "type",
		       list_name(n->create_range_stmt->type_name,
				 n->create_range_stmt->n_type_name));
		break;
	case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT:
		create(model, "type",
		       list_name(n->create_domain_stmt->domainname,
				 n->create_domain_stmt->n_domainname));
		break;
	case PG_QUERY__NODE__NODE_ALTER_ENUM_STMT: alter_enum(model, n->alter_enum_stmt); break;
	case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT:
		create_function(model, n->create_function_stmt);
		break;
	case PG_QUERY__NODE__NODE_INDEX_STMT: create_index(model, n->index_stmt); break;
	case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT: alter_table(model, n->alter_table_stmt); break;
	case PG_QUERY__NODE__NODE_DROP_STMT:
		for (size_t i = 0; i < n->drop_stmt->n_objects; i++)
			drop_one(model, n->drop_stmt, n->drop_stmt->objects[i]);
		break;
	case PG_QUERY__NODE__NODE_RENAME_STMT: rename_it(model, n->rename_stmt); break;
	case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
		set_schema(model, n->alter_object_schema_stmt);
		break;
	case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
		set_search_path(model, n->variable_set_stmt);
		break;
	case PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT:
		for (size_t i = 0; i < n->create_schema_stmt->n_schema_elts; i++)
			outline_ddl(model, n->create_schema_stmt->schema_elts[i]);
		break;
	default: break;
	}
}
