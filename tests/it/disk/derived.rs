//! What is derived from the store, marts and what was measured of them: damage in it is never believed and never in the way.

use crate::harness::{Place, tree};
use std::fs;
use std::path::{Path, PathBuf};

const ASK: &[&str] = &["--no-extract", "metrics", "run", "overview", "tools", "daily", "--all", "--json"];

/// The folder of the one state that there is.
fn state(place: &Place) -> PathBuf {
    let folders = fs::read_dir(place.path("store/marts")).expect("marts").flatten();
    folders.map(|entry| entry.path()).find(|path| path.is_dir()).expect("a state")
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    tree(folder).into_iter().filter(|path| path.ends_with(ending)).map(|path| folder.join(path)).collect()
}

#[test]
fn a_result_in_which_a_digit_is_another_is_measured_again() {
    let place = Place::measured();
    let before = place.run(ASK).ok().out;
    let results = files(&state(&place), ".json");
    assert!(results.len() > 10, "{results:?}");
    for path in &results {
        let mut bytes = fs::read(path).expect("read");
        // In the values, so that it is JSON still.
        for at in 40..bytes.len() - 1 {
            if matches!(bytes[at - 1], b'[' | b',') && bytes[at].is_ascii_digit() {
                bytes[at] = if bytes[at] == b'9' { b'1' } else { bytes[at] + 1 };
            }
        }
        fs::write(path, bytes).expect("written");
    }
    assert_eq!(place.run(ASK).ok().out, before);
    // One result in another's place is no result either.
    let swapped: Vec<Vec<u8>> = results.iter().map(|path| fs::read(path).expect("read")).collect();
    for (path, other) in results.iter().zip(swapped.iter().rev()) {
        fs::write(path, other).expect("written");
    }
    assert_eq!(place.run(ASK).ok().out, before);
}
