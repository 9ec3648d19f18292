//! A baseline in a file: the same bytes each time, and no nonsense back.

use std::fs;
use std::path::PathBuf;

use plimsoll::compare::{Baseline, CompareError};
use plimsoll::{Outcome, Plimsoll};

use super::random::Random;
use super::{MS, SECOND, instance, record};

fn some() -> Baseline {
    let (plimsoll, clock) = instance([super::p95("p95")]);
    clock.advance(SECOND);
    let mut random = Random(11);
    for name in ["parse", "print"] {
        let operation = plimsoll.operation(name);
        for _ in 0..500 {
            operation.record(Outcome::Ok, random.log_normal(MS, 0.5));
        }
        operation.record(Outcome::Error, MS);
        operation.record(Outcome::Shed, MS);
    }
    Baseline::capture(&plimsoll).version("shop", "1.2.3")
}

/// A path in a folder that only this process uses; it is gone with the value.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("plimsoll-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("baseline.json")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refused(text: &str) -> String {
    let error = Baseline::from_json(text).expect_err("a mistake");
    assert!(matches!(error, CompareError::Field { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn what_is_saved_is_what_is_loaded() {
    let (place, baseline) = (Place::new("saved"), some());
    baseline.save(place.file()).unwrap();
    let loaded = Baseline::load(place.file()).unwrap();
    assert_eq!(loaded, baseline);
    assert!(!loaded.compare(&baseline).is_regressed());
    for q in [0.0, 0.3, 0.95, 1.0] {
        let of = |baseline: &Baseline| baseline.operations()[0].durations.quantile(q);
        assert!(of(&loaded).is_some() && of(&loaded) == of(&baseline));
    }
    // In place of what was there, and nothing is left beside it.
    baseline
        .clone()
        .version("shop", "1.2.4")
        .save(place.file())
        .unwrap();
    assert_eq!(
        Baseline::load(place.file()).unwrap().versions()["shop"],
        "1.2.4"
    );
    assert_eq!(fs::read_dir(&place.0).unwrap().count(), 1);
}

#[test]
fn the_same_recording_gives_the_same_bytes() {
    assert_eq!(some().to_json(), some().to_json());
    let (plimsoll, clock) = instance([]);
    clock.advance(SECOND);
    record(&plimsoll, "print", 2, MS);
    record(&plimsoll, "parse", 1, MS);
    let text = Baseline::capture(&plimsoll).to_json();
    let operations = &text[text.find("  \"operations\"").unwrap()..];
    let expected = r#"  "operations": [
    {
      "kind": "operation",
      "labels": {
        "operation": "parse"
      },
      "outcomes": {
        "ok": 1,
        "error": 0,
        "cancelled": 0,
        "shed": 0,
        "broken": 0
      },
      "durations": {
        "sum_ns": 1000000,
        "cells_ns": [
          [997947, 1008813, 1]
        ]
      }
    },
"#;
    assert!(operations.starts_with(expected), "{text}");
    assert!(
        text.starts_with("{\n  \"schema\": 1,\n  \"taken\": \"1970-01-01T00:00:01.000Z\",\n"),
        "{text}"
    );
}

#[test]
fn a_torn_file_is_told_at_every_byte() {
    let text = some().to_json();
    let whole = text.trim_end().len();
    for end in (0..whole).step_by(7).chain([whole - 1]) {
        let error = refused(&text[..end]);
        assert!(
            error.contains("line") && error.contains(": "),
            "{end}: {error}"
        );
    }
    assert!(refused(&format!("{text}{{}}")).contains("trailing characters"));
}

#[test]
fn nonsense_is_told_by_field() {
    let (plimsoll, clock) = instance([]);
    clock.advance(SECOND);
    record(&plimsoll, "parse", 1, MS);
    record(&plimsoll, "print", 2, 2 * MS);
    record(&plimsoll, "print", 2, 4 * MS);
    let text = Baseline::capture(&plimsoll).to_json();
    for (from, to, expected) in [
        (
            "\"schema\": 1",
            "\"schema\": 2",
            "schema: 2 is not 1, which this version of plimsoll reads: record",
        ),
        (
            "\"schema\": 1",
            "\"schema\": \"one\"",
            "schema: invalid type: string \"one\", expected u64",
        ),
        ("  \"schema\": 1,\n", "", "file: missing field `schema`"),
        (
            "\"ok\": 1",
            "\"ok\": -1",
            "operations[0].outcomes.ok: invalid value: integer `-1`",
        ),
        (
            "\"ok\": 1",
            "\"ok\": 2",
            "operations[0].durations.cells_ns: count 1 durations, but 2 operations ended",
        ),
        ("\"ok\": 1", "\"oks\": 1", "unknown field `oks`"),
        (
            "\"cancelled\": 0",
            "\"cancelled\": 18446744073709551615",
            "operations[0].outcomes: are more than",
        ),
        (
            "\"kind\": \"operation\"",
            "\"kind\": \"oper\"",
            "operations[0].kind: \"oper\" is none of http, service",
        ),
        (
            "\"parse\"",
            "\"zebra\"",
            "operations[1]: operation{operation=\"print\"} is not behind the one before it",
        ),
        (
            "\"parse\"",
            "\"print\"",
            "operations[1]: operation{operation=\"print\"} is not behind",
        ),
        (
            "\"sum_ns\": 1000000",
            "\"sum_ns\": 1008814",
            "operations[0].durations.sum_ns: 1008814 is not between",
        ),
        (
            "1008813, 1]",
            "99782, 1]",
            "operations[0].durations.cells_ns[0]: ends at 99782 ns, before it begins",
        ),
        (
            "1008813, 1]",
            "1008813, 0]",
            "operations[0].durations.cells_ns[0]: counts nothing",
        ),
        (
            "1008813, 1]",
            "1008813]",
            "operations[0].durations.cells_ns[0]: invalid length 2",
        ),
        (
            "1008813, 1]",
            "1008813, \"1\"]",
            "operations[0].durations.cells_ns[0][2]: invalid type: string",
        ),
        (
            "\"1970-",
            "\"19x0-",
            "taken: \"19x0-01-01T00:00:01.000Z\" is not a moment",
        ),
        (
            "\"operations\": [",
            "\"operations\": 7, \"x\": [",
            "operations: invalid type: integer `7`",
        ),
    ] {
        assert!(text.contains(from), "{from}\n{text}");
        let error = refused(&text.replacen(from, to, 1));
        assert!(error.contains(expected), "{from} -> {to}: {error}");
    }
    let print = text.find("\"cells_ns\"").unwrap();
    let second = &text[print + 20..];
    let cells = &second[second.find("\"cells_ns\"").unwrap()..];
    let row = cells.lines().nth(1).unwrap();
    let twice = text.replacen(row, &format!("{row}\n{row}"), 1);
    let error = refused(&twice);
    assert!(
        error.contains("operations[1].durations.cells_ns[1]: begins at"),
        "{error}"
    );
}

#[test]
fn ten_megabytes_are_too_much() {
    let place = Place::new("large");
    fs::write(place.file(), " ".repeat(10 << 20)).unwrap();
    let error = Baseline::load(place.file()).unwrap_err().to_string();
    assert_eq!(
        error,
        "file: has more than 8 MiB: capture only the operations that matter"
    );
    fs::write(place.file(), [0xff; 100]).unwrap();
    let error = Baseline::load(place.file()).unwrap_err();
    assert!(
        matches!(error, CompareError::File { .. }) && error.to_string().contains("UTF-8"),
        "{error}"
    );
    let missing = Baseline::load(place.0.join("none.json"))
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("none.json") && missing.contains("No such file"),
        "{missing}"
    );
    let folder = some()
        .save(place.0.join("no/folder.json"))
        .unwrap_err()
        .to_string();
    assert!(folder.contains("no/folder.json"), "{folder}");
}

#[test]
fn a_thousand_operations_fit() {
    let plimsoll = Plimsoll::builder().manual_tick().build().unwrap();
    let mut random = Random(12);
    for at in 0..1_000 {
        let operation = plimsoll.operation(&format!("operation {at}"));
        (0..300).for_each(|_| operation.record(Outcome::Ok, random.log_normal(MS, 0.5)));
    }
    let text = Baseline::capture(&plimsoll).to_json();
    assert_eq!(
        Baseline::from_json(&text).unwrap().operations().len(),
        1_000
    );
    assert_eq!(Baseline::from_json(&text).unwrap().to_json(), text);
}
