//! Every interleaving of a few steps of the block protocol, and of the slots of running queries: the very files of the crate, with the model checker's
//! atomics. Run by `tests/run`.
#![cfg(test)]
#![allow(dead_code, reason = "the models use a part of each file")]

mod atomic;
#[path = "../../../src/histogram/blocks.rs"]
mod blocks;
#[path = "../../../src/histogram/memory.rs"]
mod memory;
#[path = "../../../src/histogram/page.rs"]
mod page;
#[path = "../../../src/histogram/shard.rs"]
mod shard;
#[path = "../../../src/histogram/shared.rs"]
mod shared;
#[path = "../../../src/registry/running/slot.rs"]
mod slot;

use std::sync::Arc;

use blocks::Blocks;
use loom::thread;
use memory::Memory;
use shard::Shard;

/// Cells in a page.
const PAGE: usize = 2;
/// Every cell is emptied before its third record.
const FULL: u32 = 2;

fn blocks() -> (Arc<Memory>, Arc<Blocks>) {
    let memory = Arc::new(Memory::new(usize::MAX));
    let blocks = Arc::new(Blocks::new(1, memory.clone()));
    (memory, blocks)
}

fn lease(blocks: &Blocks) -> Shard<'_> {
    blocks.lease().expect("bytes are left")
}

/// What `Histogram::record` does on a block of its own.
fn record(blocks: &Blocks, shard: Shard<'_>, cell: usize) {
    assert!(shard.count(cell, 10, blocks.memory()));
}

/// The thread ends.
fn end(shard: Shard<'_>) {
    // SAFETY: whoever leased it does not use it again.
    unsafe { shard.release() };
}

/// (number of values, their sum), read in the order of `Snapshot::add`: no sum without its values.
fn read(blocks: &Blocks) -> (u64, u64) {
    let (mut count, mut sum) = (0, 0);
    blocks.read(&blocks.memory().reading(), |block| {
        sum += block.head(0);
        for at in block.pages() {
            count += block.add_page_to(at, &mut [0; 2]);
        }
    });
    (count, sum)
}

/// How many blocks there are.
fn number(blocks: &Blocks) -> usize {
    let mut number = 0;
    blocks.read(&blocks.memory().reading(), |_| number += 1);
    number
}

/// Runs a model, with at most `most` changes of the thread that could as well have gone on: nearly all mistakes show
/// with two.
fn model(most: usize, check: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(most);
    model.max_branches = 10_000;
    model.check(move || {
        atomic::begin();
        check();
    });
}

/// Looks twice while up to `most` values of 10 are recorded.
fn look(blocks: &Blocks, most: u64) {
    let (count, sum) = read(blocks);
    assert!(
        count <= most && sum <= count * 10,
        "{count} values, sum {sum}"
    );

    let (later, sum) = read(blocks);
    assert!(later >= count, "counts only grow: {count}, then {later}");
    assert!(
        later <= most && sum <= later * 10,
        "{later} values, sum {sum}"
    );
}

#[test]
fn a_reader_sees_whole_records_in_their_order() {
    model(2, || {
        let (_, blocks) = blocks();
        let writer = {
            let blocks = blocks.clone();
            thread::spawn(move || {
                let shard = lease(&blocks);
                record(&blocks, shard, 0);
                record(&blocks, shard, 1);
                end(shard);
            })
        };
        look(&blocks, 2);
        writer.join().expect("no panic");
        assert_eq!(read(&blocks), (2, 20));
    });
}

#[test]
fn a_cell_that_is_emptied_loses_and_invents_nothing() {
    model(2, || {
        let (memory, blocks) = blocks();
        let writer = {
            let blocks = blocks.clone();
            thread::spawn(move || {
                let shard = lease(&blocks);
                // Emptied twice.
                (0..5).for_each(|_| record(&blocks, shard, 0));
                end(shard);
            })
        };
        look(&blocks, 5);
        writer.join().expect("no panic");
        assert_eq!(read(&blocks), (5, 50));
        drop(blocks);
        assert_eq!((memory.taken(), memory.shared()), (0, 0), "every byte came back");
    });
}

#[test]
fn folding_loses_and_invents_nothing() {
    model(2, || {
        let (memory, blocks) = blocks();
        let writer = {
            let blocks = blocks.clone();
            thread::spawn(move || {
                let shard = lease(&blocks);
                record(&blocks, shard, 0);
                end(shard);
                let shard = lease(&blocks);
                record(&blocks, shard, 1);
                end(shard);
            })
        };
        look(&blocks, 2);
        writer.join().expect("no panic");
        assert_eq!(read(&blocks), (2, 20));
        assert_eq!(number(&blocks), 1, "only what nobody owns is left");
        drop(blocks);
        assert_eq!((memory.taken(), memory.shared()), (0, 0), "every byte came back");
    });
}

#[test]
fn leases_that_race_for_the_front_are_all_seen_while_a_reader_takes_blocks_out() {
    model(2, || {
        let (memory, blocks) = blocks();
        let ended = lease(&blocks);
        ended.add(0, 10);
        end(ended);
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let blocks = blocks.clone();
                thread::spawn(move || {
                    let shard = lease(&blocks);
                    shard.add(0, 10);
                    end(shard);
                })
            })
            .collect();
        let sum = || {
            let mut sum = 0;
            blocks.read(&blocks.memory().reading(), |block| sum += block.head(0));
            sum
        };
        let seen = sum();
        assert!((10..=30).contains(&seen), "{seen}");
        for writer in writers {
            writer.join().expect("no panic");
        }
        assert_eq!(sum(), 30);
        assert_eq!(number(&blocks), 1, "only what nobody owns is left");
        drop(blocks);
        assert_eq!((memory.taken(), memory.shared()), (0, 0), "every byte came back");
    });
}

#[test]
fn two_readers_fold_a_block_once() {
    model(2, || {
        let (_, blocks) = blocks();
        let shard = lease(&blocks);
        record(&blocks, shard, 0);
        end(shard);
        let other = {
            let blocks = blocks.clone();
            thread::spawn(move || assert_eq!(read(&blocks), (1, 10)))
        };
        assert_eq!(read(&blocks), (1, 10));
        other.join().expect("no panic");
        assert_eq!(number(&blocks), 1);
    });
}

#[test]
fn threads_that_share_make_one_block_and_one_page() {
    model(2, || {
        let (memory, blocks) = blocks();
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let blocks = blocks.clone();
                thread::spawn(move || blocks.shared().count(0, 10, blocks.memory()))
            })
            .collect();
        look(&blocks, 2);
        for writer in writers {
            writer.join().expect("no panic");
        }
        assert_eq!(read(&blocks), (2, 20));
        drop(blocks);
        assert_eq!((memory.taken(), memory.shared()), (0, 0), "every byte came back");
    });
}

/// The model checker knows every block, and misses one that is not freed.
#[test]
fn a_block_is_freed_by_whoever_is_last() {
    model(2, || {
        let (memory, blocks) = blocks();
        let shard = lease(&blocks);
        record(&blocks, shard, 0);
        let line = Raw(shard.as_ptr());
        let owner = thread::spawn(move || {
            let line = line;
            // SAFETY: the owner has not released it.
            end(unsafe { Shard::at(line.0) }.expect("not null"));
        });
        drop(blocks);
        assert_eq!((memory.taken(), memory.shared()), (0, 0), "every byte came back");
        owner.join().expect("no panic");
    });
}

/// A block on its way to the thread that is to own it.
struct Raw(*mut shard::Line);

// SAFETY: the thread that made it does not use it any more.
unsafe impl Send for Raw {}

/// Entries whose fields tell whose they are.
fn entry(of: u64) -> slot::Entry<u8> {
    slot::Entry {
        started_ns: of,
        subject: std::ptr::without_provenance(of as usize),
        trace: u128::from(of) << 64 | u128::from(of),
    }
}

#[test]
fn a_slot_that_changes_hands_is_read_whole_or_not_at_all() {
    model(3, || {
        let slot = Arc::new(slot::Slot::new());
        let users: Vec<_> = [1, 2]
            .map(|of| {
                let slot = slot.clone();
                thread::spawn(move || {
                    if slot.claim(|| entry(of)) {
                        slot.leave();
                    }
                })
            })
            .into();
        if let Some((_, seen)) = slot.read() {
            assert_eq!(seen, entry(seen.started_ns));
            assert_ne!(seen.started_ns, 0);
        }
        for user in users {
            user.join().expect("no panic");
        }
        assert!(slot.read().is_none(), "both have left");
        assert!(slot.claim(|| entry(3)), "and it is free");
        let (state, seen) = slot.read().expect("it is taken");
        assert_eq!(seen, entry(3));
        assert!(slot.report(state) && !slot.report(state));
        assert!(!slot.claim(|| entry(4)));
    });
}
