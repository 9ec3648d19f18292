//! The code of docs/modbus.md whose parts the crate itself must not depend on, against real peers.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod tls;
