//! The headers `Accept` and `Accept-Encoding`: who wants what, and how much.

/// What a client takes, in the order of the header.
pub(crate) struct Ranges<'a>(Vec<Range<'a>>);

/// One entry of the header: `type/subtype; parameter=value; q=0.5`.
struct Range<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    permille: u16,
}

impl<'a> Ranges<'a> {
    /// An entry whose `q` is no number from 0 to 1 is as good as absent.
    pub(crate) fn parse(header: &'a str) -> Self {
        Self(header.split(',').filter_map(Range::parse).collect())
    }

    /// How much a client wants `offered`, in thousandths; how exactly, and at which place of the header it says so.
    ///
    /// The most exact entry decides. `None` where none covers it, or that one refuses it with `q=0`.
    pub(crate) fn quality(&self, offered: &str) -> Option<(u16, usize, usize)> {
        let offered = Range::parse(offered)?;
        let ranges = self.0.iter().enumerate();
        let covering = ranges.filter_map(|(place, range)| Some((range.covers(&offered)?, place)));
        let (exactness, place) = covering.reduce(|a, b| if b.0 > a.0 { b } else { a })?;
        let permille = self.0[place].permille;
        (permille > 0).then_some((permille, exactness, place))
    }
}

impl<'a> Range<'a> {
    fn parse(entry: &'a str) -> Option<Self> {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let mut range = Self {
            name,
            parameters: Vec::new(),
            permille: 1000,
        };
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (key.trim_end(), value.trim_start().trim_matches('"'));
            if key.eq_ignore_ascii_case("q") {
                range.permille = permille(value)?;
            } else {
                range.parameters.push((key, value));
            }
        }
        Some(range)
    }

    /// `None` if `offered` is not in the range; otherwise the greater, the more exactly it is named.
    ///
    /// Parameters that both have must agree; others are no contradiction.
    fn covers(&self, offered: &Self) -> Option<usize> {
        if self.name.eq_ignore_ascii_case(offered.name) {
            return Some(2 + self.agreements(offered)?);
        }
        if matches!(self.name, "*/*" | "*") {
            return Some(0);
        }
        let kind = self.name.strip_suffix("/*")?;
        let (offered, _) = offered.name.split_once('/')?;
        kind.eq_ignore_ascii_case(offered).then_some(1)
    }

    /// How many parameters agree; `None` if one does not.
    fn agreements(&self, offered: &Self) -> Option<usize> {
        let mut agreeing = 0;
        for (key, value) in &self.parameters {
            let same_key = |(other, _): &&(&str, &str)| other.eq_ignore_ascii_case(key);
            match offered.parameters.iter().find(same_key) {
                Some((_, other)) if other.eq_ignore_ascii_case(value) => agreeing += 1,
                Some(_) => return None,
                None => {}
            }
        }
        Some(agreeing)
    }
}

fn permille(q: &str) -> Option<u16> {
    let q: f32 = q.parse().ok()?;
    (0.0..=1.0)
        .contains(&q)
        .then(|| (q * 1000.0).round() as u16)
}
