//! SLOs as people write them down: the page about them, TOML, readiness, JSON.

use std::time::Duration;

use plimsoll::{
    AlertState, Budget, Builder, HealthStatus, ManualClock, NotReady, Outcome, Plimsoll, Select,
    Slo,
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

/// The blocks of a language on the page about SLOs.
#[cfg(feature = "config")]
fn blocks(language: &str) -> Vec<&'static str> {
    let page = include_str!("../../docs/slos.md");
    let begin = format!("```{language}\n");
    let blocks = page.split(&*begin).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().trim_end())
        .collect()
}

#[cfg(all(feature = "config", feature = "http", feature = "db"))]
#[test]
fn the_page_says_what_is_there() {
    let toml = blocks("toml").join("\n\n");
    let plimsoll = Plimsoll::builder()
        .manual_tick()
        .toml(&toml)
        .build()
        .unwrap();
    let names: Vec<_> = plimsoll.slos().into_iter().map(|slo| slo.slo).collect();
    let expected = [
        "api",
        "accuracy",
        "line-up",
        "line-up-slices",
        "orders",
        "payments",
        "reports",
        "backed-up",
        "shop",
        "shop-mean",
    ];
    assert_eq!(names, expected, "api-fast has no route yet");
    let month = &plimsoll.slos()[2];
    assert_eq!(
        (&*month.period.name, month.objective),
        ("calendar month", 0.995)
    );
    let api = Slo::availability("api", Select::http().except("route", "/health*"))
        .objective(0.999)
        .rolling(30);
    let hours = Duration::from_secs(6 * 3600);
    let burn = plimsoll::BurnAlert::new(plimsoll::Severity::Page, 0.05, hours);
    let reports = Slo::availability("reports", Select::operation("report"));
    let reports = reports
        .objective(0.99)
        .confidence(0.95)
        .min_events(20)
        .burn_alerts([burn]);
    let printed = [api, reports].map(|slo| slo.rule_groups()[0].rules[0].expr.to_string());
    assert_eq!(printed[..], blocks("promql"));
}

#[cfg(feature = "config")]
#[test]
fn mistakes_in_toml_name_their_field() {
    for (toml, expected) in [
        (
            "objective = 99.9\non = \"http\"",
            "slo \"a\": objective 99.9 is a percentage: write 0.999",
        ),
        ("on = \"http\"", "slo \"a\": objective is missing"),
        (
            "objective = 0.9",
            "slo \"a\": on is missing or stands beside another",
        ),
        (
            "objective = 0.9\non = \"http\"\nstate = \"up\"",
            "on is missing or stands beside another",
        ),
        (
            "objective = 0.9\nvalid = \"a_total\"",
            "valid needs one of good and bad",
        ),
        (
            "objective = 0.999\non = \"http\"\nrolling = 400",
            "rolling 400 is not a number of days",
        ),
        (
            "objective = 0.999\non = \"http\"\nrolling = 7\ncalendar = \"week\"",
            "rolling stands beside calendar",
        ),
        (
            "objective = 0.999\non = \"http\"\ncalendar = \"year\"",
            "\"year\" is not a period",
        ),
        (
            "objective = 0.999\non = \"http\"\nobjectve = 1",
            "objectve is not a known key",
        ),
        (
            "objective = 0.999\nall_of = [\"b\"]",
            "of names \"b\", which is no SLO",
        ),
        (
            "objective = 0.999\non = \"http\"\n[[slo.maintenance]]\nstart = \"soon\"",
            "maintenance: start \"soon\" is not a moment",
        ),
        (
            "objective = 0.999\non = \"http\"\n[[slo.burn_alert]]\nseverity = \"mail\"",
            "burn_alert: severity \"mail\" is not one",
        ),
    ] {
        let toml = format!("[[slo]]\nname = \"a\"\n{toml}");
        let error = Plimsoll::builder()
            .manual_tick()
            .toml(&toml)
            .build()
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{toml}\n{error}");
    }
}

#[cfg(feature = "config")]
#[test]
fn an_operator_replaces_an_slo_of_the_code() {
    let code = Slo::availability("a", Select::http()).objective(0.999);
    let toml = "[[slo]]\nname = \"a\"\non = \"http\"\nobjective = 0.99\nrolling = 7";
    let plimsoll = Plimsoll::builder()
        .manual_tick()
        .slo(code)
        .toml(toml)
        .build()
        .unwrap();
    let slos = plimsoll.slos();
    assert_eq!(
        (slos.len(), slos[0].objective, &*slos[0].period.name),
        (1, 0.99, "rolling 7d")
    );
    assert!(
        slos[0]
            .alerts
            .iter()
            .all(|alert| alert.state == AlertState::Inactive)
    );
}
