//! The command line.

use std::net::SocketAddr;

use crate::Failure;

pub const HELP: &str = "\
An HTTP gateway to Modbus devices, measured and judged by plimsoll.

USAGE: cargo run --release --example gateway --features demo [-- OPTIONS]

Without options it listens on a free port of 127.0.0.1, puts a paced load of 200 requests per second on
itself for about 25 seconds, injects three faults one after the other (slow queries, failing requests, a
device that stops answering), takes each away again, and ends. Standard error shows the timeline:
    FAULT      a fault begins or ends
    BREACH     a budget is breached: budget, level, value, limit, unit, since
    RECOVERED  it is kept again
Standard output shows one table at the end. Exit status 0: every fault had its edges, every edge its fault.

OPTIONS
    --serve                  serve until interrupted, without load, faults or end
    --addr HOST:PORT         where to listen [127.0.0.1:0]
    --fail-every N           answer every Nth request of each route with status 500 [never]
    --device NAME=HOST:PORT  a further Modbus TCP device; it may be absent; repeatable
    --promises FILE          what is promised, as TOML, instead of gateway.toml
    --help                   this text
";

/// What was asked for.
#[derive(Debug)]
pub struct Args {
    pub serve: bool,
    pub addr: String,
    pub fail_every: u64,
    pub devices: Vec<(String, SocketAddr)>,
    pub promises: Option<String>,
}

impl Args {
    /// `None` if help was asked for.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, Failure> {
        let mut args = Self {
            serve: false,
            addr: "127.0.0.1:0".into(),
            fail_every: 0,
            devices: Vec::new(),
            promises: None,
        };
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .ok_or_else(|| format!("{word} needs a value: see --help"))
            };
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--serve" => args.serve = true,
                "--addr" => args.addr = value()?,
                "--fail-every" => {
                    let number = value()?;
                    args.fail_every = number
                        .parse()
                        .map_err(|_| format!("--fail-every {number}: not a number"))?;
                }
                "--promises" => args.promises = Some(value()?),
                "--device" => args.devices.push(device(&value()?)?),
                _ => return Err(format!("unknown option {word}: see --help").into()),
            }
        }
        Ok(Some(args))
    }
}

fn device(text: &str) -> Result<(String, SocketAddr), Failure> {
    let wrong = || format!("--device {text}: write NAME=HOST:PORT, such as press-4=127.0.0.1:502");
    let (name, address) = text.split_once('=').ok_or_else(wrong)?;
    Ok((name.to_owned(), address.parse().map_err(|_| wrong())?))
}
