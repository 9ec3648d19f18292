//! Three Modbus TCP devices on loopback, made with tokio-modbus' own server.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_modbus::{ExceptionCode, Request, Response};

use crate::Failure;
use crate::faults::Faults;

/// The devices and where they listen.
pub struct Simulated {
    addresses: Vec<(String, SocketAddr)>,
}

impl Simulated {
    pub async fn start(names: &[&str], faults: &Arc<Faults>) -> Result<Self, Failure> {
        let mut addresses = Vec::new();
        for (number, name) in names.iter().enumerate() {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            addresses.push(((*name).to_owned(), listener.local_addr()?));
            let registers = (0..16)
                .map(|register| 100 * (number as u16 + 1) + register)
                .collect();
            let device = Device {
                name: (*name).to_owned(),
                registers: Arc::new(Mutex::new(registers)),
                faults: faults.clone(),
            };
            tokio::spawn(serve(listener, device));
        }
        Ok(Self { addresses })
    }

    pub fn addresses(&self) -> impl Iterator<Item = (String, SocketAddr)> + '_ {
        self.addresses.iter().cloned()
    }
}

async fn serve(listener: TcpListener, device: Device) {
    let on_connected = move |stream, address| {
        let device = device.clone();
        async move { accept_tcp_connection(stream, address, move |_| Ok(Some(device.clone()))) }
    };
    if let Err(error) = Server::new(listener).serve(&on_connected, |_| {}).await {
        eprintln!("simulated device stopped: {error}");
    }
}

#[derive(Clone)]
struct Device {
    name: String,
    registers: Arc<Mutex<Vec<u16>>>,
    faults: Arc<Faults>,
}

impl Service for Device {
    type Request = Request<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Response, ExceptionCode>> + Send>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        let device = self.clone();
        Box::pin(async move {
            device.faults.answer_of(&device.name).await;
            device.answer(&request)
        })
    }
}

impl Device {
    fn answer(&self, request: &Request<'static>) -> Result<Response, ExceptionCode> {
        let mut registers = self.registers.lock();
        match *request {
            Request::ReadHoldingRegisters(from, count) => {
                let range = from as usize..from as usize + count as usize;
                let words = registers
                    .get(range)
                    .ok_or(ExceptionCode::IllegalDataAddress)?;
                Ok(Response::ReadHoldingRegisters(words.to_vec()))
            }
            Request::WriteSingleRegister(at, word) => {
                *registers
                    .get_mut(at as usize)
                    .ok_or(ExceptionCode::IllegalDataAddress)? = word;
                Ok(Response::WriteSingleRegister(at, word))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }
}
