//! How long alerts have been pending or firing.

use super::loss::Loss;
use super::table::{Entry, Table, moment};
use super::{OUTAGE_MS, identity};
use crate::budget::Rule;
use crate::engine::judged::{Judged, SavedJudged};
use crate::engine::moment::Moment;
use crate::rule::Timer;
use crate::state::{Decoder, Encoder};

/// Where rules stood when the process before ended.
#[derive(Debug, Default)]
pub(in crate::engine) struct Timers(pub(in crate::engine) Table);

impl Timers {
    /// Lets a rule that is new go on where it stood, unless that was too long ago.
    pub(in crate::engine) fn resume(&mut self, judged: &mut Judged, now: Moment) {
        let rule = judged.rule();
        let subject = format!("{}/{}", rule.budget, rule.level.as_str());
        let (key, now_is) = (key(rule), identity(&text(rule)));
        let found = self
            .0
            .take(&key, now_is, now.at_ms, (Loss::Alert, &subject));
        let saved = found.and_then(|bytes| read(&mut Decoder::new(&bytes)));
        if let Some((left_ms, saved)) = saved {
            let outage_ms = (now.at_ms - left_ms).max(0);
            judged.resume(saved.after(outage_ms).moved(-now.ahead_ns()));
        }
    }

    /// An entry for a rule that is pending or firing.
    pub(super) fn entry(judged: &Judged, now: Moment) -> Option<(Vec<u8>, Entry)> {
        let saved = judged.save()?.moved(now.ahead_ns());
        let entry = Entry {
            identity: identity(&text(judged.rule())),
            until_ms: now.at_ms + OUTAGE_MS,
            bytes: write(now.at_ms, &saved),
        };
        Some((key(judged.rule()), entry))
    }
}

fn key(rule: &Rule) -> Vec<u8> {
    let mut key = Encoder::default();
    key.text(&rule.budget);
    key.text(rule.level.as_str());
    key.labels(rule.labels.iter().map(|(key, value)| (*key, &**value)));
    key.finish()
}

fn text(rule: &Rule) -> String {
    let Rule {
        condition,
        sustained,
        keep_firing,
        ..
    } = rule;
    format!("{condition} for {sustained:?} keep {keep_firing:?}")
}

pub(super) fn write_timer(out: &mut Encoder, timer: Timer) {
    out.flag(timer.firing);
    out.signed(timer.since_ns);
    out.maybe(timer.kept_since_ns);
}

pub(super) fn read_timer(read: &mut Decoder<'_>) -> Option<Timer> {
    Some(Timer {
        firing: read.flag()?,
        since_ns: read.signed()?,
        kept_since_ns: read.maybe()?,
    })
}

fn write(left_ms: i64, saved: &SavedJudged) -> Vec<u8> {
    let mut out = Encoder::default();
    out.signed(left_ms);
    write_timer(&mut out, saved.timer);
    out.flag(saved.told);
    out.maybe(saved.since_ms);
    out.maybe(saved.breach_ns);
    out.finish()
}

fn read(read: &mut Decoder<'_>) -> Option<(i64, SavedJudged)> {
    let left_ms = moment(read)?;
    let saved = SavedJudged {
        timer: read_timer(read)?,
        told: read.flag()?,
        since_ms: read
            .maybe()?
            .filter(|ms| ms.unsigned_abs() <= super::LARGEST),
        breach_ns: read.maybe()?,
    };
    read.is_empty().then_some((left_ms, saved))
}
