//! When alerts fire, as a table.

use std::fmt;
use std::time::Duration;

use super::length;

/// Situations, and after how long each alert fires in them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub(super) intro: String,
    pub(super) alerts: Vec<String>,
    pub(super) rows: Vec<(String, Vec<Option<Duration>>)>,
    pub(super) horizon: Duration,
}

/// In seconds, above an hour in minutes: it was found in such steps.
fn after(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    let seconds = if seconds < 3_600 {
        seconds
    } else {
        seconds / 60 * 60
    };
    length(Duration::from_secs(seconds.max(1)))
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}\n", self.intro)?;
        let wide = self
            .rows
            .iter()
            .map(|row| row.0.len())
            .max()
            .unwrap_or_default();
        let mut head = format!("  {:wide$}", "");
        for alert in &self.alerts {
            head += &format!("  {alert:>9}");
        }
        writeln!(f, "{head}")?;
        for (what, fires) in &self.rows {
            write!(f, "  {what:wide$}")?;
            for fires in fires {
                write!(
                    f,
                    "  {:>9}",
                    fires.map_or_else(|| "never".to_owned(), after)
                )?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "\n  \"never\": not within {}, the longest that was tried.",
            after(self.horizon)
        )
    }
}
