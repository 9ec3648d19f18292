//! `Instant`'s clock on Linux, read without `Instant`.
//!
//! An `Instant` is seconds and nanoseconds apart, checked when it is read, and the difference of two is a call: some 50
//! instructions for what is one subtraction here, at the end of everything that is measured.

use std::mem::MaybeUninit;

/// A moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin(u64);

impl Origin {
    pub(super) fn now() -> Self {
        Self(read_ns())
    }

    /// Nanoseconds since then.
    #[inline]
    pub(super) fn elapsed_ns(self) -> u64 {
        read_ns().saturating_sub(self.0)
    }
}

/// Nanoseconds since the system's start, or thereabouts: 584 years fit into the 64 bits.
#[inline]
fn read_ns() -> u64 {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: it is given a place for one `timespec` to write to, and keeps no pointer to it.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr()) };
    debug_assert_eq!(status, 0, "every Linux has this clock");
    // SAFETY: it is whole numbers, which were zeros before they were written.
    let time = unsafe { time.assume_init() };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
