//! Programs that a test starts, and that end with it, however it ends.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

pub(super) struct Process(Child);

impl Process {
    pub(super) fn start(command: &mut Command) -> Self {
        let started = command.spawn();
        Self(started.unwrap_or_else(|error| panic!("{command:?}: {error}: see tests/run")))
    }

    /// Waits until it says `ready`.
    pub(super) fn ready(command: &mut Command) -> Self {
        let mut process = Self::start(command.stdout(Stdio::piped()));
        let mut line = String::new();
        let stdout = process.0.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
        process
    }

    /// Stops it, until it is told to go on; nobody at the other end is told.
    pub(super) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(super) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

pub(super) fn pymodbus(kind: &str, at: &str) -> Command {
    let python = std::env::var("PLIMSOLL_PYTHON").unwrap_or_else(|_| "python3".into());
    let mut command = Command::new(python);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/pymodbus_line.py");
    command.args([script, kind, at]);
    command
}

pub(super) fn libmodbus<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command =
        Command::new(std::env::var("PLIMSOLL_MODBUS_LINE").expect("tests/run builds it"));
    command.args(arguments);
    command
}

/// Two serial ports, joined by socat.
pub(super) struct Cable {
    folder: PathBuf,
    socat: Option<Process>,
    /// Kept open: socat ends when nobody has a port open any more.
    held: Vec<File>,
}

impl Cable {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("cable-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut cable = Self {
            folder,
            socat: None,
            held: Vec::new(),
        };
        cable.plug();
        cable
    }

    /// The port of the one who asks.
    pub(super) fn near(&self) -> PathBuf {
        self.folder.join("near")
    }

    /// The port of the one who answers.
    pub(super) fn far(&self) -> PathBuf {
        self.folder.join("far")
    }

    /// Puts the ports there, at the same paths as ever.
    pub(super) fn plug(&mut self) {
        let ports = [self.near(), self.far()];
        let mut command = Command::new("socat");
        for port in &ports {
            command.arg(format!("PTY,rawer,link={}", port.display()));
        }
        self.socat = Some(Process::start(&mut command));
        for port in &ports {
            while !port.exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
            self.held.push(File::open(port).unwrap());
        }
    }

    /// Takes the ports away, as if the adapter were unplugged.
    pub(super) fn unplug(&mut self) {
        self.socat = None;
        self.held.clear();
        for port in [self.near(), self.far()] {
            std::fs::remove_file(port).unwrap();
        }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.socat = None;
        // What is left is in the build's own folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
