//! What is measured of an operation beside how long it took.

/// A histogram that an operation has only if its probe fills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    /// Bytes of the response's body, as they went out.
    ResponseBytes,
    /// How long it took until the response began.
    FirstByte,
}

impl Extra {
    pub(crate) const ALL: [Self; 2] = [Self::ResponseBytes, Self::FirstByte];

    /// What it is counted into.
    #[cfg(feature = "http")]
    pub(super) fn buckets(self, recording: &super::Recording) -> &std::sync::Arc<crate::Buckets> {
        match self {
            Self::ResponseBytes => &recording.sizes,
            Self::FirstByte => &recording.buckets,
        }
    }
}
