use super::*;
use crate::engine::AlertState;
use crate::{Budget, Plimsoll};

fn declared(toml: &str) -> Declaration {
    Declaration::parse(toml).expect("no mistakes")
}

fn run(toml: &str, course: &str) -> Simulated {
    let course = course.parse().expect("a course");
    Simulation::new(declared(toml))
        .course(course)
        .run()
        .expect("it runs")
}

fn firing(result: &Simulated) -> Vec<(u64, String)> {
    let firing = result
        .changes
        .iter()
        .filter(|change| change.to == AlertState::Firing);
    firing
        .map(|change| (change.at.as_secs(), change.alert.to_string()))
        .collect()
}

const SLO: &str = r#"
    [[slo]]
    name = "api"
    on = "http"
    objective = 0.999
    rolling = 30
"#;

#[test]
fn a_full_outage_calls_somebody_within_a_minute() {
    let course: Course = "5m errors=100%".parse().expect("a course");
    let simulation = Simulation::new(declared(SLO))
        .traffic(10.0)
        .history(Duration::from_secs(2 * 3_600));
    let result = simulation.course(course).run().expect("it runs");
    // 1.44 % of an hour are 51.84 s.
    let fired = firing(&result);
    assert!(
        fired.contains(&(52, "api page 1h/5m".to_owned())),
        "{fired:?}"
    );
    let budget = &result.error_budgets[0];
    assert_eq!((&*budget.slo, budget.before), ("api", 1.0));
    assert!(budget.after < -30.0, "{budget:?}");
}

#[test]
fn every_operation_is_recorded() {
    let toml = r#"
        [[budget]]
        name = "orders"
        on = "http"
        labels = { route = "/orders/*" }
        sli = "error_ratio"
        at_most = 0.1
        [[budget]]
        name = "all"
        on = "http"
        quantile = 0.95
        at_most = "2s"
    "#;
    let result = run(toml, "3m, 2m errors=25% slow=50%");
    assert_eq!(
        result.operations,
        [r#"http{method="GET", route="/orders/example"}"#]
    );
    let sum = |of: fn(&SimulatedStep) -> u64| result.steps.iter().map(of).sum::<u64>();
    assert_eq!(sum(|step| step.operations), 30_000);
    assert_eq!(sum(|step| step.errors), 3_000);
    assert_eq!(sum(|step| step.slow), 6_000);
    let fired: Vec<_> = firing(&result).into_iter().map(|fired| fired.1).collect();
    assert_eq!(fired, ["all target", "orders target"]);
}

#[test]
fn counters_and_gauges_of_the_service_take_part() {
    let toml = r#"
        expect_families = ["cache_hits_total", "cache_misses_total", "jobs_total", "queue_depth"]
        [[budget]]
        name = "cache"
        hits = "cache_hits_total"
        misses = "cache_misses_total"
        at_least = 0.9
        [[budget]]
        name = "queue"
        gauge = "queue_depth"
        at_most = 100
    "#;
    let jobs = || Selector::new("jobs_total");
    let failed = Budget::ratio("jobs", jobs().label("status", "failed"), jobs()).at_most(0.3);
    let declaration = Plimsoll::builder().toml(toml).budget(failed).declaration();
    let course = "3m, 3m errors=20%".parse().expect("a course");
    let simulation = Simulation::new(declaration.expect("no mistakes")).course(course);
    let silent = simulation.run().expect("it runs");
    assert_eq!(silent.untouched, ["queue"]);
    assert!(
        firing(&silent)
            .iter()
            .all(|fired| fired.1 == "cache target"),
        "{silent:?}"
    );
    let counter = Selector::new("cache_hits_total");
    let counted = simulation.clone().set(counter, 3.0, Duration::ZERO).run();
    assert_eq!(
        counted.expect_err("it is counted").problems()[0].to_string(),
        "set \"cache_hits_total\" is a counter, and grows with the operations that are made up: leave it out, and say how \
         many there are and how many of them fail"
    );
    let depth = || Selector::new("queue_depth");
    let set =
        simulation
            .set(depth(), 5.0, Duration::ZERO)
            .set(depth(), 500.0, Duration::from_secs(60));
    let result = set.run().expect("it runs");
    assert_eq!(firing(&result)[0], (61, "queue target".to_owned()));
    assert!(result.untouched.is_empty());
}

#[test]
fn a_seed_draws_the_same_every_time() {
    let drawn = |seed| {
        let simulation = Simulation::new(declared(SLO)).seed(seed).errors(0.01);
        let course = Course::from(Phase::new(Duration::from_secs(60)));
        simulation.course(course).run().expect("it runs")
    };
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7).steps, drawn(8).steps);
    let errors: u64 = drawn(7).steps.iter().map(|step| step.errors).sum();
    assert!((30..=90).contains(&errors), "{errors} of 6000 at 1 %");
}

#[test]
fn it_begins_when_it_is_told_to() {
    let toml = format!(
        "{SLO}\n[[slo.maintenance]]\nstart = \"2026-02-01T02:00:00Z\"\nend = \"2026-02-01T03:00:00Z\"\nreason = \"upgrade\""
    );
    let left = |moment: &str| {
        let moment = humantime::parse_rfc3339(moment).expect("a moment");
        let course = "10m errors=100%".parse().expect("a course");
        let simulation = Simulation::new(declared(&toml))
            .begins(moment)
            .course(course);
        let history = Duration::from_secs(1_800);
        let result = simulation.history(history).run().expect("it runs");
        result.error_budgets[0].after
    };
    assert_eq!(left("2026-02-01T02:10:00Z"), 1.0, "within maintenance");
    assert!(left("2026-02-01T03:10:00Z") < 0.0);
    assert!(
        left("1970-01-01T00:10:00Z") < 0.0,
        "with as much history as there is"
    );
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let simulation =
        Simulation::new(declared(SLO)).set(Selector::new("no name"), 1.0, Duration::ZERO);
    let error = simulation.run().expect_err("no name of a metric");
    assert!(error.to_string().contains("no name"), "{error}");
}

#[test]
fn a_step_that_is_too_long_is_refused() {
    let simulation = Simulation::new(declared(SLO)).step(Duration::ZERO);
    let error = simulation.run().expect_err("no time at all");
    assert!(
        error.to_string().contains("step 0s does not fit: take 1s"),
        "{error}"
    );
}

#[test]
fn it_begins_when_the_clock_still_holds_it() {
    let begin = |moment: Duration| {
        let short = Course::from(Phase::new(Duration::from_secs(60)));
        let simulation =
            Simulation::new(Declaration::parse("").expect("no mistakes")).course(short);
        simulation.begins(UNIX_EPOCH + moment).run()
    };
    assert!(begin(LATEST).is_ok());
    let late = begin(LATEST + Duration::from_secs(1)).expect_err("it is too late");
    assert!(late.to_string().contains("begin earlier"), "{late}");
}

#[test]
fn what_nobody_would_notice_is_refused() {
    let toml = r#"
        expect_families = ["level", "queue_depth"]
        [[budget]]
        name = "level"
        condition = "level{tank=\"a\"} > 3"
        [[budget]]
        name = "queue"
        gauge = "queue_depth"
        at_most = 100
    "#;
    let refused = |gauge: Selector, at: u64| {
        let simulation = Simulation::new(declared(toml)).set(gauge, 1.0, Duration::from_secs(at));
        let error = simulation.run().expect_err("nobody notices");
        error.problems()[0].to_string()
    };
    assert_eq!(
        refused(Selector::new("queue_dept"), 0),
        "set queue_dept is read by no budget, SLO or rule: did you mean queue_depth? Others that are read: level{tank=\"a\"}"
    );
    let other = refused(Selector::new("level").label("tank", "b"), 0);
    assert!(other.contains("did you mean level{tank=\"a\"}?"), "{other}");
    assert_eq!(
        refused(Selector::new("queue_depth"), 7_200),
        "set queue_depth at 2h is not before the end, which is at 2h: name an earlier moment"
    );
}

#[test]
fn counters_that_are_measured_are_told_of() {
    let gateway = include_str!("../../examples/declarations/gateway.toml");
    let course = Course::from(Phase::new(Duration::from_secs(10)));
    let result = Simulation::new(declared(gateway)).course(course).run();
    let untouched = result.expect("it runs").untouched;
    assert!(
        untouched.contains(&"data-accuracy".to_owned()),
        "{untouched:?}"
    );
}

#[test]
fn counters_are_such_as_their_selectors_take() {
    let left = |bad: &str, valid: &str, course: &str| {
        let toml = format!(
            "expect_families = [\"b_total\"]\n[[slo]]\nname = \"b\"\nvalid = '{valid}'\nbad = '{bad}'\nobjective = 0.99\nrolling = 30"
        );
        let result = run(&toml, course);
        assert!(result.untouched.is_empty(), "{result:?}");
        result.error_budgets[0].after
    };
    for (bad, valid) in [
        (r#"b_total{code!="200"}"#, "b_total"),
        (r#"b_total{code=~"5.."}"#, r#"b_total{code!="404"}"#),
    ] {
        assert_eq!(left(bad, valid, "10m"), 1.0, "{bad}");
        let half = left(bad, valid, "10m errors=0.5%");
        assert!((half - 0.5).abs() < 0.05, "{bad}: {half}");
    }
    let same = "expect_families = [\"b_total\"]\n[[budget]]\nname = \"b\"\npart = \"b_total\"\nwhole = \"b_total\"\nat_most = 0.1";
    let result = run(same, "5m");
    assert_eq!(result.untouched, ["b"]);
    assert!(firing(&result).is_empty(), "{result:?}");
}

#[test]
fn what_is_recorded_from_what_is_set_is_touched() {
    use crate::expr::Expr;
    use crate::rule::{Rule, RuleGroup};

    let toml = r#"
        expect_families = ["depth", "depth_most"]
        [[budget]]
        name = "load"
        condition = "sum(shop:load) > 5"
        [[budget]]
        name = "most"
        condition = "sum(depth_most) > 5"
        [[budget]]
        name = "side"
        condition = "sum(depth{side=\"left\"}) > 5"
        [[budget]]
        name = "traffic"
        condition = "sum(shop:requests) > 5"
    "#;
    let of = |name: &str| Expr::select(Selector::new(name)).sum();
    let rules = RuleGroup::new(
        "shop",
        [
            Rule::record("shop:load", of("shop:depth")),
            Rule::record("shop:depth", of("depth")),
            Rule::record(
                "shop:requests",
                of("http_server_request_duration_seconds_count"),
            ),
        ],
    );
    let untouched = |toml: &str| {
        let declaration = Plimsoll::builder()
            .toml(toml)
            .rules([rules.clone()])
            .declaration();
        let course = Course::from(Phase::new(Duration::from_secs(10)));
        let right = Selector::new("depth").label("side", "right");
        let simulation = Simulation::new(declaration.expect("no mistakes")).course(course);
        let result = simulation.set(right, 1.0, Duration::ZERO).run();
        result.expect("it runs").untouched
    };
    assert_eq!(untouched(toml), ["most", "side", "traffic"]);
    assert_eq!(untouched(&format!("{toml}\n{SLO}")), ["most", "side"]);
}
