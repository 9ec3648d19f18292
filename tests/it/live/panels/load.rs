//! Requests that the gateway does not make of itself while it serves.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use super::get;

const DEVICES: [&str; 3] = ["press-1", "press-2", "press-3"];

/// Goes on until it is dropped.
pub(super) struct Load {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    pub(super) fn on(address: &str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (until, address) = (over.clone(), address.to_owned());
        let thread = std::thread::spawn(move || {
            while !until.load(Relaxed) {
                round(&address);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        Self {
            over,
            thread: Some(thread),
        }
    }
}

/// Lists, reads, writes, and has each device connected anew.
fn round(address: &str) {
    get(address, "/api/devices");
    for device in DEVICES {
        let device = format!("/api/devices/{device}");
        get(address, &format!("{device}/registers"));
        post(address, &format!("{device}/registers"), "[15,7]");
        post(address, &format!("{device}/reconnect"), "");
    }
}

fn post(address: &str, path: &str, json: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{json}",
        json.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    // On a busy machine a device does not always answer in time.
    assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(
            ended.is_some_and(|ended| ended.is_ok()) || std::thread::panicking(),
            "a request was not answered"
        );
    }
}
