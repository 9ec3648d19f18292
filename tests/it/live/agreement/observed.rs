//! A Prometheus that scrapes the service and evaluates its rules, and what it said afterwards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use plimsoll::expr::Labels;
use plimsoll::rule::{RuleFile, RuleGroup};

use super::super::Prometheus;
use super::promises::{self, EVALUATION, VALUE};
use super::service::{Moment, Served, now_ms, sleep_until};
use super::stands::Told;

/// What it scrapes that rules read, and pages show.
const MEASURED: &str = "plimsoll_sli_.*|plimsoll_uptime_seconds|plimsoll_budget_.*|queue_depth|device_connected|cache_.*|\
                        backup_.*|operation_duration_seconds_bucket";

/// The time at which a scrape and an evaluation are farthest from each other, in milliseconds.
const APART: i64 = 500;

/// The samples of each series.
pub(super) type Raw = Vec<(Labels, Vec<(i64, f64)>)>;

pub(super) struct Observer {
    prometheus: Prometheus,
    _folder: tempfile::TempDir,
    /// The name of the group.
    group: String,
    /// The first evaluation of all rules.
    first_ms: i64,
}

/// A scrape, as Prometheus tells.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scrape {
    pub(super) took_ms: i64,
    pub(super) failed: bool,
}

/// What it kept.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) group: String,
    pub(super) measured: Raw,
    /// By the time at which it began.
    pub(super) scrapes: BTreeMap<i64, Scrape>,
    /// By moment of evaluation.
    pub(super) told: BTreeMap<i64, Told>,
}

impl Observer {
    /// Starts with groups that say when each is evaluated, and gives the name of the one whose moments are between those of
    /// the scrapes to the group of all rules: so nobody evaluates while a page is on its way.
    pub(super) fn start(binary: &str, served: &Served) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.yml");
        let probe = |nth: u32| {
            let name = format!("live-{nth}");
            let rule = promises::evaluation().label("group", &name);
            RuleGroup::new(name, [rule])
        };
        write(&file, RuleFile::new((0..16).map(probe)));
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\n\
             scrape_configs:\n- job_name: gateway\n  static_configs: [{{targets: ['{}']}}]\n",
            file.display(),
            served.address
        );
        let prometheus = Prometheus::start(binary, &["--web.enable-lifecycle"], &config);
        let deadline = Instant::now() + Duration::from_secs(30);
        let (scrape_ms, probes) = loop {
            let scrapes = prometheus.raw("plimsoll_uptime_seconds[10s]");
            let probes = prometheus.raw(&format!("{EVALUATION}[10s]"));
            let latest = |samples: &Vec<(i64, f64)>| samples.last().map(|last| last.0);
            if let ([(_, scrapes)], true) = (&scrapes[..], probes.len() == 16)
                && scrapes.len() >= 3
            {
                let of_group = |(labels, samples): &(Labels, _)| {
                    Some((labels.get("group").to_owned(), latest(samples)?))
                };
                let probes: Vec<_> = probes.iter().filter_map(of_group).collect();
                break (latest(scrapes).unwrap(), probes);
            }
            assert!(
                Instant::now() < deadline,
                "it neither scrapes nor evaluates"
            );
            std::thread::sleep(Duration::from_millis(200));
        };
        let off = |at_ms: i64| ((at_ms - scrape_ms).rem_euclid(1_000) - APART).abs();
        let (group, at_ms) = probes.into_iter().min_by_key(|probe| off(probe.1)).unwrap();
        assert!(off(at_ms) < 250, "a scrape comes with every evaluation");
        write(&file, RuleFile::new([promises::group(&group)]));
        let mut first_ms = at_ms;
        while first_ms < now_ms() + 1_000 {
            first_ms += 1_000;
        }
        // It begins at the next moment of evaluation after it has read the rules.
        sleep_until(first_ms - 900);
        prometheus.reload();
        assert!(now_ms() < first_ms, "it took too long to read the rules");
        Self {
            prometheus,
            _folder: folder,
            group,
            first_ms,
        }
    }

    /// Waits for an evaluation.
    pub(super) fn next(&self, nth: i64) -> Moment {
        let at_ms = self.first_ms + nth * 1_000;
        sleep_until(at_ms + 2);
        Moment {
            at_ms: Some(at_ms),
            executed_ms: now_ms(),
        }
    }

    /// What it kept since the first evaluation.
    pub(super) fn take(self) -> Observed {
        std::thread::sleep(Duration::from_millis(1_500));
        let Self {
            prometheus,
            group,
            first_ms,
            ..
        } = self;
        let evaluations = prometheus.raw(&format!("{EVALUATION}{{group=\"\"}}[10m]"));
        let moments = evaluations.iter().flat_map(|(_, samples)| samples);
        let moments = moments.map(|sample| (sample.0, Told::default()));
        let mut told: BTreeMap<i64, Told> = moments.filter(|told| told.0 >= first_ms).collect();
        // The latest may have been under way.
        told.pop_last();
        let mut each = |query: &str, see: &mut dyn FnMut(&mut Told, &Labels, f64)| {
            for (labels, samples) in prometheus.raw(query) {
                for (at_ms, value) in samples {
                    if let Some(told) = told.get_mut(&at_ms) {
                        see(told, &labels, value);
                    }
                }
            }
        };
        each("ALERTS[10m]", &mut |told, labels, _| {
            told.alerts.insert(nameless(labels).to_string());
        });
        each("ALERTS_FOR_STATE[10m]", &mut |told, labels, since| {
            told.since
                .insert(nameless(labels).to_string(), since as i64);
        });
        each(
            &format!("{{__name__=~\"{VALUE}.*\"}}[10m]"),
            &mut |told, labels, value| {
                told.value(labels.get("__name__"), Some(value));
            },
        );
        let mut scrapes: BTreeMap<i64, Scrape> = BTreeMap::new();
        for (_, samples) in prometheus.raw("scrape_duration_seconds[10m]") {
            for (at_ms, took) in samples {
                scrapes.entry(at_ms).or_default().took_ms = (took * 1e3) as i64;
            }
        }
        for (_, samples) in prometheus.raw("up[10m]") {
            for (at_ms, up) in samples {
                scrapes.entry(at_ms).or_default().failed = up == 0.0;
            }
        }
        Observed {
            group,
            scrapes,
            measured: prometheus.raw(&format!("{{__name__=~\"{MEASURED}\"}}[10m]")),
            told,
        }
    }
}

impl Observed {
    /// When scrapes failed.
    pub(super) fn down(&self) -> Vec<i64> {
        let failed = self.scrapes.iter().filter(|(_, scrape)| scrape.failed);
        failed.map(|(at_ms, _)| *at_ms).collect()
    }
}

fn nameless(labels: &Labels) -> Labels {
    Labels::new(labels.iter().filter(|label| label.0 != "__name__"))
}

fn write(path: &PathBuf, file: RuleFile) {
    std::fs::write(path, file.to_string()).unwrap();
}
