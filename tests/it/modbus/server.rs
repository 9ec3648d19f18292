//! Every method of a context against tokio-modbus' own server.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use plimsoll::Plimsoll;
use tokio::net::TcpListener;
use tokio_modbus::bytes::Bytes;
use tokio_modbus::prelude::*;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_modbus::server::{Service, rtu_over_tcp};

use super::{bounded, connects, counts, new, reads, writes};

#[derive(Default)]
struct Memory {
    coils: [bool; 32],
    words: [u16; 32],
}

impl Memory {
    fn words(&self, at: u16, count: u16) -> Vec<u16> {
        self.words[usize::from(at)..][..usize::from(count)].to_vec()
    }

    fn coils(&self, at: u16, count: u16) -> Vec<bool> {
        self.coils[usize::from(at)..][..usize::from(count)].to_vec()
    }

    fn write_words(&mut self, at: u16, words: &[u16]) {
        self.words[usize::from(at)..][..words.len()].copy_from_slice(words);
    }

    fn write_coils(&mut self, at: u16, coils: &[bool]) {
        self.coils[usize::from(at)..][..coils.len()].copy_from_slice(coils);
    }

    fn answer(&mut self, request: Request<'_>) -> Response {
        match request {
            Request::ReadCoils(at, count) => Response::ReadCoils(self.coils(at, count)),
            Request::ReadDiscreteInputs(at, count) => {
                Response::ReadDiscreteInputs(self.coils(at, count))
            }
            Request::ReadInputRegisters(at, count) => {
                Response::ReadInputRegisters(self.words(at, count))
            }
            Request::ReadHoldingRegisters(at, count) => {
                Response::ReadHoldingRegisters(self.words(at, count))
            }
            Request::WriteSingleCoil(at, coil) => {
                self.write_coils(at, &[coil]);
                Response::WriteSingleCoil(at, coil)
            }
            Request::WriteSingleRegister(at, word) => {
                self.write_words(at, &[word]);
                Response::WriteSingleRegister(at, word)
            }
            Request::WriteMultipleCoils(at, coils) => {
                self.write_coils(at, &coils);
                Response::WriteMultipleCoils(at, coils.len() as u16)
            }
            Request::WriteMultipleRegisters(at, words) => {
                self.write_words(at, &words);
                Response::WriteMultipleRegisters(at, words.len() as u16)
            }
            Request::MaskWriteRegister(at, and, or) => {
                let word = &mut self.words[usize::from(at)];
                *word = (*word & and) | (or & !and);
                Response::MaskWriteRegister(at, and, or)
            }
            Request::ReadWriteMultipleRegisters(read_at, count, at, words) => {
                self.write_words(at, &words);
                Response::ReadWriteMultipleRegisters(self.words(read_at, count))
            }
            Request::ReadDeviceIdentification(read_code, _) => {
                Response::ReadDeviceIdentification(ReadDeviceIdentificationResponse {
                    read_code,
                    conformity_level: ConformityLevel::BasicIdentification,
                    more_follows: false,
                    next_object_id: 0,
                    device_id_objects: vec![DeviceIdObject {
                        id: 0,
                        value: Bytes::from_static(b"plimsoll"),
                    }],
                })
            }
            Request::Custom(code, data) => Response::Custom(code, data.into_owned().into()),
            other => panic!("nobody asks for {other:?}"),
        }
    }
}

#[derive(Clone, Default)]
struct Plc(Arc<Mutex<Memory>>);

impl Service for Plc {
    type Request = Request<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        ready(Ok(self.0.lock().unwrap().answer(request)))
    }
}

/// Starts the server; it ends with the test's runtime.
async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let plc = Plc::default();
    tokio::spawn(async move {
        let connected = |stream, addr| {
            let plc = plc.clone();
            async move { accept_tcp_connection(stream, addr, move |_| Ok(Some(plc.clone()))) }
        };
        Server::new(listener).serve(&connected, |_| {}).await
    });
    addr
}

/// The same in serial frames.
async fn serve_serially() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let plc = Plc::default();
    tokio::spawn(async move {
        let connected = |stream, addr| {
            let plc = plc.clone();
            async move {
                rtu_over_tcp::accept_tcp_connection(stream, addr, move |_| Ok(Some(plc.clone())))
            }
        };
        let server = rtu_over_tcp::Server::new(listener);
        server.serve(&connected, |_| {}).await
    });
    addr
}

/// Calls all eleven methods: 5 reads, 6 writes. A device and a context have the same.
macro_rules! use_everything {
    ($on:expr) => {{
        let context = $on;
        context.write_single_coil(0, true).await.unwrap().unwrap();
        context
            .write_multiple_coils(1, &[false, true])
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            context.read_coils(0, 3).await.unwrap().unwrap(),
            [true, false, true]
        );
        assert_eq!(
            context.read_discrete_inputs(2, 1).await.unwrap().unwrap(),
            [true]
        );

        context
            .write_single_register(0, 0x12)
            .await
            .unwrap()
            .unwrap();
        context
            .write_multiple_registers(1, &[7, 8])
            .await
            .unwrap()
            .unwrap();
        context
            .masked_write_register(0, 0xF2, 0x25)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            context.read_holding_registers(0, 3).await.unwrap().unwrap(),
            [0x17, 7, 8]
        );
        assert_eq!(
            context.read_input_registers(1, 2).await.unwrap().unwrap(),
            [7, 8]
        );
        let read = context.read_write_multiple_registers(1, 3, 3, &[9]).await;
        assert_eq!(read.unwrap().unwrap(), [7, 8, 9]);

        let identity = context.read_device_identification(ReadCode::Basic, 0).await;
        let identity = identity.unwrap().unwrap();
        assert_eq!(
            identity.device_id_objects[0].value_as_str(),
            Some("plimsoll")
        );
    }};
}

fn assert_all_counted(plimsoll: &Plimsoll, made: u64) {
    assert_eq!(reads(plimsoll), [5, 0, 0, 0]);
    assert_eq!(writes(plimsoll), [6, 0, 0, 0]);
    assert_eq!(connects(plimsoll), [made, 0, 0, 0]);
}

#[tokio::test]
async fn every_method_works_on_a_device() {
    let (plimsoll, device) = new();
    let device = device.tcp(serve().await).unwrap();
    bounded(async { use_everything!(&device) }).await;
    assert_all_counted(&plimsoll, 1);
}

#[tokio::test]
async fn every_method_works_on_its_context() {
    let (plimsoll, device) = new();
    let device = device.tcp(serve().await).unwrap();
    let mut context = device.context(Slave(7));
    bounded(async { use_everything!(&mut context) }).await;
    assert_all_counted(&plimsoll, 1);
}

#[tokio::test]
async fn every_method_works_through_wrap() {
    let (plimsoll, device) = new();
    let context = tcp::connect_slave(serve().await, Slave(1)).await.unwrap();
    let mut context = device.wrap(context).unwrap();
    bounded(async { use_everything!(&mut context) }).await;
    assert_all_counted(&plimsoll, 0);
}

#[tokio::test]
async fn every_method_works_in_serial_frames() {
    let (plimsoll, device) = new();
    let device = device.rtu_over_tcp(serve_serially().await).unwrap();
    bounded(async { use_everything!(&device) }).await;
    assert_all_counted(&plimsoll, 1);
}

#[tokio::test]
async fn custom_functions_pass_as_they_are() {
    let (plimsoll, device) = new();
    let device = device.tcp(serve().await).unwrap();
    let request = Request::Custom(0x41, b"abc".as_slice().into());
    let custom = bounded(device.call(request)).await;
    let expected = Response::Custom(0x41, Bytes::from_static(b"abc"));
    assert_eq!(custom.unwrap().unwrap(), expected);
    let other = counts(&plimsoll, "modbus", ["press-3", "other"]);
    assert_eq!(other, [1, 0, 0, 0]);
}
