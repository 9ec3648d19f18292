//! A block of cumulative counters that one thread owns: a head of a few, and pages that come into being when they are
//! first written.
//!
//! The owner writes with plain loads and stores; readers look at any time. Nothing here knows which thread it runs on.
//! All that a block is stands in one cache line, with the way to its pages behind it, so that whoever only wants to know
//! whether something was recorded looks at one line of each block.

use std::alloc::{Layout, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering, alloc, dealloc};
use super::memory::Memory;
use super::page::Page;

pub(super) use super::PAGE;

/// Counters in the head: sum, saturated values and zeros of a histogram, or what a plain counter needs.
pub(super) const HEAD: usize = 4;

/// A living thread may write the block.
const THREAD: u32 = 1;
/// The block belongs to counters that still exist.
const CELLS: u32 = 2;

/// The first line of a block. One more link than it has pages stands behind it in the same allocation.
#[repr(C, align(64))]
pub(super) struct Line {
    /// Written by the owner. The Release stores publish the cells that it wrote before; they pair with the Acquire load
    /// of [`Shard::head`].
    head: [AtomicU64; HEAD],
    /// The block after this one in its list, which is where the protocol of the list stands.
    next: AtomicPtr<Line>,
    /// `THREAD` and `CELLS`, each taken away once by whom it stands for; whoever takes the last one frees the block.
    /// The Release half of taking one away publishes what was written until then; it pairs with the Acquire half of
    /// the last one, and with the Acquire load of the reader who folds an ended thread's block away.
    holders: AtomicU32,
    pages: u32,
    /// A bit for each page that was made, the last one for all from there on; readers look for no other page. Written by
    /// the owner. Relaxed: a value has to be found once the head tells of it, which is written later and read before.
    made: AtomicU64,
}

/// Leads to the memory's full page until a page is first written; the last link always, for cells that are none. So one
/// look tells the owner whether there is a page and room in the cell. The owner's Release store publishes a zeroed page;
/// it pairs with the Acquire loads of readers. A page lives as long as the block's counters.
///
/// It holds where the block's cell 0 would be if all cells stood in a row with those of its page: so a cell is found by
/// its number, without one in the page.
type Link = AtomicPtr<AtomicU32>;

/// The page from which on one bit stands for all.
pub(super) const LAST: usize = 63;

/// Stands for a page among 64 bits.
pub(super) fn bit(page: usize) -> u64 {
    1 << page.min(LAST)
}

fn link_to(page: *mut Page, at: usize) -> *mut AtomicU32 {
    page.cast::<AtomicU32>().wrapping_sub(at * PAGE)
}

fn page_of(link: *mut AtomicU32, at: usize) -> *mut Page {
    link.wrapping_add(at * PAGE).cast()
}

/// A block of counters, which is there for `'a`. Not a plain reference, for that would not reach beyond the first line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shard<'a> {
    line: NonNull<Line>,
    there: PhantomData<&'a Line>,
}

impl<'a> Shard<'a> {
    /// A block that takes its bytes from `memory`, or `None` if they are not left. It is held by a thread, which has to
    /// [`release`](Self::release) it, and by counters, which have to [`close`](Self::close) it.
    pub(super) fn new(pages: usize, memory: &Memory) -> Option<Self> {
        let layout = Self::layout(pages);
        if !memory.take(layout.size()) {
            return None;
        }
        // SAFETY: the layout's size is that of a line at least.
        let Some(line) = NonNull::new(unsafe { alloc(layout) }.cast::<Line>()) else {
            handle_alloc_error(layout)
        };
        let shard = Self {
            line,
            there: PhantomData,
        };
        // SAFETY: nobody else knows the allocation, which has room for a line and `pages + 1` links behind it.
        unsafe {
            line.write(Line {
                head: std::array::from_fn(|_| AtomicU64::new(0)),
                next: AtomicPtr::new(ptr::null_mut()),
                holders: AtomicU32::new(THREAD | CELLS),
                pages: pages as u32,
                made: AtomicU64::new(0),
            });
            let full = ptr::from_ref(memory.full()).cast_mut();
            for at in 0..=pages {
                shard.links().add(at).write(Link::new(link_to(full, at)));
            }
        }
        Some(shard)
    }

    /// The block that a pointer of [`as_ptr`](Self::as_ptr) leads to, `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// The block is there for as long as the lifetime says.
    #[inline]
    pub(super) unsafe fn at(line: *mut Line) -> Option<Self> {
        NonNull::new(line).map(|line| Self {
            line,
            there: PhantomData,
        })
    }

    #[inline]
    pub(super) fn as_ptr(self) -> *mut Line {
        self.line.as_ptr()
    }

    fn layout(pages: usize) -> Layout {
        let links = Layout::array::<Link>(pages + 1);
        let both = links.and_then(|links| Layout::new::<Line>().extend(links));
        both.expect("pages are few").0
    }

    #[inline]
    fn line(self) -> &'a Line {
        // SAFETY: a block is there for `'a`.
        unsafe { self.line.as_ref() }
    }

    /// Where the links begin: a line's size is a multiple of its alignment, which is no less than theirs.
    #[inline]
    fn links(self) -> *mut Link {
        self.line.as_ptr().wrapping_add(1).cast()
    }

    /// The link to page `at`, or the last link.
    fn link(self, at: usize) -> &'a Link {
        let at = at.min(self.pages());
        // SAFETY: there are `pages` links and one more behind the line.
        unsafe { &*self.links().add(at) }
    }

    /// Page `at`; null if it is still to be made, or none of the block's.
    fn page(self, at: usize) -> *mut Page {
        let last = self.pages();
        let page = page_of(self.link(at).load(Ordering::Acquire), at.min(last));
        // Relaxed: the last link never changes.
        let full = page_of(self.link(last).load(Ordering::Relaxed), last);
        if page == full { ptr::null_mut() } else { page }
    }

    pub(super) fn next(self) -> &'a AtomicPtr<Line> {
        &self.line().next
    }

    /// Adds to the head, by the owner. Load and store apart, for nobody else writes here.
    #[inline]
    pub(super) fn add(self, counter: usize, n: u64) {
        let counter = &self.line().head[counter];
        // Relaxed: the owner wrote it itself.
        let count = counter.load(Ordering::Relaxed).wrapping_add(n);
        counter.store(count, Ordering::Release);
    }

    /// Adds 1 to a cell and `sum` to the head's first counter, by the owner; `false`, and nothing added, if there is no
    /// page for the cell and the bytes for one are not left.
    pub(super) fn count(self, cell: usize, sum: u64, memory: &Memory) -> bool {
        let mut page = self.page(cell / PAGE);
        if page.is_null() {
            if cell / PAGE >= self.pages() || !memory.take(Page::BYTES) {
                return false;
            }
            page = Box::into_raw(Box::new(Page::new()));
            let link = link_to(page, cell / PAGE);
            self.link(cell / PAGE).store(link, Ordering::Release);
            let made = self.line().made.load(Ordering::Relaxed) | bit(cell / PAGE);
            self.line().made.store(made, Ordering::Relaxed);
        }
        // SAFETY: a page that was published stays where it is until the block is closed.
        unsafe { &*page }.count_anyway(cell % PAGE, memory);
        self.add(0, sum);
        true
    }

    /// Adds 1 to a cell and `sum` to the head's first counter, by the owner; `false`, and nothing added, if the cell's
    /// page is still to be made, or the cell is full.
    ///
    /// The sum goes last: a reader that sees it (Acquire) sees the cell, and learns from it that something is new.
    ///
    /// # Safety
    ///
    /// `cell` is below `PAGE` times one more than the number of pages that the block was made with.
    #[inline]
    pub(super) unsafe fn quick_count(self, cell: usize, sum: u64) -> bool {
        // SAFETY: there is one more link than pages. Relaxed: the owner made the page itself.
        let cells = unsafe { (*self.links().add(cell / PAGE)).load(Ordering::Relaxed) };
        // SAFETY: a page that was published stays until the block is closed, the full one as long as the memory; and
        // the cell is in the page that this link is the one to.
        let counted = Page::count(unsafe { &*cells.wrapping_add(cell) });
        if counted {
            self.add(0, sum);
        }
        counted
    }

    /// A counter of the head. Read it before the cells that it sums up.
    #[inline]
    pub(super) fn head(self, counter: usize) -> u64 {
        self.line().head[counter].load(Ordering::Acquire)
    }

    /// Adds the cells of page `at` to `cells`, which may be fewer; returns their total, 0 if there is no such page.
    pub(super) fn add_page_to(self, at: usize, cells: &mut [u64]) -> u64 {
        // SAFETY: null, or a page that was published and stays until the block is closed.
        let page = unsafe { self.page(at).as_ref() };
        page.map_or(0, |page| page.add_to(cells))
    }

    /// A [`bit`] for each page that there may be something in: the line alone tells. Look at it after the head.
    pub(super) fn made(self) -> u64 {
        self.line().made.load(Ordering::Relaxed)
    }

    /// How many pages there may be.
    pub(super) fn pages(self) -> usize {
        self.line().pages as usize
    }

    /// Whether the owner has released the block, and all that it wrote is to be seen.
    #[inline]
    pub(super) fn is_released(self) -> bool {
        self.line().holders.load(Ordering::Acquire) & THREAD == 0
    }

    /// The owner will not write any more, nor use the block in any other way.
    ///
    /// # Safety
    ///
    /// It is called once, by the owner, for whom the block is there no longer.
    pub(super) unsafe fn release(self) {
        // SAFETY: handed on.
        unsafe { self.give_up(THREAD) }
    }

    /// The counters do not need the block any more: gives back its bytes, and frees its pages at once.
    ///
    /// # Safety
    ///
    /// It is called once, by whoever unlinked the block; nobody reads or writes counters in it at the time or later.
    pub(super) unsafe fn close(self, memory: &Memory) {
        for at in 0..self.pages() {
            let page = self.page(at);
            if !page.is_null() {
                // SAFETY: it came from a box, and nobody looks at it any more.
                unsafe { Box::from_raw(page) }.give_back(memory);
            }
        }
        memory.give_back(Self::layout(self.pages()).size());
        // SAFETY: handed on.
        unsafe { self.give_up(CELLS) }
    }

    /// # Safety
    ///
    /// `holder` gives up its share once and does not use the block afterwards.
    unsafe fn give_up(self, holder: u32) {
        let before = self.line().holders.fetch_and(!holder, Ordering::AcqRel);
        if before == holder {
            let pages = self.pages();
            // SAFETY: the other holder has given it up already, so this is the last that anybody sees of the block,
            // which was allocated with this very layout.
            unsafe {
                (0..=pages).for_each(|at| self.links().add(at).drop_in_place());
                self.line.drop_in_place();
                dealloc(self.line.as_ptr().cast(), Self::layout(pages));
            }
        }
    }
}
