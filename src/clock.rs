//! Why it exists: every duration and every window needs one notion of "now", and no test should sleep.
//!
//! A [`Clock`] hands out monotonic nanoseconds from an origin of its own. [`MonotonicClock`] reads
//! [`Instant`]; [`ManualClock`] moves only when told to; `TscClock` (feature `tsc`) reads the processor's time-stamp
//! counter where that is safe. An instance chooses once: the counter where it is to be had, [`Instant`] elsewhere,
//! unless [`Builder::clock`](crate::Builder::clock) says otherwise.
//!
//! [`Instant`]: std::time::Instant

#[cfg(target_os = "linux")]
#[path = "clock/linux.rs"]
mod monotonic;
#[cfg(not(target_os = "linux"))]
#[path = "clock/portable.rs"]
mod monotonic;
// What other systems run is tested everywhere.
#[cfg(test)]
mod portable;
#[cfg(feature = "tsc")]
mod tsc;

#[cfg(feature = "tsc")]
pub use tsc::TscClock;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use monotonic::Origin;

/// A source of monotonic time.
pub trait Clock: Send + Sync + 'static {
    /// Nanoseconds since an origin of the clock's own choosing; never smaller than an earlier reading.
    ///
    /// Should it run backwards all the same, a duration is 0 and ticks stand at the latest time they have seen.
    fn now_ns(&self) -> u64;

    /// The wall-clock time, for people and for timestamps that leave the process.
    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// The clock that [`Instant`](std::time::Instant) reads, counted from the moment this one was made. Cost: at most one `Instant::now` and a
/// difference (about 24 ns).
#[derive(Debug, Clone, Copy)]
pub struct MonotonicClock {
    origin: Origin,
}

impl MonotonicClock {
    /// A clock whose origin is now.
    pub fn new() -> Self {
        Self {
            origin: Origin::now(),
        }
    }
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MonotonicClock {
    #[inline]
    fn now_ns(&self) -> u64 {
        self.origin.elapsed_ns()
    }
}

/// A clock that stands still until [`advance`](Self::advance) is called; clones share one time.
///
/// ```
/// use plimsoll::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(clock.now_ns(), 2_000_000_000);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    /// Independent value, read and moved by tests: `Relaxed` would do, `SeqCst` lets a test reason plainly.
    now: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock that reads 0; its wall-clock time is the Unix epoch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.now.fetch_add(by.as_nanos() as u64, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ns(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.now_ns())
    }
}

/// The clock of one instance: the common case without a virtual call.
#[derive(Clone)]
pub(crate) enum SharedClock {
    Monotonic(MonotonicClock),
    #[cfg(feature = "tsc")]
    Tsc(TscClock),
    Custom(Arc<dyn Clock>),
}

impl SharedClock {
    /// The user's clock, which may be one of ours.
    pub(crate) fn of(clock: impl Clock) -> Self {
        let any: &dyn Any = &clock;
        if let Some(clock) = any.downcast_ref::<MonotonicClock>() {
            return Self::Monotonic(*clock);
        }
        #[cfg(feature = "tsc")]
        if let Some(clock) = any.downcast_ref::<TscClock>() {
            return Self::Tsc(clock.clone());
        }
        Self::Custom(Arc::new(clock))
    }

    /// The fastest clock that can be trusted.
    #[cfg(feature = "tsc")]
    pub(crate) fn choose() -> Self {
        TscClock::new().map_or_else(|| Self::Monotonic(MonotonicClock::new()), Self::Tsc)
    }

    /// The fastest clock that can be trusted.
    #[cfg(not(feature = "tsc"))]
    pub(crate) fn choose() -> Self {
        Self::Monotonic(MonotonicClock::new())
    }

    /// The value of the label `source`.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Monotonic(_) => "instant",
            #[cfg(feature = "tsc")]
            Self::Tsc(_) => "tsc",
            Self::Custom(_) => "custom",
        }
    }

    #[inline]
    pub(crate) fn now_ns(&self) -> u64 {
        match self {
            Self::Monotonic(clock) => clock.now_ns(),
            #[cfg(feature = "tsc")]
            Self::Tsc(clock) => clock.now_ns(),
            Self::Custom(clock) => clock.now_ns(),
        }
    }

    /// The moment, to be given to [`ns_since`](Self::ns_since): cheaper than [`now_ns`](Self::now_ns) where that has to
    /// be scaled.
    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        Mark(match self {
            #[cfg(feature = "tsc")]
            Self::Tsc(clock) => clock.count(),
            clock => clock.now_ns(),
        })
    }

    /// Nanoseconds since a mark of this very clock; 0 if it ran backwards.
    #[inline]
    pub(crate) fn ns_since(&self, Mark(then): Mark) -> u64 {
        match self {
            #[cfg(feature = "tsc")]
            Self::Tsc(clock) => clock.ns_since(then),
            clock => clock.now_ns().saturating_sub(then),
        }
    }

    /// What [`now_ns`](Self::now_ns) was at a mark of this very clock; no clock is read for it.
    #[cfg(feature = "modbus")]
    #[inline]
    pub(crate) fn ns_at(&self, Mark(then): Mark) -> u64 {
        match self {
            #[cfg(feature = "tsc")]
            Self::Tsc(clock) => clock.ns_at(then),
            _ => then,
        }
    }

    pub(crate) fn system_time(&self) -> SystemTime {
        match self {
            Self::Monotonic(clock) => clock.system_time(),
            #[cfg(feature = "tsc")]
            Self::Tsc(clock) => clock.system_time(),
            Self::Custom(clock) => clock.system_time(),
        }
    }
}

/// A moment by an instance's clock, in its own terms: nanoseconds, or what the processor counts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark(u64);

impl fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_monotonic_clock_is_the_one_that_instant_reads() {
        let before = Instant::now();
        let clock = MonotonicClock::new();
        let portable = portable::Origin::now();
        let after = Instant::now();
        for _ in 0..1_000 {
            let earliest = after.elapsed().as_nanos() as u64;
            let read = [clock.now_ns(), portable.elapsed_ns()];
            let latest = before.elapsed().as_nanos() as u64;
            let possible = earliest..=latest;
            assert!(read.iter().all(|ns| possible.contains(ns)), "{read:?}");
        }
    }

    #[cfg(feature = "modbus")]
    #[test]
    fn a_mark_says_when_it_was_made() {
        let manual = ManualClock::new();
        manual.advance(Duration::from_secs(7));
        let clocks = [
            SharedClock::choose(),
            SharedClock::of(MonotonicClock::new()),
            SharedClock::of(manual),
        ];
        for clock in clocks {
            let before = clock.now_ns();
            let mark = clock.mark();
            let after = clock.now_ns();
            assert!((before..=after).contains(&clock.ns_at(mark)), "{clock:?}");
        }
    }

    #[test]
    fn a_clock_of_ours_is_known_wherever_it_comes_from() {
        assert_eq!(SharedClock::of(MonotonicClock::new()).as_str(), "instant");
        assert_eq!(SharedClock::of(ManualClock::new()).as_str(), "custom");
    }
}
