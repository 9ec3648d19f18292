//! What stands above the panels.

use serde::Serialize;
use serde_json::{Value, json};

use super::{PROMETHEUS, Source};
use crate::expr::TARGET_LABELS;
use crate::generate::dashboard::promql;
use crate::generate::dashboard::variables::Variable;

#[derive(Debug, Serialize)]
pub(super) struct Time<'a> {
    from: &'a str,
    to: &'static str,
}

impl<'a> Time<'a> {
    pub(super) fn back(from: &'a str) -> Self {
        Self { from, to: "now" }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Annotations {
    list: [Value; 2],
}

/// What a breach is marked by; the rule of the linter holds for it as for panels.
const BREACHED: &str = "max by (budget, level) (plimsoll_budget_state) == 2";

impl Annotations {
    /// Grafana's own, and when budgets are breached.
    pub(super) fn of_breaches() -> Self {
        // A constant that parses: the tests ask every dashboard for it.
        let expr = promql::narrowed(BREACHED).unwrap_or_default();
        Self {
            list: [
                json!({
                    "builtIn": 1,
                    "datasource": { "type": "grafana", "uid": "-- Grafana --" },
                    "enable": true,
                    "hide": true,
                    "iconColor": "rgba(0, 211, 255, 1)",
                    "name": "Annotations & Alerts",
                    "type": "dashboard",
                }),
                json!({
                    "datasource": PROMETHEUS,
                    "enable": true,
                    "hide": false,
                    "iconColor": "red",
                    "name": "Breaches",
                    "expr": expr,
                    "titleFormat": "{{budget}}",
                    "textFormat": "{{level}}",
                    "tagKeys": "level",
                    "useValueForTime": false,
                }),
            ],
        }
    }
}

/// A list of the other dashboards of ours.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
    title: &'static str,
    r#type: &'static str,
    icon: &'static str,
    tooltip: &'static str,
    tags: [&'static str; 1],
    as_dropdown: bool,
    target_blank: bool,
    include_vars: bool,
    keep_time: bool,
}

impl Link {
    pub(super) fn to_ours() -> Self {
        Self {
            title: "plimsoll",
            r#type: "dashboards",
            icon: "external link",
            tooltip: "",
            tags: ["plimsoll"],
            as_dropdown: true,
            target_blank: false,
            include_vars: true,
            keep_time: true,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Templating {
    list: Vec<Value>,
}

impl Templating {
    /// The data source, the job, the instance, and what the dashboard has of its own.
    pub(super) fn of(own: &[Variable]) -> Self {
        let [job, instance] = TARGET_LABELS;
        let jobs = format!("label_values(plimsoll_build_info, {job})");
        let instances =
            format!("label_values(plimsoll_build_info{{{job}=~\"${job}\"}}, {instance})");
        let mut list = vec![
            datasource(),
            several(job, "Job", &jobs),
            several(instance, "Instance", &instances),
        ];
        let own = own.iter();
        list.extend(own.map(|variable| one(variable.name, variable.label, &variable.query)));
        Self { list }
    }
}

fn datasource() -> Value {
    json!({
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "hide": 0,
        "includeAll": false,
        "multi": false,
        "options": [],
        "refresh": 1,
        "regex": "",
        "skipUrlSync": false,
    })
}

fn one(name: &str, label: &str, query: &str) -> Value {
    json!({
        "name": name,
        "label": label,
        "type": "query",
        "datasource": datasource_of(PROMETHEUS),
        "definition": query,
        "query": query,
        "hide": 0,
        "includeAll": false,
        "multi": false,
        "options": [],
        // When the time range changes.
        "refresh": 2,
        "regex": "",
        "skipUrlSync": false,
        // By name.
        "sort": 1,
    })
}

fn datasource_of(source: Source) -> Value {
    json!({ "type": source.r#type, "uid": source.uid })
}

fn several(name: &str, label: &str, query: &str) -> Value {
    let mut variable = one(name, label, query);
    variable["includeAll"] = json!(true);
    variable["multi"] = json!(true);
    variable["allValue"] = json!(".+");
    variable["current"] = json!({ "selected": true, "text": ["All"], "value": ["$__all"] });
    variable
}
