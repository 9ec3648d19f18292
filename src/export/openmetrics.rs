//! OpenMetrics 1.0.0: the text format's lines under stricter names.

use std::collections::HashSet;
use std::time::SystemTime;

use super::lines::Lines;
use super::print::Print;
use super::shown::{Shown, Standing};
use super::write::{escape, line, push, since_epoch, timestamp};
use crate::family::{Family, Kind, Refused};

/// The units that a name can end in.
const UNITS: [&str; 3] = ["seconds", "bytes", "ratio"];

/// OpenMetrics.
pub(super) struct OpenMetrics {
    /// When the instance was built, if that is to be shown.
    created: Option<SystemTime>,
}

impl OpenMetrics {
    /// Counts what is left out as refused.
    pub(super) fn new(families: &[Shown], created: Option<SystemTime>, refused: &Refused) -> Self {
        let out = |shown: &&Shown| shown.standing == Standing::Refused;
        let out = families.iter().filter(out);
        out.for_each(|shown| refused.add(&shown.family.name));
        Self { created }
    }
}

impl Print for OpenMetrics {
    fn shows(&self, shown: &Shown) -> bool {
        shown.standing != Standing::Refused
    }

    fn begin(&mut self, out: &mut Vec<u8>, shown: &Shown) {
        let (kind, name) = head(shown);
        push(out, &["# TYPE ", name, " ", kind, "\n"]);
        if let Some(unit) = unit(name) {
            push(out, &["# UNIT ", name, " ", unit, "\n"]);
        }
        push(out, &["# HELP ", name, " "]);
        escape(out, &shown.family.help, true);
        out.push(b'\n');
    }

    fn sample(&mut self, out: &mut Vec<u8>, lines: &mut Lines, shown: &Shown, at: usize) {
        lines.with_exemplars = true;
        lines.sample(out, shown, at);
        let (kind, name) = head(shown);
        if let (Some(created), "counter" | "histogram") = (self.created, kind) {
            line(out, name, "_created", shown.labels(at));
            let created = shown.family.samples[at].created.unwrap_or(created);
            timestamp(out, since_epoch(created));
            out.push(b'\n');
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        push(out, &["# EOF\n"]);
    }
}

/// The type of a family, and its name in the metadata.
fn head(shown: &Shown) -> (&'static str, &str) {
    match shown.standing {
        Standing::Unknown => ("unknown", &shown.family.name),
        _ => (shown.family.kind.as_str(), base(&shown.family)),
    }
}

/// Finds out which families stand on names that others need.
pub(super) fn settle(families: &mut [Shown]) {
    let mut taken = HashSet::new();
    // Histograms first: they need the most names.
    for histograms in [true, false] {
        for shown in &mut *families {
            let concerned = (shown.family.kind == Kind::Histogram) == histograms;
            if concerned && !claim(&mut taken, names(&shown.family)) {
                shown.standing = Standing::Refused;
            }
        }
    }
    let counters = families
        .iter_mut()
        .filter(|shown| shown.family.kind == Kind::Counter && shown.standing == Standing::Itself);
    for shown in counters {
        let base = base(&shown.family);
        let names = vec![base.to_owned(), format!("{base}_created")];
        if base == shown.family.name || !claim(&mut taken, names) {
            shown.standing = Standing::Unknown;
        }
    }
}

/// Takes all of `names`, if they are free.
fn claim(taken: &mut HashSet<String>, names: Vec<String>) -> bool {
    let free = names.iter().all(|name| !taken.contains(name));
    if free {
        taken.extend(names);
    }
    free
}

/// The names of a family's samples, but for what a counter takes in addition.
fn names(family: &Family) -> Vec<String> {
    let suffixes: &[&str] = match family.kind {
        Kind::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
        Kind::Counter | Kind::Gauge => &[""],
    };
    let suffixes = suffixes.iter();
    suffixes
        .map(|suffix| family.name.clone() + suffix)
        .collect()
}

/// The name of the family in the metadata: that of a counter has no `_total`.
fn base(family: &Family) -> &str {
    let short = family.name.strip_suffix("_total");
    match (family.kind, short) {
        (Kind::Counter, Some(short)) if !short.is_empty() => short,
        _ => &family.name,
    }
}

/// The unit that the name ends in.
pub(super) fn unit(name: &str) -> Option<&'static str> {
    let ends = |unit: &&str| {
        name.strip_suffix(*unit)
            .is_some_and(|rest| rest.ends_with('_'))
    };
    UNITS.into_iter().find(ends)
}
