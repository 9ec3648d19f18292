//! One panel.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{PROMETHEUS, Source, ref_id};
use crate::generate::dashboard::layout::Place;
use crate::generate::dashboard::{PanelKind, Shown};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Panel<'a> {
    id: u32,
    r#type: &'static str,
    title: &'a str,
    description: &'a str,
    grid_pos: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    datasource: Option<Source>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Target<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field_config: Option<Value>,
    options: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transformations: Vec<Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    ref_id: String,
    datasource: Source,
    editor_mode: &'static str,
    expr: &'a str,
    legend_format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    instant: bool,
    range: bool,
}

impl<'a> Panel<'a> {
    pub(super) fn of(shown: &'a Shown) -> Self {
        let is_text = shown.kind == PanelKind::Text;
        let is_table = shown.kind == PanelKind::Table;
        Self {
            id: shown.id,
            r#type: shown.kind.plugin(),
            title: &shown.title,
            description: &shown.description,
            grid_pos: shown.place,
            datasource: (!is_text).then_some(PROMETHEUS),
            targets: targets(shown),
            field_config: (!is_text).then(|| field_config(shown)),
            options: options(shown),
            transformations: if is_table {
                vec![without_time()]
            } else {
                Vec::new()
            },
        }
    }
}

fn targets(shown: &Shown) -> Vec<Target<'_>> {
    let instant = shown.kind.is_instant();
    let queries = shown.queries.iter().enumerate();
    queries
        .map(|(at, query)| Target {
            ref_id: ref_id(at),
            datasource: PROMETHEUS,
            editor_mode: "code",
            expr: &query.expr,
            legend_format: &query.legend,
            format: (shown.kind == PanelKind::Table).then_some("table"),
            instant,
            range: !instant,
        })
        .collect()
}

/// A table's row has its moment, which is the same in each.
fn without_time() -> Value {
    let excluded =
        json!({ "excludeByName": { "Time": true }, "indexByName": {}, "renameByName": {} });
    json!({ "id": "organize", "options": excluded })
}

fn field_config(shown: &Shown) -> Value {
    let mut defaults = Map::new();
    defaults.insert("unit".into(), json!(shown.unit));
    for (key, value) in [("min", shown.range.0), ("max", shown.range.1)] {
        defaults.extend(value.map(|value| (key.to_owned(), json!(value))));
    }
    let decimals = shown
        .decimals
        .map(|decimals| ("decimals".to_owned(), json!(decimals)));
    defaults.extend(decimals);
    let steps = shown.steps.iter();
    let steps: Vec<Value> = steps
        .map(|step| json!({ "value": step.value, "color": step.color }))
        .collect();
    defaults.insert(
        "thresholds".into(),
        json!({ "mode": "absolute", "steps": steps }),
    );
    let lines = shown.kind == PanelKind::Timeseries;
    let mode = if lines {
        "palette-classic"
    } else {
        "thresholds"
    };
    defaults.insert("color".into(), json!({ "mode": mode }));
    defaults.insert("mappings".into(), mappings(shown));
    if let Some((title, url)) = &shown.link {
        defaults.insert("links".into(), json!([link(title, url)]));
    }
    defaults.insert("custom".into(), custom(shown));
    json!({ "defaults": defaults, "overrides": [] })
}

fn link(title: &str, url: &str) -> Value {
    json!({
        "title": title, "url": url, "type": "link", "icon": "", "tooltip": "", "tags": [],
        "asDropdown": false, "targetBlank": false, "includeVars": false, "keepTime": false,
    })
}

/// What values stand for.
fn mappings(shown: &Shown) -> Value {
    if shown.states.is_empty() {
        return json!([]);
    }
    let states = shown.states.iter().enumerate();
    let named: Map<String, Value> = states
        .map(|(index, state)| {
            let result = json!({ "text": state.text, "color": state.color, "index": index });
            (state.value.to_string(), result)
        })
        .collect();
    json!([{ "type": "value", "options": named }])
}

/// What only one kind of panel knows of its fields.
fn custom(shown: &Shown) -> Value {
    let limits = if shown.steps.len() > 1 { "line" } else { "off" };
    match shown.kind {
        PanelKind::Timeseries => json!({
            "drawStyle": "line",
            "fillOpacity": 8,
            "lineWidth": 1,
            "showPoints": "never",
            "spanNulls": false,
            "thresholdsStyle": { "mode": limits },
        }),
        PanelKind::StateTimeline => json!({ "fillOpacity": 70, "lineWidth": 0 }),
        PanelKind::Table => json!({ "align": "auto", "inspect": false }),
        _ => json!({}),
    }
}

fn options(shown: &Shown) -> Value {
    let latest = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    let legend =
        json!({ "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] });
    match shown.kind {
        PanelKind::Timeseries => json!({
            "legend": {
                "displayMode": "table", "placement": "bottom", "showLegend": true,
                "calcs": ["lastNotNull", "max"],
            },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        PanelKind::Stat => json!({
            "colorMode": "background", "graphMode": "area", "justifyMode": "auto",
            "orientation": "auto", "percentChangeColorMode": "standard", "reduceOptions": latest,
            "showPercentChange": false, "textMode": "auto", "wideLayout": true,
        }),
        PanelKind::Gauge => json!({
            "minVizHeight": 75, "minVizWidth": 75, "orientation": "auto", "reduceOptions": latest,
            "showThresholdLabels": false, "showThresholdMarkers": true, "sizing": "auto",
        }),
        PanelKind::BarGauge => json!({
            "displayMode": "gradient", "legend": legend, "maxVizHeight": 300, "minVizHeight": 16,
            "minVizWidth": 8, "namePlacement": "auto", "orientation": "horizontal",
            "reduceOptions": latest, "showUnfilled": true, "sizing": "auto", "valueMode": "color",
        }),
        PanelKind::Table => json!({ "cellHeight": "sm", "frameIndex": 0, "showHeader": true }),
        PanelKind::StateTimeline => json!({
            "alignValue": "left", "legend": legend, "mergeValues": true, "rowHeight": 0.9,
            "showValue": "auto", "tooltip": { "mode": "single", "sort": "none" },
        }),
        PanelKind::Text => json!({ "mode": "markdown", "content": shown.content }),
    }
}
