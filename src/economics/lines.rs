//! The cost lines of the bill, in words, from the table of chunks.

use super::chunks::hours;
use super::{ChunkCost, MoneyLine, Usage};
use crate::scenario::{Chunk, Contract, Scenario};

/// All rents, then power, capital, network and staff, each where a chunk has any.
pub(super) fn costs(scenario: &Scenario, usage: &Usage, rows: &[ChunkCost]) -> Vec<MoneyLine> {
    let each = || scenario.chunks.iter().zip(rows);
    let mut lines: Vec<MoneyLine> = each()
        .enumerate()
        .filter_map(|(index, (chunk, row))| rent(chunk, usage, index, row))
        .collect();
    lines.extend(each().filter_map(|(chunk, row)| power(scenario, chunk, row)));
    lines.extend(each().filter_map(|(chunk, row)| capital(chunk, usage, row)));
    for (chunk, row) in each() {
        let beside = [
            ("network", chunk.network_usd_per_gpu_hour, row.network_usd),
            ("staff", chunk.staff_usd_per_gpu_hour, row.staff_usd),
        ];
        let charged = beside.into_iter().filter(|(_, price, _)| *price > 0.0);
        lines.extend(charged.map(|(what, price, usd)| MoneyLine {
            what: format!("{what} {}", chunk.name),
            basis: of_hours(chunk, usage, &format!("{price} USD")),
            usd,
        }));
    }
    lines
}

/// `24000 GPUs x 216.0 h x 2.1 USD`.
fn of_hours(chunk: &Chunk, usage: &Usage, price: &str) -> String {
    let hours = hours(chunk, usage.until);
    format!("{} GPUs x {hours:.1} h x {price}", chunk.gpus)
}

fn rent(chunk: &Chunk, usage: &Usage, index: usize, row: &ChunkCost) -> Option<MoneyLine> {
    let price = format!("{} USD", chunk.usd_per_gpu_hour);
    let price = match &chunk.contract {
        Some(Contract::Owned(_)) if chunk.usd_per_gpu_hour == 0.0 => return None,
        Some(Contract::TakeOrPay { committed, .. }) => format!(
            "max({:.1} % committed, {:.1} % used) x {price}",
            100.0 * committed,
            100.0 * row.utilisation
        ),
        _ => price,
    };
    let price = match usage.returned(index) {
        returned if returned > 0.0 => {
            format!("{price}, less {returned:.0} GPU-hours given back")
        }
        _ => price,
    };
    Some(MoneyLine {
        what: format!("{} ({})", chunk.name, chunk.provider),
        basis: of_hours(chunk, usage, &price),
        usd: row.rent_usd,
    })
}

fn power(scenario: &Scenario, chunk: &Chunk, row: &ChunkCost) -> Option<MoneyLine> {
    let cluster = &scenario.clusters[chunk.cluster];
    let basis = format!(
        "{:.0} MWh x {} USD/kWh, PUE {}",
        row.energy_mwh?, cluster.power_usd_per_kwh, cluster.power_usage_effectiveness
    );
    Some(MoneyLine {
        what: format!("power {}", chunk.name),
        basis,
        usd: row.power_usd,
    })
}

fn capital(chunk: &Chunk, usage: &Usage, row: &ChunkCost) -> Option<MoneyLine> {
    let Some(Contract::Owned(ownership)) = &chunk.contract else {
        return None;
    };
    let price = format!(
        "{:.4} USD ({} USD a GPU over {} years at {:.1} %)",
        ownership.usd_per_gpu_hour(),
        ownership.capex_usd_per_gpu,
        ownership.years,
        100.0 * ownership.cost_of_capital
    );
    Some(MoneyLine {
        what: format!("capital {}", chunk.name),
        basis: of_hours(chunk, usage, &price),
        usd: row.capital_usd,
    })
}
