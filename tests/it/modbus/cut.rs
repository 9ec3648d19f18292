//! Frames that are cut anywhere, and bytes that are none. In paused time, so nothing here hangs.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use plimsoll::modbus::{Device, DeviceBuilder};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::sleep;

use super::faults::sound;
use super::new;

const TIMEOUT: Duration = Duration::from_millis(100);
const UNIT: u8 = 1;

#[derive(Debug, Clone, Copy)]
enum Framing {
    Mbap,
    Rtu,
}

use Framing::{Mbap, Rtu};

impl Framing {
    /// How long a request for registers is.
    fn request(self) -> usize {
        match self {
            Mbap => 12,
            Rtu => 8,
        }
    }

    fn reply(self, transaction: [u8; 2], address: u16) -> Vec<u8> {
        let [high, low] = value(address).to_be_bytes();
        let data = [UNIT, 3, 2, high, low];
        match self {
            Mbap => [&transaction[..], &[0, 0, 0, 5], &data].concat(),
            Rtu => sound(&data),
        }
    }

    fn device(self, device: DeviceBuilder, first: First) -> Device {
        let device = device
            .request_timeout(TIMEOUT)
            .backoff(Duration::ZERO..=Duration::ZERO);
        let open = first.opener(self);
        let device = match self {
            Mbap => device.tcp_with(open),
            Rtu => device.rtu(open),
        };
        device.unwrap()
    }
}

fn value(address: u16) -> u16 {
    address ^ 0x5A5A
}

/// What follows the bytes.
#[derive(Debug, Clone)]
enum Then {
    Nothing,
    End,
    /// The rest, a little later.
    Rest(Vec<u8>),
}

/// What comes upon the first request of all, in place of its reply.
#[derive(Debug, Clone)]
struct First {
    bytes: Vec<u8>,
    then: Then,
}

impl First {
    fn opener(
        self,
        framing: Framing,
    ) -> impl Fn() -> Ready<std::io::Result<DuplexStream>> + Send + Sync + 'static {
        let first = Arc::new(self);
        let used = Arc::new(AtomicBool::new(false));
        move || {
            let (near, far) = duplex(4_096);
            // The device may close it.
            tokio::spawn(serve(far, framing, first.clone(), used.clone()));
            ready(Ok(near))
        }
    }
}

async fn serve(
    mut stream: DuplexStream,
    framing: Framing,
    first: Arc<First>,
    used: Arc<AtomicBool>,
) -> std::io::Result<()> {
    let mut request = vec![0; framing.request()];
    loop {
        stream.read_exact(&mut request).await?;
        if used.swap(true, Relaxed) {
            let at = framing.request() - if let Mbap = framing { 4 } else { 6 };
            let address = u16::from_be_bytes([request[at], request[at + 1]]);
            let reply = framing.reply([request[0], request[1]], address);
            stream.write_all(&reply).await?;
            continue;
        }
        stream.write_all(&first.bytes).await?;
        match &first.then {
            Then::Nothing => {}
            Then::End => return Ok(()),
            Then::Rest(rest) => {
                sleep(TIMEOUT / 2).await;
                stream.write_all(rest).await?;
            }
        }
    }
}

/// Whether a read returned a value, which is the right one.
async fn is_read(device: &Device, address: u16) -> bool {
    let read = device.read_holding_registers(address, 1).await;
    if let Ok(Ok(words)) = &read {
        assert_eq!(*words, [value(address)]);
    }
    matches!(read, Ok(Ok(_)))
}

/// Reads once, and then until it is back.
async fn first_and_next(framing: Framing, first: First) -> bool {
    let (_plimsoll, device) = new();
    let device = framing.device(device, first);
    let first = is_read(&device, 7).await;
    for address in 8..12 {
        if is_read(&device, address).await {
            return first;
        }
    }
    panic!("it does not come back");
}

#[tokio::test(start_paused = true)]
async fn a_reply_cut_anywhere_is_no_reply_and_no_harm() {
    for framing in [Mbap, Rtu] {
        let whole = framing.reply([0, 1], 7);
        for cut in 0..whole.len() {
            for then in [Then::Nothing, Then::End] {
                let bytes = whole[..cut].to_vec();
                let read = first_and_next(framing, First { bytes, then }).await;
                assert!(!read, "{framing:?} cut at {cut}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_in_two_pieces_is_one() {
    for framing in [Mbap, Rtu] {
        let whole = framing.reply([0, 1], 7);
        for cut in 0..=whole.len() {
            let (bytes, rest) = whole.split_at(cut);
            let first = First {
                bytes: bytes.to_vec(),
                then: Then::Rest(rest.to_vec()),
            };
            let read = first_and_next(framing, first).await;
            assert!(read, "{framing:?} cut at {cut}");
        }
    }
}

fn never_read(framing: Framing, first: First) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    assert!(!runtime.block_on(first_and_next(framing, first)));
}

fn then() -> impl Strategy<Value = Then> {
    let rest = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        Just(Then::Nothing),
        Just(Then::End),
        rest.prop_map(Then::Rest)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_are_no_reply_and_no_harm(
        framing in prop_oneof![Just(Mbap), Just(Rtu)],
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        then in then(),
    ) {
        never_read(framing, First { bytes, then });
    }

    // Modbus/TCP has no checksum: what is changed in its values nobody can tell.
    #[test]
    fn a_changed_header_is_no_reply_and_no_harm(at in 0..9_usize, change in 1..=255_u8, then in then()) {
        let mut bytes = Mbap.reply([0, 1], 7);
        bytes[at] ^= change;
        never_read(Mbap, First { bytes, then });
    }

    // Sixteen bits in a row are always told by the checksum.
    #[test]
    fn a_changed_serial_reply_is_no_reply_and_no_harm(at in 0..6_usize, changes in (1..=255_u8, any::<u8>()), then in then()) {
        let mut bytes = Rtu.reply([0, 0], 7);
        bytes[at] ^= changes.0;
        bytes[at + 1] ^= changes.1;
        never_read(Rtu, First { bytes, then });
    }
}
