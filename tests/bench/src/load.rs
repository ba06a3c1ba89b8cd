//! Puts load on a client: so many tasks, each doing the same again and again.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::numbers::{count, quantile};

/// What a client reached in one round.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// How often per second, by all tasks together.
    pub per_second: f64,
    /// How long half of them took at most, in microseconds.
    pub median: f64,
    /// How long 99 of 100 took at most, in microseconds.
    pub p99: f64,
    /// The processor's time that the client took for each, in microseconds: what is left to servers on the same cores.
    pub client: f64,
}

/// Runs `work(task, turn)` in so many tasks for so long.
///
/// # Errors
/// The first that any of them met.
pub async fn drive<W, F>(tasks: usize, time: Duration, work: W) -> Result<Sample>
where
    W: Fn(usize, usize) -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let cpu_before = cpu_time();
    let begun = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let work = work.clone();
            tokio::spawn(async move {
                let mut took = Vec::with_capacity(4096);
                // Once at least, however late the machine lets it begin.
                loop {
                    let started = Instant::now();
                    work(task, took.len()).await?;
                    took.push(micros(started.elapsed()));
                    if begun.elapsed() >= time {
                        return Ok::<_, anyhow::Error>(took);
                    }
                }
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in running {
        took.append(&mut task.await??);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let (done, cpu) = (count(took.len()), cpu_time() - cpu_before);
    let (median, p99) = (quantile(&took, 0.5), quantile(&took, 0.99));
    Ok(Sample { per_second: done / elapsed, median, p99, client: cpu / done })
}

/// What this process has had of the processors, in microseconds; to the hundredth of a second, as Linux tells it.
fn cpu_time() -> f64 {
    const TICK: f64 = 1e4;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which may have anything in it; the 14th and 15th field of all.
    let fields = stat.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
    let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse().unwrap_or(f64::NAN));
    ticks.sum::<f64>() * TICK
}

/// A time in microseconds.
#[must_use]
pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
