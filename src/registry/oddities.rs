//! What looks like a mistake in how the measuring is set up, counted where it shows.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Requests that no route took, one after the other from the first, after which the layer itself is suspected.
const ALL_UNMATCHED: u64 = 20;

/// Counts of what should not be. Relaxed: independent counts.
#[derive(Debug, Default)]
pub(crate) struct Oddities {
    stacked: AtomicU64,
    unmatched: AtomicU64,
    /// Whether a route is known to have taken a request.
    routed: AtomicBool,
    classifier_panics: AtomicU64,
    /// Names, periods, and how long their requests may take.
    tight_cycles: Mutex<Vec<(String, Duration, Duration)>>,
}

/// A mistake that shows.
#[derive(Debug)]
pub(crate) struct Oddity {
    pub(crate) kind: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) what: &'static str,
    pub(crate) mend: &'static str,
}

const STACKED: Oddity = Oddity {
    kind: "layer_stacked",
    subject: "http::MeasureLayer",
    what: "stands around another one of the same instance; requests are measured once, by the outer one",
    mend: "apply one of the two only; plimsoll_layers_stacked_total counts the requests",
};
const OUTSIDE: Oddity = Oddity {
    kind: "layer_outside_router",
    subject: "http::MeasureLayer",
    what: "has seen no request that a route took: everything is counted as unmatched",
    mend: "apply it with Router::layer, after the routes, and not around the router; for tonic, name the methods by MeasureLayer::declare_paths; other routers put an http::Route into the request's extensions",
};
const CLASSIFIER: Oddity = Oddity {
    kind: "classifier_panic",
    subject: "http::MeasureLayer",
    what: "has a classifier that panicked; the status decides in its place",
    mend: "let the classifier return a verdict; plimsoll_classifier_panics_total counts the panics",
};

impl Oddities {
    /// A layer found that another one further out counts the same request, and did nothing.
    #[cfg(feature = "http")]
    #[cold]
    pub(crate) fn stacked(&self) {
        self.stacked.fetch_add(1, Ordering::Relaxed);
    }

    /// No route took a request.
    #[cfg(feature = "http")]
    pub(crate) fn unmatched(&self) {
        // Once that is known, whoever comes does not write to the line any more.
        if self.unmatched.load(Ordering::Relaxed) < ALL_UNMATCHED {
            self.unmatched.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A route took a request that is not counted.
    #[cfg(feature = "http")]
    pub(crate) fn routed(&self) {
        if !self.routed.load(Ordering::Relaxed) {
            self.routed.store(true, Ordering::Relaxed);
        }
    }

    /// A polling cycle has requests that may take longer than its period.
    #[cfg(feature = "modbus")]
    pub(crate) fn tight_cycle(&self, name: String, period: Duration, worst: Duration) {
        self.tight_cycles.lock().push((name, period, worst));
    }

    /// Shows what is new of them: name and what is wrong.
    pub(crate) fn take_tight_cycles(&self) -> impl Iterator<Item = (String, String)> {
        let tight = std::mem::take(&mut *self.tight_cycles.lock());
        tight.into_iter().map(|(name, period, worst)| {
            let what = format!(
                "has a period of {period:?}, and its requests may take {worst:?} when none is answered"
            );
            (name, what)
        })
    }

    /// A classifier panicked.
    #[cfg(feature = "http")]
    #[cold]
    pub(crate) fn classifier_panicked(&self) {
        self.classifier_panics.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stacked_total(&self) -> u64 {
        self.stacked.load(Ordering::Relaxed)
    }

    pub(crate) fn classifier_panics_total(&self) -> u64 {
        self.classifier_panics.load(Ordering::Relaxed)
    }

    /// Everything that has shown; `matched` tells whether a route has ever taken a request.
    pub(crate) fn seen(
        &self,
        matched: impl FnOnce() -> bool,
    ) -> impl Iterator<Item = &'static Oddity> {
        let suspect = self.unmatched.load(Ordering::Relaxed) >= ALL_UNMATCHED;
        // Asked until it is known: strangers are refused for ever, and looking costs a walk over all operations.
        let outside = suspect && !self.routed.load(Ordering::Relaxed) && {
            let routed = matched();
            self.routed.fetch_or(routed, Ordering::Relaxed);
            !routed
        };
        let shown = [
            (&STACKED, self.stacked_total() > 0),
            (&OUTSIDE, outside),
            (&CLASSIFIER, self.classifier_panics_total() > 0),
        ];
        shown
            .into_iter()
            .filter(|shown| shown.1)
            .map(|shown| shown.0)
    }
}
