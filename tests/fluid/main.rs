//! What is expected before a run against what the run gives: the fluid model knows the fleet as it is, who may be
//! served where, what fails, what follows the load and how tiers share.

mod failures;
mod groups;
mod question;
mod scaled;
mod shares;
mod stories;
