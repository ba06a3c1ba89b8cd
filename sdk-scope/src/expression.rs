//! Expressions: every name, call, type and subquery in them is looked at, and what is not known is refused.

use crate::functions;
use crate::scope::{Outer, Scope};
use crate::survey::Survey;
use crate::tree::{self, Kind, Node};

impl Survey {
    /// Looks at all that an expression, or a clause made of some, is made of.
    pub(crate) fn expression(&mut self, node: Node<'_>, scope: &Scope<'_>) {
        self.expression_except(node, scope, &|_| false);
    }

    /// The same, without the parts that `skip` names.
    pub(crate) fn expression_except(&mut self, node: Node<'_>, scope: &Scope<'_>, skip: &dyn Fn(Node<'_>) -> bool) {
        // Long chains of AND or || lean to the left, a level each: so there is a list of what is left to do, and no recursion.
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if skip(node) {
                continue;
            }
            match node.kind() {
                Kind::columnref => {
                    self.use_column(node, scope);
                    let subscripts = tree::child(node, Kind::indirection).map(tree::items).unwrap_or_default();
                    open.extend(
                        subscripts.into_iter().flat_map(tree::nodes).filter(|one| one.kind() != Kind::attr_name),
                    );
                }
                Kind::select_with_parens => {
                    self.query(node, Outer { scope: Some(scope), ctes: scope.outer.ctes });
                }
                Kind::indirection_el if tree::has(node, Kind::Dot) => {
                    self.refuse(
                        node,
                        "a part of a value can't be followed: write the column as table.column".to_owned(),
                    );
                }
                Kind::func_name => self.call(node),
                Kind::any_operator => self.operator(node),
                Kind::Typename => self.typename(node),
                Kind::AexprConst if tree::child(node, Kind::func_name).is_some() => self.constant(node),
                Kind::func_expr_common_subexpr if !is_known_form(node) => {
                    let what =
                        tree::first_token(node).map(|token| token.text().to_ascii_lowercase()).unwrap_or_default();
                    self.refuse(node, not_known(&what));
                }
                kind if NAMES.contains(&kind) => {}
                kind if EXPRESSIONS.contains(&kind) => open.extend(tree::nodes(node)),
                kind => self.refuse(node, format!("this is not supported in a statement of one tenant ({kind:?})")),
            }
        }
    }

    fn call(&mut self, name: Node<'_>) {
        let names = tree::dotted(name).and_then(|names| names.into_iter().collect::<Option<Vec<_>>>());
        let function = match names.as_deref() {
            Some([function]) => function,
            Some([schema, function]) if schema == "pg_catalog" => function,
            Some(names) => return self.refuse(name, not_known(&names.join("."))),
            None => return self.refuse(name, not_known("this")),
        };
        if !functions::is_known(function) {
            self.refuse(name, not_known(function));
        }
    }

    fn operator(&mut self, operator: Node<'_>) {
        let schemas: Vec<String> =
            (operator.descendants()).filter(|one| one.kind() == Kind::ColId).map(tree::name).collect();
        if schemas.iter().any(|schema| schema != "pg_catalog") {
            self.refuse(
                operator,
                "only operators of PostgreSQL itself are known: write the operator without OPERATOR(…)".to_owned(),
            );
        }
    }

    fn typename(&mut self, typename: Node<'_>) {
        let generic = typename.descendants().find(|one| one.kind() == Kind::GenericType);
        let names = generic.and_then(tree::dotted_type).unwrap_or_default();
        if names.last().is_some_and(|name| looks_up(name)) {
            self.refuse(
                typename,
                "the types reg… look names up in the system catalogs: write the name as text".to_owned(),
            );
        }
    }

    /// `type 'constant'` with a type that the grammar does not know.
    fn constant(&mut self, constant: Node<'_>) {
        let name = tree::child(constant, Kind::func_name).and_then(tree::dotted).and_then(|mut names| names.pop()?);
        if name.is_none_or(|name| looks_up(&name)) || tree::child(constant, Kind::func_arg_list).is_some() {
            self.refuse(constant, "write the constant as 'text'::type".to_owned());
        }
    }
}

/// Types whose text is looked up among the names of all tables, functions or roles. The configurations and dictionaries of the
/// text search say nothing of rows.
fn looks_up(type_name: &str) -> bool {
    type_name.starts_with("reg") && !matches!(type_name, "regconfig" | "regdictionary")
}

fn not_known(function: &str) -> String {
    format!("`{function}` is not among the functions that are known to stay with the values they are given")
}

/// Calls with a syntax of their own.
fn is_known_form(node: Node<'_>) -> bool {
    let word = tree::first_token(node).map(|token| token.kind());
    word.is_some_and(|word| FORMS.contains(&word))
}

/// Those that give a value from values, or the time. TREAT is none of them: `TREAT(x AS f)` calls whatever function is named f.
const FORMS: &[Kind] = &[
    Kind::CAST,
    Kind::COALESCE,
    Kind::GREATEST,
    Kind::LEAST,
    Kind::NULLIF,
    Kind::EXTRACT,
    Kind::NORMALIZE,
    Kind::OVERLAY,
    Kind::POSITION,
    Kind::SUBSTRING,
    Kind::TRIM,
    Kind::CURRENT_DATE,
    Kind::CURRENT_TIME,
    Kind::CURRENT_TIMESTAMP,
    Kind::LOCALTIME,
    Kind::LOCALTIMESTAMP,
    Kind::MERGE_ACTION,
    Kind::JSON,
    Kind::JSON_ARRAY,
    Kind::JSON_EXISTS,
    Kind::JSON_OBJECT,
    Kind::JSON_QUERY,
    Kind::JSON_SCALAR,
    Kind::JSON_SERIALIZE,
    Kind::JSON_VALUE,
];

/// Rules that hold a name which is not a column's, or a sign.
const NAMES: &[Kind] = &[
    Kind::ColId,
    Kind::ColLabel,
    Kind::BareColLabel,
    Kind::any_name,
    Kind::name,
    Kind::param_name,
    Kind::MathOp,
    Kind::all_Op,
    Kind::Sconst,
    Kind::Iconst,
    Kind::opt_existing_window_name,
    Kind::opt_asc_desc,
    Kind::opt_nulls_order,
    Kind::sub_type,
    Kind::extract_arg,
    Kind::unicode_normal_form,
    Kind::ConstTypename,
    Kind::ConstInterval,
    Kind::opt_interval,
    Kind::opt_window_exclusion_clause,
    Kind::set_quantifier,
    Kind::row_or_rows,
    Kind::first_or_next,
    Kind::I_or_F_const,
    Kind::opt_asymmetric,
    Kind::json_predicate_type_constraint,
    Kind::json_key_uniqueness_constraint_opt,
    Kind::json_object_constructor_null_clause_opt,
    Kind::json_array_constructor_null_clause_opt,
    Kind::json_format_clause,
    Kind::json_format_clause_opt,
    Kind::json_quotes_clause_opt,
    Kind::json_wrapper_behavior,
    Kind::json_behavior_type,
    Kind::opt_all_clause,
    Kind::empty_grouping_set,
];

/// Rules that hold nothing but expressions and names.
const EXPRESSIONS: &[Kind] = &[
    Kind::a_expr,
    Kind::b_expr,
    Kind::c_expr,
    Kind::AexprConst,
    Kind::expr_list,
    Kind::row,
    Kind::explicit_row,
    Kind::implicit_row,
    Kind::array_expr,
    Kind::array_expr_list,
    Kind::in_expr,
    Kind::qual_Op,
    Kind::qual_all_Op,
    Kind::subquery_Op,
    Kind::case_expr,
    Kind::case_arg,
    Kind::when_clause_list,
    Kind::when_clause,
    Kind::case_default,
    Kind::indirection,
    Kind::opt_indirection,
    Kind::indirection_el,
    Kind::opt_slice_bound,
    Kind::func_expr,
    Kind::func_expr_windowless,
    Kind::func_application,
    Kind::func_expr_common_subexpr,
    Kind::func_arg_list,
    Kind::func_arg_list_opt,
    Kind::func_arg_expr,
    Kind::within_group_clause,
    Kind::filter_clause,
    Kind::over_clause,
    Kind::window_clause,
    Kind::window_definition_list,
    Kind::window_definition,
    Kind::window_specification,
    Kind::opt_partition_clause,
    Kind::opt_frame_clause,
    Kind::frame_extent,
    Kind::frame_bound,
    Kind::opt_sort_clause,
    Kind::sort_clause,
    Kind::sortby_list,
    Kind::sortby,
    Kind::extract_list,
    Kind::overlay_list,
    Kind::position_list,
    Kind::substr_list,
    Kind::trim_list,
    Kind::distinct_clause,
    Kind::opt_distinct_clause,
    Kind::having_clause,
    Kind::group_clause,
    Kind::group_by_list,
    Kind::group_by_item,
    Kind::rollup_clause,
    Kind::cube_clause,
    Kind::grouping_sets_clause,
    Kind::select_limit,
    Kind::opt_select_limit,
    Kind::limit_clause,
    Kind::offset_clause,
    Kind::select_limit_value,
    Kind::select_offset_value,
    Kind::select_fetch_first_value,
    Kind::where_clause,
    Kind::json_value_expr,
    Kind::json_value_expr_list,
    Kind::json_arguments,
    Kind::json_argument,
    Kind::json_name_and_value_list,
    Kind::json_name_and_value,
    Kind::json_passing_clause_opt,
    Kind::json_behavior,
    Kind::json_behavior_clause_opt,
    Kind::json_on_error_clause_opt,
    Kind::json_returning_clause_opt,
    Kind::json_array_aggregate_order_by_clause_opt,
    Kind::json_aggregate_func,
];
