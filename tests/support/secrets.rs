//! What nobody may ever print. `ci/secrets` reads this file and looks for each `SECRET` in all that the tests have printed
//! and logged, also where it was encoded.
//!
//! They are of letters and digits alone, so that quoting and escaping leave them as they are.

/// In every password of the tests.
pub const PASSWORD: &str = "p4ssw0rdThatNobodyPrints";

/// In the values that the tests write, find and fail with.
pub const VALUE: &str = "v4lueThatNobodyPrints";

/// Printed and logged on purpose: where it is not found, the search is broken.
pub const HARMLESS: &str = "harmlessAndPrintedOnPurpose";
