//! At what load does a GPU fleet melt, what does the next 100,000-GPU chunk buy, and what does it cost?
//!
//! `meltpoint` replays a surge of image generation against a fleet of GPUs, request by request. Four
//! nouns carry the picture; each is plain data, and each arrow is one function:
//!
//! ```text
//!  scenario.toml --scenario::read--> Scenario --trials::run--> Summary --report--> tables, figures, files
//!   (text)                         (a valid question)        (the answer)
//!                                        |
//!                                        +--estimate::estimate--> Estimate (before running)
//!
//!  a GPU --gpu::measure--> MeasuredProfile --(--profile)--> iteration times of a Scenario
//! ```
//!
//! # Words
//!
//! - **request**: what a user wants, one image; **attempt**: one try at it; **iteration**: one pass of the
//!   model over its batch (a denoise step or an output token). A request's work is a number of iterations.
//! - **fleet** > **cluster** (a site in a region) > **pool** (identical replicas behind one queue) >
//!   **replica** (one copy of the model on g GPUs). A **chunk** is only what is bought: GPUs of one
//!   accelerator from one provider, priced together and delivered on a date.
//! - **tier**: users with the same rights. **gateway**: a fixed part of all users.
//! - A request ends **completed**, **shed** (refused, with a reason), **abandoned** or **failed**, or is
//!   still **in the system**. There is no sixth way, and the ledger of the five is checked at every window.
//! - **offered**, **admitted** and **completed** load are three things and never mixed.
//!
//! # Modules, in the order of who may know whom
//!
//! A module may use those of a lower rank only; `tests/tidy.rs` reads the imports and fails otherwise.
//!
//! | rank | modules | |
//! | --- | --- | --- |
//! | 0 | [`units`] [`random`] [`stats`] [`queueing`] [`assign`] [`finance`] | mathematics; `queueing` is never used by `sim`, or an oracle would test itself |
//! | 1 | [`des`] [`profile`] | event lists; what a device can do |
//! | 2 | [`scenario`] `gpu` | what the user writes, and the valid question it means; aside, what a real GPU does |
//! | 3 | [`sim`] [`economics`] | what happens; what it costs |
//! | 4 | [`metrics`] | a run to series and summary |
//! | 5 | [`trials`] | a run on a number of threads |
//! | 6 | [`estimate`] [`calibrate`] [`plan`] | what to expect before running; fitting parameters to facts; sizing |
//! | 7 | [`report`] | plain data to bytes, one file a format |
//! | 8 | [`cli`] | arguments, files, printing, signals, exit codes |
//!
//! # As a library
//!
//! ```
//! use std::ops::ControlFlow;
//! use std::sync::Arc;
//!
//! use meltpoint::queueing::Mmc;
//! use meltpoint::random::Law;
//! use meltpoint::scenario::Scenario;
//! use meltpoint::trials;
//!
//! // Ten replicas, eight requests a second, a second of service each.
//! let service = Law::Exponential { mean: 1.0 };
//! let scenario = Arc::new(Scenario::textbook(8.0, service, 10, 20_000.0));
//! let trial = trials::run(&scenario, 1, &mut |_| ControlFlow::Continue(()));
//!
//! let waited = trial.summary.total.wait_s.mean.expect("somebody came");
//! let erlang = Mmc { arrival_rate: 8.0, service_rate: 1.0, servers: 10 }.mean_wait();
//! assert!((waited / erlang - 1.0).abs() < 0.15);
//! ```

pub mod assign;
pub mod calibrate;
pub mod cli;
pub mod des;
pub mod economics;
pub mod estimate;
pub mod finance;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod metrics;
pub mod plan;
pub mod profile;
pub mod queueing;
pub mod random;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod stats;
pub mod trials;
pub mod units;
