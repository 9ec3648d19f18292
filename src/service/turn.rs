//! How long a call waits for its turn: until the service is ready.

use std::sync::Arc;
use std::task::Poll;

use crate::clock::SharedClock;
use crate::registry::{Extra, InFlight, Operation};

/// What a service knows of the next call. A clone has a next call of its own, for which nobody has waited.
///
/// Dropped while somebody waits, it records the wait as far as it went.
#[derive(Debug)]
pub(super) struct Turn {
    operation: Arc<Operation>,
    clock: SharedClock,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody asked whether the service is ready.
    Unasked,
    /// It was not ready at this time, nor since.
    Waiting { since_ns: u64 },
    /// It is ready, and the wait recorded: whoever asks again before the call has not waited again.
    Ready,
}

impl Turn {
    pub(super) fn new(operation: Arc<Operation>, clock: SharedClock) -> Self {
        Self {
            operation,
            clock,
            state: State::Unasked,
        }
    }

    /// Takes note of what the service said when it was asked.
    #[inline]
    pub(super) fn polled<E>(&mut self, ready: &Poll<Result<(), E>>) {
        match (ready, self.state) {
            (Poll::Pending, State::Waiting { .. }) | (Poll::Ready(Ok(())), State::Ready) => {}
            (Poll::Pending, _) => {
                let since_ns = self.clock.now_ns();
                self.state = State::Waiting { since_ns };
            }
            (Poll::Ready(Ok(())), State::Unasked) => {
                self.record(0);
                self.state = State::Ready;
            }
            (Poll::Ready(result), _) => {
                self.end();
                if result.is_ok() {
                    self.state = State::Ready;
                }
            }
        }
    }

    /// The call begins.
    #[inline]
    pub(super) fn start(&mut self) -> InFlight {
        self.end();
        self.operation.start()
    }

    /// Ends a wait, if there is one.
    fn end(&mut self) {
        if let State::Waiting { since_ns } = self.state {
            let waited_ns = self.clock.now_ns().saturating_sub(since_ns);
            self.record(waited_ns);
        }
        self.state = State::Unasked;
    }

    #[inline]
    fn record(&self, waited_ns: u64) {
        self.operation.extra(Extra::Waiting).record(waited_ns);
    }
}

impl Clone for Turn {
    fn clone(&self) -> Self {
        Self::new(self.operation.clone(), self.clock.clone())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.end();
    }
}
