//! Queueing theory in closed form: what a fleet must do where mathematics knows the answer.
//!
//! Pure functions from rates to probabilities, lengths and times, one family of models a file, each
//! with its formula and reference. They serve `explain`, the first guess of a plan, and the tests that
//! hold the simulator against them; the simulator itself never uses them, or it would test itself.
//!
//! Rates are per any unit of time as long as it is the same in all of them; times come back in that
//! unit. `servers` are the places that work at once, the textbook's word. The *wait* is the time until
//! service starts, the *response* the time until it ends; the *queue* is who waits, the *system* who
//! waits or is served. A queue that cannot keep up has an infinite mean wait. One law rules the room
//! (Little 1961): mean number = arrival rate x mean time.

mod abandonment;
mod batching;
mod birth_death;
mod bulk;
mod bursts;
mod chain;
mod crommelin;
mod diffusion;
mod erlang;
mod fluid;
mod general;
mod infinite;
mod mmc;
mod network;
mod poisson;
mod priority;
mod reliability;
mod renewal;
mod repair;
mod retrial;
mod routing;
mod service;
mod setup;
mod staffing;
mod transient;

pub use abandonment::ErlangA;
pub use batching::{Window, batching_window, dynamic_batching_bound};
pub use bulk::{Bulk, BulkService};
pub use bursts::{Bursts, bursts};
pub use crommelin::Mdc;
pub use diffusion::Bass;
pub use erlang::{erlang_b, erlang_c};
pub use fluid::{Drain, Excess};
pub use general::{Mg1, allen_cunneen_wait, processor_sharing_response};
pub use infinite::{cycle_mean, empty_start_mean, peak_lag_exponential, steps_mean};
pub use mmc::{Mmc, Mmck};
pub use network::{fork_join_two_response, jackson_arrival_rates};
pub use poisson::poisson_at_most;
pub use priority::{
    Class, ClassTimes, cobham, cobham_many_servers, preemptive_many_servers, preemptive_resume,
};
pub use reliability::{availability, checkpointed_job_time, weibull_failures};
pub use renewal::{GiMc, constant_transform, erlang_transform};
pub use repair::{Repair, RepairFluid, k_out_of_n, restarting_job_time};
pub use retrial::{Retrial, retrial};
pub use routing::{join_shortest_of_two_in_system, power_of_d_response};
pub use service::ServiceMoments;
pub use setup::setup_wait;
pub use staffing::{garnett_p_wait, halfin_whitt_beta, halfin_whitt_p_wait, square_root_servers};
pub use transient::mmc_transient;
