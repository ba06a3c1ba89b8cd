//! The test that goes with the entities: a row of each is written, read again, and taken away. Pure.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::model::{Entity, Field, Made};
use super::names::{self, Taken};
use super::order::Order;
use super::samples::{self, Samples};
use super::types::Value;

/// The variable that names the database for the test.
pub(super) const URL: &str = "ENTITIES_TEST_URL";
/// What the test calls its own.
const OWN: [&str; 9] = ["cluster", "made", "number", "reference", "taken", "tenant", "text", "url", "written"];

/// The items of the module with the test; none where no row can be written.
pub(super) fn items(entities: &[Entity], order: &Order, samples: &Samples<'_>) -> Vec<TokenStream> {
    if order.places.is_empty() {
        return Vec::new();
    }
    let mut taken = Taken::of(&OWN);
    let variable = |entity: &Entity| {
        let words = names::words(&entity.ident.to_string()).join("_");
        names::ident(&taken.first_free(&[words.clone(), format!("{words}_row")]))
    };
    let variables: Vec<Ident> = entities.iter().map(variable).collect();
    let trip = Trip { entities, order, samples, variables };
    let rows: Vec<TokenStream> = (0..order.places.len()).map(|nth| trip.row(nth)).collect();
    let away: Vec<TokenStream> = order.places.iter().rev().map(|at| trip.away(*at)).collect();
    let has_reference = order.places.iter().any(|at| entities[*at].distribution.is_none());
    let reference = has_reference.then(|| quote!(let reference = cluster.reference();));
    let ignored = format!("writes to the database of {URL}: cargo test -- --ignored");
    let without = order.without.iter().map(|(at, why)| format!(" - Without {}: {why}.", entities[*at].table));
    let blank = (!order.without.is_empty()).then(|| quote!(#[doc = ""]));
    let missing = format!("{URL} has the address of a database with these tables");
    let test = quote! {
        #[doc = " Writes a row of each table, reads it again, and takes it away. Not for a database that is in use."]
        #blank
        #(#[doc = #without])*
        #[tokio::test]
        #[ignore = #ignored]
        async fn rows_come_back_as_they_were_written() -> shardwise::Result<()> {
            let url = std::env::var(#URL).expect(#missing);
            let cluster = shardwise::Cluster::connect(shardwise::Config::from_url(&url)?).await?;
            #reference
            #(#rows)*
            #(#away)*
            Ok(())
        }
    };
    let parent = quote! {
        use super::*;
    };
    [parent, test].into_iter().chain(functions()).chain(samples.functions()).collect()
}

/// What is done of each row. The futures are on the heap: those of many tables would not fit on a thread's stack.
fn functions() -> [TokenStream; 3] {
    let bounds = quote! {
        where
            E: shardwise::session::In<S> + shardwise::entity::Writable,
            E: std::fmt::Debug + PartialEq,
            S: shardwise::session::Scope,
    };
    let session = quote!(shardwise::session::Session<S, shardwise::session::Pooled>);
    [
        quote! {
            type Boxed<'a, T> = std::pin::Pin<Box<dyn std::future::Future<Output = T> + 'a>>;
        },
        quote! {
            #[doc = " Writes a row, and returns what is read of it."]
            fn written<'a, E, S>(session: &'a #session, row: &'a E) -> Boxed<'a, shardwise::Result<E>> #bounds {
                Box::pin(async move {
                    let made = session.insert_returning(row).await?;
                    let read = session.get::<E>(made.key()).await?;
                    assert_eq!(read, made);
                    Ok(read)
                })
            }
        },
        quote! {
            #[doc = " Takes a row away."]
            fn taken<'a, E, S>(session: &'a #session, row: &'a E) -> Boxed<'a, shardwise::Result<()>> #bounds {
                Box::pin(async move {
                    let is_taken = session.delete::<E>(row.key()).await?;
                    assert!(is_taken);
                    Ok(())
                })
            }
        },
    ]
}

struct Trip<'a> {
    entities: &'a [Entity],
    order: &'a Order,
    samples: &'a Samples<'a>,
    variables: Vec<Ident>,
}

impl Trip<'_> {
    /// The row of the entity that comes as the `nth`.
    fn row(&self, nth: usize) -> TokenStream {
        let at = self.order.places[nth];
        let (entity, variable) = (&self.entities[at], &self.variables[at]);
        let ident = &entity.ident;
        let values = (0..entity.fields.len()).map(|field| {
            let (name, value) = (&entity.fields[field].ident, self.value(nth, field));
            quote!(#name: #value)
        });
        let tenant = entity.distribution.filter(|_| self.first_of_tenant() == Some(at)).map(|key| {
            let key = copied(variable, &entity.fields[key]);
            quote!(let tenant = cluster.tenant(#key).await?;)
        });
        let session = session(entity);
        let made = entity.fields.iter().filter(|field| field.made.is_some());
        let made: Vec<TokenStream> = made
            .map(|field| {
                let (name, value) = (&field.ident, copied(&names::ident("made"), field));
                quote!(#variable.#name = #value;)
            })
            .collect();
        let is_changed = (!made.is_empty()).then(|| quote!(mut));
        quote! {
            let #is_changed #variable = #ident { #(#values),* };
            #tenant
            let made = written(&#session, &#variable).await?;
            #(#made)*
            assert_eq!(made, #variable);
        }
    }

    fn away(&self, at: usize) -> TokenStream {
        let (session, variable) = (session(&self.entities[at]), &self.variables[at]);
        quote!(taken(&#session, &#variable).await?;)
    }

    /// The first row that is a tenant's: its key is that of all.
    fn first_of_tenant(&self) -> Option<usize> {
        self.order.places.iter().copied().find(|at| self.entities[*at].distribution.is_some())
    }

    fn value(&self, nth: usize, at: usize) -> TokenStream {
        let own = self.order.places[nth];
        let entity = &self.entities[own];
        let field = &entity.fields[at];
        match &field.made {
            Some(Made::Counted) => return quote!(0),
            Some(Made::Computed(_)) if field.is_nullable => return quote!(None),
            Some(Made::Computed(_)) | None => {}
        }
        let before = &self.order.places[..nth];
        if entity.distribution == Some(at)
            && let Some((first, key)) =
                self.first_of_tenant().and_then(|at| Some((at, self.entities[at].distribution?)))
            && first != own
        {
            return copied(&self.variables[first], &self.entities[first].fields[key]);
        }
        let pairs = entity.links.iter().flat_map(|link| link.pairs.iter().map(move |pair| (link.target, pair)));
        let mut pairs = pairs.filter(|(_, (field, _))| *field == at);
        if let Some((target, (_, theirs))) = pairs.clone().find(|(target, _)| before.contains(target)) {
            return pointing(field, &self.variables[target], &self.entities[target].fields[*theirs]);
        }
        let is_outside = entity.outside.iter().any(|(fields, _)| fields.contains(&at));
        match field.is_nullable {
            true if is_outside || pairs.next().is_some() || !samples::is_known(field) => quote!(None),
            true => {
                let value = self.samples.of(field);
                quote!(Some(#value))
            }
            false => self.samples.of(field),
        }
    }
}

fn session(entity: &Entity) -> TokenStream {
    if entity.distribution.is_some() { quote!(tenant) } else { quote!(reference) }
}

fn copied(variable: &Ident, field: &Field) -> TokenStream {
    let name = &field.ident;
    if field.typed.is_copy() { quote!(#variable.#name) } else { quote!(#variable.#name.clone()) }
}

/// What the field of another row has, for one that points there.
fn pointing(field: &Field, variable: &Ident, theirs: &Field) -> TokenStream {
    let mut value = copied(variable, theirs);
    if theirs.is_nullable && !field.is_nullable {
        value = quote!(#value.unwrap());
    }
    let is_whole = |value: &Value| matches!(value, Value::I16 | Value::I32 | Value::I64);
    let (own, other) = (&field.typed.value, &theirs.typed.value);
    if own != other && is_whole(own) && is_whole(other) && !theirs.is_nullable {
        value = quote!(#value.try_into().unwrap());
    }
    if field.is_nullable && !theirs.is_nullable { quote!(Some(#value)) } else { value }
}
