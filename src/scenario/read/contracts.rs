//! `[chunk.NAME.contract]`: how a chunk is paid for.

use super::cursor::Cursor;
use super::quantity::{Money, money, number, share};
use crate::scenario::{Contract, Ownership};

/// Longest contract in years.
const YEARS_LIMIT: f64 = 30.0;

pub(super) fn contract(at: &mut Cursor<'_>) -> Option<Contract> {
    let doc = "How it is paid for; without it, rent by the hour for as long as the scenario lasts.";
    at.optional_section("contract", doc, |at| {
        at.annotated();
        at.variants(
            "kind",
            "What was agreed on.",
            &[
                ("on-demand", "Rent for as long as it is kept.", &|_| {
                    Contract::OnDemand
                }),
                ("reserved-1y", "Rent for one year, used or not.", &|_| {
                    Contract::Reserved { years: 1.0 }
                }),
                ("reserved-3y", "Rent for three years, used or not.", &|_| {
                    Contract::Reserved { years: 3.0 }
                }),
                (
                    "take-or-pay",
                    "Rent for the GPU-hours used, at least for those committed.",
                    &take_or_pay,
                ),
                (
                    "owned",
                    "Bought and written off; `price` is then what hosting costs.",
                    &owned,
                ),
            ],
        )
    })
    .flatten()
}

fn years(at: &mut Cursor<'_>, doc: &str, default: &str) -> f64 {
    at.default("years", doc, number(1.0 / 12.0, YEARS_LIMIT), default)
}

fn take_or_pay(at: &mut Cursor<'_>) -> Contract {
    Contract::TakeOrPay {
        years: years(at, "Years of 365 days for which it binds.", "1"),
        committed: at.required(
            "committed",
            "The share of its GPU-hours that are paid whether they are used or not.",
            share(),
        ),
    }
}

fn owned(at: &mut Cursor<'_>) -> Contract {
    let doc = "Capital spent for one GPU with its share of servers, network and building.";
    Contract::Owned(Ownership {
        capex_usd_per_gpu: at.required("capex", doc, money(Money::PerGpu).positive()),
        years: years(at, "Years over which it is written off.", "5"),
        cost_of_capital: at.required("cost_of_capital", "Interest a year.", share()),
        salvage: at.default(
            "salvage",
            "What it is worth at the end, as a share of its price.",
            share(),
            "0 %",
        ),
    })
}
