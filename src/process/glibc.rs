//! glibc's own figures.

use std::mem::transmute;

use super::AllocatorStats;

/// Asks `mallinfo2`, looked up by its name so that programs still link where glibc is older.
pub(super) fn stats() -> Option<AllocatorStats> {
    // SAFETY: the name is a C string; `dlsym` only looks it up.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"mallinfo2".as_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: it is not null, and glibc's function of this name has this signature.
    let mallinfo2: extern "C" fn() -> libc::mallinfo2 = unsafe { transmute(found) };
    let info = mallinfo2();
    Some(AllocatorStats {
        allocated: Some((info.uordblks + info.hblkhd) as u64),
        free: Some(info.fordblks as u64),
        mapped: Some((info.arena + info.hblkhd) as u64),
        resident: None,
    })
}
