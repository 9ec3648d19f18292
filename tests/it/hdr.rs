//! HdrHistogram's formats, read back by its own readers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use plimsoll::hdr::{HdrError, IntervalLog};
use plimsoll::{Buckets, Histogram, Layout, Snapshot};
use proptest::prelude::*;

const MS: u64 = 1_000_000;

fn durations() -> Histogram {
    Histogram::new(Buckets::new(Layout::durations(), &[0.1]).unwrap())
}

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_700_000_000_125)
}

/// Three intervals: 100 values, none, and 1,000 ten times as long; each line a second later.
fn log() -> (String, [Snapshot; 4]) {
    let histogram = durations();
    histogram.record(3_000 * MS); // before the log began
    let first = histogram.snapshot();
    let log = IntervalLog::new(Vec::new(), first.clone(), start()).unwrap();
    let mut log = log.tag("poll").unwrap();
    (1..=100).for_each(|ms| histogram.record(ms * MS));
    let second = histogram.snapshot();
    let third = histogram.snapshot();
    (1..=1_000).for_each(|ms| histogram.record(ms * MS));
    let snapshots = [first, second, third, histogram.snapshot()];
    for (second, snapshot) in (1..).zip(&snapshots[1..]) {
        let at = start() + Duration::from_secs(second);
        log.append(snapshot.clone(), at).unwrap();
    }
    (String::from_utf8(log.into_inner()).unwrap(), snapshots)
}

fn decoded(payload: &str) -> hdrhistogram::Histogram<u64> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(payload);
    Deserializer::new()
        .deserialize(&mut &bytes.unwrap()[..])
        .unwrap()
}

#[test]
fn an_interval_log_is_read_back_as_what_each_interval_added() {
    let (text, snapshots) = log();
    let entries = IntervalLogIterator::new(text.as_bytes());
    let entries: Vec<_> = entries.map(|entry| entry.unwrap()).collect();
    let LogEntry::StartTime(time) = &entries[0] else {
        panic!("{text}")
    };
    assert_eq!(*time, Duration::from_millis(1_700_000_000_125));
    assert_eq!(entries.len(), 4);
    for (second, entry) in entries[1..].iter().enumerate() {
        let LogEntry::Interval(interval) = entry else {
            panic!("{text}")
        };
        assert_eq!(interval.tag().unwrap().as_str(), "poll");
        assert_eq!(
            interval.start_timestamp(),
            Duration::from_secs(second as u64)
        );
        assert_eq!(interval.duration(), Duration::from_secs(1));
        let added = snapshots[second + 1].since(&snapshots[second]).unwrap();
        let hdr = decoded(interval.encoded_histogram());
        assert_eq!(hdr, added.to_hdr(3).unwrap());
        assert_eq!(hdr.len(), [100, 0, 1_000][second]);
    }
}

#[test]
#[ignore = "needs hdrhistogram: tests/run"]
fn another_implementation_reads_the_log() {
    let (text, _) = log();
    let file = format!("plimsoll-{}.hlog", std::process::id());
    let path = std::env::temp_dir().join(file);
    std::fs::write(&path, text).unwrap();
    let python = std::env::var("PLIMSOLL_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/hdr_log.py");
    let mut command = std::process::Command::new(python);
    let output = command.arg(script).arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines.len(), 3, "{said}");
    let expected = [(100, 50, 99), (0, 0, 0), (1_000, 500, 990)];
    for (second, (line, (count, p50, p99))) in lines.iter().zip(expected).enumerate() {
        let start = (second * 1_000).to_string();
        assert_eq!(line[..3], [&start, "1000", "poll"], "{said}");
        assert_eq!(line[3], count.to_string(), "{said}");
        for (value, ms) in [(line[4], p50), (line[5], p99)] {
            let error = value.parse::<f64>().unwrap() - f64::from(ms) * 1e6;
            assert!(error.abs() <= f64::from(ms) * 1e6 * 0.0066, "{said}");
        }
    }
}

#[test]
fn mistakes_are_named() {
    let histogram = durations();
    let error = histogram.snapshot().to_hdr(6).unwrap_err();
    assert_eq!(
        error.to_string(),
        "6 significant digits are too many: at most 5"
    );
    let log = || IntervalLog::new(Vec::new(), histogram.snapshot(), start()).unwrap();
    assert!(matches!(log().tag("a b"), Err(HdrError::Tag(_))));
    assert!(matches!(
        log().significant_digits(6),
        Err(HdrError::Digits(6))
    ));
    let mut log = log();
    let foreign = log.append(durations().snapshot(), start());
    assert!(matches!(foreign, Err(HdrError::Buckets)));
    // Time that runs backwards is no time.
    log.append(histogram.snapshot(), UNIX_EPOCH).unwrap();
    let text = String::from_utf8(log.into_inner()).unwrap();
    assert!(text.lines().last().unwrap().starts_with("0.000,0.000,"));
}

#[test]
fn every_unit_and_the_ends_of_the_range_are_converted() {
    for layout in [Layout::durations(), Layout::counts(), Layout::bytes()] {
        let histogram = Histogram::new(Buckets::new(layout, &[]).unwrap());
        for value in [0, 1, u64::MAX] {
            histogram.record(value);
        }
        for digits in 0..=4 {
            assert_eq!(histogram.snapshot().to_hdr(digits).unwrap().len(), 3);
        }
    }
}

#[test]
fn a_conversion_takes_the_memory_that_is_documented() {
    for (digits, kib) in [(2, 36), (3, 264), (5, 26 * 1_024)] {
        let hdr = durations().snapshot().to_hdr(digits).unwrap();
        let cells = hdr.distinct_values() * size_of::<u64>() / 1_024;
        assert!(cells.abs_diff(kib) <= kib / 10, "{digits}: {cells} KiB");
    }
}

proptest! {
    #[test]
    fn quantiles_survive_the_conversion(
        values in prop::collection::vec(1_000_u64..60_000_000_000, 1..300),
        q in 0.01..=0.99_f64,
    ) {
        let histogram = durations();
        values.iter().for_each(|&value| histogram.record(value));
        let snapshot = histogram.snapshot();
        let hdr = snapshot.to_hdr(3).unwrap();
        prop_assert_eq!(hdr.len(), values.len() as u64);
        let (ours, theirs) = (snapshot.quantile(q).unwrap(), hdr.value_at_quantile(q) as f64 / 1e9);
        prop_assert!((ours - theirs).abs() <= ours * 0.0011, "{} and {}", ours, theirs);
    }
}
