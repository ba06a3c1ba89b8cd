//! What the derives write, as files that a person can read. `UPDATE_SNAPSHOTS=1` writes them anew.

use std::path::Path;

use proc_macro2::TokenStream;
use syn::{DeriveInput, parse_quote};

use crate::model::Entity;
use crate::{expand, sql_enum, sql_newtype};

fn entity(input: &DeriveInput) -> TokenStream {
    Entity::read(input).map_or_else(|errors| errors, |entity| expand::entity(&entity))
}

/// Holds the code against the file of this name.
fn check(name: &str, code: TokenStream) {
    let file = syn::parse2(code).expect("the derive writes items");
    let code = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(format!("{name}.rs"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &code).expect("the snapshot can be written");
    }
    let snapshot = std::fs::read_to_string(&path).unwrap_or_default();
    let difference = snapshot.lines().zip(code.lines()).find(|(old, new)| old != new);
    assert!(
        snapshot == code,
        "{} differs, first in {difference:?}: look at it, and run with UPDATE_SNAPSHOTS=1 if it is meant",
        path.display()
    );
}

#[test]
fn a_distributed_entity() {
    let input = parse_quote! {
        #[entity(table = "wallets", distributed_by = festival_id)]
        pub struct Wallet {
            pub festival_id: Uuid,
            #[entity(key)]
            pub id: Uuid,
            #[entity(references = User, on_delete = set_null)]
            pub user_id: Option<Uuid>,
            #[entity(check = "balance >= 0", default = "0")]
            pub balance: i64,
            #[entity(unique)]
            pub tag: String,
            #[entity(json)]
            pub extra: Extra,
            #[entity(generated = "balance / 100")]
            pub whole: i64,
            #[entity(skip)]
            pub seen: bool,
        }
    };
    check("distributed", entity(&input));
}

#[test]
fn a_partitioned_entity() {
    let input = parse_quote! {
        #[entity(table = "entries", schema = "ledger", distributed_by = festival_id, partition_by = monthly(at))]
        struct Entry {
            festival_id: Uuid,
            #[entity(key, generated)]
            id: i64,
            #[entity(references = Wallet, index(group = "wallet"))]
            wallet_id: Uuid,
            #[entity(index(group = "wallet", order = desc))]
            at: Timestamp,
            #[entity(sql_type = "varchar(20)", rename = "type")]
            kind: Kind,
        }
    };
    check("partitioned", entity(&input));
}

#[test]
fn a_reference_entity() {
    let input = parse_quote! {
        #[entity(table = "festivals", reference)]
        pub(crate) struct Festival {
            #[entity(key)]
            id: Uuid,
            #[entity(unique)]
            slug: String,
            #[entity(region)]
            region: Region,
        }
    };
    check("reference", entity(&input));
}

#[test]
fn enums_and_newtypes() {
    let text = parse_quote! {
        enum State { Open, ShutDown }
    };
    check("text_enum", sql_enum::derive(&text));
    let native = parse_quote! {
        #[sql_enum(native = "ticket_state", rename_all = "kebab-case")]
        enum State { Open, #[sql_enum(rename = "closed")] ShutDown }
    };
    check("native_enum", sql_enum::derive(&native));
    let newtype = parse_quote! {
        struct FestivalId(Uuid);
    };
    check("newtype", sql_newtype::derive(&newtype));
}
