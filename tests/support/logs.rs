//! Keeps what the whole run logs, where `TEST_LOG` names a file: `ci/secrets` looks into it.

use std::fs::File;
use std::sync::{Mutex, Once};

use tracing_log::LogTracer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use super::secrets::HARMLESS;

/// Has the libraries' records, which go to another crate, come among the events. Begins to keep them all.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        LogTracer::init().unwrap();
        let Some(path) = std::env::var_os("TEST_LOG") else { return };
        let file = File::options().append(true).create(true).open(path).unwrap();
        // All that the SDK says, and what the libraries say that it stands on but for their every step.
        let filter = Targets::new().with_default(LevelFilter::DEBUG).with_target("shardwise", LevelFilter::TRACE);
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
        let layer = layer.with_span_events(FmtSpan::CLOSE).with_filter(filter);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
        println!("{HARMLESS}");
        tracing::info!("{HARMLESS}");
    });
}
