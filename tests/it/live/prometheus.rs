//! A real Prometheus, started and asked.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use plimsoll::expr::Labels;
use serde_json::Value;

use super::{Running, get};

/// Labels and value.
pub(super) type Sample = (Value, f64);

/// A Prometheus that ends with the test.
pub(super) struct Prometheus {
    _process: Running,
    address: String,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    pub(super) fn scraping(targets: &[&str]) -> Self {
        let list = targets
            .iter()
            .map(|target| format!("'{target}'"))
            .collect::<Vec<_>>()
            .join(",");
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: gateway\n  \
             static_configs:\n  - targets: [{list}]\n"
        );
        Self::start("prometheus", &[], &config)
    }

    pub(super) fn start(binary: &str, flags: &[&str], config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        let path = folder.path().join("prometheus.yml");
        std::fs::write(&path, config).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(binary)
            .args(flags)
            .arg(format!("--config.file={}", path.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stderr(log)
            .spawn()
            .unwrap();
        let prometheus = Self {
            _process: Running(process),
            address,
            _folder: folder,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_ready(&prometheus.address) {
            assert!(Instant::now() < deadline, "Prometheus is not ready");
            std::thread::sleep(Duration::from_millis(100));
        }
        prometheus
    }

    /// Where it listens.
    #[allow(dead_code, reason = "only some of what includes this file asks")]
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// (labels, value) of each sample that the query returns.
    pub(super) fn query(&self, query: &str) -> Vec<Sample> {
        self.samples(&format!("query={}", encoded(query)))
    }

    /// The same, as of `time` in seconds since 1970.
    #[cfg(feature = "native")]
    pub(super) fn query_at(&self, time: f64, query: &str) -> Vec<Sample> {
        self.samples(&format!("query={}&time={time:.3}", encoded(query)))
    }

    fn samples(&self, parameters: &str) -> Vec<Sample> {
        let data = self.ask(&format!("query?{parameters}"));
        let value = |sample: &Value| sample["value"][1].as_str().unwrap().parse().unwrap();
        let samples = data["result"].as_array().unwrap().iter();
        samples
            .map(|sample| (sample["metric"].clone(), value(sample)))
            .collect()
    }

    /// The samples that it has of each series of a range selector, by time in milliseconds since 1970.
    pub(super) fn raw(&self, range: &str) -> Vec<(Labels, Vec<(i64, f64)>)> {
        let data = self.ask(&format!("query?query={}", encoded(range)));
        let sample = |sample: &Value| {
            let at_ms = (sample[0].as_f64().unwrap() * 1e3).round() as i64;
            (at_ms, sample[1].as_str().unwrap().parse().unwrap())
        };
        let series = |series: &Value| {
            let labels = series["metric"].as_object().unwrap().iter();
            let labels = labels.map(|(key, value)| (key.as_str(), value.as_str().unwrap()));
            let samples = series["values"].as_array().unwrap().iter().map(sample);
            (Labels::new(labels), samples.collect())
        };
        data["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(series)
            .collect()
    }

    /// Reads the configuration and the rules anew; needs `--web.enable-lifecycle`.
    pub(super) fn reload(&self) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = "POST /-/reload HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n";
        write!(stream, "{head}Host: {}\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// (labels, exemplars) of each series of the query, from `start` to `end` in seconds since 1970.
    #[cfg(feature = "native")]
    pub(super) fn exemplars(&self, query: &str, start: f64, end: f64) -> Vec<(Value, Vec<Value>)> {
        let query = encoded(query);
        let path = format!("query_exemplars?query={query}&start={start:.3}&end={end:.3}");
        let exemplars = |series: &Value| series["exemplars"].as_array().unwrap().clone();
        let data = self.ask(&path);
        let all = data.as_array().unwrap().iter();
        all.map(|series| (series["seriesLabels"].clone(), exemplars(series)))
            .collect()
    }

    /// How many targets there are; every one is up, and its latest scrape without an error.
    pub(super) fn targets_up(&self) -> usize {
        let data = self.ask("targets");
        let targets = data["activeTargets"].as_array().unwrap();
        for target in targets {
            assert_eq!(
                (&target["health"], &target["lastError"]),
                (&"up".into(), &"".into())
            );
        }
        targets.len()
    }

    /// What its interface says under `path`.
    fn ask(&self, path: &str) -> Value {
        let answer = get(&self.address, &format!("/api/v1/{path}"));
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["status"], "success", "{answer}");
        answer["data"].take()
    }
}

fn encoded(query: &str) -> String {
    query.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Prometheus listens before it answers queries: until then it says 503.
fn is_ready(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let mut answer = String::new();
    let request = format!("GET /-/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let asked = stream.write_all(request.as_bytes());
    asked
        .and_then(|()| stream.read_to_string(&mut answer))
        .is_ok()
        && answer.starts_with("HTTP/1.1 200")
}
