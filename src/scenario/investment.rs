//! `[investment]`: what the money loop rests on, month by month.

/// The inputs of the loop from users to money, GPUs and back to users. Rates and shares are a month's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Investment {
    /// Months that are stepped through.
    pub months: u32,
    /// Index of the cluster whose profile and batches serve the images.
    pub cluster: usize,
    /// Index of the work that users ask for, at its first quality.
    pub work: usize,
    /// Weekly users at the start.
    pub users: f64,
    /// Growth of the users a month in an unlimited market that is fully served.
    pub growth: f64,
    /// Users whom the market has room for.
    pub market_users: f64,
    /// Share of the users who leave in a month in which nothing is served.
    pub leave_unserved: f64,
    /// Paying subscribers at the start.
    pub subscribers: f64,
    /// Share of the other users who subscribe in a month.
    pub join: f64,
    /// Share of the subscribers who cancel in a month.
    pub churn: f64,
    /// What a subscriber pays, in USD a month.
    pub subscription_usd_per_month: f64,
    /// Further revenue (API, seats) as a share of that of subscriptions.
    pub further_revenue: f64,
    /// Images that a user wants in a month.
    pub images_per_user: f64,
    /// Share of the GPU time with work that makes images; the rest is chat, training and research.
    pub image_share: f64,
    /// Share of the time in which a GPU of a fleet has work at most.
    pub utilisation: f64,
    /// GPUs in service at the start.
    pub fleet_gpus: f64,
    /// GPUs of a chunk.
    pub chunk_gpus: f64,
    /// What a chunk's contract is worth to its supplier, in USD a year.
    pub contract_usd_per_year: f64,
    /// Share of the GPU-hours that are paid whether used or not.
    pub committed: f64,
    /// Capacity that is wanted over the demand foreseen.
    pub headroom: f64,
    /// Months from an order to its GPUs in service, at least 1.
    pub lead_months: u32,
    /// GPUs that can be ordered in a month.
    pub supply_gpus: f64,
    /// What the cloud spends on a GPU with all around it, in USD.
    pub capex_usd_per_gpu: f64,
    /// Cash before the first round, in USD.
    pub cash_usd: f64,
    /// Valuation of the first round, in USD.
    pub valuation_usd: f64,
    /// What the first round raises, in USD.
    pub raised_usd: f64,
    /// Months between two rounds at least.
    pub round_every_months: u32,
    /// Months for which the cash must last; a round is raised when it does not, orders are limited so that
    /// it does.
    pub runway_months: f64,
    /// Staff, research and all else, as a share of the revenue.
    pub other_costs: f64,
    /// Who makes the GPUs, sorted by name; their shares add up to 1.
    pub vendors: Vec<Vendor>,
}

/// A maker of GPUs.
#[derive(Clone, Debug, PartialEq)]
pub struct Vendor {
    /// Name.
    pub name: String,
    /// Share of the GPUs ordered.
    pub share: f64,
    /// What it gets for one, in USD.
    pub usd_per_gpu: f64,
}
