//! Every statement as a constant, joined from literals and the columns' casts.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::columns::{bind_array, bind_name, of_element, of_type, read_name};
use crate::model::Entity;

/// `STATEMENTS`, and what it is made of.
pub(super) fn all(entity: &Entity) -> TokenStream {
    let krate = &entity.krate;
    let text = Text { entity };
    let list = text.select_list();
    let from = format!(" FROM {}", qualified(entity));
    let by_key: Vec<_> = entity.distribution.into_iter().chain(entity.key()).collect();
    let by_key_where = text.conditions(&by_key);
    let (written, updated, primary) = (entity.written(), entity.updated(), entity.primary_key());
    let insert = text.insert(&written);

    let get = statement(entity, "GET", &quote!("SELECT ", #list #from, " WHERE ", #by_key_where), &by_key);
    let exists =
        statement(entity, "EXISTS", &quote!("SELECT EXISTS (SELECT", #from, " WHERE ", #by_key_where ")"), &by_key);
    let delete = statement(entity, "DELETE", &quote!("DELETE", #from, " WHERE ", #by_key_where), &by_key);
    let tenant: Vec<_> = entity.distribution.into_iter().collect();
    let tenant_where = match text.conditions(&tenant) {
        empty if tenant.is_empty() => empty,
        conditions => quote!(" WHERE ", #conditions),
    };
    let count = statement(entity, "COUNT", &quote!("SELECT count(*)", #from, #tenant_where), &tenant);
    let insert_into = statement(entity, "INSERT", &insert, &written);
    let returning = statement(entity, "INSERT_RETURNING", &text.returning(&insert, &list), &written);
    let conflict = text.on_conflict(&primary, &updated);
    let upsert = statement(entity, "UPSERT", &quote!(#insert #conflict), &written);
    let (get_many, get_many_value) = text.get_many(&list, &from);
    let (update, update_value, existing_value) = if updated.is_empty() {
        (TokenStream::new(), none(), none())
    } else {
        let text = text.update(&primary, &updated);
        let all: Vec<_> = primary.iter().chain(&updated).copied().collect();
        let existing = quote!("WITH __written AS (", #text #krate::entity::OR_FAIL,);
        let (any, existing) =
            (statement(entity, "UPDATE", &text, &all), statement(entity, "UPDATE_EXISTING", &existing, &all));
        (quote!(#any #existing), some("UPDATE", krate), some("UPDATE_EXISTING", krate))
    };
    let value = |name| value(name, krate);
    let (get_value, exists_value, delete_value, count_value) =
        (value("GET"), value("EXISTS"), value("DELETE"), value("COUNT"));
    let (insert_value, returning_value, upsert_value) = (value("INSERT"), value("INSERT_RETURNING"), value("UPSERT"));
    quote! {
        #get #get_many #exists #delete #count #insert_into #returning #upsert #update
        static STATEMENTS: #krate::entity::Statements = #krate::entity::Statements {
            get: #get_value,
            get_many: #get_many_value,
            exists: #exists_value,
            delete: #delete_value,
            count: #count_value,
            insert: #insert_value,
            insert_returning: #returning_value,
            upsert: #upsert_value,
            update: #update_value,
            update_existing: #existing_value,
        };
    }
}

/// `SQL_NAME` and `PARAMS_NAME`.
fn statement(entity: &Entity, name: &str, parts: &TokenStream, params: &[usize]) -> TokenStream {
    let wires: Vec<_> = params.iter().map(|&at| of_type(entity, entity.field(at), "WIRE")).collect();
    typed_statement(entity, name, parts, &wires)
}

fn typed_statement(entity: &Entity, name: &str, parts: &TokenStream, wires: &[TokenStream]) -> TokenStream {
    let krate = &entity.krate;
    let (sql, params, count) = (format_ident!("SQL_{name}"), format_ident!("PARAMS_{name}"), wires.len());
    quote! {
        const #sql: &::core::primitive::str = #krate::__concat!(#parts);
        static #params: [#krate::__private::Type; #count] = [#(#wires),*];
    }
}

fn value(name: &str, krate: &TokenStream) -> TokenStream {
    let (sql, params) = (format_ident!("SQL_{name}"), format_ident!("PARAMS_{name}"));
    quote!(#krate::entity::Statement { sql: #sql, params: &#params })
}

fn some(name: &str, krate: &TokenStream) -> TokenStream {
    let value = value(name, krate);
    quote!(::core::option::Option::Some(#value))
}

fn none() -> TokenStream {
    quote!(::core::option::Option::None)
}

/// Pieces of statements: lists of string expressions, each followed by a comma.
struct Text<'a> {
    entity: &'a Entity,
}

impl Text<'_> {
    /// The columns' casts are numbered by their place among the columns.
    fn place(&self, field: usize) -> usize {
        self.entity.fields[..field].iter().filter(|field| field.attr.skip.is_none()).count()
    }

    fn quoted(&self, field: usize) -> String {
        quoted(&self.entity.field(field).column)
    }

    /// `$n` and its cast.
    fn param(&self, number: usize, field: usize) -> TokenStream {
        let (number, bind) = (format!("${number}"), bind_name(self.place(field)));
        quote!(#number, #bind,)
    }

    /// `"a", "b"::text, …`
    fn select_list(&self) -> TokenStream {
        let columns = self.entity.columns().map(|(at, field)| {
            let (name, read) = (format!("{}{}", comma(at), quoted(&field.column)), read_name(at));
            quote!(#name, #read,)
        });
        quote!(#(#columns)*)
    }

    /// The insert and the row as it was written. Citus lets only immutable functions stand behind RETURNING, and a cast that
    /// a column is read with (an enum's, to text) is none: it is made behind a WITH then.
    fn returning(&self, insert: &TokenStream, list: &TokenStream) -> TokenStream {
        let krate = &self.entity.krate;
        let reads: Vec<_> = self.entity.columns().map(|(at, _)| read_name(at)).collect();
        let if_cast =
            |text: &str, otherwise: &str| quote!(#krate::entity::concat::if_any(&[#(#reads),*], #text, #otherwise),);
        let with = if_cast("WITH __written AS (", "");
        let returning = if_cast(" RETURNING *) SELECT ", " RETURNING ");
        let from = if_cast(" FROM __written", "");
        quote!(#with #insert #returning #list #from)
    }

    /// `"a" = $1 AND "b" = $2`
    fn conditions(&self, fields: &[usize]) -> TokenStream {
        let conditions = fields.iter().enumerate().map(|(i, &field)| {
            let name = format!("{}{} = ", if i > 0 { " AND " } else { "" }, self.quoted(field));
            let param = self.param(i + 1, field);
            quote!(#name, #param)
        });
        quote!(#(#conditions)*)
    }

    fn insert(&self, written: &[usize]) -> TokenStream {
        let names: Vec<_> = written.iter().map(|&field| self.quoted(field)).collect();
        let into = format!("INSERT INTO {} ({}) VALUES (", qualified(self.entity), names.join(", "));
        let values = written.iter().enumerate().map(|(i, &field)| {
            let (comma, param) = (comma(i), self.param(i + 1, field));
            quote!(#comma, #param)
        });
        quote!(#into, #(#values)* ")",)
    }

    fn on_conflict(&self, primary: &[usize], updated: &[usize]) -> TokenStream {
        let key: Vec<_> = primary.iter().map(|&field| self.quoted(field)).collect();
        let set: Vec<_> =
            updated.iter().map(|&field| self.quoted(field)).map(|name| format!("{name} = EXCLUDED.{name}")).collect();
        let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
        let conflict = format!(" ON CONFLICT ({}) DO {action}", key.join(", "));
        quote!(#conflict,)
    }

    fn update(&self, primary: &[usize], updated: &[usize]) -> TokenStream {
        let update = format!("UPDATE {} SET ", qualified(self.entity));
        let set = updated.iter().enumerate().map(|(i, &field)| {
            let name = format!("{}{} = ", comma(i), self.quoted(field));
            let param = self.param(primary.len() + i + 1, field);
            quote!(#name, #param)
        });
        let conditions = self.conditions(primary);
        quote!(#update, #(#set)* " WHERE ", #conditions)
    }

    /// `… "key" = ANY($2)`, where the key is one column.
    fn get_many(&self, list: &TokenStream, from: &str) -> (TokenStream, TokenStream) {
        let key = self.entity.key();
        let [key] = key.as_slice() else { return (TokenStream::new(), none()) };
        let tenant: Vec<_> = self.entity.distribution.into_iter().collect();
        let conditions = self.conditions(&tenant);
        let and = if tenant.is_empty() { "" } else { " AND " };
        let field = self.entity.field(*key);
        let (any, cast) =
            (format!("{and}{} = ANY(${}", self.quoted(*key), tenant.len() + 1), bind_array(self.entity, field));
        let parts = quote!("SELECT ", #list #from, " WHERE ", #conditions #any, #cast, ")");
        let mut wires: Vec<_> = tenant.iter().map(|&at| of_type(self.entity, self.entity.field(at), "WIRE")).collect();
        wires.push(of_element(self.entity, field, "ARRAY_WIRE"));
        (typed_statement(self.entity, "GET_MANY", &parts, &wires), some("GET_MANY", &self.entity.krate))
    }
}

fn comma(i: usize) -> &'static str {
    if i > 0 { ", " } else { "" }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn qualified(entity: &Entity) -> String {
    match &entity.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&entity.table)),
        None => quoted(&entity.table),
    }
}
