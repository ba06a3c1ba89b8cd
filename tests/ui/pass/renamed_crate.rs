//! The SDK under another name: as an extern crate, and re-exported from a module.
extern crate shardwise as renamed;

mod platform {
    pub mod storage {
        pub use shardwise::*;
    }
}

use platform::storage::Uuid;
use platform::storage::entity::Entity as _;

#[derive(Debug, Clone, PartialEq, Eq, Hash, renamed::SqlNewtype)]
#[sql_newtype(crate = "renamed")]
struct FestivalId(Uuid);

#[derive(Debug, renamed::SqlEnum)]
#[sql_enum(crate = "renamed")]
enum Tier {
    Regular,
}

#[derive(renamed::Entity)]
#[entity(table = "wallets", distributed_by = festival_id, crate = "renamed")]
struct Wallet {
    festival_id: FestivalId,
    #[entity(key)]
    id: Uuid,
    tier: Tier,
}

#[derive(platform::storage::Entity)]
#[entity(table = "stands", reference, crate = "crate::platform::storage")]
struct Stand {
    #[entity(key)]
    id: Uuid,
}

fn main() {
    assert_eq!(Wallet::table().name, "wallets");
    assert_eq!(Stand::table().name, "stands");
    let _ = Tier::Regular;
}
