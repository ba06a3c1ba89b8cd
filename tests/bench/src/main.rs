//! The command line of `ci/bench`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use anyhow::{Result, bail};
use shardwise_bench::args::{Args, USAGE};
use shardwise_bench::benchmarks;
use shardwise_bench::servers::THREADS;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let Some(args) = Args::parse(std::env::args().skip(1))? else {
        println!("{USAGE}\n\nresults:\n  {}", benchmarks::names().join("\n  "));
        return Ok(());
    };
    let names = benchmarks::names();
    for wanted in args.wanted.names() {
        if !names.iter().any(|name| name.starts_with(wanted.as_str())) {
            bail!("there is no result {wanted}; there are:\n  {}", names.join("\n  "));
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
    runtime.block_on(benchmarks::run(&args))
}
