//! The label `query`: whoever names an operation and a model has named the query.

use super::Domain;

impl Domain {
    /// How many of its own labels say what an operation is; one behind them has a value also where nobody gives it.
    pub(crate) fn telling(self) -> usize {
        match self {
            Self::Db => 2,
            _ => self.keys().len(),
        }
    }
}

/// The label values that say what an operation is: without the query where it says no more than the others.
#[inline]
pub(super) fn told<'a, 'b>(domain: Domain, labels: &'a [&'b str]) -> &'a [&'b str] {
    match labels {
        [operation, model, query]
            if domain == Domain::Db && is_implied(operation, model, query) =>
        {
            &labels[..2]
        }
        _ => labels,
    }
}

/// Whether a query is what [`implied`] says, or nothing.
fn is_implied(operation: &str, model: &str, query: &str) -> bool {
    let Some(rest) = query.strip_prefix(operation) else {
        return query.is_empty();
    };
    match model {
        "" => rest.is_empty(),
        _ => rest.strip_prefix(' ') == Some(model) || query.is_empty(),
    }
}

/// `list devices`.
pub(super) fn implied(operation: &str, model: &str) -> String {
    match model {
        "" => operation.to_owned(),
        _ => format!("{operation} {model}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_says_no_more_is_left_out() {
        let told = |labels: [&str; 3]| told(Domain::Db, &labels).len();
        assert_eq!(told(["list", "devices", ""]), 2);
        assert_eq!(told(["list", "devices", &implied("list", "devices")]), 2);
        assert_eq!(told(["BEGIN", "", &implied("BEGIN", "")]), 2);
        assert_eq!(told(["", "", ""]), 2);
        assert_eq!(told(["BEGIN", "", "BEGIN "]), 3);
        assert_eq!(told(["list", "devices", "listdevices"]), 3);
        assert_eq!(told(["list", "devices", "list device"]), 3);
        assert_eq!(told(["SELECT", "orders", "orders.by_id"]), 3);
        assert_eq!(super::told(Domain::Operation, &["a"]).len(), 1);
    }
}
