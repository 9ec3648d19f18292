//! When something happens: so long after the beginning or, where somebody said when that is, at which time of day.

use std::time::{Duration, SystemTime};

/// The time that is simulated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hours {
    /// When it begins, if somebody said so.
    pub(super) from: Option<SystemTime>,
    pub(super) length: Duration,
}

impl Hours {
    /// `2:00:00 from a Monday noon on`, or `2:00:00 from 2026-03-06T16:00:00Z on`.
    pub(super) fn words(self) -> String {
        let from = match self.from {
            Some(from) => humantime::format_rfc3339_seconds(from).to_string(),
            None => "a Monday noon".to_owned(),
        };
        format!("{} from {from} on", clock(self.length))
    }

    /// What stands above moments.
    pub(super) fn head(self) -> &'static str {
        match self.from {
            Some(_) => "at (UTC)",
            None => "after",
        }
    }

    /// `1:02:03`, or `2026-03-06 17:02:03`.
    pub(super) fn moment(self, after: Duration) -> String {
        let Some(from) = self.from else {
            return clock(after);
        };
        let text = humantime::format_rfc3339_seconds(from + after).to_string();
        text.replace('T', " ").replace('Z', "")
    }

    /// How wide moments are.
    pub(super) fn width(self) -> usize {
        match self.from {
            Some(_) => 19,
            None => 10,
        }
    }
}

/// `1:02:03`, with hours above a day.
pub(super) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let fraction = match duration.subsec_millis() {
        0 => String::new(),
        millis => format!(".{millis:03}"),
    };
    format!(
        "{}:{:02}:{:02}{fraction}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
