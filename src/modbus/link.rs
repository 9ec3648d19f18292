//! A TCP connection that is kept only while nothing can be on its way that nobody waits for.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_modbus::client::{Client, Context, tcp};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Error, Request, Response, Result, Slave};

use super::Device;
use super::health::Cause;
use super::meters::Held;
use super::values::{asked, fits};
use crate::registry::Outcome;

/// The client behind [`Device::tcp`].
pub(super) struct Link {
    device: Device,
    addr: SocketAddr,
    slave: Slave,
    /// Away during a call, and put back only by a clean end: no early end, a dropped future among them, can leave a
    /// connection behind whose reply is still to come.
    live: Option<Live>,
}

/// An open connection.
struct Live {
    context: Context,
    /// The same socket once more: the context does not show whether the device has closed it.
    socket: std::net::TcpStream,
    _held: Held,
}

impl Live {
    /// Neither closed nor with anything to read: with no request open, whatever came would be no answer of ours.
    fn is_clean(&self) -> bool {
        let peeked = self.socket.peek(&mut [0]);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    fn is_closed(&self) -> bool {
        matches!(self.socket.peek(&mut [0]), Ok(0))
    }
}

impl Link {
    pub(super) fn new(device: Device, addr: SocketAddr, slave: Slave) -> Self {
        Self {
            device,
            addr,
            slave,
            live: None,
        }
    }

    async fn exchange(&mut self, request: Request<'_>, asked: Option<usize>) -> Result<Response> {
        let mut live = self.take_or_connect().await?;
        let limit = self.device.request_timeout;
        let result = match timeout(limit, live.context.call(request)).await {
            Ok(Ok(Ok(response))) if !fits(asked, &response) => {
                self.device
                    .meters
                    .health
                    .failed(self.slave.0, Cause::Protocol);
                let text = "the reply has another number of values than were asked for";
                Err(self.error(io::ErrorKind::InvalidData, text))
            }
            Ok(Err(Error::Transport(cause))) => Err(self.transport_error(&live, &cause)),
            Ok(result) => {
                if result.is_err() {
                    self.device
                        .meters
                        .health
                        .failed(self.slave.0, Cause::Protocol);
                }
                result
            }
            Err(_) => {
                self.device
                    .meters
                    .health
                    .failed(self.slave.0, Cause::RequestTimeout);
                let text = format!("no reply within {limit:?}");
                Err(self.error(io::ErrorKind::TimedOut, &text))
            }
        };
        if result.is_ok() {
            self.live = Some(live);
        }
        result
    }

    async fn take_or_connect(&mut self) -> std::result::Result<Live, Error> {
        // A connection that is not clean is closed before the next is made: many devices accept only one.
        match self.live.take().filter(Live::is_clean) {
            Some(live) => Ok(live),
            None => self.connect().await,
        }
    }

    async fn connect(&mut self) -> std::result::Result<Live, Error> {
        let meters = &self.device.meters;
        let limit = self.device.connect_timeout;
        let attempt = meters.connect.start();
        let opened = match timeout(limit, open(self.addr)).await {
            Ok(opened) => {
                opened.map_err(|cause| (cause.kind(), format!("cannot connect: {cause}")))
            }
            Err(_) => Err((
                io::ErrorKind::TimedOut,
                format!("no connection within {limit:?}"),
            )),
        };
        attempt.finish(Outcome::of(&opened));
        let (stream, socket) = opened.map_err(|(kind, text)| {
            meters.connect_failed(Cause::of_connect(kind));
            self.error(kind, &text)
        })?;
        let live = Live {
            context: tcp::attach_slave(stream, self.slave),
            socket,
            _held: Held::new(meters),
        };
        meters.health.connected();
        Ok(live)
    }

    /// The end of the stream comes out of tokio-modbus as whichever error the system had last.
    fn transport_error(&self, live: &Live, cause: &io::Error) -> Error {
        if live.is_closed() {
            self.device.meters.lost(Cause::Closed);
            let text = "the device closed the connection";
            self.error(io::ErrorKind::UnexpectedEof, text)
        } else {
            self.device.meters.lost(Cause::Io);
            self.error(cause.kind(), &cause.to_string())
        }
    }

    fn error(&self, kind: io::ErrorKind, text: &str) -> Error {
        let device = &self.device.meters.device;
        let text = format!("modbus device {device} at {}: {text}", self.addr);
        Error::Transport(io::Error::new(kind, text))
    }
}

/// Both values are one socket.
async fn open(addr: SocketAddr) -> io::Result<(TcpStream, std::net::TcpStream)> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let socket = stream.into_std()?;
    let stream = TcpStream::from_std(socket.try_clone()?)?;
    Ok((stream, socket))
}

#[async_trait]
impl Client for Link {
    async fn call(&mut self, request: Request<'_>) -> Result<Response> {
        let asked = asked(&request);
        let counted = self.device.meters.begin(&request);
        let result = self.exchange(request, asked).await;
        self.device.meters.end(counted, self.slave, asked, &result);
        result
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        match self.live.take() {
            Some(mut live) => live.context.disconnect().await,
            None => Ok(()),
        }
    }
}

impl SlaveContext for Link {
    fn set_slave(&mut self, slave: Slave) {
        self.slave = slave;
        if let Some(live) = &mut self.live {
            live.context.set_slave(slave);
        }
    }
}
