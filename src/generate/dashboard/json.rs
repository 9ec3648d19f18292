//! Grafana's classic dashboard model, as far as it is written.

mod head;
mod panel;

use serde::Serialize;

use super::layout::Place;
use super::{Dashboard, Part};
use head::{Annotations, Link, Templating, Time};
use panel::Panel;

/// The version of the model that Grafana 11 writes; later ones move it on by themselves.
const SCHEMA_VERSION: u32 = 39;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Root<'a> {
    uid: &'a str,
    title: &'a str,
    description: &'a str,
    tags: &'a [String],
    editable: bool,
    graph_tooltip: u32,
    refresh: &'a str,
    schema_version: u32,
    version: u32,
    timezone: &'static str,
    time: Time<'a>,
    annotations: Annotations,
    links: [Link; 1],
    templating: Templating,
    panels: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Row(Row<'a>),
    Panel(Box<Panel<'a>>),
}

/// A line across the dashboard; its panels stand below it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    id: u32,
    r#type: &'static str,
    title: &'a str,
    collapsed: bool,
    grid_pos: Place,
    panels: [(); 0],
}

/// The data source that is chosen above.
#[derive(Debug, Clone, Copy, Serialize)]
struct Source {
    r#type: &'static str,
    uid: &'static str,
}

const PROMETHEUS: Source = Source {
    r#type: "prometheus",
    uid: "${datasource}",
};

/// The name of a query by its place in a panel.
pub(super) fn ref_id(at: usize) -> String {
    let letter = |at: usize| char::from(b'A' + (at % 26) as u8);
    match at / 26 {
        0 => letter(at).to_string(),
        more => format!("{}{}", letter(more - 1), letter(at)),
    }
}

/// The dashboard as a text that ends with a line feed.
pub(super) fn render(dashboard: &Dashboard) -> String {
    let root = Root {
        uid: &dashboard.uid,
        title: &dashboard.title,
        description: &dashboard.description,
        tags: &dashboard.tags,
        editable: false,
        graph_tooltip: 1,
        refresh: &dashboard.refresh,
        schema_version: SCHEMA_VERSION,
        version: 1,
        timezone: "browser",
        time: Time::back(&dashboard.from),
        annotations: Annotations::of_breaches(),
        links: [Link::to_ours()],
        templating: Templating::of(&dashboard.variables),
        panels: dashboard.parts.iter().map(entry).collect(),
    };
    // Strings and numbers under keys that are strings: there is nothing that JSON could not hold.
    let mut root = serde_json::to_value(&root).unwrap_or_default();
    // Otherwise their order would depend on a feature of serde_json, which any crate of the graph may ask for.
    root.sort_all_objects();
    format!("{root:#}\n")
}

fn entry(part: &Part) -> Entry<'_> {
    match part {
        Part::Row(id, title, place) => Entry::Row(Row {
            id: *id,
            r#type: "row",
            title,
            collapsed: false,
            grid_pos: *place,
            panels: [],
        }),
        Part::Panel(shown) => Entry::Panel(Box::new(Panel::of(shown))),
    }
}
