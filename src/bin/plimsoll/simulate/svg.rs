//! What came of a simulation, as a picture: operations, the share that failed, a bar for each alert.

use std::fmt::Write;
use std::time::Duration;

use plimsoll::AlertState;
use plimsoll::simulate::{Simulated, SimulatedAlert, SimulatedStep};

use super::table::clock;

/// Of the part that has a time axis.
const LEFT: f64 = 16.0;
const WIDTH: f64 = 868.0;
const HEIGHT: f64 = 90.0;

/// So many points are drawn of each line.
const POINTS: usize = 434;

// Colours are chosen to be readable on white; a dark page turns them over.
const STYLE: &str = "<style>\
svg{background:#fff;color:#1f2328;font:12px system-ui,sans-serif}\
.axis{stroke:#d0d7de}.line{fill:none;stroke-width:1.5}.traffic{stroke:#0969da}.errors{stroke:#cf222e}\
.pending{fill:#d4a72c}.firing{fill:#cf222e}text{fill:currentColor}\
@media (prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}.axis{stroke:#30363d}\
.traffic{stroke:#58a6ff}.errors{stroke:#ff7b72}.pending{fill:#d29922}.firing{fill:#f85149}}\
</style>\n";

pub(super) fn of(service: &str, length: Duration, result: &Simulated) -> String {
    let columns = columns(&result.steps, length);
    let alerts = alerts(result);
    let height = 330.0 + 34.0 * alerts.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 {height}\" role=\"img\">\n{STYLE}<title>{}</title>\n",
        escaped(&format!("{service}, simulated"))
    );
    let rates: Vec<f64> = columns.iter().map(|column| column.rate).collect();
    let errors: Vec<f64> = columns.iter().map(|column| column.errors * 100.0).collect();
    svg += &graph("operations per second", "traffic", 30.0, &rates);
    svg += &graph("% failed", "errors", 160.0, &errors);
    let mut top = 290.0;
    for alert in alerts {
        svg += &bar(result, alert, length, top);
        top += 34.0;
    }
    for part in 0..=4_u32 {
        let (x, at) = (LEFT + WIDTH * f64::from(part) / 4.0, length * part / 4);
        let anchor = ["start", "middle", "middle", "middle", "end"][part as usize];
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            top + 18.0,
            clock(at)
        );
    }
    svg + "</svg>\n"
}

/// A stretch of time that is one point of a line.
#[derive(Debug, Clone, Copy, Default)]
struct Column {
    rate: f64,
    errors: f64,
}

fn columns(steps: &[SimulatedStep], length: Duration) -> Vec<Column> {
    let mut sums = vec![(0_u64, 0_u64, Duration::ZERO); POINTS.min(steps.len())];
    let count = sums.len() as f64;
    let mut before = Duration::ZERO;
    for step in steps {
        let at = before.as_secs_f64() / length.as_secs_f64() * count;
        if let Some(sum) = sums.get_mut(at as usize) {
            *sum = (
                sum.0 + step.operations,
                sum.1 + step.errors,
                sum.2 + step.at - before,
            );
        }
        before = step.at;
    }
    let lived = sums.into_iter().filter(|sum| !sum.2.is_zero());
    let column = |(all, errors, length): (u64, u64, Duration)| Column {
        rate: all as f64 / length.as_secs_f64(),
        errors: errors as f64 / all.max(1) as f64,
    };
    lived.map(column).collect()
}

fn graph(title: &str, class: &str, top: f64, values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    let scale = if most > 0.0 { most } else { 1.0 };
    let apart = WIDTH / (values.len().max(2) - 1) as f64;
    let bottom = top + HEIGHT;
    let points = values.iter().enumerate().map(|(at, value)| {
        let (x, y) = (
            LEFT + apart * at as f64,
            bottom - HEIGHT * 0.8 * value / scale,
        );
        format!("{x:.1},{y:.1}")
    });
    let points: Vec<String> = points.collect();
    format!(
        "<text x=\"{LEFT}\" y=\"{top}\">{title}, at most {}</text>\n\
         <line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\n\
         <polyline class=\"line {class}\" points=\"{}\"/>\n",
        (most * 1e3).round() / 1e3,
        LEFT + WIDTH,
        points.join(" ")
    )
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

fn bar(result: &Simulated, alert: &SimulatedAlert, length: Duration, top: f64) -> String {
    let mut svg = format!(
        "<text x=\"{LEFT}\" y=\"{top}\">{}</text>\n",
        escaped(&alert.to_string())
    );
    let changes: Vec<_> = result
        .changes
        .iter()
        .filter(|change| change.alert == *alert)
        .collect();
    for (at, change) in changes.iter().enumerate() {
        let class = match change.to {
            AlertState::Pending => "pending",
            AlertState::Firing => "firing",
            _ => continue,
        };
        let end = changes.get(at + 1).map_or(length, |next| next.at);
        let x = |moment: Duration| LEFT + WIDTH * moment.as_secs_f64() / length.as_secs_f64();
        // A short one is seen as well.
        let wide = (x(end) - x(change.at)).max(1.0);
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{}\" width=\"{wide:.1}\" height=\"10\"><title>{class} from {} to {}</title></rect>",
            x(change.at),
            top + 6.0,
            clock(change.at),
            clock(end)
        );
    }
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
