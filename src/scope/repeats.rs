//! Which statements a request ran again and again.
//!
//! A fixed number of them is told apart at a time, by an address: no text is hashed and nothing is allocated. Who is new
//! where all places are taken gets that of one that came least often, so what is found is never too much, and a statement
//! that comes twice before the places are taken anew is not lost.

use super::record::Tally;

/// Statements that a request tells apart at a time.
const STATEMENTS: usize = 16;

/// How often a request may query before that is a finding; 0 for ever so often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct QueryLimits {
    /// One and the same statement.
    pub(crate) n_plus_one: u64,
    /// In all.
    pub(crate) queries: u64,
}

impl QueryLimits {
    pub(crate) fn any(self) -> bool {
        self != Self::default()
    }
}

/// One statement and no other, while its instance is there: the address of what is kept of it, which nobody follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatementId(usize);

impl StatementId {
    const NONE: Self = Self(0);

    #[inline]
    pub(crate) fn of<T>(kept: &T) -> Self {
        Self(std::ptr::from_ref(kept).addr())
    }
}

/// The statements of one request.
#[derive(Debug)]
pub(super) struct Repeats {
    limits: QueryLimits,
    /// How often a statement comes before it gets a name: the limit, or at once where it is to join others; 0 for never.
    name_at: u64,
    ids: [StatementId; STATEMENTS],
    /// By place, as the ids.
    tallies: [Tally; STATEMENTS],
    /// Where the latest one is.
    latest: usize,
    /// Where the search for a place begins, so that those that came once take turns.
    hand: usize,
    /// What those are called that came as often as the limit, and where they are.
    names: Vec<(usize, Box<str>)>,
}

impl Repeats {
    #[inline]
    pub(super) fn new(limits: QueryLimits) -> Self {
        Self {
            limits,
            name_at: limits.n_plus_one,
            ids: [StatementId::NONE; STATEMENTS],
            tallies: [Tally::default(); STATEMENTS],
            latest: 0,
            hand: 0,
            names: Vec::new(),
        }
    }

    /// One for work of the same request that runs elsewhere.
    pub(super) fn fork(&self) -> Self {
        Self {
            name_at: self.name_at.min(1),
            ..Self::new(self.limits)
        }
    }

    /// Adds what such work has come to.
    pub(super) fn join(&mut self, forked: Self) {
        for (from, name) in forked.names {
            let Some(at) = self.place(forked.ids[from]) else {
                continue;
            };
            let before = self.tallies[at].count;
            self.tallies[at].add_all(forked.tallies[from]);
            if before < self.name_at && self.tallies[at].count >= self.name_at {
                self.names.push((at, name));
            }
        }
    }

    pub(super) fn limits(&self) -> QueryLimits {
        self.limits
    }

    /// Counts a query; `true` if its statement has now come so often that somebody should [name](Self::name) it.
    #[inline]
    pub(super) fn count(&mut self, id: StatementId, ns: u64) -> bool {
        if self.name_at == 0 {
            return false;
        }
        if self.ids[self.latest] != id {
            match self.place(id) {
                Some(at) => self.latest = at,
                None => return false,
            }
        }
        let tally = &mut self.tallies[self.latest];
        tally.add(ns);
        tally.count == self.name_at
    }

    /// Where a statement is, or is to be from now on; `None` if all places are taken for good.
    fn place(&mut self, id: StatementId) -> Option<usize> {
        let known = self.ids.iter().position(|known| *known == id);
        known.or_else(|| self.make_room(id))
    }

    fn make_room(&mut self, id: StatementId) -> Option<usize> {
        let at = self.hand % STATEMENTS;
        // Nobody came less often than once; where there are many different ones, nearly all came so often.
        let once = self.tallies[at].count <= 1 && self.names.is_empty();
        let at = if once { at } else { self.rarest()? };
        self.hand = at + 1;
        (self.ids[at], self.tallies[at]) = (id, Tally::default());
        Some(at)
    }

    /// Where one is that came least often, the first from the hand; `None` if all have names.
    #[inline(never)]
    fn rarest(&self) -> Option<usize> {
        let from_hand = (0..STATEMENTS).map(|step| (self.hand + step) % STATEMENTS);
        let unnamed = from_hand.filter(|at| !self.names.iter().any(|named| named.0 == *at));
        unnamed.min_by_key(|&at| self.tallies[at].count)
    }

    /// What the latest one is called, which from now on keeps its place.
    pub(super) fn name(&mut self, name: Box<str>) {
        self.names.push((self.latest, name));
    }

    /// Of those that came as often as the limit, the one that came most often; of those the one that took longest.
    pub(super) fn worst(&self) -> Option<(&str, Tally)> {
        let named = self.names.iter();
        let named = named.map(|(at, name)| (&**name, self.tallies[*at]));
        let found = named.filter(|(_, tally)| tally.count >= self.limits.n_plus_one);
        found.max_by_key(|(_, tally)| (tally.count, tally.ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs these statements, each in 1 ns, and names them after their number.
    fn run(limit: u64, statements: impl IntoIterator<Item = usize>) -> Repeats {
        let mut repeats = Repeats::new(QueryLimits {
            n_plus_one: limit,
            queries: 0,
        });
        for statement in statements {
            if repeats.count(StatementId(statement), 1) {
                repeats.name(statement.to_string().into());
            }
        }
        repeats
    }

    fn worst(repeats: &Repeats) -> Option<(&str, u64)> {
        let found = repeats.worst();
        found.map(|(name, tally)| (name, tally.count))
    }

    #[test]
    fn the_limit_is_a_finding_and_one_less_is_none() {
        let nine = (1..=STATEMENTS).flat_map(|one| [one; 9]);
        assert_eq!(worst(&run(10, nine)), None);
        assert_eq!(worst(&run(10, [7; 10])), Some(("7", 10)));
        assert_eq!(worst(&run(0, [7; 100])), None);
    }

    #[test]
    fn the_one_that_came_most_often_is_blamed() {
        let first_the_lesser = [[1; 10].as_slice(), &[2; 30]].concat();
        assert_eq!(worst(&run(10, first_the_lesser)), Some(("2", 30)));
    }

    #[test]
    fn a_loop_of_several_statements_is_found_after_many_others() {
        let others = 100..140;
        let looped = (0..10).flat_map(|_| 1..=8);
        let repeats = run(10, others.chain(looped));
        assert_eq!(repeats.names.len(), 8);
        assert_eq!(worst(&repeats).map(|found| found.1), Some(10));
    }

    #[test]
    fn others_in_between_take_nothing_from_it() {
        let between = (0..40).flat_map(|other| [7, 7, 100 + other]);
        assert_eq!(worst(&run(10, between)), Some(("7", 80)));
    }

    #[test]
    fn what_was_found_keeps_its_place_whatever_comes() {
        let found = (1..=STATEMENTS).flat_map(|one| [one; 2]);
        let more = 100..200;
        let repeats = run(2, found.chain(more).chain([1]));
        assert_eq!(repeats.names.len(), STATEMENTS);
        assert_eq!(worst(&repeats), Some(("1", 3)));
    }
}
