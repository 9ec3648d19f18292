//! What dashboards read, recorded: named `level:metric:operations`, as Prometheus advises.

use std::time::Duration;

use super::Scoped;
use super::scope::Scope;
use crate::budget::{Budget, Labels, Level, Sli};
use crate::expr::{Expr, Function, Selector};
use crate::rule::{Rule, RuleGroup};
use crate::slo::{Slo, window_name};

/// What is happening now.
const NOW: Duration = Duration::from_secs(300);

/// Periods are long, so their samples are many and change slowly; less than what Prometheus looks back for a sample.
const PERIOD_EVERY: Duration = Duration::from_secs(120);

const RATIO: &str = "slo:plimsoll_sli_error:ratio_rate";

impl Scoped<'_> {
    /// What is compared with its limits, where that is a ratio or a rate of counters.
    pub(super) fn recorded_of_budget(self, budget: &Budget) -> Vec<Rule> {
        let what = match &budget.sli {
            Sli::Quantile(..) | Sli::ErrorRatio(_) => "plimsoll_sli_error:ratio_rate",
            Sli::SuccessRatio(_) => "plimsoll_sli_success:ratio_rate",
            Sli::Ratio(..) => "plimsoll_sli_part:ratio_rate",
            Sli::Throughput(_) => "plimsoll_sli_valid:rate",
            Sli::Freshness(_) | Sli::Age(_) | Sli::Value(_) => return Vec::new(),
        };
        let levels = budget.levels().filter(|level| *level != Level::Absent);
        let record = |level: Level| {
            let name = format!("budget:{what}{}", window_name(budget.window(level)));
            let value = budget.value_by(level, &self.scope.labels());
            let labels = [("budget", &*budget.name), ("level", level.as_str())];
            self.record(name, &value, &labels)
        };
        levels.map(record).collect()
    }

    pub(super) fn recorded_of_slo(self, slo: &Slo) -> Vec<RuleGroup> {
        let mut windows = slo.windows();
        if !windows.contains(&NOW) {
            windows.push(NOW);
            windows.sort();
        }
        let mut rules: Vec<Rule> = windows.iter().map(|over| self.ratio(slo, *over)).collect();
        rules.extend(windows.iter().map(|over| self.burn_rate(slo, *over)));
        let of_slo = [("slo", &*slo.name)];
        let constants = [
            (
                "slo:plimsoll_objective:ratio",
                slo.objective.unwrap_or(f64::NAN),
            ),
            ("slo:plimsoll_error_budget:ratio", slo.error_budget()),
        ];
        // The same for each instance.
        for (name, number) in constants.into_iter().filter(|_| self.scope == Scope::Fleet) {
            rules.push(self.record(name.to_owned(), &constant(number), &of_slo));
        }
        let period = slo.period.nominal();
        let left =
            Expr::Number(1.0) - self.of_ratio(slo, period) / Expr::Number(slo.error_budget());
        let of_period = [
            self.ratio(slo, period),
            self.record(
                "slo:plimsoll_error_budget_remaining:ratio".to_owned(),
                &left,
                &of_slo,
            ),
        ];
        let name = format!("plimsoll-recorded-{}-{}", slo.name, self.scope.as_str());
        vec![
            RuleGroup::new(name.clone(), rules),
            RuleGroup::new(name + "-period", of_period).every(PERIOD_EVERY),
        ]
    }

    /// The error ratio over a window.
    fn ratio(self, slo: &Slo, over: Duration) -> Rule {
        let ratio = slo.error_ratio(over, &Labels::from([]));
        let ratio = ratio.kept_by(&self.scope.labels()).unwrap_or(ratio);
        let name = format!("{RATIO}{}", window_name(over));
        self.record(name, &ratio, &[("slo", &slo.name)])
    }

    fn burn_rate(self, slo: &Slo, over: Duration) -> Rule {
        let name = format!("slo:plimsoll_burn_rate:ratio_rate{}", window_name(over));
        let burns = self.of_ratio(slo, over) / Expr::Number(slo.error_budget());
        self.record(name, &burns, &[("slo", &slo.name)])
    }

    /// What was recorded of the ratio over a window.
    fn of_ratio(self, slo: &Slo, over: Duration) -> Expr {
        let recorded = Selector::new(format!("{RATIO}{}", window_name(over)));
        let of_slo = recorded.label("slo", &slo.name);
        Expr::select(of_slo.label("scope", self.scope.as_str()))
    }
}

pub(super) fn constant(number: f64) -> Expr {
    Expr::Number(number).call(Function::Vector)
}
