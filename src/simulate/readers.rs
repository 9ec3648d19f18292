//! What a simulation cannot make up by itself.

use crate::budget::Sli as Measured;
use crate::generate::Declaration;
use crate::slo::Sli as Kept;

/// Budgets and SLOs that read neither operations nor pairs of counters, each with what it reads.
pub(super) fn readers(declaration: &Declaration) -> Vec<(String, String)> {
    let budgets = declaration.budgets.iter();
    let budgets = budgets.filter_map(|budget| match &budget.sli {
        Measured::Age(gauge) => Some((budget.name.clone(), gauge.name().to_owned())),
        Measured::Value(value) => Some((budget.name.clone(), value.to_string())),
        _ => None,
    });
    let slos = declaration.slos.iter().filter_map(|slo| match &slo.sli {
        Kept::Time(read) | Kept::TimeSlice(read, _) | Kept::RatioSlices(read, _) => {
            Some((slo.name.clone(), read.to_string()))
        }
        _ => None,
    });
    budgets.chain(slos).collect()
}
