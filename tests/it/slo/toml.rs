//! SLOs from TOML.

use plimsoll::{AlertState, Plimsoll, Select, Slo};

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
            "all_of \"b\" is no SLO of this instance",
        ),
        (
            "objective = 0.999\non = \"http\"\n[[slo.maintenance]]\nstart = \"soon\"",
            "maintenance 1: start \"soon\" is not a moment",
        ),
        (
            "objective = 0.999\non = \"http\"\n[[slo.burn_alert]]\nseverity = \"mail\"",
            "burn_alert 1: severity \"mail\" is not one",
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

#[cfg(feature = "promql")]
#[test]
fn conditions_and_series_are_promql() {
    let families = "expect_families = [\"a_total\", \"b_total\", \"depth\"]\n";
    let parse = |table: &str| {
        let toml = format!("{families}[[slo]]\nname = \"x\"\nobjective = 0.99\n{table}");
        let built = Plimsoll::builder().manual_tick().toml(&toml).build();
        built.map(|plimsoll| plimsoll.slos().remove(0))
    };
    for sound in [
        "bad = 'a_total{kind!=\"x\"}'\nvalid = \"b_total\"",
        "good = 'a_total{kind=~\"x|y\"}'\nvalid = 'b_total{kind=~\"x|y\"}'\nlabels = { line = \"1\" }",
        "state = 'depth{line=\"1\"}'",
        "condition = \"depth < 5 and depth > 1\"",
        "condition = \"max_over_time(depth[5m]) < 5\"\nslice = \"5m\"",
        "error_ratio = \"rate(a_total[5m]) / rate(b_total[5m])\"\nslice = \"5m\"",
    ] {
        assert!(parse(sound).is_ok(), "{sound}: {:?}", parse(sound).err());
    }
    for (table, said) in [
        ("condition = \"depth <\"", "slo \"x\": condition"),
        ("condition = \"depht < 5\"", "names depht"),
        (
            "error_ratio = \"a_total / b_total\"",
            "slo \"x\": slice is missing",
        ),
        (
            "bad = 'rate(a_total{x=\"1\"}[5m])'\nvalid = \"b_total\"",
            "slo \"x\": bad is no counter or gauge",
        ),
        ("bad = 'a_total{x='\nvalid = \"b_total\"", "slo \"x\": bad"),
        (
            "condition = \"depth < 5\"\nstate = \"depth\"",
            "stands beside another one",
        ),
        (
            "condition = \"depth < 5\"\nlabels = { line = \"1\" }",
            "slo \"x\": labels says nothing beside condition: write it into the PromQL, or leave it out",
        ),
        (
            "state = \"depth\"\nthreshold = \"1s\"\nbad = \"a_total\"",
            "slo \"x\": bad says nothing beside state: leave it out",
        ),
        (
            "on = \"http\"\nrolling = 30\noffset_minutes = 60",
            "slo \"x\": offset_minutes says nothing without calendar",
        ),
        (
            "on = \"http\"\nslice = \"5m\"",
            "slo \"x\": slice says nothing beside on: leave it out",
        ),
    ] {
        let error = parse(table).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(said), "{table}\n{error}");
        assert!(!error.contains("needs one of good and bad"), "{error}");
    }
}
