//! What all handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shardwise::{Cluster, Uuid};

use super::error::ApiError;
use super::exporter::Exporter;
use super::validate::is_slug;
use crate::model::Festival;

/// What all handlers share. Clones are handles of the same service.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    cluster: Cluster,
    request_timeout: Duration,
    draining: AtomicBool,
    exporter: Option<Exporter>,
}

impl App {
    /// A service on this cluster. It answers within `request_timeout`.
    #[must_use]
    pub fn new(cluster: Cluster, request_timeout: Duration) -> Self {
        Self::with_exporter(cluster, request_timeout, None)
    }

    /// The same, and it tells this exporter's metrics.
    #[must_use]
    pub fn with_exporter(cluster: Cluster, request_timeout: Duration, exporter: Option<Exporter>) -> Self {
        Self(Arc::new(Shared { cluster, request_timeout, draining: AtomicBool::new(false), exporter }))
    }

    /// The cluster.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.0.cluster
    }

    pub(super) fn exporter(&self) -> Option<&Exporter> {
        self.0.exporter.as_ref()
    }

    pub(super) fn request_timeout(&self) -> Duration {
        self.0.request_timeout
    }

    /// From now on load balancers are told to go elsewhere.
    pub(super) fn start_draining(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// The festival with this slug. A slug never changes and a festival is never deleted, so it hardly matters how long the
    /// directory keeps what it knows.
    pub(super) async fn festival_id(&self, slug: &str) -> Result<Uuid, ApiError> {
        // What no festival can be called is not looked up.
        if !is_slug(slug) {
            return Err(ApiError::not_found("festival"));
        }
        let found = self.cluster().directory::<Festival>().find_by(Festival::SLUG, slug).await?;
        Ok(found.ok_or_else(|| ApiError::not_found("festival"))?.id)
    }
}
