//! PromQL, rule files and alerts beside the real thing: `promtool` of Prometheus 2 and 3.

mod alerts;
mod corpus;
mod generate;
pub(crate) mod promtool;
