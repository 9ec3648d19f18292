//! A peer, and the ways to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll::modbus::{Device, DeviceBuilder};
use tokio::net::TcpStream;
use tokio_modbus::client::{Context, rtu, tcp};
use tokio_serial::SerialStream;

use super::process::{Cable, Process, free_port, libmodbus, pymodbus};
use super::sequential;

/// How a peer is reached.
pub(super) enum Way {
    Tcp(SocketAddr),
    RtuOverTcp(SocketAddr),
    Serial(PathBuf),
}

impl Way {
    pub(super) fn device(&self, builder: DeviceBuilder) -> Device {
        // These lines are none, and need no gap.
        let line = builder.clone().gap(Duration::from_millis(1));
        let device = match self {
            Self::Tcp(addr) => builder.tcp(addr),
            Self::RtuOverTcp(addr) => line.rtu_over_tcp(addr),
            Self::Serial(path) => {
                let path = path.clone();
                line.rtu(move || std::future::ready(open(&path)))
            }
        };
        device.unwrap()
    }

    /// tokio-modbus alone.
    pub(super) async fn bare(&self) -> Context {
        match self {
            Self::Tcp(addr) => tcp::attach(TcpStream::connect(addr).await.unwrap()),
            Self::RtuOverTcp(addr) => rtu::attach(TcpStream::connect(addr).await.unwrap()),
            Self::Serial(path) => rtu::attach(open(path).unwrap()),
        }
    }

    pub(super) fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}

fn open(path: &Path) -> std::io::Result<SerialStream> {
    Ok(SerialStream::open(&tokio_serial::new(
        path.to_string_lossy(),
        115_200,
    ))?)
}

/// A peer that runs until this is dropped.
pub(super) struct Site {
    pub(super) way: Way,
    pub(super) server: Option<Process>,
    pub(super) cable: Option<Cable>,
    /// Whether a late reply on a line bears the unit that was asked last.
    pub(super) stamps_anew: bool,
}

impl Site {
    pub(super) fn pymodbus_tcp() -> Self {
        let addr = free_port();
        let server = Process::ready(&mut pymodbus("tcp", &addr.port().to_string()));
        Self::tcp(Way::Tcp(addr), server)
    }

    pub(super) fn pymodbus_rtu_over_tcp() -> Self {
        let addr = free_port();
        let server = Process::ready(&mut pymodbus("rtu-over-tcp", &addr.port().to_string()));
        Self {
            stamps_anew: true,
            ..Self::tcp(Way::RtuOverTcp(addr), server)
        }
    }

    pub(super) fn libmodbus_tcp() -> Self {
        let addr = free_port();
        let server = Process::ready(&mut libmodbus(["tcp", &addr.port().to_string()]));
        Self::tcp(Way::Tcp(addr), server)
    }

    pub(super) fn pymodbus_serial() -> Self {
        let cable = Cable::new();
        let server = Process::ready(&mut pymodbus("serial", &cable.far().to_string_lossy()));
        Self {
            stamps_anew: true,
            ..Self::serial(cable, Some(server))
        }
    }

    /// Only one unit.
    pub(super) fn libmodbus_serial(unit: u8) -> Self {
        let cable = Cable::new();
        let far = cable.far();
        let server = Process::ready(&mut libmodbus([
            "rtu",
            &far.to_string_lossy(),
            &unit.to_string(),
        ]));
        Self::serial(cable, Some(server))
    }

    pub(super) fn sequential() -> Self {
        let cable = Cable::new();
        sequential::serve(&cable.far());
        Self::serial(cable, None)
    }

    fn tcp(way: Way, server: Process) -> Self {
        Self {
            way,
            server: Some(server),
            cable: None,
            stamps_anew: false,
        }
    }

    fn serial(cable: Cable, server: Option<Process>) -> Self {
        Self {
            way: Way::Serial(cable.near()),
            server,
            cable: Some(cable),
            stamps_anew: false,
        }
    }
}
