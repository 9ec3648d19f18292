//! One server process, as the one that measures sees it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use super::Kind;

/// A running server; it ends when this is dropped, or when this process ends, whichever way.
#[derive(Debug)]
pub struct Server {
    /// What it serves as.
    pub kind: Kind,
    port: u16,
    clock: libc::clockid_t,
    child: Child,
}

impl Server {
    /// Starts this very program as that server.
    ///
    /// # Errors
    ///
    /// If the process cannot be started, or does not say its port.
    pub fn start(kind: Kind) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--serve", kind.name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        let said = child.stdout.take().expect("piped");
        BufReader::new(said).read_line(&mut port)?;
        let port = port.trim().parse();
        let port = port.map_err(|_| io::Error::other(format!("{} did not start", kind.name)))?;
        let clock = cpu_clock(child.id())?;
        Ok(Self {
            kind,
            port,
            clock,
            child,
        })
    }

    /// Where `path` is.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The CPU time of all its threads so far, user and system, in nanoseconds.
    pub fn cpu_ns(&self) -> f64 {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the kernel fills the structure.
        let refused = unsafe { libc::clock_gettime(self.clock, &mut time) };
        assert_eq!(refused, 0, "{} has ended", self.kind.name);
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    }

    /// Its page, headers included.
    ///
    /// # Errors
    ///
    /// If it does not answer with one.
    pub fn page(&self) -> io::Result<String> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        connection.write_all(request.as_bytes())?;
        let mut page = String::new();
        connection.read_to_string(&mut page)?;
        if page.starts_with("HTTP/1.1 200 ") {
            return Ok(page);
        }
        Err(io::Error::other(format!("{}: {page}", self.kind.name)))
    }

    /// How many requests its page says were counted, over all series; none where nothing counts.
    ///
    /// # Errors
    ///
    /// If there is no page, or a count on it is no number.
    pub fn counted(&self) -> io::Result<Option<u64>> {
        let Some(count) = self.kind.count else {
            return Ok(None);
        };
        let page = self.page()?;
        let samples = page.lines().filter(|line| line.starts_with(count));
        let values = samples.map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        let sum: Option<u64> = values.sum();
        let sum = sum.ok_or_else(|| io::Error::other(page))?;
        Ok(Some(sum))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its standard input ends, and so does it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The clock that counts a process' CPU time: what `getrusage` tells, but in nanoseconds and from outside.
fn cpu_clock(process: u32) -> io::Result<libc::clockid_t> {
    let mut clock = 0;
    // SAFETY: the clock is a number that the call fills in.
    match unsafe { libc::clock_getcpuclockid(process as libc::pid_t, &mut clock) } {
        0 => Ok(clock),
        refused => Err(io::Error::from_raw_os_error(refused)),
    }
}
