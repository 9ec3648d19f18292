//! What happens, step by step.

use std::time::Duration;

use super::made_up::{Read, Setting, Switch};
use crate::config::BuildError;
use crate::expr::Selector;
use crate::simulate::{AlertChange, Load, Stage};

/// One thing that happens as long as it is played.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// Operations and counters that the budget or SLO of this name speaks of end so.
    Load(String, Load),
    /// The service's own values are these.
    Hold(Vec<Setting>),
    /// Nobody sets them.
    Gone(Vec<Selector>),
    /// A condition does not hold in this share of the ticks, or of slices of time.
    Violate(Switch, f64, Option<Duration>),
    /// The Unix time of something that happens so often: at every tick for zero, `None` for never again.
    Stamp(Selector, Option<Duration>),
    /// First this, then that, each for so long.
    ByTurns(Box<[Act; 2]>, Duration),
}

/// Acts, and how far they have come.
#[derive(Debug)]
pub(super) struct Play<'a> {
    acts: &'a [Act],
    /// Operations per second of what no act speaks of.
    rate: f64,
    since: Duration,
    /// Ticks that have yet to be bad, of each act.
    owed: Vec<f64>,
}

impl<'a> Play<'a> {
    pub(super) fn new(stage: &Stage, acts: &'a [Act], rate: f64) -> Self {
        Self {
            acts,
            rate,
            since: stage.now(),
            owed: vec![0.0; acts.len()],
        }
    }

    /// Plays for so long, as one tick; which alerts changed.
    pub(super) fn step(
        &mut self,
        stage: &mut Stage,
        length: Duration,
    ) -> Result<Vec<AlertChange>, BuildError> {
        let end = stage.now() + length;
        let now: Vec<&Act> = self.acts.iter().map(|act| act.at(end)).collect();
        for (act, owed) in now.iter().zip(&mut self.owed) {
            match act {
                Act::Load(..) | Act::ByTurns(..) => {}
                Act::Hold(settings) => hold(stage, settings, length)?,
                Act::Gone(gone) => gone.iter().try_for_each(|gauge| stage.unset(gauge))?,
                Act::Violate(switch, share, slice) => {
                    let bad = match slice {
                        Some(slice) => in_slice(*share, self.since, end, *slice),
                        None => due(owed, *share),
                    };
                    let settings = if bad { &switch.bad } else { &switch.good };
                    hold(stage, settings, length)?;
                }
                Act::Stamp(gauge, every) => {
                    if let Some(stamp) = stamp(self.since, end, *every) {
                        stage.set(gauge, stamp.as_secs_f64())?;
                    }
                }
            }
        }
        let rate = self.rate;
        let load = |of: &[String]| load(&now, of, rate);
        Ok(stage.step(length, load).1)
    }
}

impl Act {
    /// What it is at this moment.
    fn at(&self, now: Duration) -> &Self {
        match self {
            Self::ByTurns(both, each) => {
                let turn = now.as_millis() / each.as_millis().max(1);
                both[(turn % 2) as usize].at(now)
            }
            act => act,
        }
    }

    /// The series that it sets.
    pub(super) fn sets(&self) -> Vec<Selector> {
        let of = |settings: &[Setting]| -> Vec<Selector> {
            let selectors = settings.iter().map(|setting| &setting.read.selector);
            selectors.cloned().collect()
        };
        match self {
            Self::Load(..) => Vec::new(),
            Self::Hold(settings) => of(settings),
            Self::Gone(gone) => gone.clone(),
            Self::Violate(switch, ..) => of(&switch.good),
            Self::Stamp(gauge, _) => vec![gauge.clone()],
            Self::ByTurns(both, _) => both[0].sets(),
        }
    }
}

fn hold(stage: &mut Stage, settings: &[Setting], length: Duration) -> Result<(), BuildError> {
    settings.iter().try_for_each(|setting| {
        let Setting { read, value } = setting;
        let Read { selector, grows } = read;
        match grows {
            // A counter that shrinks would be one that begins anew.
            true => stage.grow(selector, value.max(0.0) * length.as_secs_f64()),
            false => stage.set(selector, *value),
        }
    })
}

/// Whether this tick is to be bad, so that this share of them is.
fn due(owed: &mut f64, share: f64) -> bool {
    *owed += share;
    // What lacks a billionth is noise of many additions.
    let due = *owed >= 1.0 - 1e-9;
    if due {
        *owed -= 1.0;
    }
    due
}

/// Whether the slice of time that ends then, or is under way, is to be bad.
fn in_slice(share: f64, since: Duration, end: Duration, slice: Duration) -> bool {
    let slice_ms = slice.as_millis().max(1);
    let number = |moment: Duration| moment.as_millis().saturating_sub(1) / slice_ms;
    let passed = number(end).saturating_sub(number(since + Duration::from_millis(1))) as f64;
    ((passed + 1.0) * share + 1e-9).floor() > (passed * share + 1e-9).floor()
}

/// When it happened last, if it happens at all.
fn stamp(since: Duration, now: Duration, every: Option<Duration>) -> Option<Duration> {
    let every = every?;
    if every.is_zero() {
        return Some(now);
    }
    let times = (now - since).as_millis() / every.as_millis().max(1);
    (times > 0).then(|| since + every * u32::try_from(times).unwrap_or(u32::MAX))
}

/// What operations of these budgets and SLOs do, where several acts speak of them the worst of it.
fn load(acts: &[&Act], of: &[String], rate: f64) -> Load {
    let mut load = Load::good(rate);
    for act in acts {
        if let Act::Load(name, its) = act
            && of.contains(name)
        {
            load = Load {
                rate: its.rate,
                errors: load.errors.max(its.errors),
                slow: load.slow.max(its.slow),
                lasting: its.lasting.or(load.lasting),
            };
        }
    }
    load
}
