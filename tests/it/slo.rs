//! SLOs as people write them down: the page about them, TOML, readiness, JSON.

#[cfg(all(
    feature = "promql",
    feature = "config",
    feature = "http",
    feature = "db"
))]
mod page;
#[cfg(feature = "config")]
mod toml;

use std::time::Duration;

use plimsoll::{
    Budget, Builder, HealthStatus, ManualClock, NotReady, Outcome, Plimsoll, Select, Slo,
};

const SECOND: Duration = Duration::from_secs(1);

fn builder(clock: &ManualClock) -> Builder {
    Plimsoll::builder().clock(clock.clone()).manual_tick()
}

fn run(plimsoll: &Plimsoll, clock: &ManualClock, seconds: u32, outcome: Outcome) {
    let work = plimsoll.operation("work");
    for _ in 0..seconds {
        work.record(outcome, SECOND);
        clock.advance(SECOND);
        plimsoll.tick();
    }
}

#[test]
fn health_says_what_is_in_breach_and_whether_that_matters() {
    let clock = ManualClock::new();
    let work = || Select::operation("work");
    let plimsoll = builder(&clock)
        .budget(
            Budget::error_ratio("errors", work())
                .at_most(0.5)
                .over(5 * SECOND),
        )
        .slo(Slo::availability("work", work()).objective(0.999))
        .slo(Slo::availability("idle", Select::operation("idle")).objective(0.999))
        .not_ready_when(NotReady::named("errors"))
        .build()
        .unwrap();
    assert_eq!(plimsoll.health().status, HealthStatus::Ok);
    assert_eq!(plimsoll.health().no_data, ["errors", "idle", "work"]);
    run(&plimsoll, &clock, 60, Outcome::Ok);
    assert_eq!(plimsoll.health().no_data, ["idle"]);
    run(&plimsoll, &clock, 10, Outcome::Error);
    let health = plimsoll.health();
    let found: Vec<_> = health
        .breached
        .iter()
        .map(|breach| (breach.kind, &*breach.name, breach.what, breach.not_ready))
        .collect();
    assert_eq!(
        found,
        [
            ("budget", "errors", "target", true),
            ("slo", "work", "page", false),
            ("slo", "work", "exhausted", false)
        ]
    );
    assert_eq!(health.status, HealthStatus::NotReady);
    assert!(health.breached.iter().all(|breach| breach.since.is_some()));
    run(&plimsoll, &clock, 10, Outcome::Ok);
    assert_eq!(
        plimsoll.health().status,
        HealthStatus::Degraded,
        "the error budget stays spent"
    );
}

#[test]
fn what_makes_the_service_not_ready_must_be_there() {
    let error = Plimsoll::builder()
        .manual_tick()
        .not_ready_when(NotReady::named("api"))
        .build();
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains(r#"not_ready_when "api" is no budget and no SLO"#),
        "{error}"
    );
}

#[cfg(feature = "serde")]
#[test]
fn readings_are_json() {
    let clock = ManualClock::new();
    let slo = Slo::availability("work", Select::operation("work"))
        .objective(0.999)
        .rolling(30);
    let budget = Budget::error_ratio("errors", Select::operation("work")).at_most(0.5);
    let plimsoll = builder(&clock).slo(slo).budget(budget).build().unwrap();
    run(&plimsoll, &clock, 10, Outcome::Error);
    let json = serde_json::to_value(plimsoll.slos()).unwrap();
    let first = &json[0];
    assert_eq!(
        (&first["slo"], &first["state"]),
        (&"work".into(), &"BREACHED".into())
    );
    assert_eq!(first["error_budget"]["minutes"], 43.2);
    assert_eq!(first["error_budget"]["remaining"], -999.0);
    assert_eq!(first["period"]["start"], "1970-01-01T00:00:00.000Z");
    assert_eq!(
        (
            &first["alerts"][0]["severity"],
            &first["alerts"][0]["state"]
        ),
        (&"page".into(), &"firing".into())
    );
    assert_eq!(first["time_to_exhaustion"], 0.0);
    let json = serde_json::to_value(plimsoll.budgets()).unwrap();
    assert_eq!(
        (&json[0]["level"], &json[0]["labels"]),
        (&"target".into(), &serde_json::json!({}))
    );
    assert_eq!(json[0]["since"], "1970-01-01T00:00:01.000Z");
    let json = serde_json::to_value(plimsoll.health()).unwrap();
    assert_eq!(json["status"], "degraded");
}
