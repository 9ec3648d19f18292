//! One family by the names of all profiles: for somebody who asks for it by the name that it has elsewhere.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::table::{Row, Take};
use super::{Naming, Profile};

/// A family that is there under another name than it is asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Namesake {
    /// The profile whose name is asked for, as `[naming]` calls it: `otel`, `classic`, `millis`, `axum_prometheus`.
    pub asked: &'static str,
    /// The profile whose name is there; the same one where only the prefix differs.
    pub shown: &'static str,
    /// The name that is there, with the ending (`_bucket`) that is asked for.
    pub name: String,
    /// How many of the unit that is shown are one of the unit that is asked for: 1000 from seconds to milliseconds.
    pub scale: f64,
}

/// The names of rows without prefixes, each with whether it is that of a histogram.
struct Names(HashMap<String, bool>);

/// What a name is of.
#[derive(Debug, Clone, Copy)]
struct Known<'a> {
    prefix: &'a str,
    /// One of [`Names`].
    bare: &'a str,
    /// What histograms put behind theirs.
    ending: &'a str,
}

impl Naming {
    /// What stands among the `shown` names for `name`, as this naming or a profile calls it, with whatever prefix.
    pub(crate) fn namesake<'a>(
        &self,
        name: &str,
        shown: impl Iterator<Item = &'a str>,
    ) -> Option<Namesake> {
        let all = self.and_profiles();
        let names = Names::of(&all);
        let asked = names.known(name)?;
        let (of, row) = all
            .iter()
            .find_map(|naming| Some((naming, naming.row(asked.bare)?)))?;
        let shown: Vec<_> = shown.filter_map(|name| names.known(name)).collect();
        let bares: HashSet<&str> = shown.iter().map(|known| known.bare).collect();
        // Of those that explain as much the one that says least else, and of these the first.
        let fits = |naming: &&Self| (naming.explained(&bares), Reverse(naming.rows().count()));
        let page = all.iter().rev().max_by_key(fits)?;
        let (same, ending) = page.same(row, asked.ending)?;
        let bare = page.bare(same.name);
        // One that only ends alike has a prefix that few have.
        let like = |prefix| shown.iter().filter(|known| known.prefix == prefix).count();
        let there = shown.iter().filter(|known| known.bare == bare);
        let there = there.max_by_key(|known| like(known.prefix))?;
        let both = page.rows().any(|known| known.name == row.name);
        let scale = match ending {
            "_count" => 1.0,
            _ => unit(row.take) / unit(same.take),
        };
        Some(Namesake {
            asked: if both { page.word() } else { of.word() },
            shown: page.word(),
            name: format!("{}{bare}{ending}", there.prefix),
            scale,
        })
    }

    /// This one, and every profile as it is without renames; axum-prometheus' also with a prefix, which takes the place of its own.
    fn and_profiles(&self) -> [Self; 7] {
        [
            self.clone(),
            Self::otel(),
            Self::classic(),
            Self::classic().errors_family(),
            Self::millis(),
            Self::axum_prometheus(),
            Self::axum_prometheus().prefix("any_"),
        ]
    }

    fn word(&self) -> &'static str {
        match self.profile {
            Profile::Otel => "otel",
            Profile::Classic => "classic",
            Profile::Millis => "millis",
            Profile::AxumPrometheus => "axum_prometheus",
        }
    }

    /// How a row is called, without the prefix.
    fn bare(&self, row: &str) -> String {
        self.family(row).split_off(self.prefix.len())
    }

    fn row(&self, bare: &str) -> Option<&'static Row> {
        self.rows().find(|row| self.bare(row.name) == bare)
    }

    /// How many of its families are among these names.
    fn explained(&self, bares: &HashSet<&str>) -> usize {
        let there = |row: &&Row| bares.contains(&*self.bare(row.name));
        self.rows().filter(there).count()
    }

    /// What takes the same of the same work, by the same labels if there is such a row; where nothing counts what ended, the
    /// durations do.
    fn same<'a>(&self, asked: &Row, ending: &'a str) -> Option<(&'static Row, &'a str)> {
        let of = |wanted: Take| {
            let alike = move |row: &&Row| row.source == asked.source && kind(row.take) == wanted;
            self.rows().filter(alike)
        };
        let labels = |row: &Row| row.labels.iter().map(|label| label.1).collect::<Vec<_>>();
        let wanted = kind(asked.take);
        let found = of(wanted).find(|row| labels(row) == labels(asked));
        match (found.or_else(|| of(wanted).next()), wanted) {
            (Some(row), _) => Some((row, ending)),
            (None, Take::Ended) => Some((of(DURATION).next()?, "_count")),
            (None, _) => None,
        }
    }
}

impl Names {
    fn of(all: &[Naming]) -> Self {
        let rows = all
            .iter()
            .flat_map(|naming| naming.rows().map(move |row| (naming, row)));
        let named = rows.map(|(naming, row)| (naming.bare(row.name), row.take.is_histogram()));
        Self(named.collect())
    }

    /// The longest one that a name ends in, after a prefix.
    fn known<'a>(&self, name: &'a str) -> Option<Known<'a>> {
        let of_ending = |ending: &str| {
            let whole = name.strip_suffix(ending)?;
            let starts = whole.match_indices('_').map(|(at, _)| at + 1);
            let mut starts = std::iter::once(0).chain(starts);
            let is_one = |at: &usize| {
                let found = self.0.get(&whole[*at..]);
                found.is_some_and(|histogram| *histogram || ending.is_empty())
            };
            let start = starts.find(is_one)?;
            Some(Known {
                prefix: &name[..start],
                bare: &whole[start..],
                ending: &name[whole.len()..],
            })
        };
        let known = ["", "_bucket", "_sum", "_count"]
            .into_iter()
            .filter_map(of_ending);
        known.max_by_key(|known| known.bare.len())
    }
}

const DURATION: Take = Take::Duration { unit_ns: 1.0 };

/// What is taken, in whatever unit.
fn kind(take: Take) -> Take {
    match take {
        Take::Duration { .. } => DURATION,
        Take::Stage { .. } => Take::Stage { unit_ns: 1.0 },
        Take::Extra { extra, .. } => Take::Extra { extra, scale: 1.0 },
        other => other,
    }
}

fn unit(take: Take) -> f64 {
    match take {
        Take::Duration { unit_ns } | Take::Stage { unit_ns } => unit_ns,
        Take::Extra { scale, .. } => scale,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample_names;
    use super::*;

    fn page(naming: &Naming) -> Vec<String> {
        let specs = naming.specs().into_iter();
        specs
            .flat_map(|spec| {
                let histogram = spec.take.is_histogram();
                let names: Vec<_> = sample_names(&spec.name, histogram).collect();
                // As a page shows them: never a histogram by its own name.
                names.into_iter().skip(usize::from(histogram))
            })
            .collect()
    }

    fn found(declared: &Naming, shown: &Naming, name: &str) -> Option<(String, f64)> {
        let page = page(shown);
        let twin = declared.namesake(name, page.iter().map(String::as_str))?;
        Some((
            format!("{} {} {}", twin.asked, twin.shown, twin.name),
            twin.scale,
        ))
    }

    #[test]
    fn every_family_is_found_by_the_names_of_the_other_profiles() {
        let profiles = [
            Naming::otel(),
            Naming::classic(),
            Naming::classic().errors_family(),
            Naming::millis(),
            Naming::axum_prometheus(),
        ];
        let mut compared = 0;
        for shows in &profiles {
            let page = page(&shows.clone().prefix("shop_"));
            for (asks, row) in profiles
                .iter()
                .flat_map(|asks| asks.rows().map(move |row| (asks, row)))
            {
                let twin = asks.namesake(row.name, page.iter().map(String::as_str));
                let there = shows
                    .rows()
                    .any(|other| other.source == row.source && kind(other.take) == kind(row.take));
                assert!(twin.is_some() || !there, "{} in {}", row.name, shows.word());
                let Some(twin) = twin else { continue };
                assert!(
                    page.iter().any(|name| name.starts_with(&twin.name)),
                    "{twin:?}"
                );
                assert_eq!(twin.shown, shows.word(), "{twin:?}");
                compared += 1;
            }
        }
        assert!(compared > 500, "{compared}");
    }

    #[test]
    fn names_keep_their_endings_and_say_their_unit() {
        let (otel, classic, millis) = (Naming::otel(), Naming::classic(), Naming::millis());
        let shop = || classic.clone().prefix("shop_");
        assert_eq!(
            found(
                &otel,
                &shop(),
                "http_server_request_duration_seconds_bucket"
            ),
            Some((
                "otel classic shop_request_duration_seconds_bucket".to_owned(),
                1.0
            ))
        );
        assert_eq!(
            found(&otel, &millis, "http_server_request_duration_seconds_sum"),
            Some((
                "otel millis http_request_duration_ms_sum".to_owned(),
                1000.0
            ))
        );
        assert_eq!(
            found(&otel, &otel, "shop_requests_total"),
            Some((
                "classic otel http_server_request_duration_seconds_count".to_owned(),
                1.0
            ))
        );
        assert_eq!(
            found(&otel, &shop(), "mill_requests_total"),
            Some(("classic classic shop_requests_total".to_owned(), 1.0))
        );
        assert_eq!(found(&otel, &classic, "queue_depth"), None);
    }

    #[test]
    fn the_prefix_is_that_of_most_families() {
        let mut page = page(&Naming::classic().prefix("shop_"));
        page.insert(0, "jobs_requests_total".to_owned());
        page.push("tasks_requests_total".to_owned());
        let asked = Naming::otel();
        let twin = asked.namesake("mill_requests_total", page.iter().map(String::as_str));
        assert_eq!(
            twin.map(|twin| twin.name).as_deref(),
            Some("shop_requests_total")
        );
    }

    #[test]
    fn a_family_that_was_renamed_is_found_by_its_old_name() {
        let renamed = Naming::classic().rename("requests_total", "calls");
        assert_eq!(
            found(&renamed, &renamed, "requests_total"),
            Some(("classic classic calls".to_owned(), 1.0))
        );
    }
}
