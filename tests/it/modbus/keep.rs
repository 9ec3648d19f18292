//! `Resync::KeepConnection`: late replies are told by their transaction id. In paused time.

use std::time::Duration;

use plimsoll::modbus::{Device, Failure, Resync};
use tokio::time::sleep;

use super::pipe::{Far, pipe};
use super::{new, sample};

const TIMEOUT: Duration = Duration::from_millis(100);

fn kept() -> (plimsoll::Plimsoll, Device, Far) {
    let (plimsoll, device) = new();
    let (open, far) = pipe();
    let device = device
        .request_timeout(TIMEOUT)
        .resync(Resync::KeepConnection);
    let device = device.tcp_with(open).unwrap();
    (plimsoll, device, far)
}

async fn read(device: &Device) -> Result<u16, Failure> {
    let words = device.read_holding_registers(7, 1).await;
    words
        .map(|words| words.unwrap()[0])
        .map_err(|error| Failure::of(&error))
}

#[tokio::test(start_paused = true)]
async fn late_replies_are_discarded_one_after_the_other() {
    let (plimsoll, device, mut far) = kept();
    let peer = async {
        for word in [11, 21] {
            let (late, unit) = far.tcp().await;
            sleep(TIMEOUT * 3 / 2).await;
            far.answer_tcp(late, unit, word).await;
            let (transaction, unit) = far.tcp().await;
            far.answer_tcp(transaction, unit, word + 1).await;
        }
    };
    let reads = async {
        for word in [12, 22] {
            assert_eq!(read(&device).await, Err(Failure::RequestTimeout));
            assert_eq!(read(&device).await, Ok(word));
        }
    };
    tokio::join!(peer, reads);
    assert_eq!(sample(&plimsoll, "stale_replies_total"), 2.0);
    assert_eq!(sample(&plimsoll, "reconnects_total"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_among_the_next_one_is_told_from_it() {
    let (_plimsoll, device, mut far) = kept();
    let peer = async {
        let (late, unit) = far.tcp().await;
        let (transaction, _) = far.tcp().await;
        far.answer_tcp(late, unit, 11).await;
        far.answer_tcp(transaction, unit, 12).await;
    };
    let reads = async {
        assert_eq!(read(&device).await, Err(Failure::RequestTimeout));
        assert_eq!(read(&device).await, Ok(12));
    };
    tokio::join!(peer, reads);
}

#[tokio::test(start_paused = true)]
async fn a_second_missing_reply_closes_the_connection() {
    let (plimsoll, device, mut far) = kept();
    let peer = async {
        far.tcp().await;
        far.tcp().await;
        assert!(far.is_closed().await);
        far.accept().await;
        let (transaction, unit) = far.tcp().await;
        far.answer_tcp(transaction, unit, 12).await;
    };
    let reads = async {
        assert_eq!(read(&device).await, Err(Failure::RequestTimeout));
        assert_eq!(read(&device).await, Err(Failure::RequestTimeout));
        assert_eq!(read(&device).await, Ok(12));
    };
    tokio::join!(peer, reads);
    assert_eq!(sample(&plimsoll, "reconnects_total"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_reply_where_none_is_owed_is_an_error() {
    let (_plimsoll, device, mut far) = kept();
    let peer = async {
        let (transaction, unit) = far.tcp().await;
        far.answer_tcp(transaction ^ 1, unit, 11).await;
        assert!(far.is_closed().await);
    };
    let reads = async { assert_eq!(read(&device).await, Err(Failure::StaleReply)) };
    tokio::join!(peer, reads);
}
