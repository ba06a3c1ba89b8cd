//! What all handlers share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use shardwise::{Cluster, Uuid};

use super::error::ApiError;
use super::validate::is_slug;
use crate::model::Festival;

/// What all handlers share. Clones are handles of the same service.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    cluster: Cluster,
    request_timeout: Duration,
    draining: AtomicBool,
    // A slug never changes and a festival is never deleted, so nothing here grows stale.
    slugs: RwLock<HashMap<String, Uuid>>,
}

impl App {
    /// A service on this cluster. It answers within `request_timeout`.
    #[must_use]
    pub fn new(cluster: Cluster, request_timeout: Duration) -> Self {
        let (draining, slugs) = (AtomicBool::new(false), RwLock::default());
        Self(Arc::new(Shared { cluster, request_timeout, draining, slugs }))
    }

    /// The cluster.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.0.cluster
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

    /// The festival with this slug.
    pub(super) async fn festival_id(&self, slug: &str) -> Result<Uuid, ApiError> {
        if let Some(&id) = self.0.slugs.read().unwrap_or_else(PoisonError::into_inner).get(slug) {
            return Ok(id);
        }
        // What no festival can be called is not looked up.
        if !is_slug(slug) {
            return Err(ApiError::not_found("festival"));
        }
        let found = self.cluster().reference().select::<Festival>().filter(Festival::SLUG.eq(slug)).first().await?;
        let id = found.ok_or_else(|| ApiError::not_found("festival"))?.id;
        self.0.slugs.write().unwrap_or_else(PoisonError::into_inner).insert(slug.to_owned(), id);
        Ok(id)
    }
}
