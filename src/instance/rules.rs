//! Groups of rules of an instance, and what is wrong with them.

use std::cell::RefCell;

use super::readable::Readable;
use super::{Inner, Plimsoll};
use crate::config::{Advice, BuildError, Mend, Problem};
use crate::rule::{Alert, Refusal, Rule, RuleFile, RuleKind};

impl Plimsoll {
    /// Judges further groups of rules from now on, over what is sampled from now on.
    ///
    /// Cost: a look at what the page shows, and at every tick the evaluation of what is due.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every rule that reads a family which this process does not export and no rule records (as of now,
    /// and as of [`Builder::expect_family`](crate::Builder::expect_family)), a label of the scrape that is not this process',
    /// or a bucket that there is not. Then none of them is judged, and those that were there go on.
    ///
    /// ```
    /// use plimsoll::rule::{Rule, RuleGroup};
    /// use plimsoll::{Expr, Plimsoll, Selector};
    ///
    /// let plimsoll = Plimsoll::builder().build()?;
    /// let deep = |name| Rule::alert("QueueDeep", Expr::select(Selector::new(name)).greater(100.0));
    /// let refused = plimsoll.add_rules([RuleGroup::new("queues", [deep("queue_depth")])]).unwrap_err();
    /// assert!(refused.to_string().contains("group \"queues\", rule \"QueueDeep\""));
    /// let depth = plimsoll.gauge("queue_depth").register()?;
    /// plimsoll.add_rules([RuleGroup::new("queues", [deep("queue_depth")])])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_rules(&self, rules: impl Into<RuleFile>) -> Result<(), BuildError> {
        self.inner().add_rules(rules.into())
    }

    /// The alerts of all groups of rules that are pending or firing, as of the latest tick, rule by rule.
    pub fn alerts(&self) -> Vec<Alert> {
        self.inner().engine.alerts()
    }
}

impl Inner {
    pub(super) fn add_rules(&self, file: RuleFile) -> Result<(), BuildError> {
        let readable = Readable::of(self).recorded(recorded(&file));
        BuildError::check(problems(&file, &readable))?;
        self.recorded.lock().extend(recorded(&file));
        self.engine.add_rules(file.into_groups());
        Ok(())
    }
}

/// What the rules of a file record.
pub(super) fn recorded(file: &RuleFile) -> Vec<String> {
    let rules = file.groups().iter().flat_map(|group| &group.rules);
    let recorded = rules.filter_map(|rule| match &rule.kind {
        RuleKind::Record(name) => Some(name.clone()),
        RuleKind::Alert(_) => None,
    });
    recorded.collect()
}

/// Every rule that reads or records what it cannot, in its place.
pub(super) fn problems(file: &RuleFile, readable: &Readable<'_>) -> Vec<Problem> {
    let mends = RefCell::new(Vec::new());
    let wrong = |rule: &Rule| {
        let mut wrong = readable.problems(&rule.expr);
        if let RuleKind::Record(name) = &rule.kind
            && readable.is_ours(name)
        {
            let mend = "choose another, such as level:metric:operations";
            let what =
                format!("records {name}, which this process exports under that name: {mend}");
            wrong.insert(what.into());
        }
        let place = |Advice { what, mend }| {
            mends.borrow_mut().push(mend);
            (String::new(), what)
        };
        wrong.into_iter().map(place).collect()
    };
    let refusals = file.refuse(wrong).into_iter();
    let refusals = refusals.zip(mends.take());
    let problem = |(refusal, mend): (Refusal, Mend)| {
        let what = refusal.to_string();
        Problem::advised("rules", Advice { what, mend })
    };
    refusals.map(problem).collect()
}
