//! A process of its own for a test: what is the process' is nobody else's then.

use std::env;
use std::process::Command;

/// Whether this process runs the test of this name (with its path) only; if not, it is run in one of its own.
pub(crate) fn is_alone(name: &str) -> bool {
    const ALONE: &str = "PLIMSOLL_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    let heard = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}{heard}");
    assert!(said.contains("1 passed"), "{said}");
    false
}

/// Memory of this process that is in use, in bytes.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
