//! What is asked for: `[work]` and its qualities.

use super::cursor::Cursor;
use super::form::words;
use super::law::{LawForm, law};
use super::quantity::{Money, bytes, iterations, money, seconds};
use crate::random::Law;
use crate::scenario::{Quality, Work, WorkUnit};

pub(super) fn works(root: &mut Cursor<'_>) -> Vec<Work> {
    let works = root.keyed("work", "What a request asks for.", work);
    works.into_iter().filter_map(|(_, work)| work).collect()
}

/// What distinguishes the kinds of work.
struct Kind {
    key: &'static str,
    doc: &'static str,
    form: LawForm,
    unit: WorkUnit,
    context_grows: bool,
}

fn work(name: &str, at: &mut Cursor<'_>) -> Option<Work> {
    at.annotated();
    let prompt_tokens = at.default(
        "prompt",
        "Tokens of the prompt, computed when the request joins a batch.",
        law(iterations()),
        "0 tokens",
    );
    let memory_bytes = at.default(
        "memory",
        "Accelerator memory that a running request holds.",
        bytes(),
        "0 B",
    );
    let memory_bytes_per_token = at.default(
        "memory_per_token",
        "Further memory for each token of its prompt and its output (the KV cache); at most all that a replica has.",
        bytes(),
        "0 B",
    );
    let count = law(iterations().within(1.0, 1e7));
    let autoregressive = Kind {
        key: "tokens",
        doc: "Output tokens of one image or answer: a number, or a law.",
        form: count,
        unit: WorkUnit::Iterations,
        context_grows: true,
    };
    let diffusion = Kind {
        key: "steps",
        doc: "Denoise steps of one image: a number, or a law.",
        context_grows: false,
        ..autoregressive
    };
    let service = Kind {
        key: "service",
        doc: "Service time of a replica that serves one request alone: a duration, or a law.",
        form: law(seconds().positive()),
        unit: WorkUnit::ServiceTime,
        context_grows: false,
    };
    let read = |kind: &Kind, at: &mut Cursor<'_>| Work {
        name: name.to_owned(),
        unit: kind.unit,
        qualities: qualities(at, kind),
        prompt_tokens,
        memory_bytes,
        memory_bytes_per_token,
        context_grows: kind.context_grows,
    };
    at.variants(
        "kind",
        "How the work is made.",
        &[
            (
                "autoregressive",
                "Token by token; the context grows.",
                &|at| read(&autoregressive, at),
            ),
            ("diffusion", "Denoise step by denoise step.", &|at| {
                read(&diffusion, at)
            }),
            (
                "service",
                "A service time with a law, for queueing models.",
                &|at| read(&service, at),
            ),
        ],
    )
}

/// The standard quality first, then those below it by falling mean amount; those above it are never
/// given, so they are left out.
fn qualities(at: &mut Cursor<'_>, kind: &Kind) -> Vec<Quality> {
    let direct = at.optional(kind.key, kind.doc, kind.form);
    let standard = at.optional("standard", "The quality that requests ask for.", words());
    let price = at.optional("price", PRICE, money(Money::PerImage));
    let named = at.keyed("quality", "A variant of the work.", |name, at| {
        at.annotated();
        quality(name, at, kind)
    });
    let mut qualities: Vec<Quality> = named.into_iter().map(|(_, quality)| quality).collect();
    if let Some(amount) = direct {
        if !qualities.is_empty() {
            at.problem(
                kind.key,
                "stands beside quality tables",
                "write it into each quality",
            );
        }
        return vec![Quality {
            name: standard.unwrap_or_else(|| "standard".to_owned()),
            amount,
            usd_per_image: price.unwrap_or(0.0),
        }];
    }
    if price.is_some() {
        at.problem(
            "price",
            "stands beside quality tables",
            "write it into each quality",
        );
    }
    let names = qualities.iter().map(|quality| quality.name.as_str());
    let first = match (&standard, qualities.len()) {
        (_, 0) => {
            at.problem(
                kind.key,
                "is missing",
                format!("add `{} = ...`: {}", kind.key, kind.doc),
            );
            return Vec::new();
        }
        (None, 1) => Some(0),
        (None, _) => {
            let hint = super::problem::advice("", names);
            at.problem(
                "standard",
                "is missing, but there are several qualities",
                hint,
            );
            None
        }
        (Some(name), _) => {
            let hint = super::problem::advice(name, names.clone());
            let index = names.clone().position(|other| other == name);
            if index.is_none() {
                at.problem("standard", "is not the name of a quality", hint);
            }
            index
        }
    };
    let standard = qualities.swap_remove(first.unwrap_or(0));
    qualities.retain(|quality| quality.amount.mean() < standard.amount.mean());
    qualities.sort_by(|a, b| {
        b.amount
            .mean()
            .total_cmp(&a.amount.mean())
            .then_with(|| a.name.cmp(&b.name))
    });
    qualities.insert(0, standard);
    qualities
}

const PRICE: &str = "What a paying request is charged for one image.";

fn quality(name: &str, at: &mut Cursor<'_>, kind: &Kind) -> Quality {
    let amount: Law = at.required(kind.key, kind.doc, kind.form);
    Quality {
        name: name.to_owned(),
        amount,
        usd_per_image: at.default("price", PRICE, money(Money::PerImage), "0 USD/image"),
    }
}
