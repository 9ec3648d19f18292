//! What two readers say, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use plimsoll::expr::{Dialect, Labels, Samples};
use plimsoll::rule::Evaluator;
use plimsoll::{Expr, Selector};

use super::observed::{Observed, Scrape};
use super::promises::{self, VALUE};
use super::service::Pages;
use super::stands::{Stand, Told};

/// Somebody may have evaluated before a page that another one evaluated after, if both were within so many milliseconds.
const SAME_MOMENT_MS: i64 = 150;
/// As long as the longest `for`, `keep_firing_for` and short window: what was decided at such a moment has its effect.
const EFFECT_MS: i64 = 12_000;

/// Agreement of all evaluations.
#[derive(Debug, Default)]
pub(super) struct Tally {
    evaluations: usize,
    /// Those at which a page was on its way, or shortly after.
    contested: usize,
    decisions: usize,
    alerts: BTreeSet<String>,
    values: usize,
    exact: usize,
    /// Differences that such a moment explains.
    explained: usize,
    differing: usize,
    examples: Vec<String>,
}

impl Tally {
    /// Compares at each moment of which both say something.
    pub(super) fn all(&mut self, stands: &[Stand], observed: &Observed) {
        let mut contested_ms = i64::MIN / 2;
        let mut latest = None;
        for stand in stands {
            let late = latest.is_some_and(|latest| stand.at_ms - latest > 1_500);
            if late || is_contested(stand, &observed.scrapes) {
                contested_ms = stand.at_ms;
            }
            latest = Some(stand.at_ms);
            let explained = stand.at_ms - contested_ms <= EFFECT_MS;
            self.contested += usize::from(explained);
            match observed.told.get(&stand.at_ms) {
                Some(theirs) => self.one(stand, theirs, explained),
                None => contested_ms = stand.at_ms,
            }
        }
    }

    fn one(&mut self, stand: &Stand, theirs: &Told, explained: bool) {
        self.evaluations += 1;
        let ours = &stand.told;
        self.decisions += theirs.alerts.len();
        self.alerts.extend(theirs.alerts.iter().cloned());
        let mut differ = |what: String| {
            if explained {
                self.explained += 1;
                return;
            }
            self.differing += 1;
            if self.examples.len() < 30 {
                self.examples.push(format!("at {}: {what}", stand.at_ms));
            }
        };
        for alert in ours.alerts.symmetric_difference(&theirs.alerts) {
            let whose = if ours.alerts.contains(alert) {
                "here"
            } else {
                "there"
            };
            differ(format!("{alert} only {whose}"));
        }
        for (alert, since) in &ours.since {
            if theirs.since.get(alert).is_some_and(|there| there != since) {
                differ(format!(
                    "{alert} since {since} here, {:?} there",
                    theirs.since[alert]
                ));
            }
        }
        let names: BTreeSet<&String> = ours.values.keys().chain(theirs.values.keys()).collect();
        for name in names {
            self.values += 1;
            let (here, there) = (ours.values.get(name), theirs.values.get(name));
            let near = |here: f64, there: f64| (here - there).abs() <= 1e-12 * there.abs();
            match (here, there) {
                (Some(here), Some(there)) if here.to_bits() == there.to_bits() => self.exact += 1,
                (Some(here), Some(there)) if near(*here, *there) => {}
                _ => differ(format!("{name} is {here:?} here, {there:?} there")),
            }
        }
    }

    /// Whether both say that an alert of this name fired.
    pub(super) fn saw_firing(&self, name: &str) -> bool {
        let name = format!("alertname=\"{name}\"");
        let firing = |alert: &&String| alert.contains("alertstate=\"firing\"");
        let mut firing = self.alerts.iter().filter(firing);
        self.differing == 0 && firing.any(|alert| alert.contains(&name))
    }

    pub(super) fn check(&self) {
        assert_eq!(self.differing, 0, "{self}\n{}", self.examples.join("\n"));
        assert!(
            self.evaluations >= 70 && self.contested * 3 <= self.evaluations,
            "{self}"
        );
        assert!(self.alerts.len() >= 10 && self.decisions > 100, "{self}");
        assert!(self.values > 1_000, "{self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} evaluations, {} states of {} alerts, {} values of which {} equal to the bit, {} differ; \
             {} evaluations at or after a page on its way, {} differences there",
            self.evaluations,
            self.decisions,
            self.alerts.len(),
            self.values,
            self.exact,
            self.differing,
            self.contested,
            self.explained
        )
    }
}

/// Whether a page was on its way at the evaluation, or between that and when it was really done.
fn is_contested(stand: &Stand, scrapes: &BTreeMap<i64, Scrape>) -> bool {
    let until = stand.executed_ms.max(stand.at_ms) + SAME_MOMENT_MS;
    let begun = scrapes.range(..=until);
    let mut near = begun.map(|(begun_ms, scrape)| begun_ms + scrape.took_ms);
    near.any(|kept_ms| kept_ms >= stand.at_ms - SAME_MOMENT_MS)
}

/// How many values of pages are those that Prometheus has of them at that time.
pub(super) fn pages(pages: &Pages, observed: &Observed) -> usize {
    let mut by_series: BTreeMap<(i64, String), f64> = BTreeMap::new();
    for (labels, samples) in &observed.measured {
        let own = labels
            .iter()
            .filter(|label| !["job", "instance"].contains(&label.0));
        let own = Labels::new(own);
        for (at_ms, value) in samples {
            by_series.insert((*at_ms, own.to_string()), *value);
        }
    }
    let mut values = 0;
    for (at_ms, page) in pages {
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.rsplitn(3, ' ').skip(1);
            let (Some(value), Some(series)) = (words.next(), words.next()) else {
                continue;
            };
            if let Some(there) = by_series.get(&(*at_ms, parsed(series).to_string())) {
                let here: f64 = value.parse().unwrap();
                assert_eq!(here.to_bits(), there.to_bits(), "{line}");
                values += 1;
            }
        }
    }
    values
}

/// The labels of a series in the text format; its values have no quotation marks within.
fn parsed(series: &str) -> Labels {
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.trim_end_matches('}').split("\",");
    let labels = labels.filter_map(|label| label.split_once("=\""));
    let labels = labels.map(|(key, value)| (key, value.trim_end_matches('"')));
    Labels::new(labels.chain([("__name__", name)]))
}

/// What the evaluator says over the samples of a Prometheus, at its moments.
///
/// A scrape that failed ends all series until the next one; of that it tells no more than when it was.
pub(super) fn judged(observed: &Observed, dialect: Dialect, down_ms: &[i64]) -> Vec<Stand> {
    let mut samples = Samples::in_dialect(dialect);
    for (labels, all) in &observed.measured {
        let mut down_ms = down_ms.iter().peekable();
        for (at_ms, value) in all {
            while let Some(down_ms) = down_ms.next_if(|down_ms| *down_ms < at_ms) {
                samples.insert_stale(labels, *down_ms);
            }
            samples.insert(labels, *at_ms, *value);
        }
        down_ms.for_each(|down_ms| samples.insert_stale(labels, *down_ms));
    }
    let group = promises::group(&observed.group);
    let names = group.rules.iter().map(|rule| rule.name().to_owned());
    let names: Vec<String> = names.filter(|name| name.starts_with(VALUE)).collect();
    let mut evaluator = Evaluator::new([group]);
    let stand = |&at_ms: &i64| {
        evaluator.evaluate(&samples, at_ms);
        let mut told = Told::default();
        for alert in evaluator.alerts() {
            let since_s = alert.active_at_ms().div_euclid(1_000);
            told.alert(alert.labels().clone(), alert.state(), since_s);
        }
        for name in &names {
            let value = evaluator.eval(&Expr::select(Selector::new(name)), &samples, at_ms);
            told.value(name, value.unwrap().as_float());
        }
        Stand {
            at_ms,
            executed_ms: at_ms,
            told,
        }
    };
    observed.told.keys().map(stand).collect()
}

/// From when to when, in milliseconds since 1970.
type Episodes = BTreeMap<String, Vec<(i64, i64)>>;

/// Two scrape intervals.
const HELD_MS: i64 = 2_000;

/// How much earlier the process was.
#[derive(Debug, Default)]
pub(super) struct Leads {
    /// Conditions that held for two scrape intervals, and alerts that fired for so long and one more at either end, which the
    /// other reader may lack.
    held: usize,
    missed: Vec<String>,
    leads: Vec<(i64, String)>,
}

impl Leads {
    pub(super) fn find(&mut self, stands: &[Stand], observed: &Observed) {
        let ours = || stands.iter().map(|stand| (stand.at_ms, &stand.told));
        let theirs = || observed.told.iter().map(|(at_ms, told)| (*at_ms, told));
        // What began or ended with the run is known to one alone.
        let from = stands[0].at_ms.max(*observed.told.keys().next().unwrap()) + 3_000;
        let to = stands[stands.len() - 1].at_ms - 5_000;
        for (firing, least_ms) in [(false, HELD_MS), (true, 2 * HELD_MS)] {
            let (ours, theirs) = (episodes(ours(), firing), episodes(theirs(), firing));
            let within = |one: &&(i64, i64)| (from..to).contains(&one.0);
            let long = |one: &&(i64, i64)| within(one) && one.1 - one.0 >= least_ms;
            for (mine, others) in [(&ours, &theirs), (&theirs, &ours)] {
                for (alert, one) in each(mine).filter(|(_, one)| long(one)) {
                    self.held += 1;
                    if counterpart(others, alert, one).is_none() {
                        self.missed.push(format!("{alert} firing={firing} {one:?}"));
                    }
                }
            }
            if firing {
                let pairs = each(&ours).filter(|(_, one)| long(one));
                let pairs = pairs.filter_map(|(alert, one)| {
                    let other = counterpart(&theirs, alert, one).filter(within)?;
                    Some((other.0 - one.0, alert.to_owned()))
                });
                self.leads.extend(pairs);
            }
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.held += other.held;
        self.missed.extend(other.missed.iter().cloned());
        self.leads.extend(other.leads.iter().cloned());
    }

    pub(super) fn check(&self) {
        assert!(self.missed.is_empty(), "{}", self.missed.join("\n"));
        assert!(self.leads.len() >= 5, "{self}");
    }
}

impl fmt::Display for Leads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.leads.clone();
        sorted.sort();
        let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else {
            return f.write_str("no alerts");
        };
        write!(
            f,
            "median {} ms, from {} ms ({}) to {} ms ({}), of {} alerts; {} that held for two scrapes, {} of them found by one alone",
            sorted[sorted.len() / 2].0,
            least.0,
            least.1,
            most.0,
            most.1,
            sorted.len(),
            self.held,
            self.missed.len()
        )
    }
}

fn each(episodes: &Episodes) -> impl Iterator<Item = (&str, &(i64, i64))> {
    episodes
        .iter()
        .flat_map(|(alert, all)| all.iter().map(move |one| (alert.as_str(), one)))
}

/// What another reader says of the same time.
fn counterpart<'a>(others: &'a Episodes, alert: &str, one: &(i64, i64)) -> Option<&'a (i64, i64)> {
    let near = |other: &&(i64, i64)| other.0 <= one.1 + HELD_MS && other.1 >= one.0 - HELD_MS;
    others.get(alert)?.iter().find(near)
}

/// When each alert was active, or firing; moments that are close to each other are one.
fn episodes<'a>(told: impl Iterator<Item = (i64, &'a Told)>, firing: bool) -> Episodes {
    let mut episodes = Episodes::new();
    for (at_ms, told) in told {
        let states = told
            .alerts
            .iter()
            .filter(|alert| !firing || alert.contains("alertstate=\"firing\""));
        for alert in states {
            let alert = alert
                .replace("alertstate=\"firing\"", "")
                .replace("alertstate=\"pending\"", "");
            let all = episodes.entry(alert).or_default();
            match all.last_mut() {
                Some(last) if at_ms - last.1 <= HELD_MS + 500 => last.1 = at_ms,
                _ => all.push((at_ms, at_ms)),
            }
        }
    }
    episodes
}
