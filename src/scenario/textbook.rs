//! The textbook queue as a scenario, for tests, benchmarks and whoever uses the library without a file.

use super::*;
use crate::profile::{DeviceProfile, Provenance, ServiceCurve};
use crate::random::Law;

impl Scenario {
    /// One tier, one pool: Poisson arrivals of the given rate, service with the given law (seconds),
    /// so many replicas that serve one request at a time, first come first served, endless patience.
    ///
    /// It starts empty and lasts `horizon_s`; change its public fields to make it another queue.
    #[must_use]
    pub fn textbook(arrivals_per_s: f64, service_s: Law, replicas: u32, horizon_s: f64) -> Self {
        let horizon = SimDuration::from_s(horizon_s);
        Self {
            name: "textbook".into(),
            question: "What does the textbook say?".into(),
            horizon,
            lookahead: SimDuration::from_s((1000.0 / arrivals_per_s).max(1e-9)),
            series_interval: SimDuration(horizon.0.div_ceil(10).max(1)),
            tiers: vec![textbook_tier()],
            works: vec![textbook_work(service_s)],
            demands: vec![textbook_demand(arrivals_per_s)],
            regions: vec![Region {
                name: "here".into(),
                utc_offset_s: 0,
                delays: Vec::new(),
                served_in: Vec::new(),
            }],
            clusters: vec![Cluster {
                name: "here".into(),
                region: 0,
                power_usd_per_kwh: 0.0,
                power_usage_effectiveness: 1.0,
                start_up: None,
                power_limits_w: Vec::new(),
                free_replicas: replicas,
                grid_kgco2_per_kwh: None,
                reliability: None,
                division: None,
            }],
            pools: vec![textbook_pool(replicas)],
            rules: vec![(SimTime::ZERO, textbook_rules())],
            ..Self::blank()
        }
    }
}

fn textbook_tier() -> Tier {
    let client = Client {
        patience_s: None,
        until: PatienceUntil::Start,
        silent_share: 0.0,
        retry: None,
    };
    Tier {
        name: "all".into(),
        client,
        subscription_usd_per_month: 0.0,
        pays_per_image: false,
    }
}

fn textbook_work(service_s: Law) -> Work {
    let quality = Quality {
        name: "standard".into(),
        amount: service_s,
        usd_per_image: 0.0,
    };
    Work {
        name: "service".into(),
        unit: WorkUnit::ServiceTime,
        qualities: vec![quality],
        prompt_tokens: Law::Constant { value: 0.0 },
        memory_bytes: 0,
        memory_bytes_per_token: 0,
        context_grows: false,
    }
}

fn textbook_demand(arrivals_per_s: f64) -> Demand {
    let curve = RateCurve {
        points: vec![(SimTime::ZERO, arrivals_per_s)],
        linear: false,
    };
    let kind = DemandKind::Rate {
        curve,
        rhythm: Rhythm::Flat,
        process: Process::Poisson,
        users: None,
        activity_skew: 0.0,
    };
    Demand {
        name: "all".into(),
        tier: 0,
        work: 0,
        region: 0,
        from: SimTime::ZERO,
        until: SimTime::NEVER,
        kind,
    }
}

fn textbook_pool(replicas: u32) -> Pool {
    let profile = DeviceProfile {
        name: "service time".into(),
        accelerator: "none".into(),
        gpus_per_replica: 1,
        memory_bytes: None,
        curve: ServiceCurve::service_time(),
        provenance: Provenance::Assumed,
        source: "a textbook".into(),
        spread: None,
    };
    Pool {
        name: "here/1".into(),
        cluster: 0,
        profile,
        batch_limit: 1,
        serves: Vec::new(),
        start_up: SimDuration::ZERO,
        set_up: None,
        deliveries: vec![(SimTime::ZERO, replicas)],
    }
}

fn textbook_rules() -> Rules {
    let tier = TierRules {
        open: true,
        priority: 0,
        quota: None,
        rate_limit: None,
        deadline: SimDuration::FOREVER,
        share: 1.0,
        places_limit: 1.0,
    };
    let policy = Policy {
        admission: Admission {
            queue_limit: QueueLimit::None,
            refuse_wait_above: None,
        },
        order: QueueOrder::Fcfs,
        drop: Drop::Nothing,
        batching: Batching::Single,
        routing: Routing::Random,
        dispatch: Dispatch::Central,
        degradation: None,
        reclaim: Reclaim::AtEnd,
    };
    Rules {
        tiers: vec![tier],
        policy,
    }
}
