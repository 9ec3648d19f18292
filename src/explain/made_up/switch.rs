//! What makes a condition hold, and what makes it not.

use super::{Read, Setting, all_at, reads, samples, series, stage};
use crate::expr::{Expr, eval};
use crate::generate::Declaration;
use crate::simulate::NOON;
use crate::slo::Condition;

/// So many combinations of values are tried at most.
const TRIES: usize = 4_096;

/// Values under which a condition holds, and others under which it does not.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::explain) struct Switch {
    pub(in crate::explain) good: Vec<Setting>,
    pub(in crate::explain) bad: Vec<Setting>,
}

impl Switch {
    /// Finds them; else a sentence on why they cannot be found.
    pub(in crate::explain) fn find(declaration: &Declaration, expr: &Expr) -> Result<Self, String> {
        let reads = reads(declaration, expr)?;
        let condition = Condition::new(expr);
        let candidates = candidates(expr);
        let holds = |settings: &[Setting]| {
            let samples = samples(expr, settings, NOON);
            condition.holds(&|expr| eval(expr, &samples, NOON.as_millis() as i64).ok())
        };
        let good = combinations(&reads, &candidates).find(|good| holds(good) == Some(true));
        // With as little changed as possible.
        let bad = good.as_ref().and_then(|good| {
            let mut near = single_changes(good, &candidates);
            let near = near.find(|bad| holds(bad) == Some(false));
            let mut all = combinations(&reads, &candidates);
            near.or_else(|| all.find(|bad| holds(bad) == Some(false)))
        });
        match (good, bad) {
            (Some(good), Some(bad)) => Ok(Self { good, bad }),
            _ => Err(format!(
                "No values could be made up for which {expr} holds, and others for which it does not. Try values with `plimsoll simulate --set`."
            )),
        }
    }
}

/// Values while which an expression has elements: what a budget is judged under. Else a sentence on why there are none. What follows
/// from made-up operations is left to them.
pub(in crate::explain) fn while_it_holds(
    declaration: &Declaration,
    expr: &Expr,
) -> Result<Vec<Setting>, String> {
    let reads = series(expr);
    let mut stage = stage(declaration)?;
    let driven = |read: &Read| stage.drives(read.selector.name());
    if !reads.is_empty() && reads.iter().all(driven) {
        return Ok(Vec::new());
    }
    let holds = |settings: &Vec<Setting>| {
        let samples = samples(expr, settings, NOON);
        eval(expr, &samples, NOON.as_millis() as i64).is_ok_and(|value| !value.is_empty())
    };
    let found = combinations(&reads, &candidates(expr)).find(holds);
    let mut found = found.ok_or_else(|| {
        format!("It is judged only while {expr}, which could not be made to hold on a Monday noon.")
    })?;
    found.retain(|setting| !stage.drives(setting.read.selector.name()));
    for setting in &found {
        let selector = &setting.read.selector;
        let set = stage.set(selector, 0.0);
        set.map_err(|error| format!("It is judged only while {expr}: {error}"))?;
    }
    Ok(found)
}

/// Usual states, and values on both sides of every number that it names; the number itself last, because what holds there may
/// not hold a rounding beside it.
fn candidates(expr: &Expr) -> Vec<f64> {
    let mut named = Vec::new();
    numbers(expr, &mut named);
    let around = |named: f64| [0.5, 2.0].map(|times| named * times);
    let mut candidates = vec![1.0, 0.0];
    candidates.extend(named.iter().copied().flat_map(around));
    candidates.extend(named.iter().flat_map(|named| [named + 1.0, named - 1.0]));
    candidates.extend(named.iter().copied());
    let mut known = Vec::new();
    candidates.retain(|value| {
        let new = !known.contains(value);
        known.push(*value);
        new
    });
    candidates
}

fn numbers(expr: &Expr, named: &mut Vec<f64>) {
    match expr {
        Expr::Number(number) => named.push(*number),
        Expr::Time | Expr::Select(_) | Expr::Over(..) => {}
        Expr::Aggregate(_, _, inner) | Expr::Call(_, inner) | Expr::Negate(inner) => {
            numbers(inner, named);
        }
        Expr::Quantile(left, right) | Expr::Binary(left, _, _, right) => {
            numbers(left, named);
            numbers(right, named);
        }
    }
}

/// Every series at the same value first, then each at any.
fn combinations(reads: &[Read], candidates: &[f64]) -> impl Iterator<Item = Vec<Setting>> {
    let same = candidates.iter().map(|&value| all_at(reads, value));
    let count = candidates.len();
    let all = (0..TRIES).map_while(move |mut number| {
        let mut settings = all_at(reads, 0.0);
        for setting in &mut settings {
            setting.value = candidates[number % count];
            number /= count;
        }
        (number == 0).then_some(settings)
    });
    same.chain(all)
}

/// One series changed.
fn single_changes(good: &[Setting], candidates: &[f64]) -> impl Iterator<Item = Vec<Setting>> {
    let places =
        (0..good.len()).flat_map(move |at| candidates.iter().map(move |value| (at, value)));
    places.map(move |(at, &value)| {
        let mut settings = good.to_vec();
        settings[at].value = value;
        settings
    })
}
