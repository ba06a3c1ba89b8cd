//! A statement of one tenant. What it does is found here; whether that stays with the tenant depends on the entities, which
//! the compiler knows: so it is a constant in what is written.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use shardwise_scope::{Analysis, Effect, FactLists, Facts, Refusal, WriteFactKind, analyse};

use super::input::Input;
use super::{binds, errors};
use crate::expand::option;

/// `Sql::__new(…)`
pub(crate) fn scoped(input: TokenStream) -> TokenStream {
    let input: Input = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let found = match analyse(&input.text.value()) {
        Ok(found) => found,
        Err(refusals) => return refused(&input, &refusals),
    };
    let given = input.given();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    if input.entities.is_empty()
        && let Err(refusal) = found.verify(&given, &[])
    {
        return match refusal.at.is_empty() {
            true => syn::Error::new(input.text.span(), refusal.message).into_compile_error(),
            false => errors(&input.text, &[refusal]),
        };
    }
    statement(&input, &found, &found.fact_lists(&given))
}

/// The errors, and the entities: they are not unused.
fn refused(input: &Input, refusals: &[Refusal]) -> TokenStream {
    let (krate, entities, errors) = (&input.krate, &input.entities, errors(&input.text, refusals));
    quote!({ #(let _ = <#entities as #krate::entity::Entity>::table;)* #errors })
}

fn statement(input: &Input, found: &Analysis, lists: &FactLists<'_>) -> TokenStream {
    let (krate, text, entities) = (&input.krate, &input.text, &input.entities);
    let (sql, count, writes) = (&found.sql, found.params.len(), found.effect == Effect::Writes);
    let given = lists.facts().given;
    let keys = (0..count).filter(|&at| !given.contains(&found.params[at].as_str()));
    let (facts, binds) = (facts(&input.krate, &lists.facts()), binds(input, &found.params));
    quote_spanned! {text.span()=>
        #krate::Sql::__new({
            #[allow(long_running_const_eval)]
            const _: () = #krate::__private::check(
                #text,
                &#facts,
                &[#(<#entities as #krate::entity::Entity>::FACTS),*],
            );
            static LITERAL: #krate::__private::Literal = #krate::__private::Literal {
                statement: #krate::entity::Statement { sql: #sql, params: &[] },
                params: #count,
                keys: &[#(#keys),*],
                entities: &[#(#krate::__private::listed::<#entities>()),*],
                writes: #writes,
            };
            &LITERAL
        }) #binds
    }
}

/// The facts as a constant expression.
pub(crate) fn facts(krate: &TokenStream, facts: &Facts<'_>) -> TokenStream {
    let private = quote!(#krate::__private);
    let (params, given) = (facts.params, facts.given);
    let relations = facts.relations.iter().map(|one| {
        let (schema, name, called, (start, end)) = (option(one.schema), one.name, one.called, one.at);
        quote!(#private::RelationFact { schema: #schema, name: #name, called: #called, at: (#start, #end) })
    });
    let pins = facts.pins.iter().map(|one| {
        let (relation, column, param) = (one.relation, one.column, one.param);
        quote!(#private::PinFact { relation: #relation, column: #column, param: #param })
    });
    let columns = facts.columns.iter().map(|one| {
        let (of, name, (start, end)) = (one.of, one.name, one.at);
        quote!(#private::ColumnFact { of: &[#(#of),*], name: #name, at: (#start, #end) })
    });
    let writes = facts.writes.iter().map(|one| {
        let (relation, (start, end)) = (one.relation, one.at);
        let kind = match one.kind {
            WriteFactKind::Insert => quote!(Insert),
            WriteFactKind::Set => quote!(Set),
            WriteFactKind::Delete => quote!(Delete),
        };
        quote!(#private::WriteFact { relation: #relation, kind: #private::WriteFactKind::#kind, at: (#start, #end) })
    });
    let values = facts.values.iter().map(|one| {
        let (write, column, param) = (one.write, one.column, option(one.param));
        quote!(#private::ValueFact { write: #write, column: #column, param: #param })
    });
    quote! {
        #private::Facts {
            params: &[#(#params),*],
            given: &[#(#given),*],
            relations: &[#(#relations),*],
            pins: &[#(#pins),*],
            columns: &[#(#columns),*],
            writes: &[#(#writes),*],
            values: &[#(#values),*],
        }
    }
}
