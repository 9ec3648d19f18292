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
//! Where it stands, rounds of polling, rules for its values, and promises about all of that:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use plimsoll::modbus::{Rules, WordOrder};
//! use plimsoll::{Budget, Plimsoll};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let plimsoll = Plimsoll::builder()
//!     .budget(Budget::device_availability("press-there"))
//!     .budget(Budget::device_request("press-p95", Duration::from_millis(250)))
//!     .budget(Budget::cycle_overruns("press-cycles"))
//!     .on_breach(|breach| eprintln!("{breach}"))
//!     .build()?;
//! let press = plimsoll.modbus("press-3").request_timeout(Duration::from_millis(200)).tcp("plc.example:502")?;
//! let mut pressure = press.point(Rules::f32(WordOrder::Abcd).range(0.0..=400.0))?;
//! let mut health = press.watch_health();
//! tokio::spawn(async move {
//!     while health.changed().await.is_ok() {
//!         let health = *health.borrow_and_update();
//!         eprintln!("press-3 is {health}"); // `down since 2026-11-21T10:00:00.000Z: request_timeout`
//!     }
//! });
//! let mut fast = press.cycle("fast", Duration::from_millis(500))?;
//! loop {
//!     let _round = fast.tick().await;
//!     if let Ok(Ok(registers)) = press.read_holding_registers(12, 2).await {
//!         match pressure.check(&registers) {
//!             Ok(bar) => println!("{bar} bar"),
//!             Err(refused) => eprintln!("{refused}"),
//!         }
//!     }
//! }
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
//! | serial | nobody is asked before the reply came and the line was silent, or the [late window](DeviceBuilder::late_window) has passed; [others](DeviceBuilder::units_apart) are if so told | replies that come later still |
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
//! # Health
//!
//! [`Device::health`] is [`Health`]: connected, degraded or down, with [cause](Cause) and time, of the device and of each
//! [unit](Device::unit_health) on its line.
//!
//! | what happened | the unit | the device |
//! |---|---|---|
//! | a good reply | connected | connected, if all its units are |
//! | a Modbus exception | connected: it answered | as above |
//! | exception 0A or 0B | down: a gateway says so | degraded: the gateway is there |
//! | no reply, or none that can be used | degraded, down after the third in a row ([`down_after`](DeviceBuilder::down_after)) | degraded, down when all its units are |
//! | no connection, or it is lost and none is left | down | down |
//! | no good reply for too long ([`stale_after`](DeviceBuilder::stale_after)) | – | degraded |
//!
//! What says nothing: a request that nobody waited for or that was not sent, a broadcast, a connection that was just made
//! or that is closed from our side. Who is down for the lack of a connection stays so until an answer comes: gateways
//! accept connections, and ports open, without a device behind.
//!
//! Silence is no event, so the engine's tick looks at the clock for those who [watch](Device::watch_health): they hear of
//! stale data at the next tick. Whoever asks for the present value needs no tick.
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
//! | `device_connected`, `device_state` | `device` (`state`) | see [Health](#health); gone with the last handle, and not there for devices above the cap |
//! | `device_unit_connected` | `device`, `unit` | where a device has several units |
//! | `device_checks_total`, `device_checks_failed_total` | `device`, `check` | `connected`, `fresh`: one look a tick |
//! | `last_success_timestamp_seconds` | `device` | Unix time of the last good reply |
//! | rounds | `device`, `cycle` | see [`Cycle`] |
//! | checked values | `device`, `reason` | see [`Point`] |
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
mod cycle;
mod device;
mod failure;
mod health;
mod ledger;
mod limits;
mod link;
mod links;
mod mbap;
mod names;
mod owed;
mod pdu;
mod quality;
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
pub use cycle::{Cycle, CycleError, Round};
pub use device::{Device, Quality};
pub use failure::{DeviceError, Failure};
pub use health::{Cause, Health};
pub(crate) use names::Devices;
pub use quality::{Point, Rejected, Rules, RulesError, WordOrder};
pub use settings::{Mistake, Resync, SetupError};
pub use wrap::Meter;

#[cfg(test)]
mod tests;
