//! How an operation ended, as finely as its probe can tell.

use super::{Domain, Outcome, Places};

/// An end: each has a series of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    /// The HTTP status; 0 elsewhere, and where there was no response.
    pub(crate) code: u16,
    pub(crate) way: Way,
    /// The values of the labels that the user reads from responses.
    pub(crate) labels: Places,
}

/// What the outcome does not say, in a word of the probe's own; empty where there is no more to say.
#[derive(Debug, Clone, Copy, Eq)]
pub(crate) struct Way(&'static str);

impl Way {
    const PLAIN: Self = Self("");
    const PANIC: Self = Self("panic");
    /// The service answered that it failed: the code says how.
    pub(crate) const SERVER_ERROR: Self = Self("server_error");
    /// Whoever asked for it had enough before it was over.
    pub(crate) const PARTIAL: Self = Self("partial");
    /// It took too long for somebody.
    pub(crate) const TIMEOUT: Self = Self("timeout");
    /// No connection came free in time.
    pub(crate) const POOL_TIMEOUT: Self = Self::new("pool_timeout");

    /// A word that becomes a label value.
    pub(crate) const fn new(word: &'static str) -> Self {
        Self(word)
    }
}

// A look at the address first: nearly always it is the very same word.
impl PartialEq for Way {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0) || self.0 == other.0
    }
}

impl End {
    /// The word used as a label value.
    pub(crate) fn as_str(self) -> &'static str {
        if self.way == Way::PLAIN {
            self.outcome.as_str()
        } else {
            self.way.0
        }
    }

    /// The outcome in a word, where some ways to end have one of their own.
    pub(crate) fn outcome_str(self) -> &'static str {
        if self.way == Way::PARTIAL || self.way == Way::TIMEOUT {
            self.way.0
        } else {
            self.outcome.as_str()
        }
    }

    /// The same, of a response with these labels.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn labelled(self, labels: Places) -> Self {
        Self { labels, ..self }
    }

    /// Nobody waited for the end.
    pub(super) fn dropped(domain: Domain) -> Self {
        Self {
            code: if domain == Domain::Http { 499 } else { 0 },
            ..Outcome::Cancelled.into()
        }
    }

    /// Somebody's code panicked, if this thread is unwinding.
    pub(crate) fn panicked(domain: Domain) -> Option<Self> {
        std::thread::panicking().then_some(Self {
            code: if domain == Domain::Http { 500 } else { 0 },
            way: Way::PANIC,
            ..Outcome::Error.into()
        })
    }

    /// What it counts as where there are too many different ones.
    pub(super) fn coarse(self) -> Self {
        Self {
            labels: self.labels.coarse(),
            ..self.outcome.into()
        }
    }
}

impl From<Outcome> for End {
    #[inline]
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            code: 0,
            way: Way::PLAIN,
            labels: Places::default(),
        }
    }
}

#[cfg(test)]
impl From<(Outcome, u16)> for End {
    fn from((outcome, code): (Outcome, u16)) -> Self {
        let failed = outcome == Outcome::Error && code >= 500;
        Self {
            code,
            way: if failed {
                Way::SERVER_ERROR
            } else {
                Way::PLAIN
            },
            ..outcome.into()
        }
    }
}
