//! Where a service runs, and who is told.

use std::time::Duration;

use super::rules::{GRAVE, escalation};
use crate::config::Problem;

/// What generated files say beside what was promised: where Prometheus finds the service, and who is told of alerts.
///
/// ```
/// use plimsoll::generate::{Declaration, Operations};
/// use std::time::Duration;
///
/// let operations = Operations::new()
///     .job("shop")
///     .targets(["10.0.0.1:9100", "10.0.0.2:9100"])
///     .escalation(Duration::ZERO, "on-call")
///     .escalation(Duration::from_secs(900), "team-lead");
/// let declaration = Declaration::parse("service = \"shop\"")?.operations(operations)?;
/// assert!(declaration.alertmanager().contains("name: team-lead"));
/// # Ok::<(), plimsoll::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Operations {
    pub(crate) job: Option<String>,
    pub(crate) targets: Vec<String>,
    pub(crate) scrape_interval: Duration,
    pub(crate) evaluation_interval: Duration,
    pub(crate) rule_files: Vec<String>,
    pub(crate) alertmanagers: Vec<String>,
    pub(crate) runbook_url: Option<String>,
    pub(crate) dashboard_url: Option<String>,
    pub(crate) receivers: Receivers,
    pub(crate) escalation: Vec<Escalation>,
}

/// The names of who is told, by severity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Receivers {
    /// Of `page` and `critical`.
    pub(crate) page: String,
    /// Of `ticket` and `warning`.
    pub(crate) ticket: String,
    /// Of `info`.
    pub(crate) info: String,
}

/// A level of escalation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Escalation {
    pub(crate) after: Duration,
    pub(crate) receiver: String,
}

impl Default for Operations {
    fn default() -> Self {
        let interval = Duration::from_secs(15);
        Self {
            job: None,
            targets: Vec::new(),
            scrape_interval: interval,
            evaluation_interval: interval,
            rule_files: vec!["rules.yml".to_owned()],
            alertmanagers: vec!["localhost:9093".to_owned()],
            runbook_url: None,
            dashboard_url: None,
            receivers: Receivers {
                page: "page".to_owned(),
                ticket: "ticket".to_owned(),
                info: "info".to_owned(),
            },
            escalation: Vec::new(),
        }
    }
}

impl Operations {
    /// One process and one Alertmanager on this machine, every 15 s, nobody to escalate to.
    pub fn new() -> Self {
        Self::default()
    }

    /// The label `job` of the service's series; that of [`Builder::target`](crate::Builder::target), or else the name of the service,
    /// by default.
    pub fn job(mut self, job: impl Into<String>) -> Self {
        self.job = Some(job.into());
        self
    }

    /// Where Prometheus finds the processes, each as `host:port`; by default the instance of
    /// [`Builder::target`](crate::Builder::target), or else `localhost:9100`.
    pub fn targets<T: Into<String>>(mut self, targets: impl IntoIterator<Item = T>) -> Self {
        self.targets = targets.into_iter().map(Into::into).collect();
        self
    }

    /// How often they are scraped; 15 s by default. At least 1 ms.
    pub fn scrape_interval(mut self, interval: Duration) -> Self {
        self.scrape_interval = interval;
        self
    }

    /// How often rules are evaluated; 15 s by default. At least 1 ms.
    pub fn evaluation_interval(mut self, interval: Duration) -> Self {
        self.evaluation_interval = interval;
        self
    }

    /// The files that Prometheus reads its rules from; `rules.yml` beside its configuration by default.
    pub fn rule_files<T: Into<String>>(mut self, files: impl IntoIterator<Item = T>) -> Self {
        self.rule_files = files.into_iter().map(Into::into).collect();
        self
    }

    /// Where Prometheus finds the Alertmanagers, each as `host:port`; `localhost:9093` by default.
    pub fn alertmanagers<T: Into<String>>(mut self, targets: impl IntoIterator<Item = T>) -> Self {
        self.alertmanagers = targets.into_iter().map(Into::into).collect();
        self
    }

    /// Where the page of each alert is: its name is put behind this address. No link by default.
    pub fn runbook_url(mut self, base: impl Into<String>) -> Self {
        self.runbook_url = Some(base.into());
        self
    }

    /// The address of the dashboard that alerts point to; its variables `job` and `instance` are put behind it. No link by default.
    pub fn dashboard_url(mut self, base: impl Into<String>) -> Self {
        self.dashboard_url = Some(base.into());
        self
    }

    /// Who is told by severity: of `page` and `critical`, of `ticket` and `warning`, of `info`.
    pub fn receivers(
        mut self,
        page: impl Into<String>,
        ticket: impl Into<String>,
        info: impl Into<String>,
    ) -> Self {
        self.receivers = Receivers {
            page: page.into(),
            ticket: ticket.into(),
            info: info.into(),
        };
        self
    }

    /// Who is told of an alert of the severity `page` or `critical` that has fired for so long; the first one at once. May be
    /// given several times, each later than the one before.
    pub fn escalation(mut self, after: Duration, receiver: impl Into<String>) -> Self {
        let receiver = receiver.into();
        self.escalation.push(Escalation { after, receiver });
        self
    }

    /// Who is told of an alert with this severity and label `escalation`.
    pub(crate) fn receiver(&self, severity: &str, escalated: &str) -> &str {
        let mut levels = self.escalation.iter().enumerate();
        let level = levels.find(|(nth, _)| escalation(*nth) == escalated);
        match (level, severity) {
            (Some((_, level)), _) => &level.receiver,
            (None, "info") => &self.receivers.info,
            (None, grave) if GRAVE.contains(&grave) => &self.receivers.page,
            // Alertmanager's route for everything that no other takes is this one too.
            (None, _) => &self.receivers.ticket,
        }
    }

    /// Every mistake.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut report = |field: &str, message: String| {
            problems.push(Problem::new(format!("generate: {field}"), message));
        };
        if self.job.as_deref() == Some("") {
            report("job", "is empty: leave it out or name the job".to_owned());
        }
        for (field, interval) in [
            ("scrape_interval", self.scrape_interval),
            ("evaluation_interval", self.evaluation_interval),
        ] {
            if interval.is_zero() || !interval.as_nanos().is_multiple_of(1_000_000) {
                let message = format!("{interval:?} is no interval: it takes whole milliseconds");
                report(field, message);
            }
        }
        let bases = [
            ("runbook_url", &self.runbook_url),
            ("dashboard_url", &self.dashboard_url),
        ];
        for (field, base) in bases {
            if let Some(message) = base.as_deref().and_then(url_problem) {
                report(field, message);
            }
        }
        let hosts = [
            ("targets", &self.targets),
            ("alertmanagers", &self.alertmanagers),
        ];
        for (field, hosts) in hosts {
            for message in hosts.iter().filter_map(|host| host_problem(host)) {
                report(field, message);
            }
        }
        let by_severity = [
            &self.receivers.page,
            &self.receivers.ticket,
            &self.receivers.info,
        ];
        if by_severity.into_iter().any(String::is_empty) {
            report("receivers", "are empty: each needs a name".to_owned());
        }
        for message in self.escalation_problems() {
            report("escalation", message);
        }
        problems
    }

    fn escalation_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut earlier = None;
        for Escalation { after, receiver } in &self.escalation {
            if receiver.is_empty() {
                problems.push(format!("after {after:?} has no receiver: name one"));
            }
            match earlier {
                None if !after.is_zero() => problems.push(format!(
                    "begins after {after:?}: the first level is told at once, write after = \"0s\""
                )),
                Some(earlier) if *after <= earlier => problems.push(format!(
                    "after {after:?} does not come later than the level before it: give each more time"
                )),
                _ => {}
            }
            earlier = Some(*after);
        }
        problems
    }
}

fn url_problem(base: &str) -> Option<String> {
    let begins = ["http://", "https://"]
        .iter()
        .any(|scheme| base.starts_with(scheme));
    let plain = |char: char| char.is_ascii_graphic() && !"\"'<>\\^`{|}".contains(char);
    let sound = begins && base.chars().all(plain);
    (!sound).then(|| format!("{base:?} is no address: it begins with https:// or http:// and has no blanks, quotes or braces"))
}

fn host_problem(host: &str) -> Option<String> {
    let port = host.rsplit_once(':').and_then(|(name, port)| {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"/\"'{}\\".contains(&byte);
        let sound = !name.is_empty() && name.bytes().all(plain);
        port.parse::<u16>().ok().filter(|_| sound)
    });
    port.is_none().then(|| format!("{host:?} is not host:port"))
}
