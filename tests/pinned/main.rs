//! What must not change unnoticed: the first random draws of every kind, and small results as a whole.
//!
//! Each table beside this file is compared with what the program gives now. Where a change is meant (another
//! generator, another order of draws, another field in a result), the new table, which lies where the failed
//! test says, takes the place of the old one, and the commit says why.

mod draws;
mod results;

use std::fs;
use std::path::Path;

/// Compares a table with the one that is pinned under this name.
#[track_caller]
fn assert_pinned(name: &str, pinned: &str, now: &str) {
    if pinned == now {
        return;
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&new, now).expect("a temporary file");
    let differing = now.lines().zip(pinned.lines()).find(|(a, b)| a != b);
    panic!(
        "tests/pinned/{name} holds no longer, first at {differing:?} (now, pinned). If that is meant:\n  \
         cp {} tests/pinned/{name}",
        new.display()
    );
}
