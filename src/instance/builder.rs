//! From a configuration to an instance.

mod build;
#[cfg(feature = "generate")]
mod declaration;
mod notices;
#[cfg(feature = "generate")]
mod replay;
#[cfg(feature = "state")]
mod state;

use std::fmt;
use std::time::Duration;

use crate::budget::Budget;
use crate::clock::{Clock, SharedClock};
use crate::config::{Problem, Settings, Vars};
use crate::engine::{Sampling, Watch};
use crate::family::{Foreign, Format, Offer};
use crate::instance::NotReady;
use crate::naming::Naming;
use crate::registry::Label;
use crate::rule::RuleFile;
use crate::slo::Slo;
use notices::Notices;

/// Gives problems the lines of the file that they are about.
type Locate = Box<dyn Fn(&mut [Problem]) + Send + Sync>;

/// A configuration in the making. Every mistake surfaces at [`build`](Self::build), all at once.
///
/// Precedence: defaults, then these setters, then TOML, then the environment; the order of the calls does not matter.
#[derive(Default)]
pub struct Builder {
    code: Settings,
    file: Settings,
    vars: Option<Vars>,
    clock: Option<SharedClock>,
    manual: bool,
    queue_capacity: Option<usize>,
    shard_memory: Option<usize>,
    watches: Vec<Watch>,
    offer: Offer,
    notices: Notices,
    foreign: Foreign,
    labels: Vec<Label>,
    sampling: Sampling,
    target: Option<[String; 2]>,
    not_ready: Vec<NotReady>,
    problems: Vec<Problem>,
    locate: Option<Locate>,
}

impl Builder {
    /// The name of the service, in one line; `service` by default. What is generated is called by it, so two services need two.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.code.service = Some(name.into());
        self
    }

    /// How exported families are named; OpenTelemetry's names by default.
    pub fn naming(mut self, naming: Naming) -> Self {
        self.code.naming = Some(naming);
        self
    }

    /// Adds a promise.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.code.budgets.push(budget);
        self
    }

    /// Several promises: a table of them, or what a tree shares out.
    pub fn budgets(mut self, budgets: impl IntoIterator<Item = Budget>) -> Self {
        self.code.budgets.extend(budgets);
        self
    }

    /// Judges groups of rules: alerts, and what feeds them. May be given several times.
    ///
    /// Each group is evaluated when its interval is over, at the tick that comes then and as of that time; one without an
    /// interval at every tick. Rules come before budgets, in the order in which they are given; each reads what the page
    /// shows, and what those before it said at the same moment (`ALERTS`, recorded families). Which alerts change, is told to
    /// [`on_alert`](Self::on_alert); [`Plimsoll::alerts`](crate::Plimsoll::alerts) lists those that there are. A rule whose
    /// expression has no value is a [`Warning`](crate::Warning) of kind `rule_failed`.
    ///
    /// What such a rule reads has to be there: see [`expect_family`](Self::expect_family).
    ///
    /// ```
    /// use plimsoll::rule::{Rule, RuleGroup};
    /// use plimsoll::{Expr, Plimsoll, Selector};
    ///
    /// let dropped = Expr::select(Selector::new("plimsoll_events_dropped_total")).greater(0.0);
    /// let plimsoll = Plimsoll::builder()
    ///     .rules([RuleGroup::new("ours", [Rule::alert("EventsDropped", dropped)])])
    ///     .on_alert(|alert| eprintln!("{alert}"))
    ///     .build()?;
    /// assert!(plimsoll.alerts().is_empty());
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn rules(mut self, rules: impl Into<RuleFile>) -> Self {
        self.code.rules.push(rules.into());
        self
    }

    /// Adds an objective with an error budget.
    pub fn slo(mut self, slo: Slo) -> Self {
        self.code.slos.push(slo);
        self
    }

    /// What makes [`Plimsoll::health`](crate::Plimsoll::health) say that the service is not ready; nothing by default. May be
    /// given several times.
    pub fn not_ready_when(mut self, when: NotReady) -> Self {
        self.not_ready.push(when);
        self
    }

    /// One more label of HTTP requests, beside method and route; at most four. Each multiplies the series, within the
    /// cap of [`max_series`](Self::max_series).
    ///
    /// It is a label of every family that tells routes apart, of [`Plimsoll::stats`](crate::Plimsoll::stats), and, where
    /// it is read from the request, of [`Select::http`](crate::Select::http); one that is read from the response only where ends are told
    /// apart, as the status is.
    ///
    /// ```
    /// use plimsoll::{Budget, Plimsoll, Select, http::Label};
    ///
    /// let tier = Label::request("tier", |head| head.headers().get("x-tier")?.to_str().ok());
    /// let cache = Label::response("cache", |head| head.headers().get("x-cache")?.to_str().ok());
    /// let paid = Select::http().label("tier", "paid");
    /// let plimsoll = Plimsoll::builder()
    ///     .http_label(Label::version())
    ///     .http_label(tier.values(["free", "paid"]))
    ///     .http_label(cache.at_most(3))
    ///     .budget(Budget::error_ratio("paid-errors", paid).at_most(0.001))
    ///     .build()?;
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    #[cfg(feature = "http")]
    pub fn http_label(mut self, label: Label) -> Self {
        self.labels.push(label);
        self
    }

    /// Names windows that [`Plimsoll::window`](crate::Plimsoll::window) can read.
    pub fn watch(mut self, watch: Watch) -> Self {
        self.watches.push(watch);
        self
    }

    /// Label sets per kind of work (and instruments per name) before the rest is counted under `other`; 1000 by default.
    pub fn max_series(mut self, count: usize) -> Self {
        self.code.max_series = Some(count);
        self
    }

    /// Bytes of counters that threads may own, each for itself; 64 MiB by default. Whatever comes after shares one block
    /// per series, which costs an atomic addition instead of a plain one and loses nothing. Exported as
    /// `plimsoll_shard_bytes`; what nobody owns is not under the limit, for it grows with the series only.
    pub fn shard_memory(mut self, bytes: usize) -> Self {
        self.shard_memory = Some(bytes);
        self
    }

    /// How often promises are judged; every second by default.
    ///
    /// Ticks are never quite on time: what has to last (`sustained`, `keep_firing`, `for`, `keep_firing_for`) has lasted when no
    /// more than a tenth of this is lacking.
    pub fn tick(mut self, interval: Duration) -> Self {
        self.code.tick = Some(interval);
        self
    }

    /// When samples are taken of what rules read: at every tick by default.
    pub fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// What Prometheus calls this process: the labels `job` and `instance` that it adds to every series that it scrapes.
    /// With them, rules may name them; without, such rules are refused.
    ///
    /// As there, a label of the page that is called so becomes `exported_job` or `exported_instance`.
    pub fn target(mut self, job: impl Into<String>, instance: impl Into<String>) -> Self {
        self.target = Some([job.into(), instance.into()]);
        self
    }

    /// Announces an instrument of the service's own, or of the `metrics` facade, that is registered later: a rule that
    /// reads a family which is neither exported nor announced is refused, being misspelt most of the time.
    ///
    /// `name` is the exported one, of a histogram without `_bucket`, `_sum` or `_count`. Probes and the process need not be announced.
    /// In a file: `expect_families = ["queue_depth"]`, before its tables.
    ///
    /// ```
    /// use plimsoll::{Budget, Expr, Plimsoll, Selector};
    ///
    /// let depth = Expr::select(Selector::new("queue_depth")).sum();
    /// let plimsoll = Plimsoll::builder()
    ///     .expect_family("queue_depth")
    ///     .budget(Budget::value("queue", depth).at_most(100.0))
    ///     .build()?;
    /// let depth = plimsoll.gauge("queue_depth").register()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expect_family(mut self, name: impl Into<String>) -> Self {
        self.code.expected.push(name.into());
        self
    }

    /// No thread of our own: the caller calls [`Plimsoll::tick`](crate::Plimsoll::tick).
    pub fn manual_tick(mut self) -> Self {
        self.manual = true;
        self
    }

    /// The clock that everything is timed by. By default the time-stamp counter where it is safe (feature `tsc`), else
    /// [`MonotonicClock`](crate::MonotonicClock); `plimsoll_clock_info` tells which.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(SharedClock::of(clock));
        self
    }

    /// The exact bounds of the `metrics` facade's histograms whose name is or ends in `suffix`, in their own unit.
    ///
    /// Of two that fit the later one holds. A bound outside the range of such a histogram, or between two of its steps,
    /// is left out there, and its name counted in `plimsoll_families_dropped_total`.
    #[cfg(feature = "metrics")]
    pub fn facade_bounds(mut self, suffix: impl Into<String>, bounds: &[f64]) -> Self {
        self.foreign.bounds.push((suffix.into(), bounds.to_vec()));
        self
    }

    /// Which variant of a format is served to those whose `Accept` header asks for that format.
    ///
    /// By default OpenMetrics is served without `_created` samples: they are a line more per series, which most
    /// servers store as a series of its own. Native histograms are served in schema 6.
    pub fn format(mut self, format: Format) -> Self {
        self.offer.replace(format);
        self
    }

    /// Settings from TOML text; they win over the setters. Rule files that it names (`rules = ["shop.rules.yml"]`, with the
    /// feature `promql`) are looked for in the working directory.
    #[cfg(feature = "config")]
    pub fn toml(self, text: &str) -> Self {
        self.toml_in(text, std::path::Path::new(""))
    }

    #[cfg(feature = "config")]
    fn toml_in(mut self, text: &str, folder: &std::path::Path) -> Self {
        self.file = crate::config::parse_toml(text, folder, &mut self.problems);
        let text = text.to_owned();
        self.locate = Some(Box::new(move |problems| {
            crate::config::locate(&text, problems)
        }));
        self
    }

    /// Settings from a TOML file; they win over the setters. Rule files that it names are looked for beside it.
    #[cfg(feature = "config")]
    pub fn toml_file(mut self, path: impl AsRef<std::path::Path>) -> Self {
        let path = path.as_ref();
        match std::fs::read_to_string(path) {
            Ok(text) => self.toml_in(&text, path.parent().unwrap_or(path)),
            Err(error) => {
                let message = format!("cannot be read: {error}");
                self.problems.push(Problem::new(
                    format!("toml file {}", path.display()),
                    message,
                ));
                self
            }
        }
    }

    /// Reads the three `PERF_*` variables of the process; they win over everything. See the `config` table in the
    /// README.
    pub fn from_env(self) -> Self {
        self.from_vars(|name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    /// [`from_env`](Self::from_env) with another place to look variables up.
    pub fn from_vars(
        mut self,
        look_up: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.vars = Some(Vars(Box::new(look_up)));
        self
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("code", &self.code)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
