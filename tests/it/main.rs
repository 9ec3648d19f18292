//! Integration tests: one binary, a module per room.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[cfg(feature = "act")]
mod act;
#[cfg(feature = "promql")]
mod agreement;
mod alert;
#[cfg(target_os = "linux")]
mod alone;
#[cfg(all(feature = "axum", feature = "db"))]
mod anatomy;
#[cfg(feature = "cli")]
mod asking;
mod bad_input;
mod band;
mod budget;
mod budget_options;
#[cfg(feature = "cli")]
mod cli;
mod compare;
mod config;
#[cfg(feature = "db")]
mod db;
mod dynamic;
mod export;
#[cfg(feature = "metrics")]
mod facade;
mod families;
#[cfg(feature = "generate")]
mod generate;
#[cfg(feature = "hdr")]
mod hdr;
#[cfg(feature = "axum")]
mod http;
mod instance;
mod instrument;
#[cfg(feature = "axum")]
mod labels;
#[cfg(feature = "demo")]
mod live;
#[cfg(all(feature = "tracing", feature = "axum", feature = "db"))]
mod log;
#[cfg(feature = "config")]
mod mistakes;
#[cfg(feature = "modbus")]
mod modbus;
mod parity;
#[cfg(feature = "promql")]
mod promql;
#[cfg(target_os = "linux")]
mod quiet;
#[cfg(feature = "axum")]
mod routes;
mod rules;
#[cfg(feature = "service")]
mod service;
mod slo;
mod slo_runtime;
#[cfg(feature = "state")]
mod state;
#[cfg(feature = "axum")]
mod warnings;
mod watch;
#[cfg(feature = "axum")]
mod wire;
