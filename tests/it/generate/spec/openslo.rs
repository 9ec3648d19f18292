use std::time::Duration;

use plimsoll::expr::{Offset, Over};
use plimsoll::generate::spec::{Import, from_openslo};
use plimsoll::{BurnAlert, Calendar, Expr, Plimsoll, Selector, Severity, Slo};

use super::{noted, refused};

const HOUR: Duration = Duration::from_secs(3600);

fn read(text: &str) -> Import {
    from_openslo(text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// An SLO with this in its `spec`, from line 6 on.
fn slo(name: &str, spec: &str) -> String {
    let indented: String = spec
        .trim_matches('\n')
        .lines()
        .map(|line| format!("  {line}\n"))
        .collect();
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{ name: {name} }}\nspec:\n  service: shop\n{indented}"
    )
}

const REST: &str =
    "budgetingMethod: Occurrences\ntimeWindow: [{ duration: 28d, isRolling: true }]\n";

/// One with this part of all requests.
fn ratio(part: &str, query: &str, total: &str, objectives: &str) -> String {
    let metric = |query: &str| format!("{{ metricSource: {{ spec: {{ query: {query:?} }} }} }}");
    let (query, total) = (metric(query), metric(total));
    let sli = format!("ratioMetric: {{ counter: true, {part}: {query}, total: {total} }}");
    let indicator = format!("indicator: {{ metadata: {{ name: i }}, spec: {{ {sli} }} }}");
    slo(
        "api",
        &format!("{REST}{indicator}\nobjectives: {objectives}"),
    )
}

/// One over a metric, by slices or samples.
fn threshold(method: &str, query: &str, objective: &str) -> String {
    let source = format!("metricSource: {{ type: Prometheus, spec: {{ query: {query:?} }} }}");
    let sli = format!("thresholdMetric: {{ {source} }}");
    let indicator = format!("indicator: {{ metadata: {{ name: i }}, spec: {{ {sli} }} }}");
    let window = "timeWindow: [{ duration: 4w, isRolling: true }]";
    slo(
        "line",
        &format!("budgetingMethod: {method}\n{window}\n{indicator}\nobjectives: [{objective}]"),
    )
}

fn errors() -> String {
    ratio(
        "bad",
        "errors_total",
        "requests_total",
        "[{ target: 0.999 }]",
    )
}

fn of_errors() -> Slo {
    let (bad, valid) = (
        Selector::new("errors_total"),
        Selector::new("requests_total"),
    );
    Slo::bad_ratio("api", bad, valid).objective(0.999)
}

#[test]
fn what_one_counter_counts_is_found_in_many_forms() {
    let all = || Selector::new("http_requests_total");
    let good = all().label_not_matches("code", "5..").unwrap();
    let expected = Slo::good_ratio("api", good, all()).objective(0.999);
    let expected = expected.burn_alerts([]);
    let part = r#"http_requests_total{code!~"5.."}"#;
    for (query, total) in [
        ("sum(rate(PART[5m]))", "sum(rate(http_requests_total[5m]))"),
        (
            "sum(rate(PART[{{.window}}]))",
            "sum(rate(http_requests_total[{{ .window }}]))",
        ),
        (
            "sum(increase(PART[$__rate_interval]))",
            "sum(http_requests_total)",
        ),
        ("PART", "http_requests_total"),
        (
            "sum(rate(PART[${window}])) or vector(0)",
            "(sum(rate(http_requests_total[1h])))",
        ),
    ] {
        let query = query.replace("PART", part);
        let import = read(&ratio("good", &query, total, "[{ target: 0.999 }]"));
        assert_eq!(import.slos, std::slice::from_ref(&expected), "{query}");
        assert_eq!(import.services, ["shop"]);
        assert_eq!(import.notes, []);
    }
}

#[test]
fn what_is_taken_from_the_total_is_the_other_part() {
    let text = ratio(
        "bad",
        r#"sum(rate(seconds_count[5m])) - sum(rate(seconds_bucket{le="0.2"}[5m]))"#,
        "sum(rate(seconds_count[5m]))",
        "[{ targetPercent: 99.5 }]",
    );
    let fast = Selector::new("seconds_bucket").label("le", "0.2");
    let expected = Slo::good_ratio("api", fast, Selector::new("seconds_count"));
    assert_eq!(
        read(&text).slos,
        [expected.objective(0.995).burn_alerts([])]
    );
}

#[test]
fn several_objectives_are_several_slos() {
    let objectives = "[{ displayName: Gold Plan, target: 0.999 }, { target: 0.99 }]";
    let slos = read(&ratio("bad", "errors_total", "requests_total", objectives)).slos;
    let names: Vec<_> = slos.iter().map(Slo::name).collect();
    assert_eq!(names, ["api-gold-plan", "api-1"]);
}

#[test]
fn documents_refer_to_each_other_in_any_order() {
    let text = "\
apiVersion: openslo/v1
kind: Service
metadata: { name: shop, displayName: The Shop }
spec: {}
---
apiVersion: openslo/v1
kind: SLO
metadata: { name: orders }
spec:
  description: Orders come through.
  service: shop
  indicatorRef: order-errors
  budgetingMethod: Occurrences
  timeWindow:
    - duration: 1M
      calendar: { startTime: 2024-01-01 00:00:00, timeZone: Etc/GMT-1 }
  objectives:
    - target: 0.99
  alertPolicies:
    - alertPolicyRef: fast
    - kind: AlertPolicy
      metadata: { name: slow }
      spec:
        alertWhenBreaching: true
        conditions: [{ conditionRef: slow-burn }]
        notificationTargets: [{ targetRef: chat }]
---
apiVersion: openslo/v1
kind: SLI
metadata: { name: order-errors }
spec:
  ratioMetric:
    counter: true
    bad: { metricSource: { metricSourceRef: main, spec: { query: 'orders_total{result=\"error\"}' } } }
    total: { metricSource: { metricSourceRef: main, spec: { query: orders_total } } }
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: { name: fast }
spec:
  alertWhenBreaching: true
  conditions:
    - kind: AlertCondition
      metadata: { name: fast-burn }
      spec:
        severity: page
        condition: { kind: burnrate, op: gt, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m }
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: { name: slow-burn }
spec:
  severity: warning
  condition: { kind: burnrate, threshold: 3, lookbackWindow: 1d }
---
apiVersion: openslo/v1
kind: DataSource
metadata: { name: main }
spec: { type: prometheus, connectionDetails: { url: http://localhost:9090 } }
---
";
    let import = read(text);
    let bad = Selector::new("orders_total").label("result", "error");
    let expected = Slo::bad_ratio("orders", bad, Selector::new("orders_total"))
        .objective(0.99)
        .calendar(Calendar::Month, Offset::minutes(60).unwrap())
        .burn_alerts([
            BurnAlert::new(Severity::Page, 0.02, HOUR),
            BurnAlert::new(Severity::Ticket, 0.1, 24 * HOUR),
        ]);
    assert_eq!(import.slos, [expected]);
    let targets = "spec.alertPolicies[1].spec.notificationTargets";
    noted(
        &import,
        &[
            ("metadata.displayName", "is not kept"),
            ("spec.description", "is not kept"),
            (targets, "by their severity"),
            ("spec", "short window of 5m"),
            ("", "is not needed"),
        ],
    );
    let foreign = text.replace("type: prometheus", "type: Datadog");
    let path = |part: &str| format!("spec.ratioMetric.{part}.metricSource.metricSourceRef");
    let (bad, total) = (path("bad"), path("total"));
    refused(
        from_openslo(&foreign, &[]),
        &[
            (34, &*bad, "of type \"Datadog\""),
            (35, &*total, "of type \"Datadog\""),
        ],
    );
}

#[test]
fn the_usual_alerts_are_the_usual_alerts() {
    let burn = |severity: &str, rate: &str, long: &str| {
        let condition =
            format!("{{ kind: burnrate, op: gt, threshold: {rate}, lookbackWindow: {long} }}");
        let condition = format!("{{ spec: {{ severity: {severity}, condition: {condition} }} }}");
        format!("\n  - {{ spec: {{ alertWhenBreaching: true, conditions: [{condition}] }} }}")
    };
    let all = burn("page", "13.44", "1h") + &burn("page", "5.6", "6h");
    let all = all + &burn("ticket", "2.8", "1d") + &burn("ticket", "0.933333333333", "3d");
    let slos = read(&format!("{}  alertPolicies:{all}\n", errors())).slos;
    assert_eq!(slos, [of_errors()]);
    for (severity, rate, path, part) in [
        (
            "page",
            "800",
            "threshold",
            "of the error budget before it fires",
        ),
        ("sev3", "13.44", "severity", "is no severity here"),
    ] {
        let policy = burn(severity, rate, "1h");
        let error =
            from_openslo(&format!("{}  alertPolicies:{policy}\n", errors()), &[]).unwrap_err();
        assert!(
            error.mistakes.len() == 1 && error.mistakes[0].path.ends_with(path),
            "{error}"
        );
        assert!(error.mistakes[0].message.contains(part), "{error}");
    }
}

#[test]
fn thresholds_are_shares_of_time() {
    let line = || Selector::new("line_connected");
    let slice = Duration::from_secs(300);
    let samples = threshold(
        "Occurrences",
        "line_connected",
        "{ op: gte, value: 1, target: 0.99 }",
    );
    let connected = Expr::select(line()).greater_equal(1.0);
    let expected = Slo::time_based("line", connected).objective(0.99);
    assert_eq!(read(&samples).slos, [expected.burn_alerts([])]);
    let slices = "{ op: gte, value: 1, target: 0.99, timeSliceTarget: 1, timeSliceWindow: 5 }";
    let worst = Expr::Over(Over::Min, line(), slice).greater_equal(1.0);
    let expected = Slo::time_slice("line", worst, slice).objective(0.99);
    let text = threshold("Timeslices", "line_connected", slices);
    assert_eq!(read(&text).slos, [expected.burn_alerts([])]);
    let path = "spec.objectives[0]";
    let most = text.replace("timeSliceTarget: 1", "timeSliceTarget: 0.9");
    refused(
        from_openslo(&most, &[]),
        &[(9, path, "write timeSliceTarget: 1")],
    );
    let ratios = text.replace("Timeslices", "RatioTimeslices");
    refused(
        from_openslo(&ratios, &[]),
        &[(9, path, "which has no ratio")],
    );
}

#[test]
fn what_is_no_selector_is_looked_at_once_a_slice() {
    let slice = Duration::from_secs(300);
    let quantile = "histogram_quantile(0.95, sum by (le) (rate(seconds_bucket[5m])))";
    let objective =
        "{ op: lt, value: 0.2, target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5m }";
    let import = read(&threshold("Timeslices", quantile, objective));
    let fast = Expr::parse(quantile).unwrap().less(0.2);
    let expected = Slo::time_slice("line", fast, slice).objective(0.99);
    assert_eq!(import.slos, [expected.burn_alerts([])]);
    noted(&import, &[("spec.objectives[0]", "at its end")]);
}

#[test]
fn slices_of_ratios_are_judged_over_the_slice() {
    let minute = Duration::from_secs(60);
    let objective = "[{ target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 1m }]";
    let text = ratio("bad", "errors_total", "requests_total", objective);
    let share = Expr::parse("sum(rate(errors_total[1m])) / sum(rate(requests_total[1m]))").unwrap();
    let kept = Expr::parse(&format!("{share} <= 0.05")).unwrap();
    let expected = Slo::time_slice("api", kept, minute).objective(0.99);
    let sliced = read(&text.replace("Occurrences", "Timeslices")).slos;
    assert_eq!(sliced, [expected.burn_alerts([])]);
    let expected = Slo::ratio_time_slices("api", share, minute).objective(0.99);
    let mean = read(&text.replace("Occurrences", "RatioTimeslices")).slos;
    assert_eq!(mean, [expected.burn_alerts([])]);
}

#[test]
fn objectives_with_indicators_are_a_weighted_mean() {
    let part = |family: &str, rest: &str| {
        let metric = |query: &str| format!("{{ metricSource: {{ spec: {{ query: {query} }} }} }}");
        let bad = metric(&format!("{family}_errors_total"));
        let total = metric(&format!("{family}_total"));
        let sli = format!("{{ spec: {{ ratioMetric: {{ bad: {bad}, total: {total} }} }} }}");
        format!("\n  - {{ displayName: {family}, {rest}, indicator: {sli} }}")
    };
    let orders = part("orders", "target: 0.99, compositeWeight: 3");
    let parts = orders + &part("payments", "target: 0.95");
    let import = read(&slo("shop", &format!("{REST}objectives:{parts}")));
    let of = |family: &str, target| {
        let bad = Selector::new(format!("{family}_errors_total"));
        let all = Selector::new(format!("{family}_total"));
        let slo = Slo::bad_ratio(format!("shop-{family}"), bad, all);
        slo.objective(target).burn_alerts([])
    };
    let (orders, payments) = (of("orders", 0.99), of("payments", 0.95));
    let whole = Slo::weighted("shop", [(&orders, 3.0), (&payments, 1.0)]);
    let whole = whole.objective(0.98).burn_alerts([]);
    assert_eq!(import.slos, [orders, payments, whole]);
}

#[test]
fn what_is_imported_can_be_built() {
    let builder = Plimsoll::builder()
        .expect_family("errors_total")
        .expect_family("requests_total");
    let slos = read(&errors()).slos.into_iter();
    let plimsoll = slos.fold(builder, |builder, slo| builder.slo(slo)).build();
    assert_eq!(&*plimsoll.unwrap().slos()[0].slo, "api");
}

#[test]
fn periods_are_days_or_of_the_calendar() {
    let with = |window: &str| {
        let text = errors().replace("{ duration: 28d, isRolling: true }", window);
        read(&text).slos.remove(0)
    };
    let calendar = |duration: &str, start: &str, zone: &str| {
        let calendar = format!("{{ startTime: {start}, timeZone: '{zone}' }}");
        with(&format!("{{ duration: {duration}, calendar: {calendar} }}"))
    };
    let expected = || of_errors().burn_alerts([]);
    assert_eq!(
        with("{ duration: 4w, isRolling: true }"),
        expected().rolling(28)
    );
    assert_eq!(
        with("{ duration: 72h, isRolling: true }"),
        expected().rolling(3)
    );
    let east = Offset::minutes(330).unwrap();
    let week = calendar("1w", "2026-11-16 00:00:00", "+05:30");
    assert_eq!(week, expected().calendar(Calendar::Week, east));
    let west = Offset::minutes(-300).unwrap();
    let quarter = calendar("1Q", "2026-10-01 00:00:00", "Etc/GMT+5");
    assert_eq!(quarter, expected().calendar(Calendar::Quarter, west));
    let without = errors().replace("  timeWindow: [{ duration: 28d, isRolling: true }]\n", "");
    noted(&read(&without), &[("spec", "28 days")]);
}

#[test]
fn every_mistake_is_told_at_once_with_its_line() {
    let text = "\
apiVersion: openslo/v1
kind: SLO
metadata: { name: api }
spec:
  service: shop
  budgetingMethod: Ocurrences
  timeWindow:
    - duration: 1M
      isRolling: true
  indicator:
    metadata: { name: i }
    spec: {}
  objectives:
    - target: 99.9
    - targetPercent: 0.99
      timeSlceWindow: 5m
  alertPolicies:
    - alertPolicyRef: nowhere
---
apiVersion: openslo/v1
kind: SLOO
metadata: {}
spec: {}
---
apiVersion: openslo/v2alpha
kind: SLO
metadata: { name: later }
spec: {}
---
apiVersion: openslo/v1alpha
kind: SLO
metadata: { name: earlier }
spec: {}
---
apiVersion: v1
kind: ConfigMap
metadata: { name: foreign }
spec: {}
---
apiVersion: openslo/v1
kind: SLO
metadata: { name: api }
spec: { service: shop, budgetingMethod: Occurrences, objectives: [], indicatorRef: gone }
";
    refused(
        from_openslo(text, &[]),
        &[
            (
                6,
                "spec.budgetingMethod",
                "choose Occurrences, Timeslices or",
            ),
            (
                8,
                "spec.timeWindow[0].duration",
                "no fixed length: write days",
            ),
            (12, "spec.indicator.spec", "takes one of ratioMetric and"),
            (
                14,
                "spec.objectives[0].target",
                "is a percentage: write 0.999",
            ),
            (
                15,
                "spec.objectives[1].targetPercent",
                "is a share, and means 0.99 %",
            ),
            (
                16,
                "spec.objectives[1].timeSlceWindow",
                "is not known here: known are",
            ),
            (
                18,
                "spec.alertPolicies[0].alertPolicyRef",
                "is no AlertPolicy of this",
            ),
            (21, "kind", "is no kind of OpenSLO v1: known are SLO"),
            (22, "metadata.name", "is missing"),
            (25, "apiVersion", "is another version: openslo/v1 is read"),
            (30, "apiVersion", "is another version"),
            (35, "apiVersion", "is not OpenSLO: write openslo/v1"),
            (40, "", "stands twice: give one of both another name"),
            (43, "spec.indicatorRef", "is no SLI of this file"),
            (43, "spec.objectives", "holds none"),
        ],
    );
}

#[test]
fn queries_that_no_slo_could_count_are_refused() {
    for (query, total, part) in [
        (
            "sum by (route) (rate(a_total[5m]))",
            "a_total",
            "keeps labels apart (`sum by (route)`)",
        ),
        (
            "sum(rate(a_total[5m])) * 2",
            "a_total",
            "is not what one counter counts",
        ),
        ("max(a_total)", "a_total", "is not what one counter counts"),
        (
            "sum(a_total) - sum(b_total)",
            "c_total",
            "which is not the total c_total",
        ),
        (
            "sum(rate(a_total[{{.range}}]))",
            "a_total",
            "a range other than [{{.window}}]",
        ),
        ("sum(rate(a_total[5m])", "a_total", "is not PromQL"),
        ("topk(1, a_total)", "a_total", "topk"),
    ] {
        let text = ratio("bad", query, total, "[{ target: 0.999 }]");
        let path = "spec.indicator.spec.ratioMetric.bad.metricSource.spec.query";
        refused(from_openslo(&text, &[]), &[(8, path, part)]);
    }
    for (total, part) in [
        ("sum(a_total) - sum(b_total)", "the total is a difference"),
        ("count(a_total)", "`count(a_total)` is not what one counter"),
    ] {
        let text = ratio("bad", "b_total", total, "[{ target: 0.999 }]");
        let path = "spec.indicator.spec.ratioMetric.total.metricSource.spec.query";
        refused(from_openslo(&text, &[]), &[(8, path, part)]);
    }
}

#[test]
fn every_mistake_of_a_calendar_is_said() {
    let calendar = "{ startTime: noon, timeZone: Europe/Berlin }";
    let window = format!("{{ duration: 1Y, calendar: {calendar} }}");
    let text = errors().replace("{ duration: 28d, isRolling: true }", &window);
    let error = from_openslo(&text, &[]).unwrap_err();
    let fields = error
        .mistakes
        .iter()
        .map(|mistake| mistake.path.rsplit('.').next().unwrap());
    let fields: std::collections::BTreeSet<_> = fields.collect();
    assert_eq!(
        fields,
        ["duration", "startTime", "timeZone"].into(),
        "{error}"
    );
}

#[test]
fn what_would_be_something_else_is_refused() {
    let window = "{ duration: 28d, isRolling: true }";
    let zoned = |zone: &str, start: &str| {
        format!("{{ duration: 1M, calendar: {{ startTime: {start}, timeZone: {zone} }} }}")
    };
    let berlin = zoned("Europe/Berlin", "2024-01-01 00:00:00");
    let noon = zoned("Etc/UTC", "2024-01-21 12:30:00");
    let target = "target: 0.999";
    for (from, to, path, part) in [
        (
            window,
            &*berlin,
            "timeWindow[0].calendar.timeZone",
            "no fixed offset",
        ),
        (
            window,
            &noon,
            "timeWindow[0].calendar.startTime",
            "where a month of the",
        ),
        (
            window,
            "{ duration: 1Y, calendar: {} }",
            "timeWindow[0].duration",
            "1d, 1w, 1M or 1Q",
        ),
        (
            window,
            "{ duration: 36h, isRolling: true }",
            "timeWindow[0].duration",
            "from 1 to 366",
        ),
        (
            window,
            "{ duration: '28', isRolling: true }",
            "timeWindow[0].duration",
            "no duration",
        ),
        (
            window,
            "{ duration: 28d }",
            "timeWindow[0]",
            "neither isRolling: true nor a calendar",
        ),
        (
            "counter: true",
            "counter: false",
            "indicator.spec.ratioMetric.counter",
            "read gauges",
        ),
        (
            target,
            "target: 1",
            "objectives[0].target",
            "not between 0 and 1",
        ),
        (
            target,
            "target: nan",
            "objectives[0].target",
            "must be a number",
        ),
        (
            target,
            "displayName: x",
            "objectives[0].target",
            "is missing",
        ),
    ] {
        let error = from_openslo(&errors().replace(from, to), &[]).unwrap_err();
        let [mistake] = &error.mistakes[..] else {
            panic!("{error}")
        };
        assert_eq!(mistake.path, format!("spec.{path}"), "{error}");
        assert!(
            mistake.message.contains(part) && mistake.line > 5,
            "{error}"
        );
    }
}

#[test]
fn the_counters_of_an_slo_that_is_not_declared_are_nothing_to_count() {
    let own = |family: &str, name: &str| format!(r#"{family}{{budget="{name}",level="target"}}"#);
    let bad = own("plimsoll_sli_bad_total", "api");
    let path = "spec.indicator.spec.ratioMetric.bad.metricSource.spec.query";
    for (valid, part) in [("api", "not declared: declare it"), ("db", "of one SLO")] {
        let valid = own("plimsoll_sli_valid_total", valid);
        let text = ratio("bad", &bad, &valid, "[{ target: 0.999 }]");
        refused(from_openslo(&text, &[]), &[(8, path, part)]);
    }
}

#[test]
fn what_is_no_file_is_refused() {
    refused(from_openslo("", &[]), &[(0, "", "holds no document")]);
    refused(
        from_openslo("---\n---\n", &[]),
        &[(0, "", "holds no document")],
    );
    let cut: String = errors()
        .lines()
        .take(7)
        .map(|line| format!("{line}\n"))
        .collect();
    refused(
        from_openslo(&cut, &[]),
        &[
            (5, "spec", "has no indicator"),
            (5, "spec.objectives", "is missing"),
        ],
    );
    refused(
        from_openslo("a: &x 1\nb: *x\n", &[]),
        &[(2, "", "write out what it stands for")],
    );
    let error = from_openslo("- a\n", &[]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("line 1: document 1: is \"a\" and must be a map\n"),
        "{error}"
    );
}

#[test]
fn what_comes_before_a_break_is_told_as_well() {
    let text = "apiVersion: openslo/v1\nkind: Slo\nmetadata: { name: a }\nspec: {}\n---\nkind: [\n";
    let error = from_openslo(text, &[]).unwrap_err();
    let mut paths: Vec<_> = error
        .mistakes
        .iter()
        .map(|mistake| &*mistake.path)
        .collect();
    paths.sort_unstable();
    assert_eq!(paths, ["", "kind"], "{error}");
    assert!(error.to_string().contains("is no YAML"), "{error}");
}

#[test]
fn files_of_any_size_end() {
    let large = format!("{}---\n", errors()).repeat(30_000);
    assert!(large.len() > 10_000_000);
    refused(
        from_openslo(&large, &[]),
        &[(0, "", "split what is longer than 4194304")],
    );
    let named = |at| {
        format!(
            "{}---\n",
            errors().replace("name: api", &format!("name: a{at}"))
        )
    };
    let many: String = (0..2_000).map(named).collect();
    assert_eq!(from_openslo(&many, &[]).unwrap().slos.len(), 2_000);
    let keys: String = (0..50_000).map(|at| format!("k{at}: 1\n")).collect();
    assert_eq!(from_openslo(&keys, &[]).unwrap_err().mistakes.len(), 4);
}
