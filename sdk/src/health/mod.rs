//! Whether the cluster is well, and how far standbys are behind. Pure: samples in, verdict out.

mod judge;
mod samples;
mod track;
mod verdict;

pub(crate) use judge::judge;
pub(crate) use samples::{
    Blocks, CacheSample, IoTime, Lag, Latency, NodeSample, Probe, Samples, ServerSample, Silence, Sizes, Usage,
};
pub(crate) use track::Track;
pub use verdict::{Aspect, Check, Value, Verdict};
