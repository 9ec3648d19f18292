//! Windows that somebody named.

use std::time::Duration;

use plimsoll::{ManualClock, Outcome, Plimsoll, Select, Watch};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

#[test]
fn several_windows_of_one_selection() {
    let (short, long) = (10 * SECOND, 3600 * SECOND);
    let clock = ManualClock::new();
    let watch = Watch::new("work", Select::operation("work"))
        .over(short)
        .over(long)
        .above(250 * MS);
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .watch(watch)
        .build()
        .unwrap();
    let operation = plimsoll.operation("work");
    for second in 1..=600_u32 {
        // Slow for ten minutes but for the last twenty seconds.
        let duration = if second <= 580 { 500 * MS } else { 100 * MS };
        (0..10).for_each(|_| operation.record(Outcome::Ok, duration));
        plimsoll.operation("other").record(Outcome::Ok, 9 * SECOND);
        clock.advance(SECOND);
        plimsoll.tick();
    }
    let reading = plimsoll.window("work", short).unwrap();
    assert_eq!((reading.rate, reading.above), (10.0, Some(0.0)));
    assert_eq!(
        (reading.count, reading.covered),
        (90, 9 * SECOND),
        "nine differences lie in (590 s, 600 s]"
    );
    assert!((reading.quantile(0.999).unwrap() - 0.1).abs() <= 0.1 * 0.0055);
    assert!((0.1..0.1011).contains(&reading.max.unwrap()));
    let reading = plimsoll.window("work", long).unwrap();
    assert_eq!(
        (reading.count, reading.covered),
        (6_000, 600 * SECOND),
        "it is still filling up"
    );
    assert_eq!(reading.above, Some(5_800.0 / 6_000.0));
    let mean = (5_800.0 * 0.5 + 200.0 * 0.1) / 6_000.0;
    assert!((reading.mean.unwrap() - mean).abs() < 1e-9);
    assert!(
        plimsoll.window("work", 7 * SECOND).is_none(),
        "nobody named that one"
    );
    assert!(plimsoll.window("nothing", short).is_none());
}

#[test]
fn an_idle_window_has_no_percentile() {
    let watch = Watch::new("idle", Select::http())
        .over(10 * SECOND)
        .above(MS);
    let plimsoll = Plimsoll::builder()
        .manual_tick()
        .watch(watch)
        .build()
        .unwrap();
    let reading = plimsoll.window("idle", 10 * SECOND).unwrap();
    assert_eq!(
        (reading.count, reading.rate, reading.mean, reading.max),
        (0, 0.0, None, None)
    );
    assert_eq!((reading.above, reading.quantile(0.5)), (None, None));
}

#[test]
fn mistakes_name_the_watch() {
    let error = Plimsoll::builder()
        .watch(Watch::new("a", Select::http()))
        .watch(
            Watch::new("b", Select::http().label("path", "/"))
                .over(SECOND)
                .above(Duration::ZERO),
        )
        .build()
        .unwrap_err()
        .to_string();
    for expected in [
        "watch \"a\": over is missing: name a window",
        "watch \"b\": over 1s is not a window: it takes two ticks of 1s to 30 days",
        "watch \"b\": above is outside what is measured",
        "watch \"b\": label \"path\" is not a label of http: it has method, route",
    ] {
        assert!(error.contains(expected), "{expected:?} is not in\n{error}");
    }
}
