//! A Prometheus over given samples, asked over HTTP.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Points, labels};

/// Elements, or why there are none.
pub(crate) type Answer = Result<Points, String>;

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes samples as blocks of a data folder. Every version reads them.
pub(crate) fn create_blocks(open_metrics: &str, folder: &Folder) {
    let text = folder.file("trace.om");
    fs::write(&text, open_metrics).unwrap();
    let arguments = [
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        &text,
        &folder.file("data"),
    ];
    let output = Command::new("promtool").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::remove_file(text).unwrap();
}

pub(crate) struct Prometheus {
    process: Child,
    address: String,
    _folder: Folder,
}

impl Prometheus {
    /// Starts over the folder's `data`.
    pub(crate) fn over(binary: &str, flags: &[&str], config: &str, folder: Folder) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        fs::write(folder.file("prometheus.yml"), config).unwrap();
        let process = Command::new(binary)
            .args(flags)
            .arg(format!("--config.file={}", folder.file("prometheus.yml")))
            .arg(format!("--storage.tsdb.path={}", folder.file("data")))
            .arg(format!("--web.listen-address={address}"))
            .stderr(fs::File::create(folder.file("log")).unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let prometheus = Self {
            process,
            address,
            _folder: folder,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !prometheus.get("/-/ready").is_ok_and(|(ok, _)| ok) {
            assert!(Instant::now() < deadline, "Prometheus is not ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        prometheus
    }

    /// The answers to a query at every step.
    pub(crate) fn range(&self, query: &str, start_ms: i64, end_ms: i64, step_ms: i64) -> Answer {
        let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
        let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!(
            "/api/v1/query_range?query={query}&start={}&end={}&step={}",
            seconds(start_ms),
            seconds(end_ms),
            seconds(step_ms)
        );
        let (_, body) = self.get(&path).unwrap();
        let answer: Value = serde_json::from_str(&body).unwrap();
        if answer["status"] != "success" {
            return Err(answer["error"].to_string());
        }
        let mut points = Points::new();
        for series in answer["data"]["result"].as_array().unwrap() {
            let labels = labels(&series["metric"]);
            let values = series["values"].as_array().map(Vec::as_slice);
            for value in values.unwrap_or_default() {
                let at_ms = (value[0].as_f64().unwrap() * 1e3).round() as i64;
                let number = value[1].as_str().unwrap().parse().unwrap();
                points.insert((at_ms, labels.clone()), number);
            }
        }
        Ok(points)
    }

    /// Sends samples in the format of remote write.
    pub(crate) fn write(&self, body: &[u8]) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "POST /api/v1/write HTTP/1.0\r\nHost: {}\r\nContent-Encoding: snappy\r\n\
             Content-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 204 "), "{answer}");
    }

    /// Whether it went well, and the answer.
    fn get(&self, path: &str) -> std::io::Result<(bool, String)> {
        let mut stream = TcpStream::connect(&self.address)?;
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n",
            self.address
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        Ok((head.contains(" 200 "), body.to_owned()))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
