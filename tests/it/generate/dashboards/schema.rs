//! Grafana's published schemas, in the folder that `PLIMSOLL_GRAFANA_SCHEMAS` names.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{all, at, json, panels};

/// One definition of one schema file.
fn schema(file: &str, definition: &str) -> jsonschema::Validator {
    let folder = std::env::var("PLIMSOLL_GRAFANA_SCHEMAS").expect("set PLIMSOLL_GRAFANA_SCHEMAS");
    let path = PathBuf::from(folder).join(format!("{file}.jsonschema.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    schema["$ref"] = json!(format!("#/definitions/{definition}"));
    jsonschema::draft7::new(&schema).unwrap()
}

fn check(schema: &jsonschema::Validator, value: &Value, at: &str) {
    let errors: Vec<String> = schema
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{at}: {}", errors.join("\n"));
}

#[test]
#[ignore = "needs Grafana's schemas: tests/run"]
fn dashboards_are_as_grafana_says_that_they_are() {
    let dashboard_schema = schema("dashboard", "Dashboard");
    let query = schema("prometheus", "Dataquery");
    let mut checked = 0;
    for (_, dashboard) in all() {
        let dashboard = json(&dashboard);
        check(
            &dashboard_schema,
            &dashboard,
            &dashboard["title"].to_string(),
        );
        for panel in panels(&dashboard, false) {
            let at = at(&dashboard, panel);
            let kind = panel["type"].as_str().unwrap();
            let file = kind.replace('-', "");
            check(&schema(&file, "Options"), &panel["options"], &at);
            if matches!(kind, "timeseries" | "state-timeline" | "table") {
                let custom = &panel["fieldConfig"]["defaults"]["custom"];
                check(&schema(&file, "FieldConfig"), custom, &at);
            }
            for target in panel["targets"].as_array().into_iter().flatten() {
                check(&query, target, &at);
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
}

/// The schema does find what is wrong.
#[test]
#[ignore = "needs Grafana's schemas: tests/run"]
fn a_misspelt_key_is_seen() {
    let schema = schema("dashboard", "Dashboard");
    for (_, dashboard) in all() {
        let mut dashboard = json(&dashboard);
        let panel = dashboard["panels"]
            .as_array_mut()
            .unwrap()
            .last_mut()
            .unwrap();
        panel["gridpos"] = panel["gridPos"].take();
        assert!(!schema.is_valid(&dashboard));
    }
}
