//! What rules read of the page: a picture of no more than that, at every tick.

use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::picture::Picture;
use super::write::float;
use crate::engine::{Exports, Families, Wanted};
use crate::instance::Inner;

/// Shows an instance's page to its engine.
pub(crate) struct Sampler {
    /// Not kept alive by its own engine.
    inner: Weak<Inner>,
    kept: Mutex<Option<Kept>>,
}

/// The latest picture, and what it was taken for.
struct Kept {
    wanted: Arc<Wanted>,
    picture: Box<Picture>,
}

impl Sampler {
    pub(crate) fn new(inner: &Arc<Inner>) -> Self {
        Self {
            inner: Arc::downgrade(inner),
            kept: Mutex::default(),
        }
    }
}

impl Exports for Sampler {
    fn read(&self, wanted: &Arc<Wanted>, take: &mut dyn FnMut(&mut Families<'_>)) {
        let Some(inner) = self.inner.upgrade() else {
            return;
        };
        let mut place = self.kept.lock();
        place.take_if(|kept| !Arc::ptr_eq(&kept.wanted, wanted));
        let kept = place.get_or_insert_with(|| Kept {
            wanted: wanted.clone(),
            picture: Picture::named(&inner, wanted.clone()),
        });
        kept.picture.renew(&inner);
        take(&mut kept.picture.families.iter().map(|shown| &shown.family));
    }

    fn bound(&self, bound: f64) -> String {
        bound_text(bound)
    }
}

/// How the page writes a bound.
pub(super) fn bound_text(bound: f64) -> String {
    let mut text = Vec::new();
    float(&mut text, bound);
    String::from_utf8(text).unwrap_or_default()
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sampler").finish_non_exhaustive()
    }
}
