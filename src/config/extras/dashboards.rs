//! `[[dashboard]]` tables.

use std::fmt::Debug;

use toml::{Table, Value};

use crate::config::fields::Fields;
use crate::generate::{Dashboard, DashboardBuilder, Panel, PanelKind, SloView};

/// Takes the dashboards out of the root of a file.
pub(super) fn read(root: &mut Fields<'_>) -> Vec<DashboardBuilder> {
    let tables = root.tables("dashboard");
    tables
        .into_iter()
        .map(|table| dashboard(root, table))
        .collect()
}

fn dashboard(root: &mut Fields<'_>, table: Table) -> DashboardBuilder {
    let uid = name(&table, "uid");
    let mut fields = root.beside(&format!("dashboard {uid:?}: "), table);
    fields.string("uid");
    let title = fields.string("title").unwrap_or_default();
    let mut dashboard = Dashboard::builder(uid, title);
    dashboard.description = fields.string("description").unwrap_or_default();
    dashboard.tags = fields.words("tags");
    dashboard.refresh = fields.duration("refresh").unwrap_or(dashboard.refresh);
    dashboard.range = fields.duration("range").unwrap_or(dashboard.range);
    let (rows, panels) = (fields.tables("row"), fields.tables("panel"));
    for table in panels {
        dashboard = dashboard.panel(panel(&mut fields, table));
    }
    for table in rows {
        let title = name(&table, "title");
        let mut row = fields.beside(&format!("row {title:?}: "), table);
        row.string("title");
        dashboard = dashboard.row(title);
        for table in row.tables("panel") {
            dashboard = dashboard.panel(panel(&mut row, table));
        }
        row.finish();
    }
    fields.finish();
    dashboard
}

fn name(table: &Table, field: &str) -> String {
    let name = table.get(field).and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

fn panel(row: &mut Fields<'_>, table: Table) -> Panel {
    let title = name(&table, "title");
    let mut fields = row.beside(&format!("panel {title:?}: "), table);
    fields.string("title");
    let kind = chosen(&mut fields, "kind", &PanelKind::ALL);
    let mut panel = Panel::new(kind.unwrap_or(PanelKind::Timeseries), title);
    panel.description = fields.string("description").unwrap_or_default();
    panel.unit = fields.string("unit");
    panel.content = fields.string("text").unwrap_or_default();
    panel.budgets = fields.words("budget");
    panel.range = (fields.number("min"), fields.number("max"));
    panel.decimals = fields.integer("decimals").map(small);
    panel.size = (
        fields.integer("width").map(small),
        fields.integer("height").map(small),
    );
    let view = chosen(&mut fields, "show", &SloView::ALL);
    match (fields.string("slo"), view) {
        (Some(slo), view) => panel = panel.slo(slo, view.unwrap_or_default()),
        (None, Some(_)) => fields.report("show", "needs slo = \"...\" beside it"),
        (None, None) => {}
    }
    panel = quantiles(&mut fields, panel);
    for table in fields.tables("queries") {
        let mut query = fields.beside("queries: ", table);
        let expr = query.string("expr").unwrap_or_default();
        panel = panel.query(expr, query.string("legend").unwrap_or_default());
        query.finish();
    }
    for table in fields.tables("states") {
        let mut state = fields.beside("states: ", table);
        let value = state.integer("value").map_or(0, small);
        let text = state.string("text").unwrap_or_default();
        let color = state.string("color").unwrap_or_else(|| "text".to_owned());
        panel = panel.state(value.into(), text, color);
        state.finish();
    }
    fields.finish();
    panel
}

/// A number that is refused later where it is too large.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// One of several words.
fn chosen<T: Copy + Debug>(
    fields: &mut Fields<'_>,
    field: &'static str,
    words: &[(&str, T)],
) -> Option<T> {
    let text = fields.string(field)?;
    let found = words.iter().find(|known| known.0 == text);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|known| known.0).collect();
        let message = format!("{text:?} is not one: choose one of {}", known.join(", "));
        fields.report(field, message);
    }
    found.map(|known| known.1)
}

fn quantiles(fields: &mut Fields<'_>, panel: Panel) -> Panel {
    let family = fields.string("family");
    let quantiles = fields.numbers("quantiles");
    let (by, labels) = (fields.words("by"), fields.strings("labels"));
    let Some(family) = family else {
        if quantiles.is_some() || !by.is_empty() || !labels.is_empty() {
            fields.report(
                "family",
                "is missing: name the histogram whose quantiles are meant",
            );
        }
        return panel;
    };
    let mut panel = panel.quantiles(family, quantiles.unwrap_or_default());
    if let Some(of) = &mut panel.quantiles {
        (of.by, of.labels) = (by, labels);
    }
    panel
}
