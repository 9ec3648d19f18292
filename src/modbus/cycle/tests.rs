//! Rounds under tokio's paused time: what is slept is exactly what passes.

use tokio::time::{advance, sleep};

use super::*;

const MS: Duration = Duration::from_millis(1);
const PERIOD: Duration = Duration::from_millis(100);

fn new() -> (Plimsoll, Cycle) {
    let plimsoll = Plimsoll::builder().manual_tick().build().expect("defaults");
    let cycle = Cycle::new(&plimsoll, "press-3", "fast", PERIOD, 30 * MS).expect("new names");
    (plimsoll, cycle)
}

/// A round that takes so long.
async fn round(cycle: &mut Cycle, takes: Duration) -> (Duration, u64) {
    let round = cycle.tick().await;
    sleep(takes).await;
    (round.lateness(), round.missed())
}

/// Count and sum in whole milliseconds of a histogram.
fn figures(plimsoll: &Plimsoll, family: &str) -> (u64, u64) {
    let page = plimsoll.render();
    let value = |suffix| {
        let line = format!("{family}_{suffix}{{device=\"press-3\",cycle=\"fast\"}} ");
        let found = page.lines().find_map(|shown| shown.strip_prefix(&line));
        found.expect(&line).parse::<f64>().expect("a number")
    };
    (value("count") as u64, (value("sum") * 1e3).round() as u64)
}

fn counter(plimsoll: &Plimsoll, family: &str) -> u64 {
    let page = plimsoll.render();
    let line = format!("{family}{{device=\"press-3\",cycle=\"fast\"}} ");
    let found = page.lines().find_map(|shown| shown.strip_prefix(&line));
    found.expect(family).parse().expect("a number")
}

#[tokio::test(start_paused = true)]
async fn rounds_are_due_on_a_grid_that_does_not_drift() {
    let (plimsoll, mut cycle) = new();
    let start = Instant::now();
    for nth in 0..1_000 {
        let round = cycle.tick().await;
        assert_eq!(start.elapsed(), nth * PERIOD);
        assert_eq!((round.lateness(), round.missed()), (Duration::ZERO, 0));
        sleep(nth % 90 * MS).await;
    }
    assert_eq!(counter(&plimsoll, "poll_overruns_total"), 0);
    assert_eq!(counter(&plimsoll, "poll_missed_total"), 0);
    assert_eq!(
        figures(&plimsoll, "poll_cycle_lateness_seconds"),
        (1_000, 0)
    );
    let durations = figures(&plimsoll, "poll_cycle_duration_seconds");
    assert_eq!(durations, figures(&plimsoll, "poll_cycle_response_seconds"));
    assert_eq!(durations.0, 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_round_that_takes_too_long_is_an_overrun_and_the_next_begins_late() {
    let (plimsoll, mut cycle) = new();
    assert_eq!(round(&mut cycle, PERIOD).await, (Duration::ZERO, 0));
    assert_eq!(counter(&plimsoll, "poll_overruns_total"), 0, "just in time");
    assert_eq!(round(&mut cycle, 130 * MS).await, (Duration::ZERO, 0));
    assert_eq!(counter(&plimsoll, "poll_overruns_total"), 1);
    // Short enough by itself, and yet over only after the next was due.
    assert_eq!(round(&mut cycle, 80 * MS).await, (30 * MS, 0));
    assert_eq!(counter(&plimsoll, "poll_overruns_total"), 2);
    assert_eq!(round(&mut cycle, 10 * MS).await, (10 * MS, 0));
    assert_eq!(
        round(&mut cycle, MS).await,
        (Duration::ZERO, 0),
        "caught up"
    );
    assert_eq!(counter(&plimsoll, "poll_overruns_total"), 2);
    assert_eq!(counter(&plimsoll, "poll_missed_total"), 0);
    assert_eq!(figures(&plimsoll, "poll_cycle_duration_seconds"), (5, 321));
    assert_eq!(figures(&plimsoll, "poll_cycle_lateness_seconds"), (5, 40));
    assert_eq!(figures(&plimsoll, "poll_cycle_response_seconds"), (5, 361));
}

#[tokio::test(start_paused = true)]
async fn rounds_that_a_slow_one_pushed_aside_are_missed_and_slow_themselves() {
    let (plimsoll, mut cycle) = new();
    let start = Instant::now();
    round(&mut cycle, 430 * MS).await;
    // Due at 100, 200 and 300 ms and never begun; the one of 400 ms is late.
    assert_eq!(round(&mut cycle, 20 * MS).await, (30 * MS, 3));
    assert_eq!(counter(&plimsoll, "poll_missed_total"), 3);
    assert_eq!(counter(&plimsoll, "poll_overruns_total"), 1);
    assert_eq!(figures(&plimsoll, "poll_cycle_duration_seconds"), (2, 450));
    let corrected = 430 + (330 + 230 + 130) + 50;
    assert_eq!(
        figures(&plimsoll, "poll_cycle_response_seconds"),
        (5, corrected)
    );
    drop(cycle.tick().await);
    assert_eq!(start.elapsed(), 5 * PERIOD, "the grid is where it was");
}

#[tokio::test(start_paused = true)]
async fn time_between_rounds_counts_as_well() {
    let (plimsoll, mut cycle) = new();
    round(&mut cycle, MS).await;
    advance(250 * MS).await;
    assert_eq!(round(&mut cycle, MS).await, (51 * MS, 1));
    assert_eq!(counter(&plimsoll, "poll_overruns_total"), 0);
    assert_eq!(
        figures(&plimsoll, "poll_cycle_response_seconds"),
        (3, 1 + 151 + 52)
    );
}

#[tokio::test(start_paused = true)]
async fn who_does_not_wait_has_not_begun() {
    let (plimsoll, mut cycle) = new();
    drop(cycle.tick().await);
    let waited = tokio::time::timeout(30 * MS, cycle.tick()).await;
    assert!(waited.is_err());
    let round = cycle.tick().await;
    assert_eq!((round.lateness(), round.missed()), (Duration::ZERO, 0));
    drop(round);
    assert_eq!(figures(&plimsoll, "poll_cycle_duration_seconds").0, 2);
}

#[tokio::test(start_paused = true)]
async fn a_round_that_is_given_up_ends_there() {
    let (plimsoll, mut cycle) = new();
    let given_up = tokio::time::timeout(70 * MS, round(&mut cycle, PERIOD)).await;
    assert!(given_up.is_err());
    assert_eq!(figures(&plimsoll, "poll_cycle_duration_seconds"), (1, 70));
}

#[test]
fn a_cycle_without_a_period_is_refused() {
    let (plimsoll, _) = new();
    let refused = Cycle::new(&plimsoll, "press-3", "none", Duration::ZERO, MS);
    let text = refused.expect_err("no period").to_string();
    assert_eq!(
        text,
        "cycle \"none\": period is 0: give the time from one round to the next, such as 500 ms"
    );
}

#[test]
fn a_taken_name_is_an_error() {
    let plimsoll = Plimsoll::builder().manual_tick().build().expect("defaults");
    let taken = plimsoll.counter("poll_missed_total").register();
    assert!(taken.is_ok());
    let refused = Cycle::new(&plimsoll, "press-3", "fast", PERIOD, MS);
    assert!(matches!(refused, Err(CycleError::Instrument(_))));
}

#[test]
fn a_new_cycle_stands_at_zero() {
    let (plimsoll, _cycle) = new();
    for family in ["poll_overruns_total", "poll_missed_total"] {
        assert_eq!(counter(&plimsoll, family), 0);
    }
    for family in ["duration", "lateness", "response"] {
        let family = format!("poll_cycle_{family}_seconds");
        assert_eq!(figures(&plimsoll, &family), (0, 0));
    }
}

#[test]
fn timeouts_that_do_not_fit_into_the_period_are_warned_of_once() {
    let (plimsoll, cycle) = new();
    let warnings = || {
        plimsoll.tick();
        plimsoll.warnings()
    };
    let cycle = cycle.requests(3);
    assert_eq!(warnings(), []);
    let _cycle = cycle.requests(4).requests(4);
    assert_eq!(warnings().len(), 1);
    assert_eq!(
        warnings()[0].to_string(),
        "cycle_tight \"press-3/fast\" has a period of 100ms, and its requests may take 120ms when none is answered; \
         mend: shorten the timeout, retry less, ask for more registers at once, or poll less often"
    );
    let page = plimsoll.render();
    assert!(page.contains("plimsoll_warnings_total{kind=\"cycle_tight\"} 1\n"));
}

#[tokio::test(start_paused = true)]
async fn a_period_longer_than_any_clock_has_one_round() {
    let plimsoll = Plimsoll::builder().manual_tick().build().expect("defaults");
    let cycle = Cycle::new(&plimsoll, "press-3", "fast", Duration::MAX, 30 * MS);
    let mut cycle = cycle.expect("new names");
    assert_eq!(round(&mut cycle, 10 * MS).await, (Duration::ZERO, 0));
    let year = Duration::from_secs(365 * 86_400);
    assert!(tokio::time::timeout(year, cycle.tick()).await.is_err());
}
