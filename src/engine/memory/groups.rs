//! The alerts of groups of rules, and what rules recorded.

use super::loss::Loss;
use super::rules::{read_timer, write_timer};
use super::series::SeriesMemory;
use super::table::{Entry, Table, moment};
use super::{OUTAGE_MS, identity};
use crate::engine::files::Files;
use crate::engine::moment::Moment;
use crate::rule::{Evaluator, Rule, RuleKind, SavedAlert};
use crate::state::{Decoder, Encoder};

/// What no group has taken up yet.
#[derive(Debug, Default)]
pub(in crate::engine) struct GroupMemory {
    pub(in crate::engine) alerts: Table,
    pub(in crate::engine) recorded: SeriesMemory,
}

impl GroupMemory {
    /// Lets groups that are new go on where they stood.
    pub(in crate::engine) fn resume(&mut self, rules: &mut Evaluator, now: Moment) {
        rules.resume_alerts(|group, rule| self.alerts_of(group, rule, now.at_ms));
        let mut families = Vec::new();
        rules.each_family(|name, text| {
            self.recorded.meet_family(name, &text);
            families.push(name.to_owned());
        });
        for labels in families
            .iter()
            .flat_map(|name| self.recorded.family(name))
            .collect::<Vec<_>>()
        {
            rules.resume_recorded(&labels, |series| self.recorded.recall(&labels, series));
        }
    }

    fn alerts_of(&mut self, group: &str, rule: &Rule, now_ms: i64) -> Vec<SavedAlert> {
        let subject = format!("{group}/{}", rule.name());
        let key = key(group, rule);
        let found = self
            .alerts
            .take(&key, identity(&text(rule)), now_ms, (Loss::Alert, &subject));
        let saved = found.and_then(|bytes| read(&mut Decoder::new(&bytes)));
        let Some((left_ms, alerts)) = saved else {
            return Vec::new();
        };
        let outage_ms = (now_ms - left_ms).max(0);
        let shifted = alerts.into_iter().map(|alert| SavedAlert {
            active_at_ms: match alert.timer.firing {
                true => alert.active_at_ms,
                false => alert.active_at_ms + outage_ms,
            },
            timer: alert.timer.after(outage_ms * 1_000_000),
            ..alert
        });
        shifted.collect()
    }

    pub(super) fn entries(files: &Files, now_ms: i64) -> Vec<(Vec<u8>, Entry)> {
        let mut entries = Vec::new();
        for rules in files.all() {
            rules.each_alerting(|group, rule, alerts| {
                if !alerts.is_empty() {
                    let entry = Entry {
                        identity: identity(&text(rule)),
                        until_ms: now_ms + OUTAGE_MS,
                        bytes: write(now_ms, &alerts),
                    };
                    entries.push((key(group, rule), entry));
                }
            });
        }
        entries
    }
}

fn key(group: &str, rule: &Rule) -> Vec<u8> {
    let mut key = Encoder::default();
    key.text(group);
    key.text(rule.name());
    // Several rules of a group may have one name, and differ in their labels.
    key.labels(rule.labels.iter());
    key.finish()
}

fn text(rule: &Rule) -> String {
    match &rule.kind {
        RuleKind::Alert(alert) => format!(
            "{} for {:?} keep {:?}",
            rule.expr, alert.sustained, alert.keep_firing
        ),
        RuleKind::Record(_) => rule.expr.to_string(),
    }
}

fn write(left_ms: i64, alerts: &[SavedAlert]) -> Vec<u8> {
    let mut out = Encoder::default();
    out.signed(left_ms);
    out.number(alerts.len() as u64);
    for alert in alerts {
        out.labels(alert.labels.iter());
        write_timer(&mut out, alert.timer);
        out.signed(alert.active_at_ms);
    }
    out.finish()
}

fn read(read: &mut Decoder<'_>) -> Option<(i64, Vec<SavedAlert>)> {
    let left_ms = moment(read)?;
    let alerts = (0..read.count()?).map(|_| {
        Some(SavedAlert {
            labels: read.labels()?,
            timer: read_timer(read)?,
            active_at_ms: moment(read)?,
        })
    });
    let alerts = alerts.collect::<Option<_>>()?;
    read.is_empty().then_some((left_ms, alerts))
}
