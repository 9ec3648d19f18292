//! Why it exists: a Modbus client that gave up on a slow reply may take that reply for the answer to its next
//! question, and a register that is wrong is worse than one that is missing.
//!
//! A [`Device`] never does. It connects by itself, gives up in time, and is shared by as many handlers as there are:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use plimsoll::Plimsoll;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let plimsoll = Plimsoll::builder().build()?;
//! let press = plimsoll.modbus("press-3").request_timeout(Duration::from_millis(500)).tcp("plc.example:502")?;
//! let registers = press.read_holding_registers(0, 10).await??; // `&self`, from anywhere
//! # let _ = registers;
//! # Ok(())
//! # }
//! ```
//!
//! Code that has a [`Context`](tokio_modbus::client::Context) stays as it is:
//!
//! ```no_run
//! use tokio_modbus::prelude::*;
//!
//! # async fn run(press: plimsoll::modbus::Device) -> Result<(), Box<dyn std::error::Error>> {
//! let mut context = press.context(Slave(1));
//! let registers = context.read_holding_registers(0, 10).await??;
//! # let _ = registers;
//! # Ok(())
//! # }
//! ```
//!
//! A serial port is whatever opens one, tokio-serial for example:
//! `.rtu(|| async { Ok(SerialStream::open(&tokio_serial::new("/dev/ttyUSB0", 19_200))?) })`.
//!
//! # After trouble
//!
//! A request that got no reply in time, or whose future was dropped, leaves a reply behind that may still come.
//!
//! | frames | what is done about it | its limit |
//! |---|---|---|
//! | Modbus/TCP | the connection is closed, and the reply goes with it ([`Resync::Reconnect`]) | none |
//! | Modbus/TCP, [`Resync::KeepConnection`] | the reply is told by its transaction id and discarded; at a second one missing the connection is closed | gateways that stamp late replies with the newest id |
//! | serial | the unit is not asked again before its reply came and the line was silent, or the [late window](DeviceBuilder::late_window) has passed | replies that come later still; gateways that stamp late replies with the newest unit, unless [told](DeviceBuilder::settle_all_units) |
//!
//! Any transport error ends the connection, whatever its kind, and so does a reply that does not fit: function,
//! number of values, and for writes the address and value that the device confirms. Damaged frames are errors. A
//! connection that the device closed while nobody used it is replaced without an error.
//!
//! **Nothing is sent twice**, but for [busy devices](DeviceBuilder::busy_retries): a write that timed out may have been
//! carried out, and only the caller knows whether it may be repeated.
//!
//! The first good reply after any of this is [`Suspect`](Quality::Suspect): [`Device::last_quality`],
//! `suspect_replies_total`, and with the feature `tracing` a `WARN` with the target `plimsoll::modbus` say so.
//!
//! # Unit 0
//!
//! On a serial line it is the broadcast: writes are sent, answered here as a device would, and followed by the
//! [turnaround delay](DeviceBuilder::turnaround); reads are refused. Over Modbus/TCP it is the device itself and answers,
//! unless [told otherwise](DeviceBuilder::unit_zero_is_broadcast). What the protocol does not carry is refused before it is
//! sent, as [`Failure::InvalidRequest`]: units above 247 on a serial line, a quantity of 0 or above the limit,
//! addresses beyond 65535.
//!
//! # What is counted
//!
//! | what | labels | |
//! |---|---|---|
//! | requests | `device`, `operation` | `read`, `write` (0x17 and 0x16 too) or, for custom function codes, `other` |
//! | `request_failures_total` | `protocol`, `device`, `kind` | [why](Failure) they failed; four kinds stand at 0 from the start, the others begin with their first |
//! | attempts to connect | `protocol`, `device` | |
//! | the wait for a connection | `pool` | by the name of the device; see [`pool`](crate::pool) |
//! | `device_connected` | `device` | 1 after a connection was made or a reply came, an exception included; 0 after the last connection was lost or an attempt failed |
//! | `connections_active`, `reconnects_total` | `protocol`, `device` | a wrapped context is one connection until a transport error |
//! | `stale_replies_total`, `stale_bytes_total`, `suspect_replies_total` | `protocol`, `device` | |
//! | `bytes_total` | `protocol`, `device`, `direction` | `in`, `out` |
//! | `data_points_processed_total` | `device` | registers and coils that good replies carry or confirm; of 0x17 those read |
//!
//! A request is an error when it ends in a Modbus exception or any [`Failure`] but `cancelled`: dropped before its end. Its
//! duration includes connecting, pauses and settling, but not the wait for others; who gets no connection in time is in
//! the pool's counts only. [`wrap`](DeviceBuilder::wrap) knows nothing of connecting, bytes and waiting.
//!
//! # Limits
//!
//! One connection has one request at a time. Timeouts need a tokio runtime with I/O and time enabled; without one a call
//! panics. The address is in error messages and never in a label.

mod asked;
mod backoff;
mod builder;
mod context;
mod converse;
mod device;
mod failure;
mod ledger;
mod limits;
mod link;
mod links;
mod mbap;
mod names;
mod owed;
mod pdu;
mod rtu;
mod serial;
mod settings;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "modbus/untraced.rs"]
mod trace;
mod transport;
mod wire;
mod wrap;

pub use builder::DeviceBuilder;
pub use device::{Device, Quality};
pub use failure::{DeviceError, Failure};
pub(crate) use names::Devices;
pub use settings::{Mistake, Resync, SetupError};
pub use wrap::Meter;

#[cfg(test)]
mod tests;
