//! A device that answers each connection strictly in order, with the right transaction ids, and misbehaves where told.

use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, duplex,
};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What happens to a request.
pub(super) enum Act {
    Answer,
    /// The right answer, late; what comes behind it on the connection waits.
    Delay(Duration),
    Silence,
    Close,
    AnswerAndClose,
    Exception(u8),
    WrongTransaction,
    /// One register too few.
    Short,
}

/// What a request was: unit, function code, first address.
pub(super) type Seen = (u8, u8, u16);

#[derive(Default)]
struct Log {
    connections: AtomicUsize,
    late: AtomicUsize,
    closed: Notify,
    requests: Mutex<Vec<Seen>>,
}

pub(super) struct Peer {
    pub(super) addr: SocketAddr,
    log: Arc<Log>,
}

impl Peer {
    /// Starts a device that decides by register address. It ends with the test's runtime.
    pub(super) async fn start(script: fn(u16) -> Act) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), script).await
    }

    /// The same at an address.
    pub(super) async fn start_at(addr: SocketAddr, script: fn(u16) -> Act) -> Self {
        let listener = TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let log = Arc::<Log>::default();
        tokio::spawn(accept(listener, script, log.clone()));
        Self { addr, log }
    }

    /// Such a device without a network: opens connections to it.
    pub(super) fn in_memory(
        script: fn(u16) -> Act,
    ) -> impl Fn() -> Ready<io::Result<DuplexStream>> + Send + Sync + 'static {
        move || {
            let (near, far) = duplex(4_096);
            tokio::spawn(async move {
                // The client went away, or the script closes.
                let _ = serve(far, script, &Log::default()).await;
            });
            ready(Ok(near))
        }
    }

    /// The value of a register: never the same for two of them.
    pub(super) fn value(address: u16) -> u16 {
        address + 1_000
    }

    pub(super) fn connections(&self) -> usize {
        self.log.connections.load(Relaxed)
    }

    /// Late replies sent so far.
    pub(super) fn late(&self) -> usize {
        self.log.late.load(Relaxed)
    }

    pub(super) fn requests(&self) -> Vec<Seen> {
        self.log.requests.lock().unwrap().clone()
    }

    /// Waits until a connection was closed from this side.
    pub(super) async fn closed(&self) {
        self.log.closed.notified().await;
    }
}

async fn accept(listener: TcpListener, script: fn(u16) -> Act, log: Arc<Log>) {
    while let Ok((stream, _)) = listener.accept().await {
        log.connections.fetch_add(1, Relaxed);
        let log = log.clone();
        tokio::spawn(async move {
            // The client went away, or the script closes.
            let _ = serve(stream, script, &log).await;
            log.closed.notify_one();
        });
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: fn(u16) -> Act,
    log: &Log,
) -> io::Result<()> {
    loop {
        let mut head = [0; 7];
        stream.read_exact(&mut head).await?;
        let mut pdu = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 1];
        stream.read_exact(&mut pdu).await?;
        let address = u16::from_be_bytes([pdu[1], pdu[2]]);
        log.requests
            .lock()
            .unwrap()
            .push((head[6], pdu[0], address));
        let act = script(address);
        let mut answer = answer(&pdu, address);
        match act {
            Act::Close => return Ok(()),
            Act::Silence => continue,
            Act::Delay(delay) => tokio::time::sleep(delay).await,
            Act::Exception(code) => answer = vec![pdu[0] | 0x80, code],
            Act::WrongTransaction => head[1] ^= 1,
            Act::Short => {
                answer.truncate(answer.len() - 2);
                answer[1] -= 2;
            }
            Act::Answer | Act::AnswerAndClose => {}
        }
        head[4..6].copy_from_slice(&(answer.len() as u16 + 1).to_be_bytes());
        let sent = stream.write_all(&[&head[..], &answer].concat()).await;
        if matches!(act, Act::Delay(_)) {
            log.late.fetch_add(1, Relaxed);
        }
        sent?;
        if matches!(act, Act::AnswerAndClose) {
            return Ok(());
        }
    }
}

/// Registers for function 3, an echo for 6.
fn answer(pdu: &[u8], address: u16) -> Vec<u8> {
    if pdu[0] == 6 {
        return pdu.to_vec();
    }
    let count = u16::from_be_bytes([pdu[3], pdu[4]]);
    let values = (address..address + count).flat_map(|a| Peer::value(a).to_be_bytes());
    [pdu[0], count as u8 * 2]
        .into_iter()
        .chain(values)
        .collect()
}
