//! The page of a process, without Prometheus in between.

use std::collections::BTreeSet;

use crate::failure::Failure;
use crate::prometheus::Server;

/// The names of the families and of all samples on it.
pub(super) fn names(url: &str, server: &Server) -> Result<BTreeSet<String>, Failure> {
    let page = server.page(url)?;
    let name = |line: &str| {
        let line = line.strip_prefix("# TYPE ").unwrap_or(line);
        let end = line.find(['{', ' ']).unwrap_or(line.len());
        (!line.starts_with('#') && end > 0).then(|| line[..end].to_owned())
    };
    let names: BTreeSet<_> = page.lines().filter_map(name).collect();
    match page.lines().any(|line| line.starts_with("# TYPE ")) {
        true => Ok(names),
        false => Err(Failure::new(format!(
            "{url}: this is no page of metrics: its path is /metrics as a rule"
        ))),
    }
}
