use std::time::{Duration, UNIX_EPOCH};

use plimsoll::expr::Offset;
use plimsoll::generate::spec::{Note, to_openslo, to_sloth};
use plimsoll::{Budget, BurnAlert, Calendar, Maintenance, Plimsoll, Select, Severity, Slo};

use super::declaration;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn openslo_holds_the_service_and_each_slo_with_its_policies() {
    let api = Slo::availability("API {{x}}", Select::http()).objective(0.999);
    let api = api.burn_alerts([BurnAlert::new(Severity::Page, 0.02, HOUR)]);
    let export = to_openslo(&declaration([api]));
    assert_eq!(
        export.text,
        r#"apiVersion: 'openslo/v1'
kind: Service
metadata:
  name: shop
spec: {}
---
apiVersion: 'openslo/v1'
kind: AlertNotificationTarget
metadata:
  name: page
spec:
  target: page
---
apiVersion: 'openslo/v1'
kind: AlertPolicy
metadata:
  name: api-x-page-1h
spec:
  alertWhenBreaching: true
  alertWhenResolved: true
  alertWhenNoData: false
  conditions:
    - kind: AlertCondition
      metadata:
        name: api-x-page-1h
      spec:
        severity: page
        condition:
          kind: burnrate
          op: gt
          threshold: 13.44
          lookbackWindow: '1h'
          alertAfter: '0m'
  notificationTargets:
    - targetRef: page
---
apiVersion: 'openslo/v1'
kind: SLO
metadata:
  name: api-x
  displayName: 'API {{x}}'
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow:
    - duration: '28d'
      isRolling: true
  indicator:
    metadata:
      name: api-x
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: Prometheus
            spec:
              query: 'sum(rate(plimsoll_sli_bad_total{budget="API {{x}}",level="target"}[{{.window}}]))'
        total:
          metricSource:
            type: Prometheus
            spec:
              query: 'sum(rate(plimsoll_sli_valid_total{budget="API {{x}}",level="target"}[{{.window}}]))'
  objectives:
    - target: 0.999
  alertPolicies:
    - alertPolicyRef: api-x-page-1h
"#
    );
}

#[test]
fn sloth_holds_the_queries_and_which_alerts_there_are() {
    let api = Slo::availability("api", Select::http())
        .objective(0.999)
        .rolling(30);
    let quiet = Slo::availability("quiet", Select::db()).objective(0.99);
    let export = to_sloth(&declaration([api, quiet.rolling(30).burn_alerts([])]));
    assert_eq!(export.notes, []);
    assert_eq!(
        export.text,
        r#"version: 'prometheus/v1'
service: shop
slos:
  - name: api
    objective: 99.9
    sli:
      events:
        error_query: 'sum(rate(plimsoll_sli_bad_total{budget="api",level="target"}[{{.window}}]))'
        total_query: 'sum(rate(plimsoll_sli_valid_total{budget="api",level="target"}[{{.window}}]))'
    alerting:
      name: api
  - name: quiet
    objective: 99
    sli:
      events:
        error_query: 'sum(rate(plimsoll_sli_bad_total{budget="quiet",level="target"}[{{.window}}]))'
        total_query: 'sum(rate(plimsoll_sli_valid_total{budget="quiet",level="target"}[{{.window}}]))'
    alerting:
      name: quiet
      page_alert:
        disable: true
      ticket_alert:
        disable: true
"#
    );
}

fn paths(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| &*note.path).collect()
}

#[test]
fn what_is_lost_is_said() {
    let night = Maintenance::new(UNIX_EPOCH, UNIX_EPOCH + HOUR, "backup");
    let page = |seconds| BurnAlert::new(Severity::Page, 0.02, Duration::from_secs(seconds));
    let much = Slo::availability("much", Select::http())
        .objective(0.999)
        .calendar(Calendar::Week, Offset::minutes(330).unwrap())
        .per("route")
        .min_events(10)
        .confidence(0.9)
        .absent_after(HOUR)
        .maintenance(night)
        .sustained_half_window()
        .burn_alerts([page(90), page(3600)]);
    let builder = Plimsoll::builder().slo(much);
    let builder = builder.budget(Budget::error_ratio("errors", Select::http()).at_most(0.1));
    let declaration = builder.declaration().unwrap();
    let lost = [
        "per",
        "min_events",
        "confidence",
        "absent_after",
        "maintenance",
    ];
    let openslo = to_openslo(&declaration).notes;
    let own = [
        "spec.target",
        "burn_alert",
        "sustained_half_window",
        "burn_alert",
        "period",
    ];
    assert_eq!(paths(&openslo), [&own[..], &lost, &["budget"]].concat());
    assert_eq!(
        openslo[1].to_string(),
        "SLO \"much\": burn_alert: the page over 1m30s is left out: OpenSLO takes whole minutes"
    );
    let sloth = to_sloth(&declaration).notes;
    let own = ["period", "sustained_half_window", "burn_alert"];
    assert_eq!(paths(&sloth), [&lost[..], &own, &["budget"]].concat());
}

#[test]
fn only_who_is_told_by_a_policy_is_a_target() {
    let seconds = BurnAlert::new(Severity::Page, 0.02, Duration::from_secs(90));
    let hours = BurnAlert::new(Severity::Ticket, 0.1, 24 * HOUR);
    let api = Slo::availability("api", Select::http()).objective(0.999);
    let text = to_openslo(&declaration([api.burn_alerts([seconds, hours])])).text;
    assert_eq!(
        text.matches("kind: AlertNotificationTarget").count(),
        1,
        "{text}"
    );
    assert!(text.contains("target: ticket"), "{text}");
}

#[test]
fn names_that_would_be_the_same_are_numbered() {
    let slos = ["a b", "a-b", "A_B"].map(|name| Slo::availability(name, Select::http()));
    let slos = slos.map(|slo| slo.objective(0.999));
    let text = to_sloth(&declaration(slos)).text;
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("  - name: "));
    assert_eq!(names.collect::<Vec<_>>(), ["a-b", "a-b-2", "a-b-3"]);
}

#[test]
fn without_slos_there_is_the_service() {
    let empty = declaration([]);
    let sloth = to_sloth(&empty).text;
    assert_eq!(sloth, "version: 'prometheus/v1'\nservice: shop\nslos: []\n");
    assert!(to_openslo(&empty).text.ends_with("spec: {}\n"));
}
