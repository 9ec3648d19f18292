//! A check for CI: works, compares with a baseline file, and ends with 1 if something got slower, with 2 if nobody can tell.
//!
//! `cargo run --release --example check [BASELINE]`: the first run records the file, later ones compare with it.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use plimsoll::compare::{Baseline, CompareError, Criteria, Measure};
use plimsoll::{Outcome, Plimsoll, Select, assert_budget};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let plimsoll = Plimsoll::builder().service("check").build()?;
    // What is cold at first is not what is to be compared.
    work(&plimsoll, 500);
    let warm = Baseline::capture(&plimsoll);
    work(&plimsoll, 5_000);
    let now = Baseline::capture(&plimsoll).since(&warm)?;
    let now = now.version("check", env!("CARGO_PKG_VERSION"));

    // A promise that holds on any machine; what is finer is a matter for the comparison.
    assert_budget!(plimsoll, Select::operation("sort"), p95 <= 1 s, error_ratio <= 0.01);

    match std::env::args().nth(1) {
        Some(path) => Ok(check(Path::new(&path), &now)?),
        None => {
            let path = std::env::temp_dir().join(format!("check-{}.json", std::process::id()));
            check(&path, &now)?;
            let verdict = check(&path, &now)?;
            std::fs::remove_file(&path)?;
            Ok(verdict)
        }
    }
}

/// Sorts numbers that are in disorder; each time is an operation.
fn work(plimsoll: &Plimsoll, times: u64) {
    let sort = plimsoll.operation("sort");
    for round in 0..times {
        let mut numbers: Vec<u64> = (0..500)
            .map(|at| (at + round) * 0x9e37_79b9 % 1_009)
            .collect();
        let start = Instant::now();
        black_box(&mut numbers).sort_unstable();
        sort.record(Outcome::Ok, start.elapsed());
    }
}

/// Compares with the file, or records it if there is none.
fn check(path: &Path, now: &Baseline) -> Result<ExitCode, CompareError> {
    if !path.exists() {
        now.save(path)?;
        println!("recorded {}", path.display());
        return Ok(ExitCode::SUCCESS);
    }
    // Neighbours move p95 by more than any code does: the median alone, and more than two runs of one build differ by.
    let criteria = Criteria::new()
        .tolerance(0.25)
        .measures([Measure::Quantile(0.5)]);
    let comparison = criteria.compare(&Baseline::load(path)?, now);
    println!("{comparison}");
    let verdict = match (comparison.is_regressed(), comparison.is_conclusive()) {
        (true, _) => ExitCode::from(1),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::from(2),
    };
    Ok(verdict)
}
