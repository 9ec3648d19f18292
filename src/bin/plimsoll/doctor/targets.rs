//! Whether Prometheus reaches the processes, often enough and by the same clock.

use std::time::{Duration, SystemTime};

use plimsoll::rule::RuleGroup;
use serde_json::Value;

use super::Finding;
use crate::prometheus::{Error, Prometheus, quoted};

/// What clocks may differ by: a scrape takes a while, too.
const SKEW: f64 = 5.0;

/// What stands between Prometheus and the processes, and whether it reaches any.
pub(super) fn examine(
    job: &str,
    rules: &[RuleGroup],
    prometheus: &Prometheus,
) -> Result<(Vec<Finding>, bool), Error> {
    let all = prometheus.list("targets?state=active", "/activeTargets")?;
    let its = all.iter().filter(|target| target["labels"]["job"] == job);
    let its: Vec<_> = its.collect();
    if its.is_empty() {
        return Ok((vec![none(job, &all)], false));
    }
    let mut findings = unreached(&its);
    if its.iter().all(|target| target["health"] != "up") {
        return Ok((findings, false));
    }
    let shortest = shortest_window(rules);
    findings.extend(its.iter().find_map(|target| seldom(target, shortest?)));
    findings.extend(skewed(job, prometheus)?);
    Ok((findings, true))
}

fn none(job: &str, all: &[Value]) -> Finding {
    let mut jobs: Vec<_> = all
        .iter()
        .filter_map(|target| target["labels"]["job"].as_str())
        .collect();
    jobs.sort_unstable();
    jobs.dedup();
    let jobs = match jobs.is_empty() {
        true => "it scrapes nothing".to_owned(),
        false => format!("there are {}", jobs.join(", ")),
    };
    Finding::new(
        format!("no target has the job {job:?}: {jobs}"),
        "scrape it (`plimsoll prometheus` prints how), or say what the job is called: `job` in [generate]",
    )
}

/// Those that are down as one, and those that were not scraped yet: what is wrong with the first is as a rule wrong with all.
fn unreached(its: &[&Value]) -> Vec<Finding> {
    let up = its.iter().filter(|target| target["health"] == "up").count();
    let later = match up {
        0 => "; what is missing otherwise shows once one is up",
        _ => "",
    };
    let of = |is_down: bool| {
        let unreached = its.iter().filter(|target| target["health"] != "up");
        let mut unreached = unreached.filter(|target| (target["health"] == "down") == is_down);
        let first = unreached.next()?;
        let others = match unreached.count() {
            0 => String::new(),
            1 => " (and another target)".to_owned(),
            count => format!(" (and {count} other targets)"),
        };
        let text = |key: &str| first[key].as_str().unwrap_or_default();
        let url = text("scrapeUrl");
        let (what, mend) = match is_down {
            true => (
                format!("{url} is down: {}{others}", text("lastError")),
                "see whether the process runs, listens there and serves its page under this path",
            ),
            false => (
                format!("{url} was not scraped yet{others}"),
                "ask again after a scrape interval",
            ),
        };
        Some(Finding::new(what, format!("{mend}{later}")))
    };
    [true, false].into_iter().filter_map(of).collect()
}

/// Rates need two samples, and some air for a scrape that is late or lost.
fn seldom(target: &Value, shortest: Duration) -> Option<Finding> {
    let every = humantime::parse_duration(target["scrapeInterval"].as_str()?).ok()?;
    (every * 2 > shortest).then(|| {
        Finding::new(
            format!("it is scraped every {every:?}, more than half of the shortest window ({shortest:?})"),
            "scrape it more often, or judge over a longer window: rates need two samples in each",
        )
    })
}

/// The shortest range that a rule looks back over.
fn shortest_window(groups: &[RuleGroup]) -> Option<Duration> {
    let rules = groups.iter().flat_map(|group| &group.rules);
    let ranges = rules.flat_map(|rule| {
        let text = rule.expr.to_string();
        let parts = text.split('[').skip(1);
        let range = |part: &str| humantime::parse_duration(part.split([']', ':']).next()?).ok();
        parts.filter_map(range).collect::<Vec<_>>()
    });
    ranges.min()
}

fn skewed(job: &str, prometheus: &Prometheus) -> Result<Option<Finding>, Error> {
    let here = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let here = here.unwrap_or_default().as_secs_f64();
    let of_prometheus = prometheus.query("time()")?;
    let ahead = of_prometheus.first().map_or(0.0, |time| time.value - here);
    let mend = "set the clocks by NTP: windows, `for` and ages are wrong by as much";
    if ahead.abs() > SKEW {
        let what = format!("the clock of Prometheus is {ahead:.0} s ahead of this machine's");
        return Ok(Some(Finding::new(what, mend)));
    }
    // A process cannot have started, or been good, later than now.
    let names = "process_start_time_seconds|plimsoll_sli_last_good_timestamp_seconds";
    let job = quoted(job);
    let future = format!("max({{__name__=~\"{names}\",job={job}}} - time()) > {SKEW}");
    let future = prometheus.query(&future)?;
    Ok(future.first().map(|ahead| {
        let what = format!(
            "the clock of a process is {:.0} s ahead of Prometheus'",
            ahead.value
        );
        Finding::new(what, mend)
    }))
}
