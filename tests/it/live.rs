//! The gateway as a user runs it, under real load and a real Prometheus.

mod agreement;
mod examples;
#[cfg(all(feature = "native", feature = "generate"))]
mod fleet;
#[cfg(feature = "native")]
mod native;
#[cfg(feature = "cli")]
mod panels;
mod process;
mod prometheus;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use process::{Running, get};
use prometheus::Prometheus;

fn gateway() -> PathBuf {
    std::env::var_os("PLIMSOLL_GATEWAY")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            let test = std::env::current_exe().unwrap();
            test.parent()
                .unwrap()
                .parent()
                .unwrap()
                .join("examples/gateway")
        })
}

/// Starts the gateway without load of its own; returns it with its address and what it said after that.
fn serve(options: &[&str]) -> (Running, String, BufReader<std::process::ChildStderr>) {
    start(gateway(), options)
}

/// The same with any of the demonstration services.
fn start(
    program: PathBuf,
    options: &[&str],
) -> (Running, String, BufReader<std::process::ChildStderr>) {
    let mut command = Command::new(program);
    let mut child = command
        .arg("--serve")
        .args(options)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example is built");
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let running = Running(child);
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let address = line
        .split("http://")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    (
        running,
        address
            .unwrap_or_else(|| panic!("no address in {line:?}"))
            .to_owned(),
        lines,
    )
}

/// Series and their values.
fn metrics(address: &str) -> BTreeMap<String, f64> {
    let page = get(address, "/metrics");
    let lines = page
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// What `wrk` says it completed, and how many of those were answered with an error status.
fn wrk(address: &str, path: &str, options: &[&str]) -> (u64, u64) {
    let output = Command::new("wrk")
        .args(options)
        .arg(format!("http://{address}{path}"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let number = |line: &str, at: usize| {
        line.split_whitespace()
            .nth(at)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let completed = text
        .lines()
        .find(|line| line.contains(" requests in "))
        .unwrap_or_else(|| panic!("{text}"));
    let failed = text.lines().find(|line| line.contains("Non-2xx"));
    assert!(!text.contains("Socket errors"), "{text}");
    (
        number(completed, 0),
        failed.map_or(0, |line| number(line, line.split_whitespace().count() - 1)),
    )
}

#[test]
#[ignore = "needs wrk: tests/run"]
fn every_request_query_and_device_call_is_counted_once() {
    const CONNECTIONS: u64 = 8;
    let (_gateway, address, _) = serve(&["--fail-every", "50"]);
    let (mut completed, mut failed, mut rounds) = (0, 0, 0);
    while completed < 200_000 {
        assert!(rounds < 30, "{completed} requests in {rounds} rounds");
        let (more, bad) = wrk(&address, "/api/devices", &["-t2", "-c8", "-d8s"]);
        (completed, failed, rounds) = (completed + more, failed + bad, rounds + 1);
    }
    let (reads, reads_failed) = wrk(
        &address,
        "/api/devices/press-1/registers",
        &["-t2", "-c8", "-d5s"],
    );
    let metrics = settled(&address);
    for (route, rounds, completed, failed) in [
        ("/api/devices", rounds, completed, failed),
        ("/api/devices/{id}/registers", 1, reads, reads_failed),
    ] {
        // What was under way when wrk hung up was either answered into the void or cancelled.
        let late = rounds * CONNECTIONS;
        let at = |name: &str, more: &str| {
            metrics
                .get(&format!(
                    "bifrost_{name}{{method=\"GET\",route=\"{route}\"{more}}}"
                ))
                .copied()
                .unwrap_or(0.0) as u64
        };
        let counted = at("requests_total", "");
        let cancelled = at("responses_total", ",status=\"499\"");
        let errors = at("errors_total", "");
        eprintln!(
            "{route}: wrk {completed} ({failed} failed), counted {counted} ({errors} errors, {cancelled} cancelled)"
        );
        assert!(counted >= completed && counted <= completed + late);
        assert_eq!(at("request_duration_seconds_count", ""), counted);
        assert_eq!(
            at("request_duration_seconds_bucket", ",le=\"+Inf\""),
            counted
        );
        assert_eq!(at("responses_total", ",status=\"500\""), errors);
        assert!(
            errors >= failed && errors <= failed + late,
            "{errors} errors, wrk saw {failed}"
        );
        assert_eq!(
            at("responses_total", ",status=\"200\"") + errors + cancelled,
            counted
        );
        assert!(cancelled <= late);
        // A failure is injected before the handler; every other request makes its one query.
        let query = if route == "/api/devices" {
            "list"
        } else {
            "latest"
        };
        let queries = metrics[&format!(
            "bifrost_db_query_duration_seconds_count{{operation=\"{query}\",model=\"devices\"}}"
        )] as u64;
        let answered = counted - errors - cancelled;
        assert!(
            (answered..=answered + cancelled).contains(&queries),
            "{queries} queries for {answered} answers"
        );
    }
    let on_request = metrics["bifrost_responses_total{method=\"GET\",route=\"/api/devices/{id}/registers\",status=\"200\"}"];
    let cycles = metrics["bifrost_poll_cycles_total"];
    let device_calls: f64 = (1..=3)
        .map(|device| {
            metrics[&format!(
                "bifrost_modbus_requests_total{{device=\"press-{device}\",operation=\"read\"}}"
            )]
        })
        .sum();
    // Three cycles can be between their count and their call, and a cancelled request may have made its call.
    assert!(
        (device_calls - on_request - cycles).abs() <= 3.0 + CONNECTIONS as f64,
        "{device_calls} {on_request} {cycles}"
    );
}

/// The page once nothing is in flight any more.
fn settled(address: &str) -> BTreeMap<String, f64> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let metrics = metrics(address);
        let in_flight: f64 = metrics
            .iter()
            .filter(|(series, _)| series.starts_with("bifrost_requests_in_flight"))
            .map(|(_, value)| value)
            .sum();
        if in_flight == 0.0 {
            return metrics;
        }
        assert!(
            Instant::now() < deadline,
            "{in_flight} requests never ended"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs prometheus and wrk: tests/run"]
fn a_real_prometheus_scrapes_it_and_the_quotients_have_values() {
    let (_faulty, faulty, _) = serve(&["--fail-every", "50"]);
    let (_clean, clean, _) = serve(&[]);
    let prometheus = Prometheus::scraping(&[&faulty, &clean]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/mixed.lua");
    std::thread::scope(|scope| {
        for address in [&faulty, &clean] {
            scope.spawn(|| wrk(address, "/", &["-t1", "-c1", "-d75s", "-s", script]));
        }
        std::thread::sleep(Duration::from_secs(70));
        let samples = prometheus.query("min_over_time(up[1m])");
        assert_eq!(
            samples.iter().map(|sample| sample.1).collect::<Vec<_>>(),
            [1.0, 1.0],
            "every scrape worked"
        );
        let ratios =
            prometheus.query("rate(bifrost_errors_total[1m]) / rate(bifrost_requests_total[1m])");
        let of = |instance: &str| {
            let of_instance = ratios
                .iter()
                .filter(|sample| sample.0["instance"] == instance);
            of_instance
                .map(|sample| (sample.0["route"].to_string(), sample.1))
                .collect::<Vec<_>>()
        };
        eprintln!("with faults {:?}\nwithout {:?}", of(&faulty), of(&clean));
        let called = |(route, _): &(String, f64)| !route.contains("/reconnect");
        let [(with, unused), (without, _)] = [&faulty, &clean]
            .map(|instance| of(instance).into_iter().partition::<Vec<_>, _>(called));
        assert!(
            matches!(&unused[..], [(_, ratio)] if ratio.is_nan()),
            "0 of 0: {unused:?}"
        );
        assert_eq!(
            (with.len(), without.len()),
            (3, 3),
            "a quotient per series, without a sum"
        );
        assert!(with.iter().all(|ratio| (ratio.1 - 0.02).abs() <= 0.002));
        assert!(without.iter().all(|ratio| ratio.1 == 0.0), "0, not absent");
        for (quotient, least) in [
            (
                "bifrost_connections_established_total / bifrost_connections_attempted_total",
                6,
            ),
            (
                "bifrost_connection_pool_active / bifrost_connection_pool_max",
                2,
            ),
            (
                "bifrost_modbus_errors_total / bifrost_modbus_requests_total",
                6,
            ),
        ] {
            let samples = prometheus.query(quotient);
            assert!(samples.len() >= least, "{quotient}: {samples:?}");
        }
        for instance in [&faulty, &clean] {
            let samples = prometheus.query(&format!("bifrost_connections_established_total{{instance=\"{instance}\"}} / bifrost_connections_attempted_total"));
            assert!(samples.iter().all(|sample| sample.1 == 1.0), "{samples:?}");
        }
        assert_eq!(prometheus.targets_up(), 2);
    });
}

#[test]
#[ignore = "needs promtool: tests/run"]
fn the_page_is_clean_and_whole_from_the_start() {
    let (_gateway, address, _) = serve(&[]);
    let page = get(&address, "/metrics");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(page.as_bytes())
        .unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let families: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    for family in [
        "requests_total",
        "errors_total",
        "request_duration_seconds",
        "requests_in_flight",
        "responses_total",
        "db_query_duration_seconds",
        "connections_active",
        "connections_attempted_total",
        "connections_established_total",
        "connect_duration_seconds",
        "connection_pool_active",
        "connection_pool_max",
        "connection_wait_duration_seconds",
        "connection_timeouts_total",
        "device_connected",
        "modbus_requests_total",
        "modbus_errors_total",
        "modbus_request_duration_seconds",
        "modbus_reads_total",
        "modbus_writes_total",
        "data_points_processed_total",
        "data_validation_failures_total",
        "poll_cycles_total",
    ] {
        assert!(
            families.contains(&format!("bifrost_{family}").as_str()),
            "{family} is not among {families:?}"
        );
    }
    for series in [
        "bifrost_errors_total{method=\"GET\",route=\"/api/devices\"} 0",
        "bifrost_errors_total{method=\"POST\",route=\"/api/devices/{id}/registers\"} 0",
        "bifrost_modbus_errors_total{device=\"press-3\",operation=\"write\"} 0",
        "bifrost_connection_timeouts_total{pool=\"gateway\"} 0",
        "bifrost_data_validation_failures_total{device=\"press-1\",reason=\"range\"} 0",
        "plimsoll_sli_bad_total{budget=\"device-success\",level=\"target\"} 0",
        "plimsoll_budget_state{budget=\"request-p95\",level=\"target\"} 0",
    ] {
        assert!(
            page.lines().any(|line| line == series),
            "{series} is not in\n{page}"
        );
    }
    assert!(
        !page.contains("/health") && !page.contains("\"/metrics\""),
        "they are not measured"
    );
}

#[test]
#[ignore = "takes half a minute: tests/run"]
fn the_timeline_shows_every_fault_and_nothing_else() {
    let output = Command::new(gateway())
        .output()
        .expect("the example is built");
    let timeline = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{timeline}");
    let edges: Vec<(&str, &str)> = timeline
        .lines()
        .filter(|line| line.starts_with("BREACH ") || line.starts_with("RECOVERED "))
        .map(|line| {
            (
                line.split(' ').next().unwrap(),
                line.split(' ').nth(1).unwrap(),
            )
        })
        .collect();
    for budget in [
        "request-p95",
        "query-p95",
        "request-errors",
        "device-success",
    ] {
        let of_budget: Vec<&str> = edges
            .iter()
            .filter(|edge| edge.1 == budget)
            .map(|edge| edge.0)
            .collect();
        assert_eq!(of_budget, ["BREACH", "RECOVERED"], "{budget}: {timeline}");
    }
    assert_eq!(edges.len(), 8, "{timeline}");
    let breach = timeline
        .lines()
        .find(|line| line.starts_with("BREACH request-p95"))
        .unwrap();
    for part in [
        " level=target ",
        " value=0.25",
        " limit=0.2 ",
        " unit=s ",
        " since=20",
    ] {
        assert!(breach.contains(part), "{part:?} is not in {breach}");
    }
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.starts_with("operation "), "{table}");
    for operation in [
        "http GET /api/devices ",
        "db list devices ",
        "modbus press-1 read ",
        "connect modbus press-3 ",
    ] {
        assert!(
            table.lines().any(|line| line.starts_with(operation)),
            "{operation} is not in\n{table}"
        );
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "needs the example: tests/run")]
fn the_command_line_explains_itself() {
    let run = |options: &[&str]| {
        let output = Command::new(gateway())
            .args(options)
            .output()
            .expect("the example is built");
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (ok, help) = run(&["--help"]);
    assert!(
        ok && help.contains("--serve") && help.contains("RECOVERED"),
        "{help}"
    );
    let (ok, text) = run(&["--sevre"]);
    assert!(
        !ok && text.contains("unknown option --sevre: see --help"),
        "{text}"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (ok, text) = run(&["--serve", "--addr", &address]);
    assert!(
        !ok && text.contains(&format!("--addr {address}: cannot listen"))
            && text.contains("choose another port"),
        "{text}"
    );
}

#[test]
#[cfg_attr(debug_assertions, ignore = "needs the example: tests/run")]
fn a_device_that_is_not_there_is_named_and_the_gateway_starts() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let absent = free.local_addr().unwrap();
    drop(free);
    let (_gateway, address, mut said) = serve(&["--device", &format!("press-4={absent}")]);
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(
        line.contains("press-4") && line.contains("the gateway goes on and tries"),
        "{line}"
    );
    let devices = get(&address, "/api/devices");
    assert!(devices.contains(&absent.to_string()), "{devices}");
    let metrics = metrics(&address);
    assert_eq!(metrics["bifrost_device_connected{device=\"press-4\"}"], 0.0);
    assert!(
        metrics["bifrost_connections_attempted_total{protocol=\"modbus\",device=\"press-4\"}"]
            >= 1.0
    );
    assert_eq!(
        metrics["bifrost_connections_established_total{protocol=\"modbus\",device=\"press-4\"}"],
        0.0
    );
}
