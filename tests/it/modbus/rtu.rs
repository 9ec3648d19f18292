//! Serial lines: what is owed is settled, and nothing else waits for it. In paused time, so durations are exact.

use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll::modbus::{Device, Failure, Quality};
use tokio::io::duplex;
use tokio::time::{Instant, sleep, timeout};
use tokio_modbus::{Request, Slave};

use super::faults::sound;
use super::pipe::{Far, pipe};
use super::{new, number, reads, sample, transport, writes};

const TIMEOUT: Duration = Duration::from_millis(100);
const WINDOW: Duration = Duration::from_millis(400);

fn line() -> (plimsoll::Plimsoll, Device, Far) {
    let (plimsoll, device) = new();
    let (open, far) = pipe();
    let device = device.request_timeout(TIMEOUT).units_apart();
    let device = device.rtu(open).unwrap();
    (plimsoll, device, far)
}

async fn read(device: &Device, unit: u8) -> tokio_modbus::Result<Vec<u16>> {
    device.unit(Slave(unit)).read_holding_registers(7, 1).await
}

fn failure<T: std::fmt::Debug>(result: tokio_modbus::Result<T>) -> Failure {
    Failure::of(&result.unwrap_err())
}

#[tokio::test(start_paused = true)]
async fn a_unit_is_asked_again_when_its_late_reply_has_come() {
    let (plimsoll, device, mut far) = line();
    let late = async {
        assert_eq!(far.serial().await, (1, [3, 0, 7, 0, 1]));
        sleep(Duration::from_millis(250)).await;
        far.answer_serially(1, 11).await;
        let late = Instant::now();
        assert_eq!(far.serial().await.0, 1);
        assert_eq!(late.elapsed(), Duration::from_millis(20));
        far.answer_serially(1, 12).await;
    };
    let reads = async {
        assert_eq!(failure(read(&device, 1).await), Failure::RequestTimeout);
        assert_eq!(read(&device, 1).await.unwrap().unwrap(), [12]);
        assert_eq!(device.last_quality(), Quality::Good);
    };
    tokio::join!(late, reads);
    assert_eq!(sample(&plimsoll, "stale_replies_total"), 1.0);
    assert_eq!(sample(&plimsoll, "stale_bytes_total"), 7.0);
    assert_eq!(sample(&plimsoll, "suspect_replies_total"), 1.0);
    assert_eq!(sample(&plimsoll, "reconnects_total"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn another_unit_does_not_wait_for_it() {
    let (plimsoll, device, mut far) = line();
    let line = async {
        far.serial().await;
        let asked = Instant::now();
        assert_eq!(far.serial().await.0, 2);
        assert_eq!(asked.elapsed(), TIMEOUT);
        // First the late one of unit 1, then its own.
        far.answer_serially(1, 11).await;
        far.answer_serially(2, 22).await;
        assert_eq!(far.serial().await.0, 1);
        assert!(asked.elapsed() < TIMEOUT * 2);
        far.answer_serially(1, 12).await;
    };
    let reads = async {
        assert_eq!(failure(read(&device, 1).await), Failure::RequestTimeout);
        assert_eq!(read(&device, 2).await.unwrap().unwrap(), [22]);
        assert_eq!(read(&device, 1).await.unwrap().unwrap(), [12]);
    };
    tokio::join!(line, reads);
    assert_eq!(sample(&plimsoll, "stale_replies_total"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn another_unit_waits_for_it_where_replies_are_stamped_anew() {
    let (plimsoll, device) = new();
    let (open, mut far) = pipe();
    let device = device.request_timeout(TIMEOUT);
    let device = device.rtu(open).unwrap();
    let line = async {
        for word in [11, 21] {
            assert_eq!(far.serial().await.0, 1);
            sleep(Duration::from_millis(250)).await;
            // Had unit 2 been asked, it would have been stamped with 2.
            far.answer_serially(1, word).await;
            assert_eq!(far.serial().await.0, 2);
            far.answer_serially(2, word + 1).await;
        }
        // And one that never comes.
        far.serial().await;
        let asked = Instant::now();
        far.accept().await;
        assert_eq!(far.serial().await.0, 2);
        assert_eq!(asked.elapsed(), WINDOW);
        far.answer_serially(2, 32).await;
    };
    let reads = async {
        for word in [12, 22, 32] {
            assert_eq!(failure(read(&device, 1).await), Failure::RequestTimeout);
            assert_eq!(read(&device, 2).await.unwrap().unwrap(), [word]);
        }
    };
    tokio::join!(line, reads);
    assert_eq!(sample(&plimsoll, "stale_replies_total"), 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_reply_behind_another_late_one_may_be_later_by_that_much() {
    let (_plimsoll, device, mut far) = line();
    let line = async {
        far.serial().await;
        far.serial().await;
        // One after the other, each within the window as from when its turn came.
        sleep(Duration::from_millis(250)).await;
        far.answer_serially(1, 11).await;
        sleep(Duration::from_millis(350)).await;
        far.answer_serially(2, 21).await;
        assert_eq!(far.serial().await.0, 2);
        far.answer_serially(2, 22).await;
    };
    let reads = async {
        for unit in [1, 2] {
            assert_eq!(failure(read(&device, unit).await), Failure::RequestTimeout);
        }
        assert_eq!(read(&device, 2).await.unwrap().unwrap(), [22]);
    };
    tokio::join!(line, reads);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_never_comes_is_waited_for_as_long_as_the_late_window() {
    let (plimsoll, device, mut far) = line();
    let line = async {
        far.serial().await;
        let asked = Instant::now();
        // Not one byte came: the port is opened anew.
        far.accept().await;
        assert_eq!(asked.elapsed(), WINDOW);
        far.serial().await;
        far.answer_serially(1, 12).await;
    };
    let reads = async {
        assert_eq!(failure(read(&device, 1).await), Failure::RequestTimeout);
        assert_eq!(read(&device, 1).await.unwrap().unwrap(), [12]);
    };
    tokio::join!(line, reads);
    assert_eq!(sample(&plimsoll, "stale_replies_total"), 0.0);
    assert_eq!(sample(&plimsoll, "reconnects_total"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_request_is_settled_too() {
    let (plimsoll, device, mut far) = line();
    let line = async {
        far.serial().await;
        sleep(Duration::from_millis(50)).await;
        far.answer_serially(1, 11).await;
        far.serial().await;
        far.answer_serially(1, 12).await;
    };
    let reads_ = async {
        let given_up = timeout(Duration::from_millis(10), read(&device, 1)).await;
        assert!(given_up.is_err());
        // The clone's own value, after the trouble of another.
        let clone = device.unit(Slave(1));
        assert_eq!(
            clone.read_holding_registers(7, 1).await.unwrap().unwrap(),
            [12]
        );
        assert_eq!(clone.last_quality(), Quality::Suspect);
        assert_eq!(device.last_quality(), Quality::Good);
    };
    tokio::join!(line, reads_);
    assert_eq!(reads(&plimsoll), [2, 0, 1, 0]);
    assert_eq!(sample(&plimsoll, "stale_replies_total"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_reply_is_an_error_at_once_and_owed_no_more() {
    let (_plimsoll, device, mut far) = line();
    let line = async {
        far.serial().await;
        let mut reply = sound(&[1, 3, 2, 0, 11]);
        reply[4] ^= 1;
        far.send(&reply).await;
        let damaged = Instant::now();
        far.serial().await;
        assert_eq!(damaged.elapsed(), Duration::from_millis(25));
        far.answer_serially(1, 12).await;
    };
    let reads = async {
        let error = transport(read(&device, 1).await);
        assert!(
            error.to_string().ends_with("its checksum is wrong"),
            "{error}"
        );
        assert_eq!(read(&device, 1).await.unwrap().unwrap(), [12]);
    };
    tokio::join!(line, reads);
}

#[tokio::test(start_paused = true)]
async fn one_byte_a_second_is_no_reply_and_no_hang() {
    let (_plimsoll, device) = new();
    let (open, mut far) = pipe();
    let device = device.rtu(open).unwrap();
    let line = async {
        far.serial().await;
        loop {
            for byte in sound(&[1, 3, 2, 0, 11]) {
                sleep(Duration::from_secs(1)).await;
                far.send(&[byte]).await;
            }
        }
    };
    let reads = async {
        for _ in 0..20 {
            assert_eq!(failure(read(&device, 1).await), Failure::RequestTimeout);
        }
    };
    tokio::select! {
        () = line => {}
        () = reads => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_is_sent_and_followed_by_a_pause() {
    let (plimsoll, device, mut far) = line();
    let everybody = device.unit(Slave(0));
    let line = async {
        assert_eq!(far.serial().await, (0, [6, 0, 9, 0, 5]));
        let sent = Instant::now();
        assert_eq!(far.serial().await.0, 1);
        assert_eq!(sent.elapsed(), Duration::from_millis(100));
        far.answer_serially(1, 12).await;
    };
    let requests = async {
        everybody
            .write_single_register(9, 5)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(read(&device, 1).await.unwrap().unwrap(), [12]);
    };
    tokio::join!(line, requests);
    let error = transport(everybody.read_holding_registers(0, 1).await);
    let text = "only writes can be sent to it";
    assert!(error.to_string().ends_with(text), "{error}");
    let custom = everybody.call(Request::Custom(0x41, vec![].into())).await;
    assert_eq!(failure(custom), Failure::InvalidRequest);
    assert_eq!(writes(&plimsoll), [1, 0, 0, 0]);
    assert_eq!(reads(&plimsoll), [2, 1, 0, 0]);
    // Of the two, only the read was answered.
    let points = r#"data_points_processed_total{device="press-3"} "#;
    assert_eq!(number(&plimsoll, points), 1.0);
}

#[tokio::test(start_paused = true)]
async fn an_adapter_unplugged_and_back_is_opened_again() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    let (plimsoll, device) = new();
    let (open, mut far) = pipe();
    let there = Arc::new(AtomicBool::new(false));
    let plugged = there.clone();
    let open = move || {
        let opening = plugged.load(Relaxed).then(&open);
        async move {
            match opening {
                Some(opening) => opening.await,
                None => Err(std::io::ErrorKind::NotFound.into()),
            }
        }
    };
    let device = device.request_timeout(TIMEOUT).rtu(open).unwrap();
    assert_eq!(failure(read(&device, 1).await), Failure::ConnectFailed);
    let error = transport(read(&device, 1).await);
    assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
    assert!(
        error.to_string().contains("the next attempt comes in"),
        "{error}"
    );
    there.store(true, Relaxed);
    sleep(Duration::from_secs(1)).await;
    for word in [11, 12] {
        let answer = async {
            far.accept().await;
            far.serial().await;
            far.answer_serially(1, word).await;
        };
        let (read, ()) = tokio::join!(read(&device, 1), answer);
        assert_eq!(read.unwrap().unwrap(), [word]);
        drop(far.unplug());
    }
    assert_eq!(sample(&plimsoll, "reconnects_total"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_closes_at_once_is_not_opened_in_a_loop_while_a_reply_is_owed() {
    let (_plimsoll, device) = new();
    let opened = Arc::new(AtomicUsize::new(0));
    let first = Arc::new(Mutex::new(None));
    let (count, silent) = (opened.clone(), first.clone());
    let open = move || {
        let at = count.fetch_add(1, Relaxed);
        assert!(at < 10, "it is opened in a loop");
        let (near, far) = duplex(64);
        if at == 0 {
            *silent.lock().unwrap() = Some(far);
        }
        ready(Ok(near))
    };
    let device = device.request_timeout(TIMEOUT).rtu(open).unwrap();
    assert_eq!(failure(read(&device, 1).await), Failure::RequestTimeout);
    drop(first.lock().unwrap().take());
    assert_eq!(failure(read(&device, 1).await), Failure::Closed);
    assert_eq!(device.health().as_str(), "down");
    assert_eq!(failure(read(&device, 1).await), Failure::BackingOff);
    assert_eq!(opened.load(Relaxed), 2);
}
