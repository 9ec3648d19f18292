//! When alerts fire and clear, as a table.

use std::fmt;
use std::time::Duration;

use super::past::PART;
use super::{length, wrapped};

/// Situations, and after how long each alert fires in them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    /// What comes before.
    pub(super) intro: String,
    pub(super) alerts: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// How long was waited.
    pub(super) horizon: String,
    /// From when on times are found in steps of a part of them, if some are that long.
    pub(super) coarse: Option<Duration>,
}

/// A situation, with what each alert does in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) fires: Vec<Option<Fired>>,
}

/// An alert that fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fired {
    pub(super) after: Duration,
    /// How long all must be well again, if that is enough.
    pub(super) clears: Option<Duration>,
}

/// As exactly as it was found: below a second in milliseconds, then in seconds, above an hour in minutes, above a day in hours, above 20 days in days.
pub(super) fn after(duration: Duration) -> String {
    if duration.is_zero() {
        return "at once".to_owned();
    }
    if duration < Duration::from_secs(1) {
        return length(duration.max(Duration::from_millis(1)));
    }
    let seconds = duration.as_secs_f64().round() as u64;
    let nearest = |unit: u64| (seconds + unit / 2) / unit * unit;
    let seconds = match seconds {
        0..3_600 => seconds,
        3_600..86_400 => nearest(60),
        86_400..1_728_000 => nearest(3_600),
        _ => nearest(86_400),
    };
    length(Duration::from_secs(seconds))
}

fn cells(fires: Option<Fired>) -> [String; 2] {
    let never = || "never".to_owned();
    match fires {
        Some(fired) => [after(fired.after), fired.clears.map_or_else(never, after)],
        None => [never(), String::new()],
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let intro = format!(
            "After {}, on a Monday from noon on. Each alert fires so long after the situation begins, and clears so long after it ends, which it does once it has lasted a tenth longer than the alert took to fire.",
            self.intro
        );
        writeln!(f, "{}\n", wrapped(&intro))?;
        let width = |row: &Row| row.what.chars().count();
        let wide = self.rows.iter().map(width).max().unwrap_or_default();
        write!(f, "  {:wide$}", "")?;
        for alert in &self.alerts {
            write!(f, "  {alert:>9}  {:>9}", "clears")?;
        }
        writeln!(f)?;
        for Row { what, fires } in &self.rows {
            let cells = fires.iter().flat_map(|fires| cells(*fires));
            let cells: String = cells.map(|cell| format!("  {cell:>9}")).collect();
            writeln!(f, "{}", format!("  {what:wide$}{cells}").trim_end())?;
        }
        let mut never = format!(
            "\"never\": not within {}, the longest that was tried.",
            self.horizon
        );
        if let Some(coarse) = self.coarse {
            never += &format!(
                " Times above {} are found in steps of a {PART}th of them.",
                length(coarse)
            );
        }
        writeln!(f, "\n{}", wrapped(&never))
    }
}
