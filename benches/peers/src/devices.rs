//! Everybody who asks a device over loopback TCP: a read of ten registers, which the device answers at once.
//!
//! Each asks through a connection of its own, on a runtime of one thread. The device is either in the same runtime, so that
//! a round trip is work and nothing is waited for, or has a thread of its own, which the kernel has to wake.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use plimsoll::modbus::Device;
use plimsoll::{MonotonicClock, Plimsoll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_modbus::client::{Context, Reader, tcp};
use tokio_modbus::{Result, Slave};

use crate::contexts::WORDS;
use crate::rounds::{Job, median};

/// tokio-modbus alone.
pub const BARE: &str = "tokio-modbus 0.17.0";
/// Two connections of one and the same kind: what the figures are good for.
pub const AGAIN: &str = "the same, another connection";
pub const TIMEOUT: &str = "tokio-modbus 0.17.0 in `tokio::time::timeout`";
pub const WRAP: &str = "plimsoll `wrap`";
pub const DEVICE: &str = "plimsoll `Device`";
pub const CONTEXT: &str = "plimsoll `Device::context`";

/// Who asks.
enum Client {
    Bare(Context),
    /// Gives up in time, as a device does.
    InTime(Context),
    Ours(Device),
}

impl Client {
    async fn read(&mut self) -> Result<Vec<u16>> {
        let first = black_box(0);
        match self {
            Self::Bare(context) => context.read_holding_registers(first, WORDS).await,
            Self::InTime(context) => {
                let read = context.read_holding_registers(first, WORDS);
                let read = tokio::time::timeout(Duration::from_secs(1), read);
                read.await.expect("in time")
            }
            Self::Ours(device) => device.read_holding_registers(first, WORDS).await,
        }
    }
}

/// A device and somebody who asks it.
pub struct Contender {
    /// What the tables call it.
    pub name: &'static str,
    client: Mutex<Client>,
}

/// All that ask, and the runtime that they are of.
pub struct Fleet {
    pub contenders: Vec<Contender>,
    runtime: Runtime,
    _plimsoll: Plimsoll,
}

/// Where the device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    SameThread,
    OtherThread,
}

impl Fleet {
    pub fn new(place: Where) -> Self {
        let runtime = runtime();
        let plimsoll = Plimsoll::builder().clock(MonotonicClock::new());
        let plimsoll = plimsoll.manual_tick().build().expect("no mistakes");
        let addr = match place {
            Where::SameThread => runtime.block_on(listen()),
            Where::OtherThread => on_its_own(),
        };
        let contenders = runtime.block_on(contenders(addr, &plimsoll));
        Self {
            contenders,
            runtime,
            _plimsoll: plimsoll,
        }
    }

    /// Makes so many reads by contender `at`.
    pub fn read(&self, at: usize, reads: usize) {
        self.ask(at, reads, |_| ());
    }

    /// The median of so many reads by contender `at`, in nanoseconds of elapsed time.
    pub fn median_ns(&self, at: usize, reads: usize) -> f64 {
        let mut all = Vec::with_capacity(reads);
        self.ask(at, reads, |took| all.push(took.as_nanos() as f64));
        median(&all)
    }

    fn ask(&self, at: usize, reads: usize, mut took: impl FnMut(Duration)) {
        let client = &mut *self.contenders[at].client.lock();
        self.runtime.block_on(async {
            for _ in 0..reads {
                let start = Instant::now();
                let words = client.read().await;
                took(start.elapsed());
                let words = words.expect("no trouble").expect("no exception");
                assert_eq!(words, [7; WORDS as usize]);
            }
        });
    }

    /// As jobs of a comparison.
    pub fn jobs(&self) -> Vec<Job<'_>> {
        let each = self.contenders.iter().enumerate();
        each.map(|(at, contender)| {
            Job::new(contender.name, move |_, reads| self.read(at, reads)).sample_ns(5e6)
        })
        .collect()
    }
}

async fn contenders(addr: SocketAddr, plimsoll: &Plimsoll) -> Vec<Contender> {
    let wrapped = plimsoll.modbus("press-3").wrap(connect(addr).await);
    let device = |name| plimsoll.modbus(name).tcp(addr).expect("a free name");
    let context = device("press-5").context(Slave(1));
    [
        (BARE, Client::Bare(connect(addr).await)),
        (AGAIN, Client::Bare(connect(addr).await)),
        (TIMEOUT, Client::InTime(connect(addr).await)),
        (WRAP, Client::Bare(wrapped.expect("a free name"))),
        (DEVICE, Client::Ours(device("press-4"))),
        (CONTEXT, Client::Bare(context)),
    ]
    .map(|(name, client)| Contender {
        name,
        client: Mutex::new(client),
    })
    .into()
}

async fn connect(addr: SocketAddr) -> Context {
    let stream = TcpStream::connect(addr).await.expect("a listener");
    stream.set_nodelay(true).expect("a socket");
    tcp::attach_slave(stream, Slave(1))
}

fn runtime() -> Runtime {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all().build().expect("a runtime")
}

/// A device with a thread of its own, for as long as the process lives.
fn on_its_own() -> SocketAddr {
    let (sender, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            sender.send(listen().await).expect("somebody waits");
            std::future::pending::<()>().await
        })
    });
    address.recv().expect("it listens")
}

/// A device that answers every read of ten registers at once, in the runtime of this.
async fn listen() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("a socket");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    addr
}

/// Until the client hangs up.
async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = [0; 12];
    let mut reply = [0, 0, 0, 0, 0, 3 + 2 * WORDS as u8, 0, 3, 2 * WORDS as u8].to_vec();
    reply.extend([0, 7].repeat(WORDS.into()));
    loop {
        stream.read_exact(&mut request).await?;
        reply[..2].copy_from_slice(&request[..2]);
        reply[6] = request[6];
        stream.write_all(&reply).await?;
    }
}
