//! Groups and their rules.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use super::yaml::{Key, Kind, Node};
use crate::expr::{Expr, Labels, NAME, is_family_name, is_label_name, parse_duration};
use crate::rule::file::Made;
use crate::rule::{AlertRule, Refusal, Rule, RuleFile, RuleGroup, RuleKind};

/// Goes through a file, and on behind mistakes.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) file: RuleFile,
    pub(super) refusals: Vec<Refusal>,
    /// What refused rules would have made.
    pub(super) lost: BTreeSet<Made>,
    group: String,
    rule: String,
}

type Entries = Vec<(Key, Node)>;

impl Reader {
    pub(super) fn refuse(&mut self, line: usize, construct: &str, message: impl Into<String>) {
        self.refusals.push(Refusal {
            line,
            group: self.group.clone(),
            rule: self.rule.clone(),
            construct: construct.to_owned(),
            message: message.into(),
        });
    }

    pub(super) fn file(&mut self, root: Node) {
        for (key, value) in self.map(root, "the file") {
            match &*key.name {
                "groups" => {
                    let groups = self.list(value, "groups");
                    groups.into_iter().for_each(|group| self.group(group));
                }
                _ => self.unknown(&key, "groups"),
            }
        }
    }

    fn group(&mut self, node: Node) {
        let line = node.line;
        let before = self.refusals.len();
        let (mut interval, mut labels, mut rules) = (None, Vec::new(), Vec::new());
        let entries = self.map(node, "a group");
        self.group = named(&entries, "name");
        for (key, value) in entries {
            match &*key.name {
                "name" => {
                    self.text(value, "name");
                }
                "interval" => {
                    interval = self
                        .duration(value, "interval")
                        .filter(|interval| !interval.is_zero())
                }
                "labels" => labels = self.labels(value),
                "rules" => rules = self.list(value, "rules"),
                "limit" => self.must_be(
                    value,
                    "limit",
                    "0",
                    "what a limit cuts off is not judged in this process",
                ),
                "query_offset" => {
                    self.must_be(
                        value,
                        "query_offset",
                        "0s",
                        "rules are judged at the moment of evaluation",
                    );
                }
                _ => self.unknown(&key, "name, interval, limit, query_offset, labels, rules"),
            }
        }
        if self.group.is_empty() {
            self.refuse(line, "name", "a group needs one that is not empty");
        }
        if self
            .file
            .groups
            .iter()
            .any(|known| known.name == self.group)
        {
            self.refuse(
                line,
                "name",
                "another group of the file has the same one: rename it",
            );
        }
        let refused = self.refusals.len() > before;
        let placed: Vec<(usize, Rule)> = rules
            .into_iter()
            .filter_map(|rule| self.rule(rule, &labels))
            .collect();
        if refused {
            self.lost
                .extend(placed.iter().map(|(_, rule)| rule.makes()));
        } else {
            let (lines, rules): (Vec<_>, Vec<_>) = placed.into_iter().unzip();
            let name = self.group.clone();
            self.file.groups.push(RuleGroup {
                name,
                interval,
                rules,
            });
            self.file.lines.push(lines);
        }
        self.group.clear();
    }

    /// A rule and its line, unless something in it is refused.
    fn rule(&mut self, node: Node, of_group: &[(String, String)]) -> Option<(usize, Rule)> {
        let line = node.line;
        let before = self.refusals.len();
        let entries = self.map(node, "a rule");
        if entries.is_empty() && self.refusals.len() > before {
            return None;
        }
        let (record, alert) = (named(&entries, "record"), named(&entries, "alert"));
        let recorded = entries.iter().any(|(key, _)| key.name == "record");
        self.rule = if record.is_empty() { alert } else { record };
        match (
            &*self.rule,
            entries
                .iter()
                .filter(|(key, _)| matches!(&*key.name, "record" | "alert"))
                .count(),
        ) {
            (_, 2) => self.refuse(
                line,
                "record, alert",
                "a rule is one of both: make two of it",
            ),
            (_, 0) | ("", _) => self.refuse(
                line,
                "",
                "a rule needs the name of what it makes: `alert` or `record`",
            ),
            (name, _) if recorded && !is_family_name(name) => {
                let name = name.to_owned();
                self.refuse(line, &name, "is no name for a family: letters, digits, underscores and colons, no digit in front");
            }
            _ => {}
        }
        let mut alert = AlertRule {
            name: self.rule.clone(),
            sustained: Duration::ZERO,
            keep_firing: Duration::ZERO,
            annotations: Vec::new(),
        };
        let (mut expr, mut own) = (None, Vec::new());
        let mut has_expr = false;
        for (key, value) in entries {
            match &*key.name {
                "record" | "alert" => {
                    self.text(value, &key.name);
                }
                "expr" => {
                    has_expr = true;
                    expr = self.expr(value);
                }
                "for" | "keep_firing_for" | "annotations" if recorded => {
                    self.refuse(
                        key.line,
                        &key.name,
                        "belongs to alerts: leave it out of a recording rule",
                    );
                }
                "for" => alert.sustained = self.duration(value, "for").unwrap_or_default(),
                "keep_firing_for" => {
                    alert.keep_firing = self.duration(value, "keep_firing_for").unwrap_or_default()
                }
                "annotations" => alert.annotations = self.annotations(value),
                "labels" => own = self.labels(value),
                _ => self.unknown(
                    &key,
                    "record, alert, expr, for, keep_firing_for, labels, annotations",
                ),
            }
        }
        if !has_expr {
            self.refuse(line, "expr", "a rule needs one");
        }
        let labels = Labels::new(of_group.iter().cloned().chain(own));
        if !recorded && labels.iter().any(|(_, value)| value.contains("{{")) {
            self.refuse(line, "{{ }} in labels", "templates are not evaluated in this process: write the value, or put it into annotations");
        }
        let rule = std::mem::take(&mut self.rule);
        let made = |name| match recorded {
            true => Made::Family(name),
            false => Made::Alert(name),
        };
        let refused = self.refusals.len() > before;
        let Some(expr) = expr.filter(|_| !refused) else {
            self.lost.insert(made(rule));
            return None;
        };
        let kind = match recorded {
            true => RuleKind::Record(rule),
            false => RuleKind::Alert(alert),
        };
        Some((line, Rule { kind, expr, labels }))
    }

    fn expr(&mut self, node: Node) -> Option<Expr> {
        let line = node.line;
        let parsed = Expr::parse(&self.text(node, "expr")?);
        parsed
            .map_err(|error| self.refuse(line, &error.construct, error.message))
            .ok()
    }

    fn labels(&mut self, node: Node) -> Vec<(String, String)> {
        let mut labels = Vec::new();
        for (key, value) in self.map(node, "labels") {
            let empty = matches!(value.kind, Kind::Null)
                || matches!(&value.kind, Kind::Text(text) if text.is_empty());
            if !is_label_name(&key.name) || key.name == NAME {
                self.refuse(
                    key.line,
                    &key.name,
                    "is no name for a label: letters, digits and underscores, no digit in front",
                );
            } else if empty {
                self.refuse(
                    key.line,
                    &key.name,
                    "an empty value takes a label away: aggregate `without` it instead",
                );
            } else if let Some(text) = self.text(value, &key.name) {
                labels.push((key.name, text));
            }
        }
        labels
    }

    fn annotations(&mut self, node: Node) -> Vec<(String, String)> {
        let mut annotations = Vec::new();
        for (key, value) in self.map(node, "annotations") {
            if !is_label_name(&key.name) {
                self.refuse(key.line, &key.name, "is no name for an annotation: letters, digits and underscores, no digit in front");
            }
            let text = match value.kind {
                Kind::Null => Some(String::new()),
                _ => self.text(value, &key.name),
            };
            annotations.extend(text.map(|text| (key.name, text)));
        }
        annotations
    }

    fn duration(&mut self, node: Node, what: &str) -> Option<Duration> {
        let line = node.line;
        match &*self.text(node, what)? {
            "0" => Some(Duration::ZERO),
            text => parse_duration(text)
                .map_err(|error| self.refuse(line, &format!("{what}: {text}"), error))
                .ok(),
        }
    }

    fn must_be(&mut self, node: Node, what: &str, wanted: &str, why: &str) {
        let line = node.line;
        if self
            .text(node, what)
            .is_some_and(|text| text != wanted && text != "0")
        {
            self.refuse(line, what, format!("{why}: leave it out"));
        }
    }

    fn unknown(&mut self, key: &Key, known: &str) {
        self.refuse(
            key.line,
            &key.name,
            format!("is not known here: known are {known}"),
        );
    }

    fn text(&mut self, node: Node, what: &str) -> Option<String> {
        match node.kind {
            Kind::Text(text) => Some(text),
            _ => {
                self.refuse(node.line, what, "must be a text");
                None
            }
        }
    }

    fn list(&mut self, node: Node, what: &str) -> Vec<Node> {
        match node.kind {
            Kind::List(list) => list,
            Kind::Null => Vec::new(),
            _ => {
                self.refuse(node.line, what, "must be a list");
                Vec::new()
            }
        }
    }

    /// The entries of a map, each key once.
    fn map(&mut self, node: Node, what: &str) -> Entries {
        let entries = match node.kind {
            Kind::Map(entries) => entries,
            Kind::Null => Vec::new(),
            _ => {
                self.refuse(node.line, what, "must be a map");
                Vec::new()
            }
        };
        let mut seen = HashSet::new();
        let twice: Vec<usize> = entries
            .iter()
            .filter(|(key, _)| !seen.insert(&*key.name))
            .map(|(key, _)| key.line)
            .collect();
        twice.into_iter().for_each(|line| {
            self.refuse(line, what, "a key stands there twice: which one counts?")
        });
        entries
    }
}

fn named(entries: &Entries, wanted: &str) -> String {
    let found = entries.iter().find(|(key, _)| key.name == wanted);
    match found {
        Some((
            _,
            Node {
                kind: Kind::Text(name),
                ..
            },
        )) => name.clone(),
        _ => String::new(),
    }
}
