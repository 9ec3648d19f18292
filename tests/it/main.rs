//! Integration tests: one binary, a module per room.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[cfg(feature = "act")]
mod act;
mod alert;
mod bad_input;
mod budget;
mod config;
#[cfg(feature = "db")]
mod db;
mod export;
#[cfg(feature = "metrics")]
mod facade;
#[cfg(feature = "hdr")]
mod hdr;
#[cfg(feature = "axum")]
mod http;
mod instance;
mod instrument;
#[cfg(feature = "demo")]
mod live;
#[cfg(feature = "modbus")]
mod modbus;
#[cfg(feature = "service")]
mod service;
mod watch;
#[cfg(feature = "axum")]
mod wire;
