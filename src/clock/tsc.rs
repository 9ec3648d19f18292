//! The processor's time-stamp counter, where it can be trusted.

use std::fmt;
use std::fs;

use super::Clock;

const CLOCKSOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

/// The time-stamp counter, scaled to nanoseconds. Cost: about 10 ns, less than half of `Instant::now`.
///
/// There is one only where it is safe: the processor says that its counter is invariant (it neither stops nor changes
/// its pace), and the Linux kernel itself keeps time by it, which it stops doing when it finds the counters of two
/// processors apart. It is calibrated once (under 1 ms as a rule, 200 ms at most), so it may drift from the wall clock
/// by some parts per million.
#[derive(Clone)]
pub struct TscClock {
    clock: quanta::Clock,
    origin: u64,
}

impl TscClock {
    /// A clock whose origin is now, or `None` where the counter cannot be trusted.
    pub fn new() -> Option<Self> {
        if !(is_invariant() && kernel_trusts_it()) {
            return None;
        }
        let clock = quanta::Clock::new();
        let origin = clock.raw();
        Some(Self { clock, origin })
    }

    /// The counter as it is.
    #[inline]
    pub(super) fn count(&self) -> u64 {
        self.clock.raw()
    }

    /// What [`now_ns`](Clock::now_ns) was when the counter stood at `count`.
    #[cfg(feature = "modbus")]
    #[inline]
    pub(super) fn ns_at(&self, count: u64) -> u64 {
        self.clock.delta_as_nanos(self.origin, count)
    }

    /// Nanoseconds since the counter stood at `count`.
    #[inline]
    pub(super) fn ns_since(&self, count: u64) -> u64 {
        self.clock.delta_as_nanos(count, self.clock.raw())
    }
}

impl Clock for TscClock {
    #[inline]
    fn now_ns(&self) -> u64 {
        self.ns_since(self.origin)
    }
}

impl fmt::Debug for TscClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TscClock").finish_non_exhaustive()
    }
}

#[cfg(target_arch = "x86_64")]
fn is_invariant() -> bool {
    use std::arch::x86_64::__cpuid;
    const POWER_MANAGEMENT: u32 = 0x8000_0007;
    __cpuid(0x8000_0000).eax >= POWER_MANAGEMENT && __cpuid(POWER_MANAGEMENT).edx & 1 << 8 != 0
}

#[cfg(not(target_arch = "x86_64"))]
fn is_invariant() -> bool {
    false
}

fn kernel_trusts_it() -> bool {
    fs::read_to_string(CLOCKSOURCE).is_ok_and(|source| source.trim() == "tsc")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn it_is_there_exactly_where_the_kernel_uses_it() {
        assert_eq!(
            TscClock::new().is_some(),
            is_invariant() && kernel_trusts_it()
        );
    }

    #[test]
    fn it_never_runs_backwards_and_keeps_pace_with_the_system() {
        let Some(clock) = TscClock::new() else { return };
        let (start, begun) = (clock.now_ns(), Instant::now());
        let mut last = start;
        while begun.elapsed() < Duration::from_millis(50) {
            let now = clock.now_ns();
            assert!(now >= last);
            last = now;
        }
        let (ours, theirs) = (clock.now_ns() - start, begun.elapsed().as_nanos() as u64);
        // A thread may be interrupted between the two readings: only a wrong scale is far off.
        assert!(
            ours.abs_diff(theirs) < theirs / 5,
            "{ours} ns and {theirs} ns"
        );
    }
}
