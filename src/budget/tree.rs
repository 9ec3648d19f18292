//! A total that is shared out to stages.

use std::fmt;
use std::time::Duration;

use super::limit::tidy;
use super::{Budget, Select};

/// A duration that is promised for a whole and shared out to its stages; stages may share theirs out again.
///
/// Shares must sum to what is shared out; what belongs to nobody has to be named ([`remainder`](Self::remainder)).
///
/// Quantiles do not add up: that each of `n` stages keeps its p95 does not make the sum of them keep the p95 of the
/// total. What it makes sure is [`promised`](Self::promised), `1 − Σ(1 − q)`: of stages that run one after the other,
/// once each, all keep their share in at least so many of the requests. [`sure`](Self::sure) makes that the quantile
/// of the total.
///
/// ```
/// use plimsoll::{BudgetTree, Select};
/// use std::time::Duration;
///
/// let checkout = BudgetTree::new("checkout", Duration::from_millis(200))
///     .on(Select::http().label("route", "/checkout"))
///     .share("auth", Duration::from_millis(30))
///     .split("db", 0.5, |db| db.share("cart", 0.4).share("orders", 0.6))
///     .remainder("own code");
/// let budgets = checkout.budgets()?;
/// let names: Vec<&str> = budgets.iter().map(|budget| budget.name()).collect();
/// assert_eq!(names, ["checkout", "checkout/auth", "checkout/db/cart", "checkout/db/orders"]);
/// assert_eq!(checkout.promised(), 0.85);
/// assert_eq!(checkout.sure().promised(), 0.95);
/// # Ok::<(), plimsoll::BudgetTreeError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetTree {
    q: f64,
    sure: bool,
    root: BudgetStage,
}

/// A stage, which may share out what it has.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetStage {
    name: String,
    share: Share,
    on: Option<Select>,
    stages: Vec<Self>,
    remainder: Option<String>,
}

/// How much a stage gets: a [`Duration`], or a part (`0.0..=1.0`) of what is shared out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// So long.
    Of(Duration),
    /// So much of what is shared out.
    Part(f64),
}

/// Shares that do not sum to what is shared out, or are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetTreeError {
    /// The stage that shares out, by its path: `checkout/db`.
    pub stage: String,
    /// What is wrong with it and how to mend it.
    pub message: String,
}

impl From<Duration> for Share {
    fn from(duration: Duration) -> Self {
        Self::Of(duration)
    }
}

impl From<f64> for Share {
    fn from(part: f64) -> Self {
        Self::Part(part)
    }
}

impl BudgetTree {
    /// All of `total` is still to be shared out.
    pub fn new(name: impl Into<String>, total: Duration) -> Self {
        Self {
            q: 0.95,
            sure: false,
            root: BudgetStage::new(name, total),
        }
    }

    /// The quantile that each stage promises, 0.95 by default.
    pub fn quantile(mut self, q: f64) -> Self {
        self.q = q;
        self
    }

    /// Each of `n` stages that are judged promises the quantile `1 − (1 − q)/n`, so that together they promise `q`.
    pub fn sure(mut self) -> Self {
        self.sure = true;
        self
    }

    /// The operations that are the total, which then gets a budget of its own.
    pub fn on(self, select: Select) -> Self {
        self.with(|root| root.on(select))
    }

    /// Gives a share to a stage, whose operations are [`Select::operation`] of this name.
    pub fn share(self, name: impl Into<String>, share: impl Into<Share>) -> Self {
        self.with(|root| root.share(name, share))
    }

    /// Gives a share to a stage that shares it out again, or is measured elsewhere ([`BudgetStage::on`]).
    pub fn split(
        self,
        name: impl Into<String>,
        share: impl Into<Share>,
        stage: impl FnOnce(BudgetStage) -> BudgetStage,
    ) -> Self {
        self.with(|root| root.split(name, share, stage))
    }

    /// Gives a share to a stage that was made before.
    pub fn stage(self, stage: BudgetStage) -> Self {
        self.with(|root| root.stage(stage))
    }

    /// Names what is left, which nobody measures.
    pub fn remainder(self, name: impl Into<String>) -> Self {
        self.with(|root| root.remainder(name))
    }

    fn with(mut self, change: impl FnOnce(BudgetStage) -> BudgetStage) -> Self {
        self.root = change(self.root);
        self
    }

    /// Of how many requests all stages together keep their shares for sure, if each keeps its budget; 0 if of none.
    pub fn promised(&self) -> f64 {
        let stages = if self.sure { 1 } else { self.root.leaves() };
        tidy((1.0 - stages as f64 * (1.0 - self.q)).max(0.0))
    }

    fn q_of_stage(&self) -> f64 {
        match (self.sure, self.root.leaves()) {
            (true, stages) if stages > 0 => tidy(1.0 - (1.0 - self.q) / stages as f64),
            _ => self.q,
        }
    }

    /// A budget for each stage that shares out no more, named by its path, and for each other that is told its operations.
    ///
    /// # Errors
    ///
    /// [`BudgetTreeError`] if shares are more or less than what is shared out.
    pub fn budgets(&self) -> Result<Vec<Budget>, BudgetTreeError> {
        let mut budgets = Vec::new();
        let whole = match self.root.share {
            Share::Of(total) => total,
            Share::Part(_) => Duration::ZERO,
        };
        let quantiles = (self.q, self.q_of_stage());
        self.root
            .compile(&self.root.name, whole, quantiles, &mut budgets)?;
        Ok(budgets)
    }
}

impl BudgetStage {
    /// A stage that shares out nothing yet.
    pub fn new(name: impl Into<String>, share: impl Into<Share>) -> Self {
        Self {
            name: name.into(),
            share: share.into(),
            on: None,
            stages: Vec::new(),
            remainder: None,
        }
    }

    /// The operations that it is measured by.
    pub fn on(mut self, select: Select) -> Self {
        self.on = Some(select);
        self
    }

    /// As [`BudgetTree::share`].
    pub fn share(self, name: impl Into<String>, share: impl Into<Share>) -> Self {
        self.split(name, share, |stage| stage)
    }

    /// As [`BudgetTree::split`].
    pub fn split(
        self,
        name: impl Into<String>,
        share: impl Into<Share>,
        stage: impl FnOnce(Self) -> Self,
    ) -> Self {
        self.stage(stage(Self::new(name, share)))
    }

    /// Gives a share to a stage that was made before.
    pub fn stage(mut self, stage: Self) -> Self {
        self.stages.push(stage);
        self
    }

    /// As [`BudgetTree::remainder`].
    pub fn remainder(mut self, name: impl Into<String>) -> Self {
        self.remainder = Some(name.into());
        self
    }

    fn leaves(&self) -> usize {
        match self.stages.len() {
            0 => 1,
            _ => self.stages.iter().map(Self::leaves).sum(),
        }
    }

    fn compile(
        &self,
        path: &str,
        has: Duration,
        (q, q_of_stage): (f64, f64),
        budgets: &mut Vec<Budget>,
    ) -> Result<(), BudgetTreeError> {
        let leaf = self.stages.is_empty();
        let measured = || leaf.then(|| Select::operation(&self.name));
        if let Some(select) = self.on.clone().or_else(measured) {
            let q = if leaf { q_of_stage } else { q };
            budgets.push(Budget::quantile(path, select, q).at_most(has));
        }
        if leaf {
            return Ok(());
        }
        let shares = self.shares(path, has)?;
        for (stage, share) in self.stages.iter().zip(shares) {
            let path = format!("{path}/{}", stage.name);
            stage.compile(&path, share, (q, q_of_stage), budgets)?;
        }
        Ok(())
    }

    /// How much each of its stages has.
    fn shares(&self, path: &str, has: Duration) -> Result<Vec<Duration>, BudgetTreeError> {
        let error = |message| BudgetTreeError {
            stage: path.to_owned(),
            message,
        };
        let mut shares = Vec::new();
        for stage in &self.stages {
            let share = match stage.share {
                Share::Of(share) => share,
                Share::Part(part) if part > 0.0 && part <= 1.0 => has.mul_f64(part),
                Share::Part(part) => {
                    let message = format!(
                        "gives {:?} a part of {part}: write 0.3 for 30 %",
                        stage.name
                    );
                    return Err(error(message));
                }
            };
            shares.push(share);
        }
        let sum: Duration = shares.iter().sum();
        // Parts are rounded to the nanosecond.
        let rounding = Duration::from_nanos(shares.len() as u64);
        let sums = || {
            let each = self.stages.iter().zip(&shares);
            let each: Vec<_> = each
                .map(|(stage, share)| format!("{} {share:?}", stage.name))
                .collect();
            format!("{} = {sum:?} of {has:?}", each.join(" + "))
        };
        if sum > has + rounding {
            let more = sum - has;
            let message = format!("shares out {}: take {more:?} away", sums());
            return Err(error(message));
        }
        if sum + rounding < has && self.remainder.is_none() {
            let left = has - sum;
            let message = format!(
                "shares out {}: share out the remaining {left:?}, or name it with remainder",
                sums()
            );
            return Err(error(message));
        }
        Ok(shares)
    }
}

impl fmt::Display for BudgetTreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "budget tree {:?} {}", self.stage, self.message)
    }
}

impl std::error::Error for BudgetTreeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Level;

    const MS: Duration = Duration::from_millis(1);

    fn message(tree: BudgetTree) -> String {
        tree.budgets().expect_err("a mistake").to_string()
    }

    #[test]
    fn shares_must_sum_to_the_total() {
        let tree = || BudgetTree::new("checkout", 200 * MS).share("auth", 30 * MS);
        assert_eq!(
            message(tree().share("db", 0.9)),
            "budget tree \"checkout\" shares out auth 30ms + db 180ms = 210ms of 200ms: take 10ms away"
        );
        assert_eq!(
            message(tree().share("db", 0.5)),
            "budget tree \"checkout\" shares out auth 30ms + db 100ms = 130ms of 200ms: \
             share out the remaining 70ms, or name it with remainder"
        );
        assert!(tree().share("db", 0.5).remainder("rest").budgets().is_ok());
        assert!(tree().share("db", 170 * MS).budgets().is_ok());
        let inner = tree().split("db", 0.85, |db| db.share("a", 1.1));
        assert!(message(inner).contains("\"checkout/db\" gives \"a\" a part of 1.1"));
    }

    #[test]
    fn thirds_are_a_whole() {
        let third = 1.0 / 3.0;
        let tree = BudgetTree::new("t", 100 * MS)
            .share("a", third)
            .share("b", third);
        assert_eq!(
            tree.share("c", third).budgets().expect("it is there").len(),
            3
        );
    }

    #[test]
    fn stages_promise_more_than_the_total_to_be_sure_of_it() {
        let tree = BudgetTree::new("t", 100 * MS)
            .quantile(0.99)
            .on(Select::http());
        let tree = tree.share("a", 0.5).split("b", 0.5, |b| b.on(Select::db()));
        let q = |tree: &BudgetTree| {
            let budgets = tree.budgets().expect("it is there");
            let q = budgets.iter().map(|budget| match &budget.sli {
                super::super::Sli::Quantile(_, q) => *q,
                other => panic!("{other:?}"),
            });
            q.collect::<Vec<_>>()
        };
        assert_eq!(q(&tree), [0.99, 0.99, 0.99]);
        assert_eq!(tree.promised(), 0.98);
        let sure = tree.sure();
        assert_eq!(
            (q(&sure), sure.promised()),
            (vec![0.99, 0.995, 0.995], 0.99)
        );
        let limits = sure.budgets().expect("it is there");
        assert_eq!(limits[2].limit(Level::Target), Some(0.05));
    }
}
