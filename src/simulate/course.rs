//! What happens in a simulation, phase by phase.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Load;

/// The longest course: steps are kept, and a mistyped unit should not fill the memory.
const LONGEST: Duration = Duration::from_secs(92 * 86_400);

/// A stretch of time in which the same happens all the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phase {
    length: Duration,
    rate: Option<f64>,
    errors: Option<f64>,
    slow: Option<f64>,
}

impl Phase {
    /// A phase that is as the simulation says.
    pub fn new(length: Duration) -> Self {
        Self {
            length,
            rate: None,
            errors: None,
            slow: None,
        }
    }

    /// Operations per second of each kind.
    pub fn traffic(mut self, per_second: f64) -> Self {
        self.rate = Some(per_second);
        self
    }

    /// The share of operations that fail, in `0.0..=1.0`.
    pub fn errors(mut self, share: f64) -> Self {
        self.errors = Some(share);
        self
    }

    /// The share of operations that take longer than every limit, in `0.0..=1.0`.
    pub fn slow(mut self, share: f64) -> Self {
        self.slow = Some(share);
        self
    }

    pub(super) fn length(&self) -> Duration {
        self.length
    }

    pub(super) fn load(&self, usual: Load) -> Load {
        Load {
            rate: self.rate.unwrap_or(usual.rate),
            errors: self.errors.unwrap_or(usual.errors),
            slow: self.slow.unwrap_or(usual.slow),
            ..usual
        }
    }
}

/// Phases, one after the other.
///
/// As text: `10m good, 5m errors=20%, 5m slow=10% traffic=20, 30m`. Shares are percentages or in `0.0..=1.0`; `good` is
/// `errors=0 slow=0`; what a phase does not name is as the simulation says.
#[derive(Debug, Clone, PartialEq)]
pub struct Course(Vec<Phase>);

impl Course {
    pub(super) fn phases(&self) -> &[Phase] {
        &self.0
    }

    /// The same for so long: cut off, or with a phase at the end that is as the simulation says.
    pub fn until(self, length: Duration) -> Self {
        let mut left = length;
        let mut phases = Vec::new();
        for phase in self.0 {
            let length = phase.length.min(left);
            left -= length;
            phases.push(Phase { length, ..phase });
        }
        phases.push(Phase::new(left));
        phases.retain(|phase| !phase.length.is_zero());
        Self(phases)
    }

    /// How long all of it takes.
    pub fn length(&self) -> Duration {
        self.0.iter().map(Phase::length).sum()
    }
}

impl From<Phase> for Course {
    fn from(phase: Phase) -> Self {
        Self(vec![phase])
    }
}

impl FromIterator<Phase> for Course {
    fn from_iter<I: IntoIterator<Item = Phase>>(phases: I) -> Self {
        Self(phases.into_iter().collect())
    }
}

/// Why a text is no course, and what would be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseError(String);

impl fmt::Display for CourseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for CourseError {}

impl FromStr for Course {
    type Err = CourseError;

    fn from_str(text: &str) -> Result<Self, CourseError> {
        let course = text.split(',').map(phase).collect::<Result<Self, _>>()?;
        // One by one, so that no sum overflows.
        let short = course
            .0
            .iter()
            .try_fold(LONGEST, |left, phase| left.checked_sub(phase.length));
        match short {
            Some(_) => Ok(course),
            None => Err(CourseError(
                "a course takes 92d at most: shorten a phase".to_owned(),
            )),
        }
    }
}

fn phase(text: &str) -> Result<Phase, CourseError> {
    let mut words = text.split_whitespace();
    let length = words.next().unwrap_or_default();
    let length = match humantime::parse_duration(length) {
        Ok(parsed) if !parsed.is_zero() => parsed,
        _ => {
            let message = format!(
                "phase {:?} does not begin with a duration: write 10m good",
                text.trim()
            );
            return Err(CourseError(message));
        }
    };
    words.try_fold(Phase::new(length), word)
}

fn word(phase: Phase, word: &str) -> Result<Phase, CourseError> {
    let no_share = |key| format!("{key} {word:?} is no share: write {key}=20% or {key}=0.2");
    match word.split_once('=') {
        None if word == "good" => Ok(phase.errors(0.0).slow(0.0)),
        Some(("errors", value)) => share(value).map(|value| phase.errors(value)).ok_or_else(|| no_share("errors")),
        Some(("slow", value)) => share(value).map(|value| phase.slow(value)).ok_or_else(|| no_share("slow")),
        Some(("traffic", value)) => match value.parse() {
            Ok(rate) if (0.0..=1e6).contains(&rate) => Ok(phase.traffic(rate)),
            _ => Err(format!("traffic {value:?} is no number of operations per second from 0 to 1000000: write traffic=100")),
        },
        _ => Err(format!("{word:?} says nothing of a phase: write good, errors=20%, slow=10% or traffic=50")),
    }
    .map_err(CourseError)
}

/// `20%` or `0.2`.
fn share(text: &str) -> Option<f64> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn phases_say_what_is_different() {
        let course: Course = "10m good, 5m errors=20% traffic=7,30m slow=0.1"
            .parse()
            .expect("a course");
        let expected = [
            Phase::new(10 * MINUTE).errors(0.0).slow(0.0),
            Phase::new(5 * MINUTE).errors(0.2).traffic(7.0),
            Phase::new(30 * MINUTE).slow(0.1),
        ];
        assert_eq!(course, expected.into_iter().collect());
        assert_eq!(course.length(), 45 * MINUTE);
    }

    #[test]
    fn a_course_ends_when_it_is_told_to() {
        let course = || -> Course { "10m good, 5m errors=20%".parse().expect("a course") };
        let expected = [
            Phase::new(10 * MINUTE).errors(0.0).slow(0.0),
            Phase::new(2 * MINUTE).errors(0.2),
        ];
        assert_eq!(course().until(12 * MINUTE), expected.into_iter().collect());
        let longer = course().until(20 * MINUTE);
        assert_eq!(longer.length(), 20 * MINUTE);
        assert_eq!(longer.phases()[2], Phase::new(5 * MINUTE));
        assert_eq!(course().until(10 * MINUTE).phases().len(), 1);
    }

    #[test]
    fn mistakes_say_what_to_write() {
        let refused = |text: &str| text.parse::<Course>().expect_err(text).to_string();
        assert_eq!(
            refused("good"),
            r#"phase "good" does not begin with a duration: write 10m good"#
        );
        assert!(refused("5m errors=120%").contains("write errors=20% or errors=0.2"));
        assert!(refused("5m errors=NaN").contains("no share"));
        assert!(refused("5m bad").contains("says nothing of a phase"));
        assert!(refused("5m traffic=-1").contains("traffic=100"));
        assert!(refused("10m good,").contains("does not begin"));
        assert!(refused("0s good").contains("does not begin"));
        assert!(refused("300y, 300y").contains("92d at most"));
    }
}
