//! What nobody may ever print. `ci/secrets` reads this file and looks for each `SECRET` in all that the tests have printed
//! and logged, also where it was encoded.
//!
//! They are of small letters and digits alone, so that quoting, escaping and folding leave them as they are.

use shardwise::Uuid;

/// In every password of the tests.
pub const PASSWORD: &str = "p4ssw0rdthatnobodyprints";

/// In the values that the tests write, find and fail with.
pub const VALUE: &str = "v4luethatnobodyprints";

/// How the ids end that the tests make by [`id`]: those of tenants and of rows.
pub const ID: &str = "5ec2e75ec2e7";

/// A new id that nobody may print.
pub fn id() -> Uuid {
    let mut id = Uuid::new_v4().to_string();
    id.replace_range(24.., ID);
    id.parse().unwrap()
}

/// Printed and logged on purpose: where it is not found, the search is broken.
pub const HARMLESS: &str = "harmlessandprintedonpurpose";
