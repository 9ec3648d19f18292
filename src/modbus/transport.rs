//! How a connection comes about, and what it is then: bytes in and out.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Anything that bytes go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Opening = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// Opens connections, one after the other.
pub(super) struct Opener(Box<dyn Fn() -> Opening + Send + Sync>);

impl Opener {
    pub(super) fn new<F, S>(open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self(Box::new(move || {
            let opening = open();
            Box::pin(async move { Ok(Box::new(opening.await?) as Box<dyn Stream>) })
        }))
    }

    pub(super) fn tcp(target: Target, nodelay: bool) -> Self {
        Self::new(move || connect(target.clone(), nodelay))
    }

    pub(super) async fn open(&self) -> io::Result<Box<dyn Stream>> {
        (self.0)().await
    }
}

async fn connect(target: Target, nodelay: bool) -> io::Result<TcpStream> {
    let stream = match target {
        Target::Addr(addr) => TcpStream::connect(addr).await,
        Target::Host(host, port) => TcpStream::connect((host, port)).await,
    }?;
    stream.set_nodelay(nodelay)?;
    Ok(stream)
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

/// Where a device listens. A host's name is resolved at each attempt to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Addr(SocketAddr),
    Host(String, u16),
}

impl Target {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let target = match text.parse() {
            Ok(addr) => Self::Addr(addr),
            Err(_) => {
                let (host, port) = text.rsplit_once(':')?;
                let known = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
                let good = !host.is_empty() && host.chars().all(known);
                Self::Host(good.then(|| host.to_owned())?, port.parse().ok()?)
            }
        };
        (target.port() != 0).then_some(target)
    }

    fn port(&self) -> u16 {
        match self {
            Self::Addr(addr) => addr.port(),
            Self::Host(_, port) => *port,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests are small, and each waits for its reply: Nagle's algorithm could only hold them back.
    #[tokio::test]
    async fn packets_are_sent_at_once_unless_asked_otherwise() {
        let peer = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback");
        let target = Target::Addr(peer.local_addr().expect("loopback"));
        for nodelay in [true, false] {
            let stream = connect(target.clone(), nodelay).await.expect("loopback");
            assert_eq!(stream.nodelay().expect("loopback"), nodelay);
        }
        assert!(crate::modbus::settings::Settings::default().nodelay);
    }

    #[test]
    fn addresses_are_hosts_or_numbers_with_a_port() {
        for (text, host) in [
            ("plc.example:502", "plc.example"),
            ("press_3:1502", "press_3"),
        ] {
            let target = Target::parse(text).expect(text);
            assert_eq!(target, Target::Host(host.to_owned(), target.port()));
        }
        for text in ["192.0.2.7:502", "[2001:db8::7]:502"] {
            let addr = text.parse().expect("an address");
            assert_eq!(Target::parse(text), Some(Target::Addr(addr)));
        }
        for text in [
            "",
            "plc",
            "plc:",
            ":502",
            "plc:0",
            "plc:70000",
            "192.0.2.7:0",
            "2001:db8::7:502",
            "a b:502",
            "tcp://plc:502",
        ] {
            assert_eq!(Target::parse(text), None, "{text:?}");
        }
    }
}
