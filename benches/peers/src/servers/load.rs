//! Load from `wrk`.

use std::io;
use std::process::Command;

/// A trace to every server, for one of them reads it.
const TRACEPARENT: &str = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Connections that `wrk` keeps busy.
pub const CONNECTIONS: u64 = 64;

/// What `wrk` saw of a server.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Answers.
    pub requests: u64,
    /// Answers per second.
    pub per_second: f64,
}

/// Two threads with 64 connections ask for `url` during so many seconds, again and again.
///
/// # Errors
///
/// If there is no `wrk`, or an answer was none or not a success.
pub fn wrk(url: &str, seconds: u32) -> io::Result<Load> {
    let output = Command::new("wrk")
        .args(["-t2", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s")])
        .args(["-H", TRACEPARENT, url])
        .output();
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other(
            "wrk is missing: install it (Debian: apt-get install wrk; tests/run does that)",
        ),
        _ => error,
    })?;
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = said.contains("Non-2xx") || said.contains("Socket errors");
    let load = parse(&said).filter(|_| output.status.success() && !failed);
    load.ok_or_else(|| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        io::Error::other(format!("wrk {url}: {said}{complaint}"))
    })
}

fn parse(said: &str) -> Option<Load> {
    let requests = said.lines().find(|line| line.contains(" requests in "))?;
    let requests = requests.split_whitespace().next()?.parse().ok()?;
    let per_second = said
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"))?;
    Some(Load {
        requests,
        per_second: per_second.trim().parse().ok()?,
    })
}
