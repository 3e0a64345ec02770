//! `[investment]`: the money loop.

use super::World;
use super::cursor::Cursor;
use super::form::{reference, whole_u32};
use super::quantity::{Money, Quantity, gpu_count, money, number, people, share};
use crate::scenario::{Investment, Vendor};

/// Longest loop in months.
const MONTHS_LIMIT: u32 = 120;
/// More people than there are.
const USERS_LIMIT: f64 = 1e11;
/// More GPUs than are made.
const GPUS_LIMIT: f64 = 1e9;
/// How far the shares of the vendors may be from 1 in sum.
const SHARES_SLACK: f64 = 1e-9;

pub(super) fn investment(root: &mut Cursor<'_>, world: &World<'_>) -> Option<Investment> {
    let doc =
        "The money loop, by month: users, revenue, GPUs, funding, and back (`meltpoint invest`).";
    root.optional_section("investment", doc, |at| {
        at.annotated();
        let mut read = Investment {
            months: at.default(
                "months",
                "How many.",
                whole_u32("months", 1, MONTHS_LIMIT),
                "24",
            ),
            cluster: at.required(
                "cluster",
                "Whose profile and batches make the images.",
                reference("cluster", &world.clusters),
            ),
            work: at.required(
                "work",
                "What users ask for.",
                reference("work", &world.works),
            ),
            ..Investment::default()
        };
        users(at, &mut read);
        subscriptions(at, &mut read);
        capacity(at, &mut read);
        contracts(at, &mut read);
        funding(at, &mut read);
        read.vendors = vendors(at);
        check(at, &read);
        read
    })
}

fn users(at: &mut Cursor<'_>, read: &mut Investment) {
    let people = || people().positive().within(1.0, USERS_LIMIT);
    read.users = at.required("users", "Weekly users at the start.", people());
    let doc = "Growth of the users in a month, in an unlimited market that is fully served.";
    read.growth = at.required("growth", doc, share());
    let doc = "Users whom the market has room for.";
    read.market_users = at.required("market", doc, people());
    let doc = "Share of the users who leave in a month in which nothing is served.";
    read.leave_unserved = at.required("leave_unserved", doc, share());
    let doc = "Images that a user wants in a month.";
    read.images_per_user = at.required("images_per_user", doc, number(1e-6, 1e6));
}

fn subscriptions(at: &mut Cursor<'_>, read: &mut Investment) {
    let doc = "Paying subscribers at the start.";
    read.subscribers = at.required("subscribers", doc, people());
    let doc = "Share of the other users who subscribe in a month.";
    read.join = at.required("join", doc, share());
    let doc = "Share of the subscribers who cancel in a month.";
    read.churn = at.required("churn", doc, share());
    let doc = "What a subscriber pays.";
    read.subscription_usd_per_month = at.required("subscription", doc, money(Money::PerMonth));
    let doc = "Further revenue (API, seats) as a share of that of subscriptions.";
    read.further_revenue = at.default("further_revenue", doc, number(0.0, 100.0), "0 %");
}

fn gpus() -> Quantity {
    gpu_count().within(1.0, GPUS_LIMIT)
}

fn capacity(at: &mut Cursor<'_>, read: &mut Investment) {
    let doc =
        "Share of the GPU time with work that makes images; the rest is chat, training, research.";
    read.image_share = at.required("image_share", doc, share().within(1e-6, 1.0));
    let doc = "Share of the time in which a GPU has work at most.";
    read.utilisation = at.required("utilisation", doc, share().within(0.01, 1.0));
    read.fleet_gpus = at.required("fleet", "GPUs in service at the start.", gpus());
    let doc = "Capacity that is wanted over the demand foreseen.";
    read.headroom = at.default("headroom", doc, number(0.0, 10.0), "0 %");
    let doc = "Months from an order to its GPUs in service.";
    read.lead_months = at.required("lead_months", doc, whole_u32("months", 1, MONTHS_LIMIT));
    let doc = "GPUs that can be ordered in a month.";
    read.supply_gpus = at.required("supply", doc, gpus());
}

fn contracts(at: &mut Cursor<'_>, read: &mut Investment) {
    let doc = "GPUs of a chunk.";
    read.chunk_gpus = at.default("chunk", doc, gpus(), "100000 GPUs");
    let doc = "What a chunk's contract is worth to its supplier in a year.";
    read.contract_usd_per_year =
        at.required("contract_per_year", doc, money(Money::Plain).positive());
    let doc = "Share of the GPU-hours that are paid whether used or not.";
    read.committed = at.default("committed", doc, share(), "100 %");
    let doc = "What the cloud spends on a GPU with server, network and building.";
    read.capex_usd_per_gpu = at.required("capex", doc, money(Money::PerGpu));
}

fn funding(at: &mut Cursor<'_>, read: &mut Investment) {
    read.cash_usd = at.required("cash", "Cash before the first round.", money(Money::Plain));
    let doc = "Valuation of the first round.";
    read.valuation_usd = at.required("valuation", doc, money(Money::Plain).positive());
    let doc = "What the first round raises; later ones raise the same share of their valuation.";
    read.raised_usd = at.required("raised", doc, money(Money::Plain));
    let doc = "Months between two rounds at least.";
    let months = whole_u32("months", 1, MONTHS_LIMIT);
    read.round_every_months = at.default("round_every_months", doc, months, "12");
    let doc =
        "Months for which the cash must last: otherwise a round is raised, and nothing is ordered.";
    read.runway_months = at.default("runway_months", doc, number(1.0, 120.0), "12");
    let doc = "Staff, research and all else, as a share of the revenue.";
    read.other_costs = at.required("other_costs", doc, number(0.0, 100.0));
}

fn vendors(at: &mut Cursor<'_>) -> Vec<Vendor> {
    let vendors = at.keyed(
        "vendor",
        "Who makes the GPUs that are ordered.",
        |name, at| {
            at.annotated();
            Vendor {
                name: name.to_owned(),
                share: at.required("share", "Its share of the GPUs.", share()),
                usd_per_gpu: at.required("price", "What it gets for one.", money(Money::PerGpu)),
            }
        },
    );
    vendors.into_iter().map(|(_, vendor)| vendor).collect()
}

fn check(at: &Cursor<'_>, read: &Investment) {
    let shares: f64 = read.vendors.iter().map(|vendor| vendor.share).sum();
    if (shares - 1.0).abs() > SHARES_SLACK {
        let message = format!(
            "has shares that add up to {} %, not to 100 %",
            100.0 * shares
        );
        at.problem(
            "vendor",
            &message,
            "write a table `[investment.vendor.NAME]` for each",
        );
    }
    let dearest = read.vendors.iter().map(|vendor| vendor.usd_per_gpu);
    if dearest.fold(0.0, f64::max) > read.capex_usd_per_gpu {
        let hint = "it is the price of the GPU and all around it";
        at.problem("capex", "is less than what a vendor gets for a GPU", hint);
    }
    if read.users > read.market_users {
        at.problem(
            "users",
            "are more than `market` has room for",
            "make `market` larger",
        );
    }
    if read.subscribers > read.users {
        at.problem(
            "subscribers",
            "are more than `users`",
            "subscribers are users too",
        );
    }
    if read.raised_usd > read.valuation_usd {
        at.problem(
            "raised",
            "is more than `valuation`",
            "a round sells a part of the company",
        );
    }
}
