//! Connections that do not come about, that are half open, or that trickle; and what a device says meanwhile.

use std::io::ErrorKind;
use std::time::Duration;

use plimsoll::modbus::{Device, Failure};
use tokio::io::DuplexStream;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{Instant, sleep};

use super::peer::{Act, Peer};
use super::pipe::pipe;
use super::{bounded, connects, new, number, reads, sample, transport};

const TIMEOUT: Duration = Duration::from_millis(100);

async fn read(device: &Device) -> Result<u16, Failure> {
    let words = device.read_holding_registers(7, 1).await;
    words
        .map(|words| words.unwrap()[0])
        .map_err(|error| Failure::of(&error))
}

#[tokio::test(start_paused = true)]
async fn connecting_ends_when_its_time_is_over() {
    let (plimsoll, device) = new();
    let never = std::future::pending::<std::io::Result<DuplexStream>>;
    let device = device.tcp_with(never).unwrap();
    let begun = Instant::now();
    assert_eq!(read(&device).await, Err(Failure::ConnectTimeout));
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    assert_eq!(connects(&plimsoll), [1, 1, 0, 0]);
    assert_eq!(
        number(&plimsoll, r#"device_connected{device="press-3"} "#),
        0.0
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_backlog_is_no_longer_wait_than_connecting_may_take() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&addr, TIMEOUT) {
        queue.push(stream);
    }
    let (plimsoll, device) = new();
    let device = device.tcp(addr).unwrap();
    let begun = Instant::now();
    assert_eq!(read(&device).await, Err(Failure::ConnectTimeout));
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    assert_eq!(connects(&plimsoll), [1, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_vanished_is_left_after_one_timeout() {
    let (plimsoll, device) = new();
    let (open, mut far) = pipe();
    let device = device.request_timeout(TIMEOUT).tcp_with(open).unwrap();
    let peer = async {
        let (transaction, unit) = far.tcp().await;
        far.answer_tcp(transaction, unit, 1).await;
        // From here on nobody is there, and nobody says so.
        far.tcp().await;
        far.accept().await;
        let (transaction, unit) = far.tcp().await;
        far.answer_tcp(transaction, unit, 2).await;
    };
    let reads = async {
        assert_eq!(read(&device).await, Ok(1));
        assert_eq!(read(&device).await, Err(Failure::RequestTimeout));
        assert_eq!(read(&device).await, Ok(2));
    };
    tokio::join!(peer, reads);
    assert_eq!(sample(&plimsoll, "reconnects_total"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn one_byte_a_second_is_too_slow() {
    let (plimsoll, device) = new();
    let (open, mut far) = pipe();
    let device = device.tcp_with(open).unwrap();
    let peer = async {
        let (transaction, unit) = far.tcp().await;
        for byte in [0, transaction as u8, 0, 0, 0, 5, unit] {
            far.send(&[byte]).await;
            sleep(Duration::from_millis(999)).await;
            if far.is_asked() {
                break;
            }
        }
    };
    let reads = async {
        let error = transport(device.read_holding_registers(7, 1).await);
        let text = "no reply from unit 1 within 1s; 2 bytes came that are not all of it";
        assert!(error.to_string().ends_with(text), "{error}");
        assert_eq!(read(&device).await, Err(Failure::RequestTimeout));
    };
    tokio::join!(peer, reads);
    let bytes = |direction| {
        format!(r#"bytes_total{{protocol="modbus",device="press-3",direction="{direction}"}} "#)
    };
    assert_eq!(number(&plimsoll, &bytes("in")), 2.0);
    assert_eq!(number(&plimsoll, &bytes("out")), 24.0);
}

#[tokio::test]
async fn calls_fail_at_once_while_nobody_is_there_and_succeed_when_somebody_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let (plimsoll, device) = new();
    let pauses = Duration::from_millis(200)..=Duration::from_millis(200);
    let device = device.backoff(pauses).tcp(addr).unwrap();
    bounded(async {
        assert_eq!(read(&device).await, Err(Failure::ConnectRefused));
        let error = transport(device.read_holding_registers(7, 1).await);
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        assert!(error.to_string().contains("cannot connect"), "{error}");
        assert_eq!(connects(&plimsoll), [1, 1, 0, 0]);
        assert_eq!(reads(&plimsoll), [2, 2, 0, 0]);

        let peer = Peer::start_at(addr, |_| Act::Answer).await;
        while read(&device).await != Ok(Peer::value(7)) {
            sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(peer.connections(), 1);
    })
    .await;
    assert_eq!(
        number(&plimsoll, r#"device_connected{device="press-3"} "#),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn a_device_that_accepts_and_closes_is_not_asked_all_the_time() {
    let (plimsoll, device) = new();
    let open = || async {
        let (near, _far) = tokio::io::duplex(64);
        Ok(near)
    };
    let device = device.tcp_with(open).unwrap();
    let first = read(&device).await;
    assert!(
        matches!(first, Err(Failure::Closed | Failure::Io)),
        "{first:?}"
    );
    assert_eq!(read(&device).await, Err(Failure::BackingOff));
    assert_eq!(connects(&plimsoll), [1, 0, 0, 0]);
}
