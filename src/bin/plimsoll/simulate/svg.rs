//! What came of a simulation, as a picture: operations, the shares that failed and were slow, a bar for each alert.

mod columns;

use std::fmt::Write;
use std::time::Duration;

use plimsoll::AlertState;
use plimsoll::simulate::{Simulated, SimulatedAlert};

use super::hours::{Hours, clock};
use columns::Column;

/// Of the part that has a time axis.
const LEFT: f64 = 16.0;
const WIDTH: f64 = 868.0;
const RIGHT: f64 = LEFT + WIDTH;

/// From the top to the first graph, from one graph to the next, and of the lines in one.
const TOP: f64 = 72.0;
const GRAPH: f64 = 124.0;
const LINES: f64 = 80.0;

/// From one alert to the next.
const ALERT: f64 = 34.0;

/// Longer names of alerts end in dots: there is no place for more of them.
const NAME: usize = 120;

// Colours are chosen to be readable on white; a dark page turns them over.
const STYLE: &str = "<style>\
svg{background:#fff;color:#1f2328;font:12px system-ui,sans-serif;max-width:100%;height:auto}\
.title{font-weight:600;font-size:14px}.axis{stroke:#d0d7de}.line{fill:none;stroke-width:1.5}\
.traffic{stroke:#0969da}.errors{stroke:#cf222e}.slow{stroke:#8250df}\
.pending{fill:#d4a72c}.firing{fill:#cf222e}text{fill:currentColor}\
@media (prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}.axis{stroke:#30363d}\
.traffic{stroke:#58a6ff}.errors{stroke:#ff7b72}.slow{stroke:#bc8cff}.pending{fill:#d29922}.firing{fill:#f85149}}\
</style>\n";

/// A line over time: what it is called, how it is drawn, and its values.
type Graph = (&'static str, &'static str, fn(&Column) -> f64);

pub(super) fn of(service: &str, hours: Hours, result: &Simulated) -> String {
    let columns = columns::of(&result.steps, hours.length);
    let apart = columns::apart(&result.steps, hours.length);
    let graphs = graphs(result);
    let alerts = alerts(result);
    let of_alerts = TOP + GRAPH * graphs.len() as f64;
    let bottom = of_alerts + ALERT * alerts.len().max(1) as f64;
    let title = escaped(&format!("{service}, simulated: {}", hours.words()));
    let height = bottom + 28.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"{height}\" viewBox=\"0 0 900 {height}\" role=\"img\">\n\
         {STYLE}<title>{title}</title>\n<text class=\"title\" x=\"{LEFT}\" y=\"28\">{title}</text>\n"
    );
    svg += &axis(hours, bottom);
    for (at, graph) in graphs.iter().enumerate() {
        svg += &line(graph, TOP + GRAPH * at as f64, &columns, apart);
    }
    if alerts.is_empty() {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{of_alerts}\">no alert changed</text>",
            LEFT + 4.0
        );
    } else {
        svg += &legend(of_alerts);
    }
    for (at, alert) in alerts.into_iter().enumerate() {
        svg += &bar(result, alert, hours, of_alerts + ALERT * at as f64);
    }
    svg + "</svg>\n"
}

/// What there is to draw.
fn graphs(result: &Simulated) -> Vec<Graph> {
    let mut graphs: Vec<Graph> = vec![
        ("operations per second", "traffic", Column::rate),
        ("% failed", "errors", Column::failed),
    ];
    if result.steps.iter().any(|step| step.slow > 0) {
        graphs.push(("% slow", "slow", Column::slow));
    }
    graphs
}

/// Moments, each with a line through everything.
fn axis(hours: Hours, bottom: f64) -> String {
    let mut svg = String::new();
    for part in 0..=4_u32 {
        let (x, at) = (
            LEFT + WIDTH * f64::from(part) / 4.0,
            hours.length * part / 4,
        );
        let anchor = ["start", "middle", "middle", "middle", "end"][part as usize];
        let _ = writeln!(
            svg,
            "<line class=\"axis\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{bottom}\"/>\n\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            TOP - 24.0,
            bottom + 18.0,
            hours.moment(at)
        );
    }
    svg
}

fn line(
    (title, class, value): &Graph,
    top: f64,
    columns: &[Column],
    apart: Option<Duration>,
) -> String {
    let values: Vec<f64> = columns.iter().map(value).collect();
    let most = values.iter().copied().fold(0.0, f64::max);
    let scale = if most > 0.0 { most } else { 1.0 };
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let bottom = top + 12.0 + LINES;
    let points = values.iter().enumerate().map(|(at, value)| {
        let (x, y) = (LEFT + step * at as f64, bottom - LINES * value / scale);
        format!("{x:.1},{y:.1}")
    });
    let points: Vec<String> = points.collect();
    let apart = apart.map(|apart| {
        format!(
            " in the mean of {}",
            clock(Duration::from_secs(apart.as_secs()))
        )
    });
    format!(
        "<text x=\"{}\" y=\"{top}\">{title}, at most {}{}</text>\n\
         <line class=\"axis\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\n\
         <polyline class=\"line {class}\" points=\"{}\"/>\n",
        LEFT + 4.0,
        (most * 1e3).round() / 1e3,
        apart.unwrap_or_default(),
        points.join(" ")
    )
}

/// What the colours of bars are, at the right.
fn legend(top: f64) -> String {
    let mut svg = String::new();
    for (state, x) in [("pending", RIGHT - 140.0), ("firing", RIGHT - 62.0)] {
        let _ = writeln!(
            svg,
            "<rect class=\"{state}\" x=\"{x}\" y=\"{}\" width=\"10\" height=\"10\"/>\
             <text x=\"{}\" y=\"{}\">{state}</text>",
            top - 29.0,
            x + 15.0,
            top - 20.0
        );
    }
    svg
}

/// Those that changed, in the order of their first change.
fn alerts(result: &Simulated) -> Vec<&SimulatedAlert> {
    let mut alerts: Vec<&SimulatedAlert> = Vec::new();
    for change in &result.changes {
        if !alerts.contains(&&change.alert) {
            alerts.push(&change.alert);
        }
    }
    alerts
}

fn bar(result: &Simulated, alert: &SimulatedAlert, hours: Hours, top: f64) -> String {
    let name = alert.to_string();
    let mut svg = format!(
        "<text x=\"{}\" y=\"{top}\"><title>{}</title>{}</text>\n",
        LEFT + 4.0,
        escaped(&name),
        escaped(&shortened(&name))
    );
    let changes = result.changes.iter();
    let changes: Vec<_> = changes.filter(|change| change.alert == *alert).collect();
    let whole = hours.length.as_secs_f64();
    let x = |moment: Duration| LEFT + WIDTH * moment.as_secs_f64() / whole;
    for (at, change) in changes.iter().enumerate() {
        let class = match change.to {
            AlertState::Pending => "pending",
            AlertState::Firing => "firing",
            _ => continue,
        };
        let end = changes.get(at + 1).map_or(hours.length, |next| next.at);
        // A short one is seen as well.
        let wide = (x(end) - x(change.at)).max(1.0);
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{}\" width=\"{wide:.1}\" height=\"10\"><title>{class} from {} to {}</title></rect>",
            x(change.at),
            top + 6.0,
            hours.moment(change.at),
            hours.moment(end)
        );
    }
    svg
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
