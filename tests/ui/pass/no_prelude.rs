//! Every derive and every attribute where nothing is in scope.
#![no_implicit_prelude]
#![deny(warnings)]

#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq, ::core::cmp::Eq, ::core::hash::Hash)]
#[derive(::shardwise::SqlNewtype)]
struct FestivalId(::shardwise::Uuid);

#[derive(::core::fmt::Debug, ::core::clone::Clone, ::shardwise::SqlEnum)]
enum Tier {
    Regular,
    #[sql_enum(rename = "vip")]
    BackStage,
}

#[derive(::core::fmt::Debug, ::shardwise::SqlEnum)]
#[sql_enum(native = "ticket_state", rename_all = "SCREAMING_SNAKE_CASE")]
enum State {
    Issued,
    ScannedOnce,
}

#[derive(::shardwise::Entity)]
#[entity(table = "festivals", schema = "shop", reference)]
struct Festival {
    #[entity(key)]
    id: ::shardwise::Uuid,
    #[entity(unique, check = "slug <> ''")]
    slug: ::std::string::String,
    #[entity(region)]
    region: ::shardwise::Region,
    #[entity(references = Self, on_delete = set_null)]
    successor: ::std::option::Option<::shardwise::Uuid>,
}

#[derive(::shardwise::Entity)]
#[entity(table = "wallets", distributed_by = festival_id, colocated_with = none)]
struct Wallet {
    festival_id: FestivalId,
    #[entity(key, default = "gen_random_uuid()")]
    id: ::shardwise::Uuid,
}

#[derive(::shardwise::Entity)]
#[entity(
    table = "entries",
    distributed_by = festival_id,
    colocated_with = Wallet,
    partition_by = monthly(at),
    crate = "::shardwise"
)]
struct Entry {
    festival_id: FestivalId,
    #[entity(key, generated)]
    id: i64,
    #[entity(references = Wallet, on_delete = cascade, index)]
    wallet_id: ::shardwise::Uuid,
    #[entity(references = Festival, on_delete = set_null)]
    guest_of: ::core::option::Option<::shardwise::Uuid>,
    #[entity(unique = "ticket", index(group = "state", order = desc, where = "state <> 'ISSUED'"))]
    state: State,
    #[entity(unique = "ticket", index(group = "state"), rename = "tier_of_guest")]
    tier: Tier,
    #[entity(sql_type = "varchar(20)")]
    note: ::std::option::Option<::std::string::String>,
    #[entity(json)]
    likes: ::std::vec::Vec<::std::string::String>,
    #[entity(json)]
    dislikes: ::std::option::Option<::std::vec::Vec<::std::string::String>>,
    #[entity(generated = "length(note)")]
    length: ::std::option::Option<i32>,
    #[entity(skip)]
    cached: u8,
    at: ::std::time::SystemTime,
}

async fn use_it(
    fest: &::shardwise::Tenant<FestivalId>,
    id: ::shardwise::Uuid,
) -> ::shardwise::Result<::std::vec::Vec<(Entry, Wallet)>> {
    fest.execute(::shardwise::sql!(
        "DELETE FROM wallets WHERE festival_id = :festival_id AND id = :id",
        entities(Wallet),
        id = id,
    ))
    .await?;
    fest.select::<Entry>().join(Entry::WALLET_ID.on(Wallet::ID)).filter(Entry::NOTE.is_null()).all().await
}

fn main() {
    let schema = ::shardwise::Schema::new().with::<Festival>().with::<Wallet>().with::<Entry>();
    ::core::assert_eq!(schema.tables().len(), 3);
    let _ = use_it;
    let _ = (Tier::Regular, Tier::BackStage, State::Issued, State::ScannedOnce);
    let _ = |entry: &Entry| entry.cached;
}
