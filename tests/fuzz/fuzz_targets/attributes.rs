#![no_main]

include!("../derives.rs");
#[path = "../attributes.rs"]
mod attributes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| attributes::run(data));
