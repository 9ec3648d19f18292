//! What rules read of the page: a picture of no more than that, at every tick.

use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::picture::Picture;
use super::write::float;
use crate::engine::{Exports, Families, Shows, Wanted};
use crate::family::Value;
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

    fn shows(&self, name: &str) -> Option<Shows> {
        let inner = self.inner.upgrade()?;
        let wanted = Arc::new(Wanted::of([name]));
        let mut picture = Picture::named(&inner, wanted);
        picture.renew(&inner);
        let families = picture.families.iter().map(|shown| &shown.family);
        let mut shown = families.filter_map(|family| {
            let suffix = name.strip_prefix(&family.name)?;
            let sample = &family.samples.first()?.value;
            match (suffix, sample) {
                ("_bucket", Value::Histogram(values)) => {
                    let bounds = values.buckets.iter().map(|bucket| bucket.0);
                    Some(Shows::buckets(bounds, bound_text))
                }
                ("_sum" | "_count", Value::Histogram(_)) => Some(Shows::Numbers),
                ("", Value::Integer(_) | Value::Float(_)) => Some(Shows::Numbers),
                _ => None,
            }
        });
        shown.next()
    }
}

/// How the page writes a bound.
pub(crate) fn bound_text(bound: f64) -> String {
    let mut text = Vec::new();
    float(&mut text, bound);
    String::from_utf8(text).unwrap_or_default()
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sampler").finish_non_exhaustive()
    }
}
