//! What an SLO is made of.

use super::{Sli, Slo};

impl Slo {
    /// The SLOs that it names, with their weights; none where it counts something of its own.
    fn parts(&self) -> &[(String, f64)] {
        match &self.sli {
            Sli::Weighted(of) | Sli::AllOf(of) => of,
            _ => &[],
        }
    }

    /// Itself and all that it is made of, however deep; each once, even where they need one another in a circle.
    pub(crate) fn with_parts<'a>(&'a self, all: &'a [Self]) -> Vec<&'a Self> {
        let mut found = Vec::new();
        let mut left = vec![self];
        while let Some(next) = left.pop() {
            if found.iter().any(|known: &&Self| known.name == next.name) {
                continue;
            }
            found.push(next);
            let named = next.parts().iter().rev();
            left.extend(named.filter_map(|(name, _)| all.iter().find(|slo| slo.name == *name)));
        }
        found
    }

    /// Whether a part of it is made of this one again.
    pub(super) fn needs(&self, name: &str, all: &[Self]) -> bool {
        let named = |slo: &&Self| slo.parts().iter().any(|(part, _)| part == name);
        self.with_parts(all).iter().any(named)
    }
}
