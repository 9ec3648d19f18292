//! A Prometheus that scrapes two jobs, and what it says of either.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::prometheus::Prometheus;
use super::site;

/// What must be the same.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Same {
    /// Label sets and values.
    Values,
    /// Label sets; the values are finite numbers above 0.
    Labels,
}

/// Values by labels.
type Answer = BTreeMap<String, f64>;

const JOBS: [&str; 2] = ["theirs", "ours"];

/// Asks the same questions of two routers that are scraped from their first requests on, by both Prometheus 2 and 3.
///
/// `requests` and `under_way` are the queries for the number of requests that ended, and of those that did not. In all
/// of them `$job` stands for the selector of a job.
pub(super) fn compare(
    addresses: [&str; 2],
    requests: &str,
    under_way: &str,
    questions: &[(&str, Same)],
) {
    let newer = std::env::var("PLIMSOLL_PROMETHEUS3").expect("the path of a Prometheus 3");
    // The first round comes before the first scrape, and the second is like it: each series has then grown by as much as
    // it began with, and `rate` extrapolates all of them alike.
    addresses.into_iter().for_each(site::send_round);
    let servers = ["prometheus", &newer].map(|binary| Server::start(binary, addresses));
    let round = site::round() as f64;
    servers.iter().for_each(|it| it.until(requests, round));
    addresses.into_iter().for_each(site::send_round);
    let never = |address: &str| [(); 2].map(|()| site::send(address, "GET", "/never"));
    let _kept: [[TcpStream; 2]; 2] = addresses.map(never);
    for server in &servers {
        server.until(requests, 2.0 * round);
        server.until(under_way, 2.0);
        for (query, same) in questions {
            server.check(query, *same);
        }
    }
}

/// The questions as a user writes them: of every job, over five minutes.
pub(super) fn plain(questions: &[(&str, Same)]) -> Vec<String> {
    let plain = |question: &str| {
        let of_all = question.replace("{$job}", "").replace("$job,", "");
        of_all.replace("[1m]", "[5m]")
    };
    questions
        .iter()
        .map(|(question, _)| plain(question))
        .collect()
}

/// Those that a page of the documentation shows.
pub(super) fn questions_of(page: &str) -> Vec<&str> {
    let (_, rest) = page.split_once("```promql\n").expect("a block of PromQL");
    let (block, _) = rest.split_once("```").expect("its end");
    block.lines().collect()
}

struct Server(Prometheus);

impl Server {
    fn start(binary: &str, addresses: [&str; 2]) -> Self {
        let mut config =
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n".to_owned();
        for (job, address) in JOBS.into_iter().zip(addresses) {
            config +=
                &format!("- job_name: {job}\n  static_configs: [{{targets: ['{address}']}}]\n");
        }
        Self(Prometheus::start(binary, &[], &config))
    }

    /// Waits until the query has this value in both jobs; the bound is for a test that fails.
    fn until(&self, query: &str, value: f64) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answers = JOBS.map(|job| self.ask(query, job));
            let reached = |answer: &Answer| answer.values().sum::<f64>() == value;
            if answers.iter().all(reached) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{query} is {answers:?}, not {value}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// What the query returns for a job.
    fn ask(&self, query: &str, job: &str) -> Answer {
        let query = query.replace("$job", &format!("job=\"{job}\""));
        let samples = self.0.query(&query).into_iter();
        samples
            .map(|(labels, value)| (labels.to_string(), value))
            .collect()
    }

    /// Asks the same of both.
    fn check(&self, query: &str, same: Same) {
        let [theirs, ours] = JOBS.map(|job| self.ask(query, job));
        assert!(!theirs.is_empty(), "{query}: nothing");
        assert!(
            theirs.keys().eq(ours.keys()),
            "{query}: {ours:?} instead of {theirs:?}"
        );
        for (labels, theirs) in &theirs {
            let ours = ours[labels];
            let holds = match same {
                Same::Values => (ours - theirs).abs() <= 1e-9 * theirs.abs(),
                Same::Labels => [ours, *theirs].iter().all(|it| it.is_finite() && *it > 0.0),
            };
            assert!(holds, "{query} {labels}: {ours} instead of {theirs}");
        }
    }
}
