//! What the benchmarks share.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often per second the work is done, by all of these tasks together, for so long.
pub(crate) async fn rate<T, F>(
    all: Vec<T>,
    tasks: usize,
    time: Duration,
    work: impl Fn(T) -> F + Send + Sync + 'static,
) -> f64
where
    T: Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    let (all, work) = (Arc::new(all), Arc::new(work));
    let started = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|task| {
            let (all, work) = (all.clone(), work.clone());
            tokio::spawn(async move {
                let mut done = 0_u32;
                for one in all.iter().cycle().skip(task) {
                    if started.elapsed() > time {
                        break;
                    }
                    work(one.clone()).await;
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    f64::from(done) / started.elapsed().as_secs_f64()
}
