//! A serial line with strictly sequential units that go wrong. Whatever is late comes through the port that is open then.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::peers::{Fault, reply};
use super::{Random, TIMEOUT};

/// CRC-16/MODBUS, bit by bit.
pub(in super::super) fn sound(body: &[u8]) -> Vec<u8> {
    let mut sum = 0xFFFF_u16;
    for byte in body {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 {
                (sum >> 1) ^ 0xA001
            } else {
                sum >> 1
            };
        }
    }
    [body, &sum.to_le_bytes()].concat()
}

pub(super) struct Port {
    opened: mpsc::UnboundedSender<DuplexStream>,
    pub(super) written: Arc<Mutex<Vec<u16>>>,
}

impl Port {
    /// `unplugged` now and then, or never.
    pub(super) fn new(unplugged: bool) -> Self {
        let (opened, ports) = mpsc::unbounded_channel();
        let written = Arc::<Mutex<Vec<u16>>>::default();
        let line = Line {
            ports,
            unplugged,
            random: Random::new(0xFEED),
            written: written.clone(),
        };
        tokio::spawn(line.serve());
        Self { opened, written }
    }

    pub(super) fn connect(&self) -> DuplexStream {
        open(&self.opened)
    }

    pub(super) fn opener(
        &self,
    ) -> impl Fn() -> Ready<std::io::Result<DuplexStream>> + Send + Sync + 'static {
        let opened = self.opened.clone();
        move || ready(Ok(open(&opened)))
    }
}

fn open(opened: &mpsc::UnboundedSender<DuplexStream>) -> DuplexStream {
    let (near, far) = duplex(4_096);
    opened.send(far).unwrap();
    near
}

struct Line {
    ports: mpsc::UnboundedReceiver<DuplexStream>,
    unplugged: bool,
    random: Random,
    written: Arc<Mutex<Vec<u16>>>,
}

impl Line {
    async fn serve(mut self) {
        while let Some(mut port) = self.ports.recv().await {
            let mut request = [0; 8];
            while port.read_exact(&mut request).await.is_ok() {
                assert_eq!(sound(&request[..6]), request);
                if self.answer(&request, &mut port).await.is_none() {
                    break;
                }
            }
        }
    }

    /// `None` if the port is gone.
    async fn answer(&mut self, request: &[u8; 8], port: &mut DuplexStream) -> Option<()> {
        let random = self.random.clone();
        let fault = Fault::draw(&random);
        let data = reply(request[0], &request[1..6], &fault, &self.written);
        let mut frame = sound(&[&request[..1], &data].concat());
        match fault {
            Fault::Silence => return Some(()),
            Fault::Close if self.unplugged => return None,
            // Instead of unplugging, a bit is flipped.
            Fault::Close => frame[random.below(8) as usize % 5] ^= 1 << random.below(8),
            Fault::Cut(bytes) => frame.truncate(bytes as usize % frame.len()),
            Fault::Noise if random.below(2) == 0 => frame = random.bytes(),
            Fault::Noise => frame = [random.bytes(), frame].concat(),
            Fault::Delay(delay) => sleep(delay).await,
            Fault::Trickle => {
                for byte in frame {
                    sleep(TIMEOUT / 20).await;
                    self.write(port, &[byte]).await?;
                }
                return Some(());
            }
            Fault::None | Fault::Exception(_) => sleep(Duration::from_millis(2)).await,
        }
        self.write(port, &frame).await
    }

    async fn write(&mut self, port: &mut DuplexStream, bytes: &[u8]) -> Option<()> {
        while let Ok(newer) = self.ports.try_recv() {
            *port = newer;
        }
        port.write_all(bytes).await.ok()
    }
}
