use std::time::Duration;

use plimsoll::generate::spec::from_sloth;
use plimsoll::{BurnAlert, Selector, Severity, Slo};

use super::{noted, refused};

const HOUR: Duration = Duration::from_secs(3600);

const PLAIN: &str = r#"version: "prometheus/v1"
service: "shop"
labels: { team: checkout }
slos:
  - name: "orders"
    objective: 99.9
    description: "Orders come through."
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="shop"}[{{.window}}]))
    alerting:
      name: OrdersFail
      page_alert: { labels: { to: pager } }
  - name: fast
    objective: 95
    sli:
      raw:
        error_ratio_query: |
          1 - (
            sum(rate(seconds_bucket{le="0.2"}[{{.window}}]))
            /
            sum(rate(seconds_count[{{.window}}]))
          )
    alerting:
      page_alert: { disable: true }
"#;

fn expected() -> [Slo; 2] {
    let all = || Selector::new("http_requests_total").label("job", "shop");
    let bad = all().label_matches("code", "(5..|429)").unwrap();
    let fast = Selector::new("seconds_bucket").label("le", "0.2");
    let tickets = [24, 72].map(|hours| BurnAlert::new(Severity::Ticket, 0.1, hours * HOUR));
    let orders = Slo::bad_ratio("orders", bad, all()).objective(0.999);
    let fast = Slo::good_ratio("fast", fast, Selector::new("seconds_count")).objective(0.95);
    [orders.rolling(30), fast.rolling(30).burn_alerts(tickets)]
}

#[test]
fn events_and_ratios_are_counters() {
    let import = from_sloth(PLAIN, &[]).unwrap();
    assert_eq!(import.slos, expected());
    assert_eq!(import.services, ["shop"]);
    noted(
        &import,
        &[
            ("labels", "is not kept"),
            ("slos[0].description", "known by its name"),
            ("slos[0].sli.events.error_query", "ask for the same job"),
            ("slos[0].sli.events.total_query", "ask for the same job"),
            ("slos[0].alerting.name", "named after their SLO"),
            ("slos[0].alerting.page_alert.labels", "is not kept"),
        ],
    );
}

#[test]
fn the_resource_says_the_same() {
    let lines = PLAIN.lines().skip(1);
    let spec: String = lines.map(|line| format!("  {line}\n")).collect();
    let names = [
        ("error_query", "errorQuery"),
        ("total_query", "totalQuery"),
        ("error_ratio_query", "errorRatioQuery"),
        ("page_alert", "pageAlert"),
    ];
    let spec = names
        .iter()
        .fold(spec, |spec, (plain, name)| spec.replace(plain, name));
    let head = "apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\n";
    let head = format!("{head}metadata: {{ name: shop, namespace: prod }}\nspec:\n");
    let import = from_sloth(&format!("{head}{spec}"), &[]).unwrap();
    assert_eq!(import.slos, expected());
    let plain = spec.replace("pageAlert", "page_alert");
    let at = |slo: u8| format!("spec.slos[{slo}].alerting.page_alert");
    refused(
        from_sloth(&format!("{head}{plain}"), &[]),
        &[
            (
                17,
                &at(0),
                "is not known here: known are annotations, labels, name, pageAlert",
            ),
            (29, &at(1), "is not known here"),
        ],
    );
}

#[test]
fn every_mistake_is_told_at_once_with_its_line() {
    let text = "\
version: prometheus/v1
service: shop
slos:
  - name: share
    objective: 0.999
    sli: { plugin: { id: sloth-common/http } }
  - name: none
    objective: 100
    sli: {}
  - objective: 99
    sli: { raw: { error_ratio_query: 'job:errors:ratio' } }
  - name: twice
    objective: 99
    sli: { events: { error_query: a_total, total_query: b_total } }
  - name: twice
    objective: 99
    sli: { events: { error_query: a_total, total_qury: b_total } }
  - name: twice
    objective: 99
    period: 1w2h
    sli: { events: { error_query: a_total, total_query: b_total } }
  - name: twice
    objective: 99
    sli: { events: { error_query: a_total, total_query: b_total } }
---
version: prometheus/v2
---
apiVersion: sloth.slok.dev/v2
kind: AlertWindows
spec: {}
";
    refused(
        from_sloth(text, &[]),
        &[
            (
                5,
                "slos[0].objective",
                "is a share, and means 0.999 % here: write 99.9",
            ),
            (6, "slos[0].sli.plugin", "write out its queries"),
            (8, "slos[1].objective", "not between 0 and 100"),
            (9, "slos[1].sli", "one of events and raw"),
            (10, "slos[2].name", "is missing"),
            (
                11,
                "slos[2].sli.raw.error_ratio_query",
                "of which no events are known",
            ),
            (17, "slos[4].sli.events.total_query", "is missing"),
            (
                17,
                "slos[4].sli.events.total_qury",
                "known are error_query, total_query",
            ),
            (20, "slos[5].period", "number of days"),
            (22, "slos[6]", "second SLO \"twice\""),
            (26, "version", "\"prometheus/v2\" is not what is read here"),
            (28, "apiVersion", "which is sloth.slok.dev/v1"),
            (29, "kind", "which is PrometheusServiceLevel"),
        ],
    );
}

#[test]
fn a_period_of_days_is_kept() {
    let sli = "{ events: { error_query: a_total, total_query: b_total } }";
    let slo = format!("{{ name: a, objective: 99, period: 28d, sli: {sli} }}");
    let text = format!("version: prometheus/v1\nservice: s\nslos: [{slo}]\n");
    let slo = Slo::bad_ratio("a", Selector::new("a_total"), Selector::new("b_total"));
    assert_eq!(from_sloth(&text, &[]).unwrap().slos, [slo.objective(0.99)]);
}
