//! Rule files of Prometheus.

use std::collections::{BTreeSet, HashSet};
use std::fmt::{self, Display, Formatter};

use super::{Rule, RuleGroup, RuleKind};
use crate::expr::Selector;

/// The groups of a rule file.
///
/// It prints itself as the YAML that Prometheus reads; with feature `promql` it is read from that, and from what people wrote.
#[derive(Debug, Clone, Default)]
pub struct RuleFile {
    pub(super) comment: String,
    pub(super) groups: Vec<RuleGroup>,
    /// The line of each rule of each group; none where it was made by hand.
    pub(super) lines: Vec<Vec<usize>>,
}

/// One thing in a rule file that is not judged in this process, or is no rule at all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The line in the file, from 1; 0 where it has none.
    pub line: usize,
    /// The name of the group; empty outside of groups.
    pub group: String,
    /// The name of the alert or of the recorded family; empty outside of rules.
    pub rule: String,
    /// What is refused, as it stands in the file.
    pub construct: String,
    /// Why, and how to mend it.
    pub message: String,
}

/// What a rule makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Made {
    Family(String),
    Alert(String),
}

/// Everything that is wrong with a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleFileError {
    /// In the order of the file, at least one.
    pub refusals: Vec<Refusal>,
}

impl RuleFile {
    /// A file with these groups.
    pub fn new(groups: impl IntoIterator<Item = RuleGroup>) -> Self {
        Self {
            comment: String::new(),
            groups: groups.into_iter().collect(),
            lines: Vec::new(),
        }
    }

    /// Lines that are printed before the groups, as comments.
    pub fn comment(mut self, text: impl Into<String>) -> Self {
        self.comment = text.into();
        self
    }

    /// The groups, in the order of the file.
    pub fn groups(&self) -> &[RuleGroup] {
        &self.groups
    }

    /// The groups, in the order of the file.
    pub fn into_groups(self) -> Vec<RuleGroup> {
        self.groups
    }

    /// Takes out every rule that reads a family which is neither `known` nor recorded by a rule that stays, and tells which they
    /// are. `ALERTS` and `ALERTS_FOR_STATE` are known as far as the alerts that are asked of them stay.
    pub fn retain_known(&mut self, mut known: impl FnMut(&Selector) -> bool) -> Vec<Refusal> {
        let made: HashSet<Made> = self.rules().map(Rule::makes).collect();
        let mut lost = BTreeSet::new();
        let mut refusals = self.take(&mut lost, |rule| {
            let unknown = rule.reads(|selector| {
                let family = Made::Family(selector.name().to_owned());
                !selector.is_of_alerts() && !made.contains(&family) && !known(selector)
            });
            Some((unknown?, UNKNOWN))
        });
        refusals.extend(self.take_dependent(lost));
        refusals.sort_by_key(|refusal| refusal.line);
        refusals
    }

    /// Takes out the rules that read what is lost, and those that read what these would have made.
    pub(super) fn take_dependent(&mut self, mut lost: BTreeSet<Made>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        loop {
            let known = lost.clone();
            let is_lost = |selector: &Selector| known.iter().any(|made| selector.may_read(made));
            let taken = self.take(&mut lost, |rule| Some((rule.reads(is_lost)?, LOST)));
            if taken.is_empty() {
                return refusals;
            }
            refusals.extend(taken);
        }
    }

    /// Takes out the rules of which something is refused; what they would have made is lost.
    fn take(
        &mut self,
        lost: &mut BTreeSet<Made>,
        mut refused: impl FnMut(&Rule) -> Option<(String, &'static str)>,
    ) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        self.lines.resize(self.groups.len(), Vec::new());
        for (group, lines) in self.groups.iter_mut().zip(&mut self.lines) {
            lines.resize(group.rules.len(), 0);
            let rules = std::mem::take(&mut group.rules).into_iter();
            let placed = rules.zip(std::mem::take(lines));
            for (rule, line) in placed {
                let Some((construct, message)) = refused(&rule) else {
                    group.rules.push(rule);
                    lines.push(line);
                    continue;
                };
                refusals.push(Refusal {
                    line,
                    group: group.name.clone(),
                    rule: rule.name().to_owned(),
                    construct,
                    message: message.to_owned(),
                });
                lost.insert(rule.makes());
            }
        }
        refusals
    }

    /// What is wrong with its rules, each in its place.
    pub(crate) fn refuse(&self, wrong: impl Fn(&Rule) -> Vec<(String, String)>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for (at, group) in self.groups.iter().enumerate() {
            for (nth, rule) in group.rules.iter().enumerate() {
                let line = self.lines.get(at).and_then(|lines| lines.get(nth));
                let refusal = |(construct, message)| Refusal {
                    line: line.copied().unwrap_or(0),
                    group: group.name.clone(),
                    rule: rule.name().to_owned(),
                    construct,
                    message,
                };
                refusals.extend(wrong(rule).into_iter().map(refusal));
            }
        }
        refusals
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.groups.iter().flat_map(|group| &group.rules)
    }
}

impl<G: IntoIterator<Item = RuleGroup>> From<G> for RuleFile {
    fn from(groups: G) -> Self {
        Self::new(groups)
    }
}

impl Rule {
    /// The name of the alert, or of the recorded family.
    pub fn name(&self) -> &str {
        match &self.kind {
            RuleKind::Record(name) => name,
            RuleKind::Alert(alert) => &alert.name,
        }
    }

    pub(super) fn makes(&self) -> Made {
        match &self.kind {
            RuleKind::Record(name) => Made::Family(name.clone()),
            RuleKind::Alert(alert) => Made::Alert(alert.name.clone()),
        }
    }

    /// The name of the first family with such a selector.
    fn reads(&self, mut such: impl FnMut(&Selector) -> bool) -> Option<String> {
        let mut found = None;
        self.expr.visit(&mut |selector, _| {
            if found.is_none() && such(selector) {
                found = Some(selector.name().to_owned());
            }
        });
        found
    }
}

impl Selector {
    fn is_of_alerts(&self) -> bool {
        matches!(self.name(), "ALERTS" | "ALERTS_FOR_STATE")
    }

    /// Whether it might select what a rule makes.
    fn may_read(&self, made: &Made) -> bool {
        let mut names = self
            .matchers()
            .iter()
            .filter(|matcher| matcher.label() == "alertname");
        match made {
            Made::Family(name) => self.name() == name,
            Made::Alert(name) => self.is_of_alerts() && names.all(|matcher| matcher.holds(name)),
        }
    }
}

const UNKNOWN: &str =
    "is no family of this process: is it measured, and is that its exported name?";
const LOST: &str = "is made by a rule that is refused itself: mend that one";

/// By the groups; which lines they stand in is no part of what a file says.
impl PartialEq for RuleFile {
    fn eq(&self, other: &Self) -> bool {
        self.groups == other.groups
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            line, group, rule, ..
        } = self;
        if *line > 0 {
            write!(f, "line {line}: ")?;
        }
        match (&**group, &**rule) {
            ("", "") => {}
            (_, "") => write!(f, "group {group:?}: ")?,
            _ => write!(f, "group {group:?}, rule {rule:?}: ")?,
        }
        match &*self.construct {
            "" => f.write_str(&self.message),
            construct => write!(f, "{construct}: {}", self.message),
        }
    }
}

/// One line for each.
impl Display for RuleFileError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, refusal) in self.refusals.iter().enumerate() {
            write!(f, "{}{refusal}", if at == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for RuleFileError {}
