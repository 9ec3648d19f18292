//! `Instant`, where nothing is known of what is behind it.

use std::time::Instant;

/// A moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin(Instant);

impl Origin {
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since then.
    #[inline]
    pub(super) fn elapsed_ns(self) -> u64 {
        // 584 years fit into the 64 bits.
        self.0.elapsed().as_nanos() as u64
    }
}
