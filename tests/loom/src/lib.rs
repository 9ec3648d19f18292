//! Every interleaving of a few steps of the shard protocol: the very files of the crate, with the model checker's
//! atomics. Run by `tests/run`.
#![cfg(test)]
#![allow(dead_code, reason = "the models use a part of each file")]

mod atomic {
    pub(super) use loom::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering,
    };
}
#[path = "../../../src/histogram/blocks.rs"]
mod blocks;
#[path = "../../../src/histogram/memory.rs"]
mod memory;
#[path = "../../../src/histogram/shard.rs"]
mod shard;

use std::sync::Arc;

use blocks::Blocks;
use loom::sync::Mutex;
use loom::thread;
use memory::Memory;
use shard::Shard;

fn memory() -> Arc<Memory> {
    Arc::new(Memory::new(usize::MAX))
}

fn owned(memory: &Arc<Memory>) -> Arc<Shard> {
    Arc::new(Shard::owned(1, memory).expect("bytes are left"))
}

/// What `Histogram::record` does on a block of its own.
fn record(shard: &Shard, cell: usize, value: u64) {
    if !shard.own_count(cell, value) {
        assert!(shard.make_page(cell) && shard.own_count(cell, value));
    }
}

/// (number of values, their sum), read in the order of `Snapshot::add`: no sum without its values.
fn read<'a>(shards: impl Iterator<Item = &'a Shard>) -> (u64, u64) {
    let (mut count, mut sum) = (0, 0);
    for shard in shards {
        sum += shard.head(0);
        count += shard.add_page_to(0, &mut [0; 2]);
    }
    (count, sum)
}

#[test]
fn a_reader_sees_whole_records_in_their_order() {
    loom::model(|| {
        let shard = owned(&memory());
        let writer = {
            let shard = shard.clone();
            thread::spawn(move || {
                record(&shard, 0, 10);
                record(&shard, 1, 10);
            })
        };
        let (count, sum) = read(std::iter::once(&*shard));
        assert!(count <= 2 && sum <= count * 10, "{count} values, sum {sum}");
        let (later, _) = read(std::iter::once(&*shard));
        assert!(later >= count, "counts only grow");
        writer.join().expect("no panic");
        assert_eq!(read(std::iter::once(&*shard)), (2, 20));
    });
}

#[test]
fn folding_loses_and_invents_nothing() {
    loom::model(|| {
        let memory = memory();
        let blocks = Arc::new(Mutex::new(Blocks::default()));
        let writer = {
            let (blocks, memory) = (blocks.clone(), memory.clone());
            thread::spawn(move || {
                let shard = owned(&memory);
                blocks.lock().expect("no panic").keep(shard.clone());
                record(&shard, 0, 10);
                record(&shard, 1, 10);
                // The thread ends.
                shard.release();
            })
        };
        let look = || {
            let mut blocks = blocks.lock().expect("no panic");
            blocks.fold(1, &memory);
            read(blocks.each())
        };
        let (count, sum) = look();
        assert!(count <= 2 && sum <= count * 10, "{count} values, sum {sum}");
        let (later, _) = look();
        assert!(later >= count, "counts only grow");
        writer.join().expect("no panic");
        assert_eq!(look(), (2, 20));
        assert_eq!(blocks.lock().expect("no panic").each().count(), 1, "only the base is left");
    });
}

#[test]
fn threads_that_share_a_block_make_one_page() {
    loom::model(|| {
        let memory = memory();
        let shard = Arc::new(Shard::shared(1, &memory));
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let shard = shard.clone();
                thread::spawn(move || shard.shared_count(0, 10))
            })
            .collect();
        let (count, sum) = read(std::iter::once(&*shard));
        assert!(count <= 2 && sum <= count * 10, "{count} values, sum {sum}");
        for writer in writers {
            writer.join().expect("no panic");
        }
        assert_eq!(read(std::iter::once(&*shard)), (2, 20));
        drop(shard);
        assert_eq!(memory.taken(), 0, "every byte came back");
    });
}

#[test]
fn memory_is_given_back_by_whoever_is_last() {
    loom::model(|| {
        let memory = memory();
        let shard = owned(&memory);
        let writer = {
            let shard = shard.clone();
            thread::spawn(move || record(&shard, 0, 10))
        };
        drop(shard);
        writer.join().expect("no panic");
        assert_eq!(memory.taken(), 0);
    });
}
