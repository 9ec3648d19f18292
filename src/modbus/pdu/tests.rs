//! Against tokio-modbus, which encodes by itself and does not show how.

use tokio::io::{AsyncReadExt as _, duplex};
use tokio_modbus::client::{Client as _, tcp};
use tokio_modbus::prelude::ReadCode;

use super::*;

fn requests() -> Vec<Request<'static>> {
    let coils = |count: usize| (0..count).map(|n| n % 3 == 0).collect::<Vec<_>>();
    let words = |count: u16| (0..count).map(|n| n * 517).collect::<Vec<_>>();
    let mut requests = vec![
        Request::ReadCoils(1, 2_000),
        Request::ReadDiscreteInputs(0x1234, 9),
        Request::ReadInputRegisters(7, 125),
        Request::ReadHoldingRegisters(0xFFFF, 1),
        Request::WriteSingleCoil(3, true),
        Request::WriteSingleCoil(3, false),
        Request::WriteSingleRegister(4, 0xABCD),
        Request::MaskWriteRegister(5, 0xF2F2, 0x2525),
        Request::ReadWriteMultipleRegisters(1, 125, 2, words(121).into()),
        Request::ReadDeviceIdentification(ReadCode::Specific, 0x80),
        Request::ReportServerId,
        Request::Custom(0x41, vec![1, 2, 3].into()),
    ];
    for count in [1, 7, 8, 9, 1_968] {
        requests.push(Request::WriteMultipleCoils(9, coils(count).into()));
    }
    for count in [1, 2, 123] {
        requests.push(Request::WriteMultipleRegisters(9, words(count).into()));
    }
    requests
}

#[tokio::test]
async fn requests_are_encoded_as_tokio_modbus_does() {
    for request in requests() {
        let (near, mut far) = duplex(1_024);
        let mut client = tcp::attach(near);
        let mut frame = vec![0; 7 + encode(&request).len()];
        let (_, sent) = tokio::join!(
            async {
                tokio::time::timeout(std::time::Duration::ZERO, client.call(request.clone())).await
            },
            async {
                far.read_exact(&mut frame).await.expect("a frame");
                drop(far);
                frame
            }
        );
        assert_eq!(sent[7..], encode(&request), "{request:?}");
        let length = u16::from_be_bytes([sent[4], sent[5]]);
        assert_eq!(usize::from(length), sent.len() - 6, "{request:?}");
    }
}

fn judge(request: &Request<'_>, reply: &[u8]) -> Result<Result<Response, ExceptionCode>, Failure> {
    let expected = Expected::of(request, &encode(request));
    expected.judge(reply).map_err(|(failure, _)| failure)
}

#[test]
fn a_reply_must_have_as_many_values_as_were_asked_for() {
    let read = Request::ReadHoldingRegisters(0, 2);
    let good = Response::ReadHoldingRegisters(vec![7, 8]);
    assert_eq!(judge(&read, &[3, 4, 0, 7, 0, 8]), Ok(Ok(good)));
    for bad in [
        &[3, 2, 0, 7][..],
        &[3, 4, 0, 7],
        &[3, 4, 0, 7, 0, 8, 0],
        &[3, 6, 0, 7, 0, 8, 0, 9],
        &[3],
    ] {
        assert_eq!(judge(&read, bad), Err(Failure::ReplyMismatch), "{bad:?}");
    }
    let coils = Request::ReadCoils(0, 9);
    assert!(matches!(judge(&coils, &[1, 2, 0xFF, 1]), Ok(Ok(_))));
    assert_eq!(judge(&coils, &[1, 1, 0xFF]), Err(Failure::ReplyMismatch));
}

#[test]
fn a_write_must_be_confirmed_as_it_was_asked_for() {
    let write = Request::WriteSingleRegister(4, 9);
    assert!(matches!(judge(&write, &[6, 0, 4, 0, 9]), Ok(Ok(_))));
    let other = [[6, 0, 5, 0, 9], [6, 0, 4, 0, 8]];
    for reply in other {
        assert_eq!(judge(&write, &reply), Err(Failure::ReplyMismatch));
    }
    let words = Request::WriteMultipleRegisters(4, vec![1, 2].into());
    assert!(matches!(judge(&words, &[16, 0, 4, 0, 2]), Ok(Ok(_))));
    assert_eq!(
        judge(&words, &[16, 0, 4, 0, 1]),
        Err(Failure::ReplyMismatch)
    );
    let expected = Expected::of(&words, &encode(&words));
    assert_eq!(
        expected.echo(),
        Some(Response::WriteMultipleRegisters(4, 2))
    );
}

#[test]
fn exceptions_are_those_of_the_function_that_was_asked() {
    let read = Request::ReadHoldingRegisters(0, 2);
    let busy = ExceptionCode::ServerDeviceBusy;
    assert_eq!(judge(&read, &[0x83, 6]), Ok(Err(busy)));
    assert_eq!(judge(&read, &[0x84, 6]), Err(Failure::FunctionMismatch));
    assert_eq!(judge(&read, &[0x83]), Err(Failure::FunctionMismatch));
    assert_eq!(
        judge(&read, &[4, 4, 0, 7, 0, 8]),
        Err(Failure::FunctionMismatch)
    );
    // tokio-modbus refuses both of these, since it has a name for the code.
    let custom = Request::Custom(7, vec![].into());
    assert_eq!(judge(&custom, &[0x87, 6]), Ok(Err(busy)));
    assert!(matches!(
        judge(&custom, &[7, 1]),
        Ok(Ok(Response::Custom(7, _)))
    ));
}
