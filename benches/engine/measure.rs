//! One workload, measured in this process: `--measure WORKLOAD SIZE SEED THREADS`.

use meltpoint::random::Seed;

use crate::jump::{Images, Jumping, Start, Stepping};
use crate::outcome::Outcome;
use crate::{bare, jump, queue, week};

/// What was measured, as JSON.
pub(crate) fn measure(words: &[String]) -> String {
    let [workload, size, seed, threads] = words else {
        panic!("--measure WORKLOAD SIZE SEED THREADS");
    };
    let number = |word: &str| word.parse::<f64>().expect("a number");
    let (size, seed, threads) = (
        number(size),
        Seed(number(seed) as u64),
        number(threads) as usize,
    );
    let outcome = of(workload, size, seed, threads);
    serde_json::to_string(&outcome).expect("numbers are written")
}

fn of(workload: &str, size: f64, seed: Seed, threads: usize) -> Outcome {
    let count = size as u64;
    match workload {
        "bare" => queue::baseline(count, seed, bare::event_loop),
        "recursion" => queue::baseline(count, seed, bare::recursion),
        "queue" => queue::engine(count, seed),
        "week" => week::ghibli(size, seed, threads),
        "come-back" => week::coming_back(1.0, size, seed, threads),
        "come-back-twice" => week::coming_back(2.0, size, seed, threads),
        "week-everything" => week::everything(size, seed, threads),
        "chunks" => week::chunks(size, seed, threads),
        _ => replicas(workload, count, seed),
    }
}

/// `WAY-START` or `WAY-START-fleet`; the size says how often.
fn replicas(workload: &str, times: u64, seed: Seed) -> Outcome {
    let words: Vec<&str> = workload.split('-').collect();
    let start = match words.get(1) {
        Some(&"together") => Start::Together,
        Some(&"spread") => Start::Spread,
        _ => panic!("no workload is called {workload}"),
    };
    let images = match words.get(2) {
        Some(&"fleet") => Images::new(start, 1000, 640, seed),
        _ => Images::new(start, 1, 64_000, seed),
    };
    match words[0] {
        "jump" => jump::measure::<Jumping>(&images, times),
        "step" => jump::measure::<Stepping>(&images, times),
        "engine" => jump::whole_engine(&images, times),
        _ => panic!("no workload is called {workload}"),
    }
}
