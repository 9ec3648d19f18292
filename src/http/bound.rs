//! Routes that something was done for, once each: a hash table that only grows and is read without a lock.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use once_cell::race::OnceBox;

/// Chains; a power of two. A layer has one route, or those of a router.
const CHAINS: usize = 16;

/// The routes.
#[derive(Default)]
pub(super) struct Bound {
    hasher: RandomState,
    chains: [OnceBox<Link>; CHAINS],
}

struct Link {
    hash: u64,
    route: Box<str>,
    next: OnceBox<Link>,
}

impl Bound {
    /// Does `work` for the first one who comes with this route; others may come before it is done.
    #[inline]
    pub(super) fn once(&self, route: &str, work: impl FnOnce()) {
        let hash = self.hasher.hash_one(route);
        let mut link = &self.chains[hash as usize & (CHAINS - 1)];
        while let Some(known) = link.get() {
            if known.is(hash, route) {
                return;
            }
            link = &known.next;
        }
        if Self::append(link, hash, route) {
            work();
        }
    }

    /// Whether it was not there.
    #[cold]
    fn append(mut link: &OnceBox<Link>, hash: u64, route: &str) -> bool {
        let mut new = Box::new(Link {
            hash,
            route: route.into(),
            next: OnceBox::new(),
        });
        while let Err(again) = link.set(new) {
            new = again;
            match link.get() {
                Some(known) if known.is(hash, route) => return false,
                Some(known) => link = &known.next,
                None => {}
            }
        }
        true
    }
}

impl Link {
    fn is(&self, hash: u64, route: &str) -> bool {
        self.hash == hash && *self.route == *route
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn each_route_is_done_once_by_whichever_thread() {
        let (bound, done) = (Bound::default(), AtomicUsize::new(0));
        let routes: Vec<_> = (0..100).map(|number| format!("/route-{number}")).collect();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for route in routes.iter().chain(&routes) {
                        bound.once(route, || {
                            done.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), routes.len());
    }
}
