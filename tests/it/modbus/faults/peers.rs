//! Modbus/TCP devices that go wrong.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex, split};
use tokio::time::sleep;

use super::{LATEST, Random, TIMEOUT, value};

/// What happens to a reply.
pub(super) enum Fault {
    None,
    Delay(Duration),
    Silence,
    Close,
    Exception(u8),
    /// Only so many bytes of it, and then nothing for this request.
    Cut(u64),
    /// Random bytes in its place.
    Noise,
    /// Byte by byte.
    Trickle,
}

impl Fault {
    pub(super) fn draw(random: &Random) -> Self {
        match random.below(100) {
            0..6 => Self::Delay(Duration::from_millis(random.below(LATEST))),
            6..9 => Self::Silence,
            9..11 => Self::Close,
            11..15 => Self::Exception([1, 2, 3, 4, 5, 6, 8, 10, 11, 99][random.below(10) as usize]),
            15..17 => Self::Cut(random.below(12)),
            17..19 => Self::Noise,
            19..21 => Self::Trickle,
            _ => Self::None,
        }
    }
}

/// The data of the right reply, or of an exception.
pub(super) fn reply(unit: u8, pdu: &[u8], fault: &Fault, written: &Mutex<Vec<u16>>) -> Vec<u8> {
    let word = |at: usize| u16::from_be_bytes([pdu[at], pdu[at + 1]]);
    if let Fault::Exception(code) = fault {
        return vec![pdu[0] | 0x80, *code];
    }
    if pdu[0] == 6 {
        written.lock().unwrap().push(word(3));
        return pdu.to_vec();
    }
    let values = (word(1)..word(1) + word(3)).flat_map(|at| value(unit, at).to_be_bytes());
    [pdu[0], word(3) as u8 * 2]
        .into_iter()
        .chain(values)
        .collect()
}

type Serving = Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>;
type Serve = fn(DuplexStream, Random, Arc<Mutex<Vec<u16>>>) -> Serving;

/// A device that takes as many connections as come.
pub(super) struct Peer {
    serve: Serve,
    random: Random,
    pub(super) written: Arc<Mutex<Vec<u16>>>,
}

impl Peer {
    pub(super) fn new(serve: Serve) -> Self {
        Self {
            serve,
            random: Random::new(0xBEEF),
            written: Arc::default(),
        }
    }

    pub(super) fn connect(&self) -> DuplexStream {
        let (near, far) = duplex(4_096);
        // A client that went away is no failure of the test's.
        tokio::spawn((self.serve)(far, self.random.clone(), self.written.clone()));
        near
    }

    pub(super) fn opener(
        &self,
    ) -> impl Fn() -> Ready<std::io::Result<DuplexStream>> + Send + Sync + 'static {
        let peer = Self {
            serve: self.serve,
            random: self.random.clone(),
            written: self.written.clone(),
        };
        move || ready(Ok(peer.connect()))
    }
}

fn frame(head: &[u8], transaction: [u8; 2], data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16 + 1).to_be_bytes();
    [&transaction, &[0, 0], &length, &head[6..7], data].concat()
}

/// Answers one request after the other, each with its own transaction id.
pub(super) fn in_order(
    mut stream: DuplexStream,
    random: Random,
    written: Arc<Mutex<Vec<u16>>>,
) -> Serving {
    Box::pin(async move {
        loop {
            let mut request = [0; 12];
            stream.read_exact(&mut request).await?;
            let fault = Fault::draw(&random);
            let data = reply(request[6], &request[7..], &fault, &written);
            let frame = frame(&request, [request[0], request[1]], &data);
            match fault {
                Fault::Silence => {}
                Fault::Close => return Ok(()),
                Fault::Cut(bytes) => {
                    stream
                        .write_all(&frame[..bytes as usize % frame.len()])
                        .await?
                }
                Fault::Noise => stream.write_all(&random.bytes()).await?,
                Fault::Trickle => {
                    for byte in frame {
                        sleep(TIMEOUT / 20).await;
                        stream.write_u8(byte).await?;
                    }
                }
                Fault::Delay(delay) => {
                    sleep(delay).await;
                    stream.write_all(&frame).await?;
                }
                Fault::None | Fault::Exception(_) => stream.write_all(&frame).await?,
            }
        }
    })
}

/// Answers each request on its own, and every reply with the newest transaction id, as some gateways do.
pub(super) fn restamping(
    stream: DuplexStream,
    random: Random,
    written: Arc<Mutex<Vec<u16>>>,
) -> Serving {
    Box::pin(async move {
        let (mut reader, writer) = split(stream);
        let writer = Arc::new(tokio::sync::Mutex::new(writer));
        let newest = Arc::new(AtomicU16::new(0));
        loop {
            let mut request = [0; 12];
            reader.read_exact(&mut request).await?;
            newest.store(u16::from_be_bytes([request[0], request[1]]), Relaxed);
            let fault = Fault::draw(&random);
            let data = reply(request[6], &request[7..], &fault, &written);
            let delay = match fault {
                Fault::Silence | Fault::Cut(_) | Fault::Noise => continue,
                Fault::Close => return writer.lock().await.shutdown().await,
                Fault::Delay(delay) => delay,
                Fault::None | Fault::Exception(_) | Fault::Trickle => Duration::ZERO,
            };
            let (writer, newest) = (writer.clone(), newest.clone());
            tokio::spawn(async move {
                sleep(delay).await;
                let frame = frame(&request, newest.load(Relaxed).to_be_bytes(), &data);
                writer.lock().await.write_all(&frame).await
            });
        }
    })
}
