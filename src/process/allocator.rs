//! What an allocator says of itself.

use super::{gauge, glibc};
use crate::family::{Family, Value};

/// Figures of an allocator at one moment, in bytes; what it does not know is `None` and not shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AllocatorStats {
    /// Bytes in allocations that are alive: `process_heap_allocated_bytes`.
    pub allocated: Option<u64>,
    /// Bytes that it holds for allocations to come: `process_heap_free_bytes`.
    pub free: Option<u64>,
    /// Bytes of address space that it has from the system: `process_heap_mapped_bytes`.
    pub mapped: Option<u64>,
    /// Those of them that are in memory: `process_heap_resident_bytes`.
    pub resident: Option<u64>,
}

impl AllocatorStats {
    /// What glibc's `malloc` says of itself: allocated, free and mapped bytes of all arenas. `None` where there is no glibc 2.33.
    ///
    /// Right for programs that keep Rust's default allocator; with another one it speaks of what C code allocates. Cost: a walk
    /// over the free chunks of each arena, which is locked meanwhile: some 10 µs, milliseconds for a heap in shreds.
    pub fn glibc() -> Option<Self> {
        glibc::stats()
    }

    pub(super) fn families(self) -> Vec<Family> {
        let rows = [
            (
                "process_heap_allocated_bytes",
                "Bytes in allocations that are alive.",
                self.allocated,
            ),
            (
                "process_heap_free_bytes",
                "Bytes that the allocator holds for allocations to come.",
                self.free,
            ),
            (
                "process_heap_mapped_bytes",
                "Bytes of address space that the allocator has from the system.",
                self.mapped,
            ),
            (
                "process_heap_resident_bytes",
                "Bytes of memory that the allocator has from the system.",
                self.resident,
            ),
        ];
        let known = rows.into_iter().filter_map(|(name, help, bytes)| {
            let bytes = bytes?;
            Some(gauge(name, help, Value::Integer(bytes)))
        });
        known.collect()
    }
}
