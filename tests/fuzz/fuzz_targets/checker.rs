#![no_main]

#[path = "../checker.rs"]
mod checker;

// The checker catches what its parser panics with; libFuzzer's own hook would end the process before it can.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|panic| eprintln!("{panic}"))),
    |data: &[u8]| checker::run(data)
);
