//! OpenMetrics 1.0.0: the text format's lines under stricter names.

use std::collections::HashSet;
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::page::Print;
use super::text::{Lines, escape, push};
use crate::family::{Family, Kind, Refused, Sample};

/// The units that a name can end in.
const UNITS: [&str; 3] = ["seconds", "bytes", "ratio"];

/// OpenMetrics.
pub(super) struct OpenMetrics {
    lines: Lines,
    /// Counters that cannot be called so.
    unknown: HashSet<String>,
    created: Option<Duration>,
}

impl OpenMetrics {
    /// Settles names: takes out of `families` whose name another one needs.
    pub(super) fn new(
        families: &mut Vec<Family>,
        created: Option<SystemTime>,
        refused: &Refused,
    ) -> Self {
        Self {
            lines: Lines::default(),
            unknown: settle(families, refused),
            created: created.map(since_epoch),
        }
    }

    /// The type of a family, and its name in the metadata.
    fn head<'a>(&self, family: &'a Family) -> (&'static str, &'a str) {
        match family.kind {
            Kind::Counter if self.unknown.contains(&family.name) => ("unknown", &family.name),
            kind => (kind.as_str(), base(family)),
        }
    }
}

impl Print for OpenMetrics {
    fn begin(&mut self, out: &mut Vec<u8>, family: &Family) {
        let (kind, name) = self.head(family);
        push(out, &["# TYPE ", name, " ", kind, "\n"]);
        if let Some(unit) = unit(name) {
            push(out, &["# UNIT ", name, " ", unit, "\n"]);
        }
        push(out, &["# HELP ", name, " "]);
        escape(out, &family.help, true);
        out.push(b'\n');
    }

    fn sample(&mut self, out: &mut Vec<u8>, family: &Family, sample: &Sample) {
        self.lines.sample(out, &family.name, sample);
        let (kind, name) = self.head(family);
        if let (Some(created), "counter" | "histogram") = (self.created, kind) {
            self.lines.start(out, name, "_created");
            // Writing to a `Vec` cannot fail.
            let _ = writeln!(out, "{}.{:03}", created.as_secs(), created.subsec_millis());
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        push(out, &["# EOF\n"]);
    }
}

/// Leaves out families whose names another one needs; the counters that must be of type `unknown`.
fn settle(families: &mut Vec<Family>, refused: &Refused) -> HashSet<String> {
    let mut taken = HashSet::new();
    // Histograms first: they need the most names.
    for histograms in [true, false] {
        families.retain(|family| {
            let concerned = (family.kind == Kind::Histogram) == histograms;
            let kept = !concerned || claim(&mut taken, names(family));
            if !kept {
                refused.add(&family.name);
            }
            kept
        });
    }
    let counters = families.iter().filter(|it| it.kind == Kind::Counter);
    let unknown = counters.filter(|family| {
        let base = base(family);
        let names = vec![base.to_owned(), format!("{base}_created")];
        base == family.name || !claim(&mut taken, names)
    });
    unknown.map(|family| family.name.clone()).collect()
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

/// 0 before 1970.
pub(super) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}
