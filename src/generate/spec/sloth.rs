//! sloth's specs, plain and as a Kubernetes resource: the same fields, written in two ways.

mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;

use std::time::Duration;

const VERSION: &str = "prometheus/v1";

/// sloth's period, unless it is told another one.
const PERIOD: Duration = Duration::from_secs(30 * 86_400);
