use std::time::Duration;

use proptest::prelude::*;

use super::loss::Loss;
use super::series::SeriesMemory;
use super::table::{Draft, Entry, Table};
use crate::expr::{Labels, Selector};
use crate::window::{SavedSeries, Series};

fn labels(queue: &str) -> Labels {
    Labels::new([("__name__", "jobs_total"), ("queue", queue)])
}

/// A section of one series.
fn written(labels: &Labels, series: &SavedSeries) -> Vec<u8> {
    let mut draft = Draft::default();
    draft.add(SeriesMemory::default().entry(labels, true, series));
    draft.finish()
}

/// What a memory that is written and read again gives back of a series.
fn again(series: &SavedSeries, now_ms: i64) -> Option<SavedSeries> {
    let labels = labels("mail");
    let table = Table::read(&written(&labels, series), now_ms).expect("it was just written");
    let mut memory = SeriesMemory::of(table, now_ms);
    let mut found = Series::new(Duration::ZERO);
    memory.recall(&labels, &mut found)?;
    Some(found.save())
}

proptest! {
    #[test]
    fn a_series_is_what_it_was(
        gaps in prop::collection::vec(1_i64..3_000_000, 1..300),
        values in prop::collection::vec(prop_oneof![
            (-5_i64..1_000_000).prop_map(|value| value as f64),
            any::<f64>().prop_filter("finite", |value| value.is_finite()),
        ], 300),
    ) {
        let mut series = Series::exact(Duration::from_secs(1_000_000));
        let mut at_ms = 1_700_000_000_000;
        for (gap, value) in gaps.iter().zip(values) {
            at_ms += gap;
            series.push(at_ms, value);
        }
        let mut saved = series.save();
        let found = again(&saved, at_ms + 1).expect("it is there");
        saved.ends_ms.push(at_ms + 1); // it ended with its process
        prop_assert_eq!(found, saved);
    }

    #[test]
    fn no_bytes_are_worse_than_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let now_ms = 1_000;
        if let Some(table) = Table::read(&bytes, now_ms) {
            let memory = SeriesMemory::of(table, now_ms);
            prop_assert!(memory.matching(&Selector::new("x")).len() <= bytes.len());
        }
    }
}

#[test]
fn what_is_later_than_now_is_left_out_and_what_is_too_old_too() {
    let mut series = Series::exact(Duration::from_secs(60));
    (0..10).for_each(|second| series.push(second * 1_000, second as f64));
    let saved = series.save();
    let at = |now_ms| again(&saved, now_ms).map(|found| found.floats.len());
    assert_eq!(at(9_001), Some(10));
    assert_eq!(at(5_000), Some(5), "the clock was set back");
    assert_eq!(at(69_000), Some(10));
    assert_eq!(at(69_001), None, "nobody reads so far back");
    assert_eq!(at(0), None);
}

#[test]
fn what_nobody_took_is_handed_on_until_it_is_too_old() {
    let entry = |identity, until_ms| Entry {
        identity,
        until_ms,
        bytes: vec![7],
    };
    let write = |table: Table, current: &[(Vec<u8>, Entry)], now_ms| {
        let mut draft = Draft::default();
        draft.add(table.waiting(now_ms));
        draft.add(current.iter().cloned());
        draft.finish()
    };
    let first = [(vec![1], entry(5, 100)), (vec![2], entry(6, 200))];
    let first = write(Table::default(), &first, 50);
    let waiting = Table::read(&first, 60).expect("whole");
    let second = write(waiting, &[(vec![2], entry(8, 300))], 150);
    let mut table = Table::read(&second, 150).expect("whole");
    let says = (Loss::Windows, "jobs");
    assert_eq!(table.take(&[1], 5, 150, says), None, "too old");
    assert_eq!(
        table.take(&[2], 8, 150, says),
        Some(vec![7]),
        "the newer one"
    );
    assert!(std::mem::take(&mut table.dropped).told().is_empty());
    let mut table = Table::read(&second, 150).expect("whole");
    assert_eq!(table.take(&[2], 6, 150, says), None);
    assert_eq!(table.dropped.told()[0].0, "windows of jobs");
    let late = Table::read(&second, 301).expect("whole");
    assert_eq!((late.entries.len(), late.expired), (0, vec![vec![2]]));
}

#[test]
fn a_sample_takes_the_bytes_that_are_said() {
    let per_sample = |series: &Series| {
        let saved = series.save();
        let bytes = written(&labels("mail"), &saved).len();
        bytes as f64 / saved.floats.len() as f64
    };
    // Ticks of a second, each a little late; and the same thinned with age.
    let late = |nth: i64| nth * 1_000 + nth * 7_919 % 3;
    let of = |series: &mut Series, grows: i64| {
        let mut count = 0;
        for nth in 0..100_000 {
            count += nth * 7_919 % (2 * grows + 1);
            series.push(1_700_000_000_000 + late(nth), count as f64);
        }
    };
    let keep = Duration::from_secs(30 * 86_400);
    for (grows, dense, thinned) in [(0, 2.0, 2.4), (10, 2.0, 2.9), (1_000, 3.0, 3.9)] {
        let (mut exact, mut thin) = (Series::exact(keep), Series::new(keep));
        of(&mut exact, grows);
        of(&mut thin, grows);
        let (exact, thin) = (per_sample(&exact), per_sample(&thin));
        assert!((exact - dense).abs() < 0.1, "{grows}: {exact} bytes");
        assert!((thin - thinned).abs() < 0.1, "{grows}: {thin} bytes");
    }
    let mut ratios = Series::exact(keep);
    (1..10_000).for_each(|nth| ratios.push(late(nth), nth as f64 + 0.5));
    let ratios = per_sample(&ratios);
    assert!((ratios - 9.0).abs() < 0.1, "{ratios} bytes");
}
