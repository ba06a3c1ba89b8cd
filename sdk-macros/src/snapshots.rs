//! What the derives write, as files that a person can read: `snapshots/`. `UPDATE_SNAPSHOTS=1` writes them anew.

use std::path::Path;
use std::{env, fs};

use proc_macro2::TokenStream;
use syn::{DeriveInput, parse_quote};

fn check(name: &str, code: &TokenStream) {
    let file = syn::parse2(code.clone()).expect("the code is a list of items");
    let text = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name).with_extension("snap");
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &text).expect("the snapshot can be written");
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert!(known == text, "{} is out of date: run with UPDATE_SNAPSHOTS=1 and read the difference", path.display());
}

/// One of everything that an entity of a tenant can have.
fn transaction() -> DeriveInput {
    parse_quote! {
        #[entity(
            table = "transactions",
            schema = "pay",
            distributed_by = festival_id,
            colocated_with = Wallet,
            partition_by = monthly(created_at),
            cache = write_through(ttl = "5m", negative = "5s")
        )]
        pub(crate) struct Transaction {
            festival_id: Uuid,
            #[entity(key, default = "gen_random_uuid()")]
            id: Uuid,
            #[entity(references = Wallet, on_delete = cascade, index)]
            wallet_id: Uuid,
            #[entity(references = User, on_delete = set_null)]
            cashier_id: Option<Uuid>,
            #[entity(check = "amount <> 0")]
            amount: i64,
            #[entity(unique = "receipt", index(group = "state", order = desc, where = "state <> 'done'"))]
            state: State,
            #[entity(unique = "receipt", index(group = "state"), rename = "receipt")]
            receipt_number: i32,
            #[entity(sql_type = "varchar(20)")]
            note: Option<String>,
            #[entity(json)]
            items: Vec<Item>,
            #[entity(json)]
            device: Option<Device>,
            #[entity(generated)]
            serial: i64,
            #[entity(generated = "amount < 0")]
            is_refund: bool,
            #[entity(skip)]
            cached: Cache,
            created_at: Timestamp,
        }
    }
}

fn festival() -> DeriveInput {
    parse_quote! {
        #[entity(table = "festivals", reference, crate = "renamed")]
        struct Festival {
            #[entity(key)]
            id: Uuid,
            #[entity(unique)]
            slug: String,
            #[entity(region)]
            region: Region,
            #[entity(references = Self)]
            successor: Option<Uuid>,
        }
    }
}

#[test]
fn distributed_entity() {
    check("distributed_entity", &crate::derive_entity(&transaction()));
}

#[test]
fn reference_entity() {
    check("reference_entity", &crate::derive_entity(&festival()));
}

#[test]
fn rollup() {
    let input = parse_quote! {
        #[rollup(table = "daily_stats", schema = "pay", of = Transaction, distributed_by = festival_id)]
        pub(crate) struct DailyStats {
            festival_id: Uuid,
            #[rollup(by = wallet_id, rename = "purse")]
            wallet: Uuid,
            #[rollup(day(created_at))]
            day: Date,
            #[rollup(count)]
            transactions: i64,
            #[rollup(sum(amount), filter = "amount > 0 AND state <> 'void'")]
            credits: i64,
        }
    };
    check("rollup", &crate::derive_rollup(&input));
}

#[test]
fn view() {
    let input = parse_quote! {
        #[view(name = "revenue", query = "SELECT festival_id, sum(amount) AS total FROM orders GROUP BY 1", every = "5m")]
        struct Revenue {
            #[view(key)]
            festival_id: Uuid,
            total: i64,
        }
    };
    check("view", &crate::derive_view(&input));
}

#[test]
fn text_enum() {
    let input = parse_quote! {
        #[sql_enum(rename_all = "kebab-case")]
        enum Tier {
            Regular,
            BackStage,
            #[sql_enum(rename = "vip")]
            Important,
        }
    };
    check("text_enum", &crate::sql_enum::derive(&input));
}

#[test]
fn native_enum() {
    let input = parse_quote! {
        #[sql_enum(native = "ticket_state")]
        enum TicketState {
            Issued,
            ScannedOnce,
        }
    };
    check("native_enum", &crate::sql_enum::derive(&input));
}

#[test]
fn newtype() {
    let input = parse_quote! {
        struct FestivalId(Uuid);
    };
    check("newtype", &crate::sql_newtype::derive(&input));
}

/// With `crate = "…"` nothing is found where the crate usually lies.
#[test]
fn a_renamed_crate_is_named_everywhere() {
    let mut tier: DeriveInput = parse_quote!(
        enum Tier {
            Regular,
        }
    );
    tier.attrs.push(parse_quote!(#[sql_enum(crate = "renamed")]));
    let mut id: DeriveInput = parse_quote!(
        struct Id(Uuid);
    );
    id.attrs.push(parse_quote!(#[sql_newtype(crate = "renamed")]));
    let all = [crate::derive_entity(&festival()), crate::sql_enum::derive(&tier), crate::sql_newtype::derive(&id)];
    for code in all {
        let code = code.to_string();
        assert!(code.contains("renamed ::"), "{code}");
        assert!(!code.contains("shardwise"), "{code}");
    }
}
