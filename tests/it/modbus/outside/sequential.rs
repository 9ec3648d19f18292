//! A serial line whose units do one thing after the other, as those on RS-485 do.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use super::super::faults::sound;
use super::place::{EXCEPTION, LATE, Place, SILENCE, Table};

/// Answers in a thread that ends with the port; reads only.
pub(super) fn serve(path: &Path) {
    let port =
        tokio_serial::new(path.to_string_lossy(), 115_200).timeout(Duration::from_secs(86_400));
    let mut port = port.open().unwrap();
    std::thread::spawn(move || {
        let mut came = Vec::new();
        let mut chunk = [0; 256];
        while let Ok(count @ 1..) = port.read(&mut chunk) {
            came.extend_from_slice(&chunk[..count]);
            while let Some(request) = next(&mut came) {
                if let Some(reply) = answer(&request)
                    && port.write_all(&reply).is_err()
                {
                    return;
                }
            }
        }
    });
}

/// The first request among what came; what is before it was none.
fn next(came: &mut Vec<u8>) -> Option<[u8; 8]> {
    while let Some((request, _)) = came.split_first_chunk::<8>() {
        let request = *request;
        let is_one = sound(&request[..6]) == request;
        came.drain(..if is_one { 8 } else { 1 });
        if is_one {
            return Some(request);
        }
    }
    None
}

fn answer(request: &[u8; 8]) -> Option<Vec<u8>> {
    let word = |at: usize| u16::from_be_bytes([request[at], request[at + 1]]);
    let (unit, function, address) = (request[0], request[1], word(2));
    let place = Place {
        unit,
        table: Table::ALL[usize::from(function) - 1],
        address,
        count: word(4),
    };
    match address {
        SILENCE.. => return None,
        LATE.. => std::thread::sleep(Duration::from_millis(u64::from(address - LATE) * 10)),
        address if (EXCEPTION + 1..=EXCEPTION + 11).contains(&address) => {
            return Some(sound(&[unit, function | 0x80, (address - EXCEPTION) as u8]));
        }
        _ => {}
    }
    let data = place.data();
    Some(sound(
        &[&[unit, function, data.len() as u8], &data[..]].concat(),
    ))
}
