//! Why it exists: whether it is the service or its process that is short of something, is asked of one page.
//!
//! ```
//! use plimsoll::{Budget, Expr, Plimsoll, Selector, process::AllocatorStats};
//!
//! let select = |name: &str| Expr::select(Selector::new(name));
//! let files = select("process_open_fds").sum() / select("process_max_fds").sum();
//! let plimsoll = Plimsoll::builder().budget(Budget::value("files", files).at_most(0.8)).build()?;
//! plimsoll.observe_process();
//! plimsoll.observe_allocator(AllocatorStats::glibc);
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # let _entered = runtime.enter();
//! plimsoll.observe_runtime(&tokio::runtime::Handle::current());
//! # #[cfg(target_os = "linux")]
//! assert!(plimsoll.render().contains("process_cpu_seconds_total"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing is read before it is asked for, and then only for a page, or at a tick for a rule that names a family that is not
//! counted here. The names are those that every Prometheus client has, so they take no prefix; a family of the service's own
//! that bears one of them is shown in its place, and a `Publisher` does not hand them on. What the system does not tell is left
//! out rather than shown as 0.

mod allocator;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[path = "process/no_glibc.rs"]
mod glibc;
mod linux;
mod runtime;
mod standard;

pub use allocator::AllocatorStats;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use crate::family::{Family, Kind, Sample, Value};
use crate::instance::Plimsoll;
use runtime::Runtime;
use standard::Process;

impl Plimsoll {
    /// Shows what the system says of this process: CPU time, file descriptors, memory, threads, start (`process_*`); on Linux also
    /// the bytes that it read from and wrote to disks, and those of its network namespace, which it may share with others.
    ///
    /// Cost: some 100 µs and a dozen small files whenever they are read. Called again it begins to count the network anew.
    pub fn observe_process(&self) {
        let process = Process::new();
        let observed = &self.inner().foreign;
        observed.observe("process", Box::new(move || process.families()));
    }

    /// Shows what the allocator says of itself (`process_heap_*`), in place of an earlier one.
    ///
    /// `read` is called whenever it is shown; it must not block, and must neither hold the instance itself nor call it. `None`, or a
    /// panic, leaves its families out. For glibc's allocator there is [`AllocatorStats::glibc`]; of another one
    /// (`tikv_jemalloc_ctl::stats`, a counting `GlobalAlloc`) give what it knows.
    pub fn observe_allocator(
        &self,
        read: impl Fn() -> Option<AllocatorStats> + Send + Sync + 'static,
    ) {
        let families = move || {
            let stats = catch_unwind(AssertUnwindSafe(&read)).unwrap_or_default();
            stats.map_or_else(Vec::new, |stats| stats.families())
        };
        let observed = &self.inner().foreign;
        observed.observe("allocator", Box::new(families));
    }

    /// Shows how busy a tokio runtime is (`tokio_*`), in place of an earlier one. The instance keeps the handle.
    ///
    /// Cost: a few atomic loads for each worker whenever it is shown.
    pub fn observe_runtime(&self, handle: &tokio::runtime::Handle) {
        let runtime = Runtime::new(handle.metrics());
        let observed = &self.inner().foreign;
        observed.observe("runtime", Box::new(move || runtime.families()));
    }
}

/// A family of one sample without labels.
fn family(name: &str, help: &str, kind: Kind, value: Value) -> Family {
    let mut family = Family::new(name, help, kind);
    family.samples.push(Sample {
        labels: Vec::new(),
        value,
        created: None,
    });
    family
}

fn gauge(name: &str, help: &str, value: Value) -> Family {
    family(name, help, Kind::Gauge, value)
}

/// A counter that was 0 at `created`.
fn counter(name: &str, help: &str, value: Value, created: Option<SystemTime>) -> Family {
    let mut family = family(name, help, Kind::Counter, value);
    family.samples[0].created = created;
    family
}

#[cfg(test)]
mod tests;
