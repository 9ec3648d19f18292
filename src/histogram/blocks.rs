//! The blocks of one set of counters: those that threads own, and the one that nobody does.
//!
//! Threads' blocks hang in a list. Whoever leases one puts it in front; only a reader takes any out, and readers come
//! one after the other. So a thread's first record waits for nobody, and what a reader walks on stays where it is.

use std::ptr;
use std::sync::Arc;

use super::atomic::{AtomicPtr, Ordering};
use super::memory::{Memory, Reading};
use super::shard::{LAST, Line, Shard, bit};
use super::shared::Shared;

/// Reached by any thread at any time.
#[derive(Debug)]
pub(super) struct Blocks {
    pages: usize,
    memory: Arc<Memory>,
    /// The newest block. The Release exchange of a lease publishes the block and its link to the next, and carries on
    /// what exchanges before it published; it pairs with the Acquire load of readers. From then on only a reader
    /// writes links: it takes a block out by an exchange, which fails where a lease has just put one in front.
    first: AtomicPtr<Line>,
    /// Null until somebody needs it. The Release exchange publishes it; it pairs with the Acquire loads of whoever
    /// looks. It lives as long as this value.
    shared: AtomicPtr<Shared>,
}

/// A block as readers see it.
pub(super) enum Block<'a> {
    Owned(Shard<'a>),
    Shared(&'a Shared),
}

impl Block<'_> {
    /// A counter of the head. Read it before the cells that it sums up.
    #[inline]
    pub(super) fn head(&self, counter: usize) -> u64 {
        match self {
            Self::Owned(shard) => shard.head(counter),
            Self::Shared(shared) => shared.head(counter),
        }
    }

    /// The numbers of the pages that there may be something in, ascending. Look for them after the head.
    pub(super) fn pages(&self) -> impl Iterator<Item = usize> + use<> {
        let (mut made, pages) = match self {
            Self::Owned(shard) => (shard.made(), shard.pages()),
            Self::Shared(shared) => (shared.made(), shared.pages()),
        };
        let rest = if made & bit(LAST) == 0 { LAST } else { pages };
        made &= !bit(LAST);
        let next = move || {
            let at = made.trailing_zeros() as usize;
            (made != 0).then(|| {
                made &= made - 1;
                at
            })
        };
        std::iter::from_fn(next).chain(LAST..rest)
    }

    /// Adds the cells of page `at` to `cells`, which may be fewer; returns their total, 0 if there is no such page.
    pub(super) fn add_page_to(&self, at: usize, cells: &mut [u64]) -> u64 {
        match self {
            Self::Owned(shard) => shard.add_page_to(at, cells),
            Self::Shared(shared) => shared.add_page_to(at, cells),
        }
    }
}

impl Blocks {
    /// No blocks yet; each will have this many pages.
    pub(super) fn new(pages: usize, memory: Arc<Memory>) -> Self {
        Self {
            pages,
            memory,
            first: AtomicPtr::new(ptr::null_mut()),
            shared: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline]
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// A new block for the calling thread, which has to release it; `None` if the bytes are not left.
    pub(super) fn lease(&self) -> Option<Shard<'_>> {
        let shard = Shard::new(self.pages, &self.memory)?;
        let mut first = self.first.load(Ordering::Relaxed);
        loop {
            // Relaxed: the exchange publishes it.
            shard.next().store(first, Ordering::Relaxed);
            let put = self.first.compare_exchange_weak(
                first,
                shard.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            );
            match put {
                Ok(_) => return Some(shard),
                Err(now) => first = now,
            }
        }
    }

    /// The block that nobody owns, which comes into being at its first use.
    pub(super) fn shared(&self) -> &Shared {
        self.made().unwrap_or_else(|| self.make_shared())
    }

    fn made(&self) -> Option<&Shared> {
        let shared = self.shared.load(Ordering::Acquire);
        // SAFETY: null, or what `make_shared` published, which stays until this value is dropped.
        unsafe { shared.as_ref() }
    }

    fn make_shared(&self) -> &Shared {
        let shared = Box::into_raw(Box::new(Shared::new(self.pages, &self.memory)));
        let put = self.shared.compare_exchange(
            ptr::null_mut(),
            shared,
            Ordering::Release,
            Ordering::Acquire,
        );
        match put {
            // SAFETY: it came from a box, and stays until this value is dropped.
            Ok(_) => unsafe { &*shared },
            Err(first) => {
                // SAFETY: another thread was first, so nobody has seen this one; it came from a box.
                unsafe { Box::from_raw(shared) }.give_back(&self.memory);
                // SAFETY: what was published stays until this value is dropped.
                unsafe { &*first }
            }
        }
    }

    /// Shows every block in turn, after folding those of ended threads into the one that nobody owns.
    ///
    /// `reading` is of these blocks' memory: nobody else folds at the time.
    #[inline]
    pub(super) fn read(&self, reading: &Reading<'_>, mut show: impl FnMut(&Block<'_>)) {
        debug_assert!(
            ptr::eq(reading.memory(), &*self.memory),
            "a reading of another instance"
        );
        let mut link = &self.first;
        // SAFETY: a block stays at least until a reader takes it out, which only this one may do now.
        while let Some(shard) = unsafe { Shard::at(link.load(Ordering::Acquire)) } {
            if shard.is_released() && self.fold(link, shard) {
                continue;
            }
            show(&Block::Owned(shard));
            link = shard.next();
        }
        if let Some(shared) = self.made() {
            show(&Block::Shared(shared));
        }
    }

    /// Takes the block of an ended thread out of the list, and adds what it holds to the one that nobody owns; `false`
    /// if another one was just put in front of it, which leaves it to the next reader.
    ///
    /// No reader sees it twice or not at all, for this is the only one.
    #[cold]
    #[inline(never)]
    fn fold(&self, link: &AtomicPtr<Line>, ended: Shard<'_>) -> bool {
        let next = ended.next().load(Ordering::Relaxed);
        // Relaxed: nobody but readers follows links, and the way to this one's successor was published before.
        let taken =
            link.compare_exchange(ended.as_ptr(), next, Ordering::Relaxed, Ordering::Relaxed);
        if taken.is_err() {
            return false;
        }
        self.shared().absorb(ended, &self.memory);
        // SAFETY: it is in the list no more, and its owner has released it.
        unsafe { ended.close(&self.memory) };
        true
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        let mut line = self.first.load(Ordering::Acquire);
        // SAFETY: a block that is in the list was never closed.
        while let Some(shard) = unsafe { Shard::at(line) } {
            line = shard.next().load(Ordering::Acquire);
            // SAFETY: nobody reads what is being dropped, and a thread that still holds the block can but release it.
            unsafe { shard.close(&self.memory) };
        }
        let shared = self.shared.load(Ordering::Acquire);
        if !shared.is_null() {
            // SAFETY: it came from a box, and this is the last that anybody sees of it.
            unsafe { Box::from_raw(shared) }.give_back(&self.memory);
        }
    }
}
