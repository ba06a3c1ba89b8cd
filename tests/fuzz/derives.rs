// The derives' own modules: a proc-macro crate can't be called by another. Included at a crate's root, where their paths begin.

#[path = "../../sdk-macros/src/attr.rs"]
#[allow(unreachable_pub, dead_code)]
mod attr;
#[path = "../../sdk-macros/src/check/mod.rs"]
#[allow(unreachable_pub, dead_code, unused_imports)]
mod check;
#[path = "../../sdk-macros/src/ctxt.rs"]
#[allow(unreachable_pub, dead_code)]
mod ctxt;
#[path = "../../sdk-macros/src/expand/mod.rs"]
#[allow(unreachable_pub, dead_code)]
mod expand;
#[path = "../../sdk-macros/src/item.rs"]
#[allow(unreachable_pub, dead_code)]
mod item;
#[path = "../../sdk-macros/src/model.rs"]
#[allow(unreachable_pub, dead_code)]
mod model;
#[path = "../../sdk-macros/src/rollup.rs"]
#[allow(unreachable_pub, dead_code)]
mod rollup;
#[path = "../../sdk-macros/src/sql_enum.rs"]
#[allow(unreachable_pub, dead_code)]
mod sql_enum;
#[path = "../../sdk-macros/src/sql_newtype.rs"]
#[allow(unreachable_pub, dead_code)]
mod sql_newtype;
#[path = "../../sdk-macros/src/statement/mod.rs"]
#[allow(unreachable_pub, dead_code, unused_imports)]
mod statement;
#[path = "../../sdk-macros/src/view.rs"]
#[allow(unreachable_pub, dead_code)]
mod view;
