//! Formulas as lists of closed forms: the name and source of each model, and the quantities it gives.

use super::ClosedForm;
use super::theory::Quantity::{self, *};
use crate::queueing::{
    BulkService, Bursts, ErlangA, GiMc, Mdc, Mg1, Mmc, Mmck, Retrial, Window, erlang_b,
};

/// The name and the source of a formula.
#[derive(Clone, Copy)]
pub(super) struct Model(pub(super) &'static str, pub(super) &'static str);

impl Model {
    /// What it gives for all tiers together.
    pub(super) fn gives<const N: usize>(self, values: [(Quantity, f64); N]) -> Vec<ClosedForm> {
        let forms = values.into_iter();
        forms
            .map(|(what, value)| self.form(None, what, value))
            .collect()
    }

    /// What it gives for one tier or cluster, or for all.
    pub(super) fn form(self, of: Option<&str>, quantity: Quantity, value: f64) -> ClosedForm {
        let words = quantity.words();
        ClosedForm {
            name: self.0,
            reference: self.1,
            what: of.map_or(words.to_owned(), |of| format!("{words} of {of}")),
            quantity,
            of: of.map(str::to_owned),
            value,
            unit: quantity.unit(),
        }
    }
}

pub(super) fn loss(queue: Mmc) -> Vec<ClosedForm> {
    let blocked = erlang_b(queue.offered(), queue.servers);
    Model("M/G/c/c (Erlang B)", "Erlang 1917").gives([(Refused, blocked)])
}

pub(super) fn finite(found: Mmck) -> Vec<ClosedForm> {
    Model("M/M/c/K", "Gross et al. 2008, 3.5").gives([
        (Refused, found.p_block),
        (MeanWait, found.mean_wait),
        (MeanResponse, found.mean_response),
        (MeanQueue, found.mean_queue),
        (MeanInSystem, found.mean_in_system),
        (Utilisation, found.utilisation),
    ])
}

pub(super) fn impatient(found: ErlangA) -> Vec<ClosedForm> {
    Model("M/M/c+M (Erlang A)", "Palm 1957; Garnett et al. 2002").gives([
        (Waits, found.p_wait),
        (GivenUp, found.p_abandon),
        (MeanWaitOfAll, found.mean_wait),
        (MeanQueue, found.mean_queue),
        (MeanInSystem, found.mean_in_system),
        (Utilisation, found.utilisation),
    ])
}

pub(super) fn exponential_service(queue: Mmc) -> Vec<ClosedForm> {
    Model("M/M/c (Erlang C)", "Erlang 1917; Gross et al. 2008, 3.3").gives([
        (Waits, queue.p_wait()),
        (MeanWait, queue.mean_wait()),
        (MeanResponse, queue.mean_response()),
        (WaitP99, queue.wait_quantile(0.99)),
        (ResponseP99, queue.response_quantile(0.99)),
        (MeanQueue, queue.mean_queue()),
        (MeanInSystem, queue.mean_in_system()),
        (Utilisation, queue.utilisation()),
    ])
}

pub(super) fn constant_service(queue: &Mdc) -> Vec<ClosedForm> {
    Model("M/D/c", "Crommelin 1932; Franx 2001").gives([
        (Waits, queue.p_wait()),
        (MeanWait, queue.mean_wait()),
        (MeanResponse, queue.mean_response()),
        (WaitP99, queue.wait_quantile(0.99)),
        (MeanQueue, queue.mean_queue()),
    ])
}

pub(super) fn general_service(queue: Mg1) -> Vec<ClosedForm> {
    let source = "Pollaczek 1930; Khinchine 1932; Takacs 1962";
    Model("M/G/1 (Pollaczek-Khinchine)", source).gives([
        (MeanWait, queue.mean_wait()),
        (WaitDeviation, libm::sqrt(queue.wait_variance())),
        (MeanResponse, queue.mean_response()),
        (MeanQueue, queue.mean_queue()),
        (MeanInSystem, queue.mean_in_system()),
        (Utilisation, queue.utilisation()),
    ])
}

/// Nobody ever waits: the number in the system is a Poisson variable.
pub(super) fn plenty(offered: f64, service_s: f64) -> Vec<ClosedForm> {
    Model("M/G/inf", "Palm 1943").gives([
        (MeanResponse, service_s),
        (MeanInSystem, offered),
        (InSystemDeviation, libm::sqrt(offered)),
    ])
}

/// A server that is set up before each busy period; `wait_s` is the mean wait.
pub(super) fn set_up(queue: Mg1, wait_s: f64) -> Vec<ClosedForm> {
    let response_s = wait_s + queue.service.mean;
    Model("M/G/1 with set-up", "Welch 1964").gives([
        (MeanWait, wait_s),
        (MeanResponse, response_s),
        (MeanQueue, queue.arrival_rate * wait_s),
        (MeanInSystem, queue.arrival_rate * response_s),
        (Utilisation, queue.utilisation()),
    ])
}

/// GI/M/1, or of several servers what does not need the probability of waiting.
pub(super) fn renewals(found: GiMc, servers: u64, service_s: f64) -> Vec<ClosedForm> {
    let model = Model("GI/M/c", "Kendall 1953");
    if servers > 1 {
        return model.gives([(MeanWaitOfWaiting, 1.0 / found.wait_rate())]);
    }
    let waits = found.sigma();
    model.gives([
        (Waits, waits),
        (MeanWait, found.mean_wait(waits)),
        (MeanResponse, found.mean_wait(waits) + service_s),
        (WaitP99, found.wait_quantile(waits, 0.99)),
    ])
}

pub(super) fn in_bursts(found: Bursts, service_s: f64) -> Vec<ClosedForm> {
    Model("MMPP(2)/M/c", "Neuts 1981").gives([
        (Waits, found.p_wait),
        (MeanWait, found.mean_wait),
        (MeanResponse, found.mean_wait + service_s),
        (MeanQueue, found.mean_queue),
    ])
}

pub(super) fn retried(found: Retrial, servers: u64, service_s: f64) -> Vec<ClosedForm> {
    Model("M/M/c/c with retrials", "Falin and Templeton 1997").gives([
        (AllBusy, found.p_block),
        (MeanOrbit, found.mean_orbit),
        (MeanResponse, found.mean_wait + service_s),
        (Utilisation, found.mean_busy / servers as f64),
    ])
}

pub(super) fn fixed_batches(found: BulkService) -> Vec<ClosedForm> {
    Model("M/D^[a,b]/1", "Bailey 1954; Chaudhry and Templeton 1983").gives([
        (MeanWait, found.mean_wait),
        (MeanResponse, found.mean_response),
        (MeanQueue, found.mean_queue),
        (MeanBatch, found.mean_batch),
        (Utilisation, found.utilisation),
    ])
}

pub(super) fn waiting_batches(found: Window, batch_s: f64) -> Vec<ClosedForm> {
    Model("batch window, plenty of servers", "Poisson counts").gives([
        (MeanWait, found.mean_wait),
        (MeanResponse, found.mean_wait + batch_s),
        (MeanBatch, found.mean_batch),
    ])
}

/// `in_system` of a queue whose servers share their work equally.
pub(super) fn shared(in_system: f64, arrival_rate: f64) -> Vec<ClosedForm> {
    let source = "Sakata, Noguchi and Oizumi 1971";
    Model("M/G/c with processor sharing", source).gives([
        (MeanResponse, in_system / arrival_rate),
        (MeanInSystem, in_system),
    ])
}
