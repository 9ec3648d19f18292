//! The gauges and the counter of data points; what is counted as a request is tested from outside.

use std::collections::VecDeque;
use std::io;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_modbus::prelude::{ExceptionCode, Reader as _, Response, SlaveContext, Writer as _};
use tokio_modbus::{Error, ProtocolError, Request, Result};

use super::*;
use crate::Plimsoll;
use crate::registry::InstrumentKind;
use tokio_modbus::Slave;
use tokio_modbus::client::{Client, Context};

/// A client that says what it was told to say.
struct Scripted(VecDeque<Result<Response>>);

#[async_trait]
impl Client for Scripted {
    async fn call(&mut self, _: Request<'_>) -> Result<Response> {
        self.0.pop_front().expect("another answer")
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SlaveContext for Scripted {
    fn set_slave(&mut self, _: Slave) {}
}

fn scripted(answers: impl IntoIterator<Item = Result<Response>>) -> Context {
    let client: Box<dyn Client> = Box::new(Scripted(answers.into_iter().collect()));
    client.into()
}

fn new() -> (Plimsoll, DeviceBuilder) {
    let plimsoll = Plimsoll::builder().build().expect("defaults");
    let device = plimsoll.modbus("press-3");
    (plimsoll, device)
}

fn number(plimsoll: &Plimsoll, name: &str, labels: &[&str]) -> f64 {
    let family = plimsoll.registry().instruments.family(name).expect(name);
    let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
    family.series[&labels].value.number().expect("a number")
}

/// `device_connected`, `connections_active`, `data_points_processed_total`.
fn numbers(plimsoll: &Plimsoll) -> [f64; 3] {
    [
        number(plimsoll, "device_connected", &["press-3"]),
        number(plimsoll, "connections_active", &["modbus", "press-3"]),
        number(plimsoll, "data_points_processed_total", &["press-3"]),
    ]
}

/// Answers so many reads of one holding register with 7 on one connection, then closes it.
async fn answer(listener: &TcpListener, reads: usize) {
    let (mut stream, _) = listener.accept().await.expect("a connection");
    for _ in 0..reads {
        let mut request = [0; 12];
        stream.read_exact(&mut request).await.expect("a request");
        let reply = [request[0], request[1], 0, 0, 0, 5, request[6], 3, 2, 0, 7];
        stream.write_all(&reply).await.expect("a reader");
    }
}

#[tokio::test]
async fn a_wrapped_context_is_connected_from_its_first_reply_to_a_transport_error() {
    let (plimsoll, device) = new();
    let meter = device.meter().expect("new names");
    assert_eq!(numbers(&plimsoll), [0.0, 0.0, 0.0]);
    let mismatch = ProtocolError::HeaderMismatch {
        message: String::new(),
        result: Ok(Response::ReadCoils(vec![])),
    };
    let mut context = meter.wrap(scripted([
        Ok(Ok(Response::ReadHoldingRegisters(vec![1, 2, 3]))),
        Ok(Err(ExceptionCode::IllegalDataAddress)),
        Err(Error::Protocol(mismatch)),
        Err(Error::Transport(io::ErrorKind::BrokenPipe.into())),
        Ok(Ok(Response::ReadCoils(vec![true; 8]))),
    ]));
    assert_eq!(numbers(&plimsoll), [0.0, 1.0, 0.0]);
    let expected = [
        [1.0, 1.0, 3.0],
        [1.0, 1.0, 3.0],
        [1.0, 1.0, 3.0],
        [0.0, 0.0, 3.0],
    ];
    for numbers_then in expected {
        let _ = context.read_holding_registers(0, 3).await;
        assert_eq!(numbers(&plimsoll), numbers_then);
    }
    assert_eq!(
        context.read_coils(0, 3).await.expect("good").expect("good"),
        [true; 3]
    );
    assert_eq!(numbers(&plimsoll), [1.0, 1.0, 6.0]);
    drop(context);
    // Closed from here, it is still there.
    assert_eq!(numbers(&plimsoll), [1.0, 0.0, 6.0]);
}

#[tokio::test]
async fn confirmed_writes_are_data_points() {
    let (plimsoll, device) = new();
    let answers = [
        Ok(Ok(Response::WriteMultipleRegisters(0, 2))),
        Ok(Ok(Response::WriteSingleRegister(0, 1))),
    ];
    let mut context = device.wrap(scripted(answers)).expect("new names");
    let _ = context.write_multiple_registers(0, &[1, 2]).await;
    let _ = context.write_single_register(0, 1).await;
    assert_eq!(numbers(&plimsoll), [1.0, 1.0, 3.0]);
}

#[tokio::test]
async fn one_lost_connection_does_not_speak_for_another() {
    let (plimsoll, device) = new();
    let answers = || [Ok(Ok(Response::ReadHoldingRegisters(vec![1])))];
    let meter = device.meter().expect("new names");
    let (mut first, second) = (meter.wrap(scripted(answers())), meter.wrap(scripted([])));
    let _ = first.read_holding_registers(0, 1).await;
    drop(second);
    assert_eq!(numbers(&plimsoll), [1.0, 1.0, 1.0]);
    drop(first);
    assert_eq!(numbers(&plimsoll), [1.0, 0.0, 1.0]);
}

#[tokio::test]
async fn a_tcp_connection_is_held_from_the_first_call_to_its_loss() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    let (plimsoll, device) = new();
    let mut context = device.tcp(addr).expect("new names").context(Slave(1));
    assert_eq!(numbers(&plimsoll), [0.0, 0.0, 0.0]);

    let (read, ()) = tokio::join!(context.read_holding_registers(0, 1), answer(&listener, 1));
    assert_eq!(read.expect("good").expect("good"), [7]);
    assert_eq!(numbers(&plimsoll), [1.0, 1.0, 1.0]);

    drop(listener);
    let refused = context.read_holding_registers(0, 1).await;
    assert!(matches!(refused, Err(Error::Transport(_))));
    assert_eq!(numbers(&plimsoll), [0.0, 0.0, 1.0]);
}

#[tokio::test]
async fn a_disconnected_context_holds_nothing_until_its_next_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    let (plimsoll, device) = new();
    let mut context = device.tcp(addr).expect("new names").context(Slave(1));
    for points in [1.0, 2.0] {
        let (read, ()) = tokio::join!(context.read_holding_registers(0, 1), answer(&listener, 1));
        assert_eq!(read.expect("good").expect("good"), [7]);
        assert_eq!(numbers(&plimsoll), [1.0, 1.0, points]);
        context.disconnect().await.expect("closed");
        assert_eq!(numbers(&plimsoll), [1.0, 0.0, points]);
    }
}

#[test]
fn a_taken_name_is_an_error() {
    for name in [
        "device_connected",
        "connections_active",
        "data_points_processed_total",
        "request_failures_total",
        "bytes_total",
    ] {
        let plimsoll = Plimsoll::builder().build().expect("defaults");
        let labels = [("mine", "x")];
        let instruments = &plimsoll.registry().instruments;
        let taken = instruments.register(name, "", InstrumentKind::Gauge, &labels);
        assert!(taken.is_ok());
        let device = plimsoll.modbus("press-3").meter();
        let mistake = device.expect_err(name).mistake;
        assert!(matches!(mistake, Mistake::Instrument(_)), "{mistake}");
    }
}

/// A client whose requests panic.
struct Panicking;

#[async_trait]
impl Client for Panicking {
    async fn call(&mut self, _: Request<'_>) -> Result<Response> {
        panic!("in a request");
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SlaveContext for Panicking {
    fn set_slave(&mut self, _: Slave) {}
}

/// Whoever catches the panic of a poll may drop the future when nothing panics any more.
#[test]
fn a_request_that_panics_is_an_error_and_none_that_nobody_waited_for() {
    let (plimsoll, device) = new();
    let client: Box<dyn Client> = Box::new(Panicking);
    let wrapped = device.wrap(client.into()).expect("new names");
    let mut client: Box<dyn Client> = wrapped.into();
    let mut call = client.call(Request::ReadCoils(0, 1));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let poll = std::panic::AssertUnwindSafe(|| call.as_mut().poll(&mut context).is_ready());
    assert!(std::panic::catch_unwind(poll).is_err());
    drop(call);
    let operations = plimsoll.stats().operations;
    let reads = operations
        .iter()
        .find(|line| line.kind == "modbus" && line.labels[1].1 == "read");
    let reads = reads.expect("reads");
    assert_eq!([reads.count, reads.errors, reads.cancelled], [1, 1, 0]);
    assert_eq!(reads.in_flight, 0);
}
