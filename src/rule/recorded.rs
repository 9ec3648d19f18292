//! What rules recorded, for rules to read.

#[cfg(feature = "state")]
mod saved;

use std::collections::BTreeMap;
use std::time::Duration;

use foldhash::HashMap;

use super::{Rule, RuleGroup, RuleKind};
use crate::expr::{Dialect, Expr, Labels, Reading, Selector, Source};
use crate::window::Series;

/// The families that rules record, `ALERTS` and `ALERTS_FOR_STATE` among them; each kept for as long as a rule reads it, and for
/// as long as a newest value is looked for.
#[derive(Debug)]
pub(super) struct Recorded {
    families: HashMap<String, Family>,
    /// Whether others have alerts too.
    pub(super) beside_others: bool,
}

#[derive(Debug)]
struct Family {
    keep: Duration,
    swept_ms: i64,
    series: BTreeMap<Labels, Kept>,
}

#[derive(Debug)]
struct Kept {
    series: Series,
    last_ms: i64,
}

pub(super) const ALERTS: &str = "ALERTS";
pub(super) const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";

impl Recorded {
    pub(super) fn new(groups: &[RuleGroup]) -> Self {
        // What a group of a long interval reads was recorded up to an interval before.
        let longest = groups.iter().filter_map(|group| group.interval).max();
        let slack = longest.unwrap_or(Duration::ZERO);
        let family = || Family {
            keep: Dialect::LOOKBACK + slack,
            swept_ms: i64::MIN,
            series: BTreeMap::new(),
        };
        let names = rules(groups).filter_map(recorded_name);
        let names = names.chain([ALERTS, ALERTS_FOR_STATE]);
        let mut families: HashMap<_, _> = names.map(|name| (name.to_owned(), family())).collect();
        rules(groups).for_each(|rule| {
            rule.expr.visit(&mut |selector, reading| {
                if let (Some(family), Reading::Range(range)) =
                    (families.get_mut(selector.name()), reading)
                {
                    family.keep = family.keep.max(range.saturating_add(slack));
                }
            });
        });
        Self {
            families,
            beside_others: false,
        }
    }

    /// Adds a sample. Of two with the same moment the first one stands, as in Prometheus.
    pub(super) fn push(&mut self, labels: &Labels, at_ms: i64, value: f64) {
        self.append(labels, at_ms, |series| series.push(at_ms, value));
    }

    /// Says that a series ended.
    pub(super) fn push_stale(&mut self, labels: &Labels, at_ms: i64) {
        self.append(labels, at_ms, |series| series.push_stale(at_ms));
    }

    fn append(&mut self, labels: &Labels, at_ms: i64, append: impl FnOnce(&mut Series)) {
        let Some(family) = self.families.get_mut(labels.get(crate::expr::NAME)) else {
            return;
        };
        if !family.series.contains_key(labels) {
            family.sweep(at_ms);
            let kept = Kept {
                series: Series::exact(family.keep),
                last_ms: i64::MIN,
            };
            family.series.insert(labels.clone(), kept);
        }
        let kept = family
            .series
            .get_mut(labels)
            .filter(|kept| kept.last_ms < at_ms);
        if let Some(kept) = kept {
            kept.last_ms = at_ms;
            append(&mut kept.series);
        }
    }

    /// Shows every series that a selector matches.
    pub(super) fn each(&self, selector: &Selector, show: &mut dyn FnMut(&Labels, &Series)) {
        if let Some(family) = self.families.get(selector.name()) {
            let all = family.series.iter();
            let matching = all.filter(|(labels, _)| selector.matches(labels));
            matching.for_each(|(labels, kept)| show(labels, &kept.series));
        }
    }

    /// Keeps a family that it recorded for at least so long.
    pub(super) fn keep(&mut self, name: &str, range: Duration) {
        if let Some(family) = self.families.get_mut(name) {
            family.keep = family.keep.max(range);
            let series = family.series.values_mut();
            series.for_each(|kept| kept.series.keep(range));
        }
    }

    /// The first family that an expression reads further back than it is kept.
    pub(super) fn too_far(&self, expr: &Expr) -> Option<String> {
        let mut far = None;
        expr.visit(&mut |selector, reading| {
            let keep = self.families.get(selector.name()).map(|family| family.keep);
            if matches!((keep, reading), (Some(keep), Reading::Range(range)) if range > keep) {
                far = Some(selector.name().to_owned());
            }
        });
        far
    }
}

impl Family {
    /// Lets series go that ended long ago; seldom enough to cost nothing.
    fn sweep(&mut self, at_ms: i64) {
        let keep_ms = i64::try_from(self.keep.as_millis()).unwrap_or(i64::MAX);
        let oldest = at_ms.saturating_sub(keep_ms);
        if self.swept_ms < oldest {
            self.swept_ms = at_ms;
            self.series.retain(|_, kept| kept.last_ms >= oldest);
        }
    }
}

fn rules(groups: &[RuleGroup]) -> impl Iterator<Item = &Rule> {
    groups.iter().flat_map(|group| &group.rules)
}

fn recorded_name(rule: &Rule) -> Option<&str> {
    match &rule.kind {
        RuleKind::Record(name) => Some(name),
        RuleKind::Alert(_) => None,
    }
}

/// What somebody else measured, and what the rules recorded of it: a name that rules record is read from the latter alone.
pub(super) struct Both<'a> {
    pub(super) measured: &'a dyn Source,
    pub(super) recorded: &'a Recorded,
}

impl Source for Both<'_> {
    fn each(&self, selector: &Selector, show: &mut dyn FnMut(&Labels, &Series)) {
        let name = selector.name();
        let shared = self.recorded.beside_others && [ALERTS, ALERTS_FOR_STATE].contains(&name);
        if shared || !self.recorded.families.contains_key(name) {
            self.measured.each(selector, show);
        }
        self.recorded.each(selector, show);
    }
}
