//! What came of a question.

use std::collections::HashMap;

use super::question::{Kind, Question};
use crate::failure::Failure;
use crate::prometheus::{Error, Prometheus, Sample};

#[derive(Debug)]
pub(super) enum Answer {
    /// So many series, all of them with values and labels as they have to be; of an alert those that it is active for.
    Green(usize),
    /// Nothing, and what of it is not there.
    Empty(String),
    /// So many series of so many have no value.
    Nan(usize, usize),
    /// The label that the legend names and a series does not have.
    Unnamed(String),
    /// Prometheus' own words.
    Error(String),
}

impl Answer {
    pub(super) fn is_green(&self) -> bool {
        matches!(self, Self::Green(_))
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Green(_) => "green",
            Self::Empty(_) => "empty",
            Self::Nan(..) => "NaN",
            Self::Unnamed(_) => "unnamed",
            Self::Error(_) => "error",
        }
    }

    /// More about it, for people.
    pub(super) fn note(&self) -> String {
        match self {
            Self::Green(series) => format!("{series} series"),
            Self::Empty(lacking) => lacking.clone(),
            Self::Nan(nan, all) => format!("{nan} of {all} series have no value"),
            Self::Unnamed(label) => {
                format!("a series lacks the label {label}, which the legend names")
            }
            Self::Error(why) => why.clone(),
        }
    }
}

/// A Prometheus, and which selectors it was asked for in this round.
#[derive(Debug)]
pub(super) struct Families<'a> {
    prometheus: &'a Prometheus,
    known: HashMap<String, bool>,
}

impl<'a> Families<'a> {
    pub(super) fn new(prometheus: &'a Prometheus) -> Self {
        let known = HashMap::new();
        Self { prometheus, known }
    }

    /// Whether a selector has series.
    fn has(&mut self, selector: &str) -> Result<bool, Error> {
        if let Some(known) = self.known.get(selector) {
            return Ok(*known);
        }
        let there = !self
            .prometheus
            .query(&format!("count({selector})"))?
            .is_empty();
        self.known.insert(selector.to_owned(), there);
        Ok(there)
    }
}

impl Question {
    /// Fails only where nothing can be asked any more.
    pub(super) fn ask(&self, families: &mut Families<'_>) -> Result<Answer, Failure> {
        match self.answered(families) {
            Ok(answer) => Ok(answer),
            Err(Error::Refused(why)) => Ok(Answer::Error(why)),
            Err(error) => Err(error.into()),
        }
    }

    fn answered(&self, families: &mut Families<'_>) -> Result<Answer, Error> {
        let samples = families.prometheus.query(&self.expr)?;
        Ok(match &self.kind {
            Kind::Panel(labels) => of_series(&samples, labels),
            Kind::Recording => of_series(&samples, &[]),
            Kind::Alert(selectors) => {
                let mut lacking = Vec::new();
                for selector in selectors {
                    if !families.has(selector)? {
                        lacking.push(selector.as_str());
                    }
                }
                match lacking.is_empty() {
                    true => Answer::Green(samples.len()),
                    false => Answer::Empty(format!("no series of {}", lacking.join(", "))),
                }
            }
        })
    }
}

fn of_series(samples: &[Sample], labels: &[String]) -> Answer {
    if samples.is_empty() {
        return Answer::Empty(String::new());
    }
    let nan = samples
        .iter()
        .filter(|sample| sample.value.is_nan())
        .count();
    if nan > 0 {
        return Answer::Nan(nan, samples.len());
    }
    let lacks = |label: &&String| samples.iter().any(|sample| sample.label(label).is_empty());
    match labels.iter().find(lacks) {
        Some(label) => Answer::Unnamed(label.clone()),
        None => Answer::Green(samples.len()),
    }
}
