//! The demonstration services beside the gateway: what they promise to show is on their pages.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::process::get;
use super::{gateway, start};

/// What the process and its runtime show in each of them.
const PROCESS: [(&str, &str, &[&str]); 8] = [
    ("counter", "process_cpu_seconds_total", &[]),
    ("gauge", "process_resident_memory_bytes", &[]),
    ("gauge", "process_open_fds", &[]),
    ("gauge", "process_threads", &[]),
    ("counter", "process_disk_written_bytes_total", &[]),
    ("counter", "process_network_receive_bytes_total", &[]),
    ("gauge", "tokio_alive_tasks", &[]),
    ("gauge", "tokio_busy_ratio", &[]),
];

/// (type, name, label keys)
type Shape<'a> = (&'a str, &'a str, &'a [&'a str]);

fn example(name: &str) -> PathBuf {
    gateway().with_file_name(name)
}

/// The keys of each label set that a family's samples have, `le` left out.
fn label_sets<'a>(page: &'a str, family: &str) -> BTreeSet<Vec<&'a str>> {
    let samples = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(family)?;
        let rest = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| rest.strip_prefix(end))
            .unwrap_or(rest);
        match rest.strip_prefix('{') {
            Some(labels) => Some(labels.split_once("} ")?.0),
            None => rest.starts_with(' ').then_some(""),
        }
    });
    let keys = |labels: &'a str| {
        let mut keys: Vec<&str> = (labels.split("\","))
            .filter_map(|label| Some(label.split_once('=')?.0))
            .filter(|key| *key != "le")
            .collect();
        keys.sort_unstable();
        keys
    };
    samples.map(keys).collect()
}

/// What of `shapes` is not on the page, or otherwise.
fn lacking<'a>(page: &str, shapes: &[Shape<'a>]) -> Vec<&'a str> {
    let fits = |shape: &&Shape<'_>| {
        let (kind, name, keys) = *shape;
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        let typed = format!("# TYPE {name} {kind}");
        page.lines().any(|line| line == typed) && label_sets(page, name) == BTreeSet::from([keys])
    };
    let lacking = shapes.iter().filter(|shape| !fits(shape));
    lacking.map(|shape| shape.1).collect()
}

/// The page of an example that serves, once it has all of them: it has a light load of its own.
fn page_with(name: &str, shapes: &[Shape<'_>]) -> String {
    let (_running, address, _) = start(example(name), &["--serve"]);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let page = get(&address, "/metrics");
        let lacking = lacking(&page, shapes);
        if lacking.is_empty() {
            return page;
        }
        assert!(Instant::now() < deadline, "{lacking:?} of\n{page}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn has_bounds(page: &str, histogram: &str, bounds: &[&str]) {
    for bound in bounds {
        let le = format!("le=\"{bound}\"");
        let mut lines = page.lines();
        let there = lines.any(|line| line.starts_with(histogram) && line.contains(&le));
        assert!(there, "{histogram} has no {le}");
    }
}

#[test]
#[ignore = "needs the examples: tests/run"]
fn the_api_shows_the_families_of_the_millisecond_profile() {
    let request = &["method", "route", "status_code"];
    let query = &["operation", "model"];
    let mut shapes = vec![
        ("histogram", "http_request_duration_ms", &request[..]),
        ("counter", "http_requests_total", request),
        ("gauge", "http_error_rate", &["service"]),
        ("counter", "slow_requests_total", &["method", "route"]),
        ("histogram", "db_query_duration_ms", query),
        (
            "counter",
            "db_queries_total",
            &["operation", "model", "status"],
        ),
        ("counter", "slow_queries_total", query),
        ("gauge", "process_heap_allocated_bytes", &[]),
    ];
    shapes.extend(PROCESS);
    let page = page_with("api", &shapes);
    has_bounds(
        &page,
        "http_request_duration_ms_bucket",
        &[
            "10.0", "50.0", "100.0", "200.0", "500.0", "1000.0", "2000.0", "5000.0",
        ],
    );
    has_bounds(
        &page,
        "db_query_duration_ms_bucket",
        &[
            "5.0", "10.0", "25.0", "50.0", "100.0", "250.0", "500.0", "1000.0",
        ],
    );
    for alert in [
        "HighAPILatency",
        "CriticalAPILatency",
        "SlowDatabaseQueries",
        "CriticalDatabaseQueries",
        "HighErrorRate",
        "CriticalErrorRate",
    ] {
        let state = format!("plimsoll_budget_state{{budget=\"{alert}\"");
        assert!(page.contains(&state), "{alert} is judged");
    }
}

#[test]
#[ignore = "needs the examples: tests/run"]
fn the_router_shows_the_families_of_its_dashboards() {
    let mut shapes = vec![
        ("counter", "dce_calls_total", &["status", "buyer"][..]),
        ("histogram", "dce_calls_duration_seconds", &[]),
        ("counter", "dce_routing_decisions_total", &["algorithm"]),
        ("histogram", "dce_routing_duration_seconds", &["algorithm"]),
        ("counter", "dce_bids_processed_total", &["status"]),
        ("histogram", "dce_compliance_checks_duration_seconds", &[]),
        ("histogram", "dce_fraud_score_distribution", &[]),
        ("counter", "http_requests_total", &["status", "endpoint"]),
        ("histogram", "http_request_duration_seconds", &["endpoint"]),
        ("histogram", "database_query_duration_seconds", &["query"]),
        ("histogram", "db_query_duration_seconds", &["query_type"]),
        ("gauge", "redis_pool_active_connections", &[]),
    ];
    shapes.extend(PROCESS);
    let page = page_with("router", &shapes);
    has_bounds(
        &page,
        "dce_routing_duration_seconds_bucket",
        &["0.0005", "0.0008", "0.001", "0.002", "0.005"],
    );
    has_bounds(
        &page,
        "dce_fraud_score_distribution_bucket",
        &["0.1", "0.5", "1.0"],
    );
}

#[test]
#[ignore = "takes half a minute: tests/run"]
fn each_ends_by_itself_and_says_what_it_measured() {
    for (name, lines) in [
        ("api", ["http GET /api/orders/{id} ", "db INSERT orders "]),
        ("router", ["http POST /calls ", "operation routing "]),
        (
            "platform",
            ["http POST /hooks/{source} ", "db list platform "],
        ),
    ] {
        let output = Command::new(example(name)).output().expect("it is built");
        let report = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{report}");
        assert!(report.contains(" requests/s, error ratio 0."), "{report}");
        for line in lines {
            let there = report.lines().any(|known| known.starts_with(line));
            assert!(there, "{line} is not in\n{report}");
        }
    }
    let wrong = Command::new(example("api"))
        .arg("--load")
        .output()
        .expect("it is built");
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("--help"));
}
