//! Which series an expression speaks of.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::labels::{Labels, NAME, is_family_name};
use super::print::Quoted;

/// An exported family's name and what the labels of its series must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector {
    name: String,
    matchers: Vec<Matcher>,
}

/// What one label must be.
#[derive(Debug, Clone)]
pub struct Matcher {
    label: String,
    compare: Compare,
    value: String,
    /// What a pattern compiles to.
    pattern: Option<regex_lite::Regex>,
}

/// How a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Compare {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`: the pattern matches the whole value.
    Matches,
    /// `!~`
    NotMatches,
}

/// A pattern that is no regular expression, or one that this process would read otherwise than Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub message: String,
}

impl Compare {
    /// As PromQL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::NotMatches => "!~",
        }
    }
}

impl Selector {
    /// All series of the family with this exported name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            matchers: Vec::new(),
        }
    }

    /// Only series in which `key` has this value; an empty value stands for series without the label.
    pub fn label(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(Matcher::plain(key.into(), Compare::Equal, value.into()))
    }

    /// Only series in which `key` has another value.
    pub fn label_not(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(Matcher::plain(key.into(), Compare::NotEqual, value.into()))
    }

    /// Only series in which the whole value of `key` is matched by a pattern.
    ///
    /// # Errors
    ///
    /// [`PatternError`] if it is no regular expression, or uses what this process does not know of Prometheus' syntax
    /// (classes of Unicode such as `\pL`).
    pub fn label_matches(
        self,
        key: impl Into<String>,
        pattern: impl Into<String>,
    ) -> Result<Self, PatternError> {
        let matcher = Matcher::pattern(key.into(), Compare::Matches, pattern.into())?;
        Ok(self.with(matcher))
    }

    /// Only series in which the whole value of `key` is not matched by a pattern.
    ///
    /// # Errors
    ///
    /// As of [`label_matches`](Self::label_matches).
    pub fn label_not_matches(
        self,
        key: impl Into<String>,
        pattern: impl Into<String>,
    ) -> Result<Self, PatternError> {
        let matcher = Matcher::pattern(key.into(), Compare::NotMatches, pattern.into())?;
        Ok(self.with(matcher))
    }

    fn with(mut self, matcher: Matcher) -> Self {
        self.matchers.push(matcher);
        self
    }

    pub(crate) fn renamed(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same whatever the label's value is.
    #[cfg(feature = "generate")]
    pub(crate) fn without(&self, label: &str) -> Self {
        let mut all = self.clone();
        all.matchers.retain(|matcher| matcher.label != label);
        all
    }

    /// The exported name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the labels must be.
    pub fn matchers(&self) -> &[Matcher] {
        &self.matchers
    }

    /// Whether a series of this family has the labels that are asked for; `label` gives its value of a label, empty where
    /// there is none.
    pub(crate) fn has<'a>(&self, label: impl Fn(&str) -> &'a str) -> bool {
        let mut matchers = self.matchers.iter();
        matchers.all(|matcher| matcher.holds(label(&matcher.label)))
    }

    /// Whether it matches a series with these labels, the family's name among them.
    pub fn matches(&self, labels: &Labels) -> bool {
        labels.get(NAME) == self.name && self.has(|key| labels.get(key))
    }
}

impl Matcher {
    fn plain(label: String, compare: Compare, value: String) -> Self {
        Self {
            label,
            compare,
            value,
            pattern: None,
        }
    }

    fn pattern(label: String, compare: Compare, value: String) -> Result<Self, PatternError> {
        if let Some(part) = super::pattern::foreign(&value) {
            let message = format!("{part} is not read as Prometheus reads it: write it out");
            return Err(PatternError {
                pattern: value,
                message,
            });
        }
        let whole = format!("^(?s:{value})$");
        let pattern = regex_lite::Regex::new(&whole).map_err(|error| PatternError {
            pattern: value.clone(),
            message: error.to_string(),
        })?;
        let pattern = Some(pattern);
        Ok(Self {
            pattern,
            ..Self::plain(label, compare, value)
        })
    }

    /// The label's name.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// How it is compared.
    pub fn compare(&self) -> Compare {
        self.compare
    }

    /// The value, or the pattern.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a value is what it asks for; an empty one stands for a label that is not there.
    pub fn holds(&self, value: &str) -> bool {
        let matches = || {
            let pattern = self.pattern.as_ref();
            pattern.is_some_and(|pattern| pattern.is_match(value))
        };
        match self.compare {
            Compare::Equal => self.value == value,
            Compare::NotEqual => self.value != value,
            Compare::Matches => matches(),
            Compare::NotMatches => !matches(),
        }
    }

    fn key(&self) -> (&str, Compare, &str) {
        (&self.label, self.compare, &self.value)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Matcher {}

impl Hash for Matcher {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for Matcher {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Matcher {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            label,
            compare,
            value,
            ..
        } = self;
        write!(f, "{label}{}{}", compare.as_str(), Quoted(value))
    }
}

/// Whether a family's name may stand in PromQL as it is; words of the language and names that other characters are in
/// stand as the value of `__name__`.
fn is_plain(name: &str) -> bool {
    const WORDS: [&str; 40] = [
        "and",
        "or",
        "unless",
        "atan2",
        "sum",
        "avg",
        "count",
        "min",
        "max",
        "group",
        "stddev",
        "stdvar",
        "topk",
        "bottomk",
        "count_values",
        "quantile",
        "limitk",
        "limit_ratio",
        "offset",
        "smoothed",
        "anchored",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "fill",
        "fill_left",
        "fill_right",
        "bool",
        "start",
        "end",
        "step",
        "range",
        "inf",
        "nan",
        "time",
        "histogram_quantile",
        "infinity",
    ];
    is_family_name(name) && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(name))
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = '{';
        match is_plain(&self.name) {
            true => f.write_str(&self.name)?,
            false => {
                write!(f, "{{{NAME}={}", Quoted(&self.name))?;
                before = ',';
            }
        }
        for matcher in &self.matchers {
            write!(f, "{before}{matcher}")?;
            before = ',';
        }
        f.write_str(if before == ',' { "}" } else { "" })
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern {:?}: {}", self.pattern, self.message)
    }
}

impl std::error::Error for PatternError {}
