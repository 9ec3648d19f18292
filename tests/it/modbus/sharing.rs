//! One device, many handlers: turns, connections, and what each of them learns. In paused time.

use std::future::ready;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use plimsoll::modbus::{Device, DeviceBuilder, Failure, Quality};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep};
use tokio_modbus::prelude::*;

use super::pipe::{Far, pipe};
use super::{counts, new, number, reads, sample, writes};

const TIMEOUT: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(10);

fn shared(set: impl FnOnce(DeviceBuilder) -> DeviceBuilder) -> (plimsoll::Plimsoll, Device, Far) {
    let (plimsoll, device) = new();
    let (open, far) = pipe();
    let device = set(device.request_timeout(TIMEOUT)).tcp_with(open).unwrap();
    (plimsoll, device, far)
}

async fn read(device: &Device) -> Result<u16, Failure> {
    let words = device.read_holding_registers(7, 1).await;
    words
        .map(|words| words.unwrap()[0])
        .map_err(|error| Failure::of(&error))
}

#[tokio::test(start_paused = true)]
async fn handlers_take_turns_in_the_order_in_which_they_came() {
    let (plimsoll, device, mut far) = shared(|device| device);
    let handlers: Vec<_> = (1..=5)
        .map(|unit| {
            let device = device.unit(Slave(unit));
            tokio::spawn(async move { read(&device).await })
        })
        .collect();
    for unit in 1..=5 {
        let (transaction, asked) = far.tcp().await;
        assert_eq!(asked, unit);
        sleep(PAUSE).await;
        far.answer_tcp(transaction, unit, unit.into()).await;
    }
    for (unit, handler) in (1..).zip(handlers) {
        assert_eq!(handler.await.unwrap(), Ok(unit));
    }
    assert!(!far.is_asked());
    assert_eq!(counts(&plimsoll, "acquire", ["press-3"]), [5, 0, 0, 0]);
    assert_eq!(reads(&plimsoll), [5, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn two_connections_serve_two_at_a_time_and_the_third_waits() {
    let (plimsoll, device, mut far) = shared(|device| device.connections(2).wait_timeout(PAUSE));
    let pool = |family: &str| number(&plimsoll, &format!(r#"{family}{{pool="press-3"}} "#));
    assert_eq!(pool("connection_pool_max"), 2.0);
    let handlers: Vec<_> = (0..3)
        .map(|_| {
            let device = device.clone();
            tokio::spawn(async move { read(&device).await })
        })
        .collect();
    let (first, unit) = far.tcp().await;
    assert_eq!(pool("connection_pool_active"), 2.0);
    assert_eq!(pool("connection_pool_waiting"), 1.0);
    sleep(PAUSE * 2).await;
    far.answer_tcp(first, unit, 1).await;
    far.accept().await;
    let (second, unit) = far.tcp().await;
    far.answer_tcp(second, unit, 2).await;
    let mut ends = Vec::new();
    for handler in handlers {
        ends.push(handler.await.unwrap());
    }
    assert_eq!(ends, [Ok(1), Ok(2), Err(Failure::PoolTimeout)]);
    assert_eq!(pool("connection_timeouts_total"), 1.0);
    assert_eq!(pool("connection_pool_active"), 0.0);
    // Who got no connection asked nothing of the device.
    assert_eq!(reads(&plimsoll), [2, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_gives_up_does_not_hold_up_the_others() {
    let (_plimsoll, device, mut far) = shared(|device| device);
    let waits = {
        let device = device.clone();
        tokio::spawn(async move { read(&device).await })
    };
    let (transaction, unit) = far.tcp().await;
    let given_up = tokio::time::timeout(PAUSE, read(&device)).await;
    assert!(given_up.is_err());
    far.answer_tcp(transaction, unit, 5).await;
    assert_eq!(waits.await.unwrap(), Ok(5));
    let (read, ()) = tokio::join!(read(&device), async {
        let (transaction, unit) = far.tcp().await;
        far.answer_tcp(transaction, unit, 6).await;
    });
    assert_eq!(read, Ok(6));
}

#[tokio::test(start_paused = true)]
async fn contexts_share_the_connection_of_their_device() {
    let (_plimsoll, device, mut far) = shared(|device| device);
    let mut context = device.context(Slave(3));
    for (unit, word) in [(3, 30), (4, 40)] {
        context.set_slave(Slave(unit));
        let answer = async {
            let (transaction, asked) = far.tcp().await;
            assert_eq!(asked, unit);
            far.answer_tcp(transaction, unit, word).await;
        };
        let (read, ()) = tokio::join!(context.read_holding_registers(7, 1), answer);
        assert_eq!(read.unwrap().unwrap(), [word]);
    }
    let (read, ()) = tokio::join!(read(&device), async {
        let (transaction, unit) = far.tcp().await;
        far.answer_tcp(transaction, unit, 5).await;
    });
    assert_eq!(read, Ok(5));
    assert!(!far.is_asked());
}

#[tokio::test(start_paused = true)]
async fn the_first_value_after_trouble_is_suspect_and_the_next_one_is_not() {
    let (plimsoll, device, mut far) = shared(|device| device);
    let mut context = device.context(Slave(1));
    let peer = async {
        far.tcp().await;
        far.accept().await;
        let (transaction, _) = far.tcp().await;
        far.refuse_tcp(transaction, 3, 2).await;
        for word in [8, 9] {
            let (transaction, unit) = far.tcp().await;
            far.answer_tcp(transaction, unit, word).await;
        }
    };
    let reads = async {
        assert!(context.read_holding_registers(7, 1).await.is_err());
        // An exception has no value.
        assert!(context.read_holding_registers(7, 1).await.unwrap().is_err());
        for quality in [Quality::Suspect, Quality::Good] {
            let read = context.read_holding_registers(7, 1).await;
            assert!(read.unwrap().is_ok());
            assert_eq!(device.last_quality(), quality);
        }
    };
    tokio::join!(peer, reads);
    assert_eq!(super::sample(&plimsoll, "suspect_replies_total"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn busy_devices_are_asked_again_and_what_they_accepted_is_not_written_twice() {
    let (plimsoll, device, mut far) = shared(|device| device.busy_retries(2, PAUSE));
    let peer = async {
        let mut seen = Vec::new();
        // Of each pair the function, and the exception that it gets.
        for (function, code) in [(6, 6), (6, 6), (6, 6), (6, 5), (3, 5), (3, 6), (3, 2)] {
            let request: [u8; 12] = far.bytes().await;
            assert_eq!(request[7], function);
            seen.push(Instant::now());
            far.refuse_tcp(u16::from_be_bytes([request[0], request[1]]), function, code)
                .await;
        }
        assert_eq!(seen[1] - seen[0], PAUSE);
    };
    let requests = async {
        let busy = device.write_single_register(1, 1).await.unwrap();
        assert_eq!(busy, Err(ExceptionCode::ServerDeviceBusy));
        let accepted = device.write_single_register(1, 1).await.unwrap();
        assert_eq!(accepted, Err(ExceptionCode::Acknowledge));
        let read = device.read_holding_registers(1, 1).await.unwrap();
        assert_eq!(read, Err(ExceptionCode::IllegalDataAddress));
    };
    tokio::join!(peer, requests);
    assert_eq!(writes(&plimsoll), [2, 2, 0, 0]);
    assert_eq!(reads(&plimsoll), [1, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn pauses_and_gaps_are_kept() {
    let rest = |device: DeviceBuilder| device.pause_after_connect(PAUSE * 3).gap(PAUSE);
    let (_plimsoll, device, mut far) = shared(rest);
    let begun = Instant::now();
    let peer = async {
        for since in [PAUSE * 3, PAUSE * 4] {
            let (transaction, unit) = far.tcp().await;
            assert_eq!(begun.elapsed(), since);
            far.answer_tcp(transaction, unit, 1).await;
        }
    };
    let reads = async {
        assert_eq!(read(&device).await, Ok(1));
        assert_eq!(read(&device).await, Ok(1));
    };
    tokio::join!(peer, reads);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_may_take_unit_zero_for_everybody() {
    let (_plimsoll, device, mut far) = shared(DeviceBuilder::unit_zero_is_broadcast);
    let everybody = device.unit(Slave(0));
    let peer = async {
        let (transaction, unit) = far.tcp().await;
        assert_eq!(unit, 0);
        // Some answer all the same.
        far.refuse_tcp(transaction, 6, 11).await;
        let (transaction, unit) = far.tcp().await;
        far.answer_tcp(transaction, unit, 5).await;
    };
    let requests = async {
        everybody
            .write_single_register(9, 5)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(read(&device).await, Ok(5));
    };
    tokio::join!(peer, requests);
    // Elsewhere it is a unit like any other.
    let (_plimsoll, device, mut far) = shared(|device| device);
    let unit = device.unit(Slave(0));
    let (read, ()) = tokio::join!(unit.read_holding_registers(7, 1), async {
        let (transaction, unit) = far.tcp().await;
        far.answer_tcp(transaction, unit, 6).await;
    });
    assert_eq!(read.unwrap().unwrap(), [6]);
}

#[tokio::test(start_paused = true)]
async fn every_broadcast_may_be_answered_all_the_same() {
    let (plimsoll, device, mut far) = shared(DeviceBuilder::unit_zero_is_broadcast);
    let everybody = device.unit(Slave(0));
    let peer = async {
        let broadcasts = [far.tcp().await.0, far.tcp().await.0];
        let (transaction, unit) = far.tcp().await;
        for broadcast in broadcasts {
            far.refuse_tcp(broadcast, 6, 11).await;
        }
        far.answer_tcp(transaction, unit, 5).await;
    };
    let requests = async {
        for word in [5, 6] {
            let write = everybody.write_single_register(9, word).await;
            write.unwrap().unwrap();
        }
        assert_eq!(read(&device).await, Ok(5));
    };
    tokio::join!(peer, requests);
    assert_eq!(sample(&plimsoll, "stale_replies_total"), 2.0);
}

/// Takes whatever is sent, says nothing, and never comes to an end.
struct Endless;

impl AsyncRead for Endless {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Ended {
        Poll::Pending
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Ended {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Ended {
        Poll::Pending
    }
}

type Ended = Poll<io::Result<()>>;

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_end_is_left() {
    let (plimsoll, device) = new();
    let device = device
        .request_timeout(TIMEOUT)
        .rtu(|| ready(Ok(Endless)))
        .unwrap();
    let everybody = device.unit(Slave(0));
    everybody.write_single_coil(0, true).await.unwrap().unwrap();
    assert_eq!(sample(&plimsoll, "connections_active"), 1.0);
    let begun = Instant::now();
    super::bounded(device.disconnect()).await.unwrap();
    assert_eq!(begun.elapsed(), TIMEOUT);
    assert_eq!(sample(&plimsoll, "connections_active"), 0.0);
}
