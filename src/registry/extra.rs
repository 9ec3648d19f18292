//! What is measured of an operation beside how long it took.

/// A histogram that an operation has only if its probe fills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    /// Bytes of the response's body, as they went out.
    ResponseBytes,
    /// Bytes of the request's body, as they were read.
    RequestBytes,
    /// How long it took until the response began.
    FirstByte,
    /// How many queries a request made.
    Queries,
    /// How long it took until the service was ready for a call.
    Waiting,
    /// How many rows a query gave or changed.
    Rows,
    /// How long after its time a round began.
    Lateness,
    /// How long after its time a round was over, those counted in that could not begin meanwhile.
    Response,
}

impl Extra {
    pub(crate) const ALL: [Self; 8] = [
        Self::ResponseBytes,
        Self::RequestBytes,
        Self::FirstByte,
        Self::Queries,
        Self::Waiting,
        Self::Rows,
        Self::Lateness,
        Self::Response,
    ];

    /// What it is counted into.
    pub(super) fn buckets(self, recording: &super::Recording) -> &std::sync::Arc<crate::Buckets> {
        match self {
            Self::ResponseBytes | Self::RequestBytes => &recording.sizes,
            Self::FirstByte | Self::Waiting | Self::Lateness | Self::Response => &recording.buckets,
            Self::Queries => recording.rulers.queries(),
            Self::Rows => recording.rulers.rows(),
        }
    }
}
