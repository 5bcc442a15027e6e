/* SPDX-License-Identifier: MIT */
#include "sql/tree.h"

#include "base/memory.h"

void sql_tree_parse(struct sql_tree *ret, const char *text, size_t len)
{
	char *copy CLEANUP(free_p) = xmemdupz(text, len);
	PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(copy);

	*ret = (struct sql_tree){ 0 };
	if (parsed.error)
		ret->message = xstrdup(parsed.error->message);
	else
		ret->result = pg_query__parse_result__unpack(
			NULL, parsed.parse_tree.len, (const uint8_t *)parsed.parse_tree.data);
	if (ret->result && ret->result->n_stmts == 1)
		ret->statement = ret->result->stmts[0]->stmt;
	pg_query_free_protobuf_parse_result(parsed);
}

void sql_tree_release(struct sql_tree *tree)
{
	if (tree->result)
		pg_query__parse_result__free_unpacked(tree->result, NULL);
	free(tree->message);
	*tree = (struct sql_tree){ 0 };
}

/* --- Walking ------------------------------------------------------------------------------ */

/* `m` has the field's value as protobuf-c lays it out (protobuf-c.h, ProtobufCFieldDescriptor). */
static void walk_field(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
		       sql_tree_visit *visit, void *data)
{
	const char *base = (const char *)m;
	const void *at = base + f->offset, *quantifier = base + f->quantifier_offset;

	if (f->type != PROTOBUF_C_TYPE_MESSAGE)
		return;
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		const ProtobufCMessage *const *list = *(const ProtobufCMessage *const *const *)at;

		for (size_t i = 0; i < *(const size_t *)quantifier; i++)
			sql_tree_walk(list[i], visit, data);
		return;
	}
	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && *(const uint32_t *)quantifier != f->id)
		return;
	sql_tree_walk(*(const ProtobufCMessage *const *)at, visit, data);
}

void sql_tree_walk(const ProtobufCMessage *message, sql_tree_visit *visit, void *data)
{
	if (!message)
		return;
	if (message->descriptor == &pg_query__node__descriptor) {
		/* One field of 230 is set, so do not look at each. */
		const PgQuery__Node *n = (const void *)message;
		const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(
			message->descriptor, (unsigned)n->node_case);

		visit(n, data);
		if (f)
			walk_field(message, f, visit, data);
		return;
	}
	for (unsigned i = 0; i < message->descriptor->n_fields; i++)
		walk_field(message, &message->descriptor->fields[i], visit, data);
}

/* --- Reading ------------------------------------------------------------------------------ */

const char *sql_tree_string(const PgQuery__Node *node)
{
	return node->node_case == PG_QUERY__NODE__NODE_STRING ? node->string->sval : "";
}

const PgQuery__DefElem *sql_tree_option(PgQuery__Node *const *options, size_t nr, const char *name)
{
	const PgQuery__DefElem *ret = NULL;

	for (size_t i = 0; i < nr; i++)
		if (options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
		    !strcmp(options[i]->def_elem->defname, name))
			ret = options[i]->def_elem;
	return ret;
}

const char *sql_tree_text(const PgQuery__Node *node)
{
	if (!node)
		return NULL;
	if (node->node_case == PG_QUERY__NODE__NODE_STRING)
		return node->string->sval;
	if (node->node_case == PG_QUERY__NODE__NODE_A_CONST &&
	    node->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL)
		return node->a_const->sval->sval;
	if (node->node_case == PG_QUERY__NODE__NODE_TYPE_NAME && node->type_name->n_names)
		return sql_tree_text(node->type_name->names[node->type_name->n_names - 1]);
	return NULL;
}

/* --- Functions ---------------------------------------------------------------------------- */

/* No setval(), and no query_to_xml(): that one runs any statement. */
bool sql_name_only_computes(const char *name)
{
	static const char *const names[] = {
		"array_agg",
		"clock_timestamp",
		"concat",
		"concat_ws",
		"count",
		"date_trunc",
		"gen_random_uuid",
		"generate_series",
		"json_build_object",
		"jsonb_build_object",
		"length",
		"lower",
		"max",
		"md5",
		"min",
		"nextval",
		"now",
		"replace",
		"round",
		"row_number",
		"string_agg",
		"sum",
		"to_date",
		"to_timestamp",
		"unnest",
		"upper",
		"uuid_generate_v4",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

bool sql_call_only_computes(const PgQuery__FuncCall *call)
{
	/* EXTRACT(), TRIM() and the like: the grammar names a function of pg_catalog. */
	if (call->funcformat == PG_QUERY__COERCION_FORM__COERCE_SQL_SYNTAX)
		return true;
	return (call->n_funcname == 1 ||
		(call->n_funcname == 2 &&
		 !strcmp(sql_tree_string(call->funcname[0]), "pg_catalog"))) &&
	       sql_name_only_computes(sql_tree_string(call->funcname[call->n_funcname - 1]));
}
