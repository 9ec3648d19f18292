//! The connection that `Device::tcp` keeps: whatever happens on it, the next value is right.

use std::io::ErrorKind;
use std::time::Duration;

use plimsoll::modbus::Failure;
use tokio::net::TcpListener;
use tokio_modbus::client::Context;
use tokio_modbus::prelude::*;

use super::peer::{Act, Peer};
use super::{bounded, connects, new, reads, transport, writes};

const SHORT: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_millis(900);

async fn read(context: &mut Context, address: u16) -> tokio_modbus::Result<Vec<u16>> {
    bounded(context.read_holding_registers(address, 2)).await
}

/// Reads and insists on the right values.
async fn read_right(context: &mut Context, address: u16) {
    let values = read(context, address).await.unwrap().unwrap();
    assert_eq!(values, [Peer::value(address), Peer::value(address + 1)]);
}

#[tokio::test]
async fn a_late_reply_never_answers_the_next_question() {
    let peer = Peer::start(|at| {
        if at == 200 {
            Act::Delay(LATE)
        } else {
            Act::Answer
        }
    })
    .await;
    let (plimsoll, device) = new();
    let mut context = device
        .request_timeout(SHORT)
        .tcp(peer.addr)
        .unwrap()
        .context(Slave(1));
    read_right(&mut context, 1).await;
    for timeouts in 1..=2 {
        let error = transport(read(&mut context, 200).await);
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let text = format!(
            "modbus device press-3 at {}: no reply from unit 1 within 300ms",
            peer.addr
        );
        assert_eq!(error.to_string(), text);
        assert_eq!(reads(&plimsoll)[1], timeouts);
    }
    // Read on until both late replies have been sent.
    let mut address = 2;
    while peer.late() < 2 {
        read_right(&mut context, address % 100).await;
        address += 1;
    }
    read_right(&mut context, 3).await;
    assert_eq!(peer.connections(), 3);
    assert_eq!(connects(&plimsoll), [3, 0, 0, 0]);
    let [_, errors, cancelled, in_flight] = reads(&plimsoll);
    assert_eq!([errors, cancelled, in_flight], [2, 0, 0]);
}

#[tokio::test]
async fn a_closed_connection_is_an_error_once() {
    let peer = Peer::start(|at| if at == 200 { Act::Close } else { Act::Answer }).await;
    let (plimsoll, device) = new();
    let mut context = device.tcp(peer.addr).unwrap().context(Slave(1));
    read_right(&mut context, 1).await;
    let error = transport(read(&mut context, 200).await);
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert!(
        error
            .to_string()
            .ends_with("the device closed the connection"),
        "{error}"
    );
    read_right(&mut context, 2).await;
    assert_eq!(peer.connections(), 2);
    assert_eq!(reads(&plimsoll), [3, 1, 0, 0]);
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_no_error_at_all() {
    let peer = Peer::start(|at| {
        if at == 200 {
            Act::AnswerAndClose
        } else {
            Act::Answer
        }
    })
    .await;
    let (plimsoll, device) = new();
    let mut context = device.tcp(peer.addr).unwrap().context(Slave(1));
    read_right(&mut context, 200).await;
    bounded(peer.closed()).await;
    // Idle is who was not used for 10 ms.
    tokio::time::sleep(Duration::from_millis(20)).await;
    read_right(&mut context, 2).await;
    assert_eq!(peer.requests(), [(1, 3, 200), (1, 3, 2)]);
    assert_eq!(connects(&plimsoll), [2, 0, 0, 0]);
    assert_eq!(reads(&plimsoll), [2, 0, 0, 0]);
}

#[tokio::test]
async fn a_dropped_request_takes_its_connection_with_it() {
    let peer = Peer::start(|at| {
        if at == 200 {
            Act::Delay(SHORT)
        } else {
            Act::Answer
        }
    })
    .await;
    let (plimsoll, device) = new();
    let mut context = device.tcp(peer.addr).unwrap().context(Slave(1));
    read_right(&mut context, 1).await;
    let slow = context.read_holding_registers(200, 2);
    assert!(
        tokio::time::timeout(Duration::from_millis(20), slow)
            .await
            .is_err()
    );
    assert_eq!(reads(&plimsoll), [2, 0, 1, 0]);
    for address in 2..6 {
        read_right(&mut context, address).await;
    }
    assert_eq!(peer.connections(), 2);
    assert_eq!(reads(&plimsoll), [6, 0, 1, 0]);
}

#[tokio::test]
async fn an_exception_keeps_the_connection() {
    let peer = Peer::start(|at| {
        if at == 200 {
            Act::Exception(2)
        } else {
            Act::Answer
        }
    })
    .await;
    let (plimsoll, device) = new();
    let mut context = device.tcp(peer.addr).unwrap().context(Slave(1));
    let exception = read(&mut context, 200).await.unwrap();
    assert_eq!(exception, Err(ExceptionCode::IllegalDataAddress));
    read_right(&mut context, 1).await;
    assert_eq!(peer.connections(), 1);
    assert_eq!(reads(&plimsoll), [2, 1, 0, 0]);
}

#[tokio::test]
async fn the_answer_to_another_question_is_refused() {
    let peer = Peer::start(|at| match at {
        200 => Act::WrongTransaction,
        300 => Act::Short,
        _ => Act::Answer,
    })
    .await;
    let (plimsoll, device) = new();
    let mut context = device.tcp(peer.addr).unwrap().context(Slave(1));
    let wrong = read(&mut context, 200).await;
    assert_eq!(
        Failure::of(wrong.as_ref().unwrap_err()),
        Failure::StaleReply
    );
    assert_eq!(transport(wrong).kind(), ErrorKind::InvalidData);
    read_right(&mut context, 1).await;
    let short = transport(read(&mut context, 300).await);
    assert_eq!(short.kind(), ErrorKind::InvalidData);
    read_right(&mut context, 2).await;
    assert_eq!(peer.connections(), 3);
    assert_eq!(reads(&plimsoll), [4, 2, 0, 0]);
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_happens() {
    let peer = Peer::start(|at| match at {
        200 => Act::Silence,
        300 => Act::Close,
        _ => Act::Answer,
    })
    .await;
    let (plimsoll, device) = new();
    let mut context = device
        .request_timeout(SHORT)
        .tcp(peer.addr)
        .unwrap()
        .context(Slave(1));
    for address in [200, 300] {
        let written = bounded(context.write_single_register(address, 1)).await;
        transport(written);
        read_right(&mut context, 1).await;
    }
    bounded(context.write_single_register(1, 1))
        .await
        .unwrap()
        .unwrap();
    let seen = peer.requests();
    let seen: Vec<u16> = seen
        .iter()
        .filter(|seen| seen.1 == 6)
        .map(|seen| seen.2)
        .collect();
    assert_eq!(seen, [200, 300, 1]);
    assert_eq!(writes(&plimsoll), [3, 2, 0, 0]);
}

#[tokio::test]
async fn the_slave_survives_a_reconnect() {
    let peer = Peer::start(|at| if at == 200 { Act::Close } else { Act::Answer }).await;
    let (_plimsoll, device) = new();
    let mut context = device.tcp(peer.addr).unwrap().context(Slave(1));
    read_right(&mut context, 1).await;
    context.set_slave(Slave(9));
    transport(read(&mut context, 200).await);
    read_right(&mut context, 2).await;
    assert_eq!(peer.requests(), [(1, 3, 1), (9, 3, 200), (9, 3, 2)]);
}

#[tokio::test]
async fn a_disconnected_context_connects_anew() {
    let peer = Peer::start(|_| Act::Answer).await;
    let (plimsoll, device) = new();
    let mut context = device.tcp(peer.addr).unwrap().context(Slave(1));
    bounded(context.disconnect()).await.unwrap();
    for connections in 1..=2 {
        read_right(&mut context, 1).await;
        assert_eq!(peer.connections(), connections);
        bounded(context.disconnect()).await.unwrap();
    }
    assert_eq!(connects(&plimsoll), [2, 0, 0, 0]);
}

#[tokio::test]
async fn a_device_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let (plimsoll, device) = new();
    let mut context = device.tcp(addr).unwrap().context(Slave(1));
    let error = transport(read(&mut context, 1).await);
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let text = format!("modbus device press-3 at {addr}: cannot connect: ");
    assert!(error.to_string().starts_with(&text), "{error}");
    assert_eq!(connects(&plimsoll), [1, 1, 0, 0]);
    assert_eq!(reads(&plimsoll), [1, 1, 0, 0]);
}

#[tokio::test]
async fn a_device_that_accepts_and_never_answers_times_out() {
    let peer = Peer::start(|_| Act::Silence).await;
    let (plimsoll, device) = new();
    let mut context = device
        .request_timeout(SHORT)
        .tcp(peer.addr)
        .unwrap()
        .context(Slave(1));
    assert_eq!(
        transport(read(&mut context, 1).await).kind(),
        ErrorKind::TimedOut
    );
    assert_eq!(connects(&plimsoll), [1, 0, 0, 0]);
    assert_eq!(reads(&plimsoll), [1, 1, 0, 0]);
}

/// A port whose queue of connections is full, so that the next attempt hangs; it lasts as long as the guards.
#[cfg(target_os = "linux")]
async fn full_queue() -> (std::net::SocketAddr, impl Sized) {
    use tokio::net::{TcpSocket, TcpStream};

    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = tokio::time::timeout(SHORT, TcpStream::connect(addr)).await {
        held.push(stream.unwrap());
    }
    (addr, (listener, held))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_attempt_to_connect_has_an_end() {
    let (addr, _guards) = bounded(full_queue()).await;
    let (plimsoll, device) = new();
    let mut context = device
        .connect_timeout(Duration::from_millis(50))
        .tcp(addr)
        .unwrap()
        .context(Slave(1));
    let error = transport(read(&mut context, 1).await);
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(
        error.to_string().ends_with("no connection within 50ms"),
        "{error}"
    );
    assert_eq!(connects(&plimsoll), [1, 1, 0, 0]);
    assert_eq!(reads(&plimsoll), [1, 1, 0, 0]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_attempt_to_connect_can_be_given_up() {
    let (addr, _guards) = bounded(full_queue()).await;
    let (plimsoll, device) = new();
    let mut context = device.tcp(addr).unwrap().context(Slave(1));
    let read = context.read_holding_registers(1, 2);
    assert!(
        tokio::time::timeout(Duration::from_millis(20), read)
            .await
            .is_err()
    );
    assert_eq!(connects(&plimsoll), [1, 0, 1, 0]);
    assert_eq!(reads(&plimsoll), [1, 0, 1, 0]);
}
