//! Values of the service's own that are made up, so that an expression has a value or a condition holds: found by trying.

mod dial;
mod switch;

pub(super) use dial::Dial;
pub(super) use switch::{Switch, while_it_holds};

use std::collections::BTreeSet;
use std::time::Duration;

use crate::expr::{Expr, Labels, NAME, Over, Reading, Samples, Selector};
use crate::generate::Declaration;
use crate::simulate::{NOON, Stage, all_read, labels, pair};

/// Values are tried out over so many samples, ...
const SAMPLES: u32 = 40;

/// ... which are twice as long as the longest range, and no less than this.
const LEAST: Duration = Duration::from_secs(60);

/// A series that an expression reads.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Read {
    pub(super) selector: Selector,
    /// Whether it is read as a counter, which grows.
    pub(super) grows: bool,
}

/// What one is to be: a value, or, of a counter, a growth per second.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub(super) read: Read,
    pub(super) value: f64,
}

/// What an expression reads, all of which can be set; else a sentence on why not all of it can be made up.
fn reads(declaration: &Declaration, expr: &Expr) -> Result<Vec<Read>, String> {
    let reads = series(expr);
    let mut stage = stage(declaration)?;
    for read in &reads {
        let name = read.selector.name();
        if stage.drives(name) {
            return Err(refused(&stage, name));
        }
        if let Err(error) = stage.set(&read.selector, 0.0) {
            return Err(format!("No value of {name} can be made up here: {error}"));
        }
    }
    Ok(reads)
}

/// Where it is tried out what can be set.
fn stage(declaration: &Declaration) -> Result<Stage, String> {
    Stage::new(declaration, None, None, NOON).map_err(|error| error.to_string())
}

/// The series that an expression reads, each once; those of one family have the same label keys, as series must.
fn series(expr: &Expr) -> Vec<Read> {
    let mut read = Vec::new();
    walk(expr, &mut |selector, grows| read.push((selector, grows)));
    let mut series: Vec<Read> = Vec::new();
    for (selector, grows) in &read {
        let of_family = read
            .iter()
            .filter(|(other, _)| other.name() == selector.name());
        let keys = of_family
            .flat_map(|(other, _)| labels(other))
            .map(|label| label.0);
        let selector = with_keys(selector, keys.collect());
        let read = Read {
            selector,
            grows: *grows,
        };
        if !series.contains(&read) {
            series.push(read);
        }
    }
    series
}

/// One series that it selects, with all these labels.
fn with_keys(selector: &Selector, keys: BTreeSet<String>) -> Selector {
    let own = labels(selector);
    let bare = Selector::new(selector.name());
    keys.into_iter().fold(bare, |made, key| {
        let known = own.iter().find(|label| label.0 == key);
        let value = known.map_or("other", |label| &*label.1);
        made.label(&*key, value)
    })
}

/// A family that both read.
pub(super) fn shared(one: &Expr, other: &Expr) -> Option<String> {
    let of_other = series(other);
    let mut names = series(one)
        .into_iter()
        .map(|read| read.selector.name().to_owned());
    names.find(|name| of_other.iter().any(|read| read.selector.name() == name))
}

/// Every selector, and whether it is read as a counter.
fn walk<'a>(expr: &'a Expr, see: &mut impl FnMut(&'a Selector, bool)) {
    match expr {
        Expr::Number(_) | Expr::Time => {}
        Expr::Select(selector) => see(selector, false),
        Expr::Over(over, selector, _) => {
            see(selector, matches!(over, Over::Rate | Over::Increase));
        }
        Expr::Aggregate(_, _, inner) | Expr::Call(_, inner) | Expr::Negate(inner) => {
            walk(inner, see);
        }
        Expr::Quantile(left, right) | Expr::Binary(left, _, _, right) => {
            walk(left, see);
            walk(right, see);
        }
    }
}

/// Samples up to this moment, as if everything had been so for long enough.
fn samples(expr: &Expr, settings: &[Setting], at: Duration) -> Samples {
    let length = longest_range(expr).max(LEAST) * 2;
    let mut samples = Samples::new();
    for Setting { read, value } in settings {
        let name = (NAME.to_owned(), read.selector.name().to_owned());
        let labels = Labels::new(labels(&read.selector).into_iter().chain([name]));
        for part in 0..=SAMPLES {
            let passed = length * part / SAMPLES;
            let value = match read.grows {
                true => value * passed.as_secs_f64(),
                false => *value,
            };
            let at_ms = (at - length + passed).as_millis() as i64;
            samples.insert(&labels, at_ms, value);
        }
    }
    samples
}

/// All of them at one value.
fn all_at(reads: &[Read], value: f64) -> Vec<Setting> {
    let at = |read: &Read| Setting {
        read: read.clone(),
        value,
    };
    reads.iter().map(at).collect()
}

/// A number without the noise of a calculation.
pub(super) fn number(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

/// The longest range that is read.
pub(super) fn longest_range(expr: &Expr) -> Duration {
    ranges(expr).into_iter().max().unwrap_or_default()
}

/// How seldom these may be judged: three times in the shortest range that they read.
pub(super) fn longest_step<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> Duration {
    let ranges = exprs.into_iter().flat_map(ranges);
    ranges.min().map_or(Duration::MAX, |shortest| shortest / 3)
}

fn ranges(expr: &Expr) -> Vec<Duration> {
    let mut ranges = Vec::new();
    expr.visit(&mut |_, reading| {
        if let Reading::Range(range) = reading {
            ranges.push(range);
        }
    });
    ranges
}

/// A sentence where these counters of a budget or SLO do not follow what is made up.
pub(super) fn can_count(
    declaration: &Declaration,
    of: &str,
    [part, rest]: [&Selector; 2],
    rest_is_all: bool,
) -> Result<(), String> {
    let stage = stage(declaration)?;
    if stage.counts(of) {
        return Ok(());
    }
    let mut names = [part, rest].into_iter().map(Selector::name);
    if let Some(name) = names.find(|name| stage.measures(name)) {
        return Err(refused(&stage, name));
    }
    let why = match (pair(part, rest, rest_is_all), part.name() == rest.name()) {
        (None, true) => format!("No labels were found that tell {part} from the rest of {rest}"),
        (None, false) => format!("No labels were found that {part} and {rest} take"),
        (Some(_), true) => format!("The labels of {} {ELSEWHERE}", part.name()),
        (Some(_), false) => format!(
            "The labels of {} or {} {ELSEWHERE}",
            part.name(),
            rest.name()
        ),
    };
    Err(format!("{why}: nothing can be counted in them here."))
}

const ELSEWHERE: &str = "are not the same everywhere that they are read";

/// Refuses what one that stands alone reads of rules, which are not there: nobody sets what they record.
pub(super) fn not_recorded(alone: &Declaration, whole: &Declaration) -> Result<(), String> {
    let is_recorded = |name: &str| whole.recordings().any(|rule| rule.name() == name);
    let read = all_read(alone);
    match read.iter().find(|selector| is_recorded(selector.name())) {
        None => Ok(()),
        Some(selector) => Err(format!(
            "It reads {}, which a rule records: no value of it can be made up here. Try values of what that rule reads with `plimsoll simulate --set`.",
            selector.name()
        )),
    }
}

fn refused(stage: &Stage, name: &str) -> String {
    let why = match stage.measures(name) {
        true => "which is measured and not set",
        false => "which counts what another part promises",
    };
    format!("It reads {name}, {why}: no value of it can be made up here.")
}

#[cfg(test)]
mod tests;
