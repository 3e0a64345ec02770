//! A user's own kernel.

use std::path::Path;
use std::sync::Arc;

use super::failure::failure;
use super::wanted;
use crate::cli::args::{Format, Measure};
use crate::cli::error::Failure;
use crate::cli::{load, output, report};
use crate::gpu::adapter;
use crate::gpu::user_kernel::{self, BYTES_MAX, BadKernel, UserKernel, Wish};
use crate::report as formats;
use crate::scenario::{Origin, Place, Problem};

pub(super) fn run(arguments: &Measure, file: &Path) -> Result<u8, Failure> {
    if !matches!(arguments.format, Format::Table | Format::Json) {
        let message = "the time of a kernel has no such format";
        return Err(Failure::usage(
            message,
            "say --format table or --format json",
        ));
    }
    let name = formats::printable_path(file);
    let bytes = load::read_file(file, BYTES_MAX as u64)?;
    let text = String::from_utf8(bytes).map_err(|problem| {
        let at = problem.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(problem.as_bytes()).into_owned();
        let bad = BadKernel {
            message: "found a byte that is not UTF-8".to_owned(),
            span: Some(at..at),
            hint: "save it as UTF-8".to_owned(),
        };
        refused(&name, &text, bad)
    })?;
    quiet();
    let kernel = UserKernel::read(&text).map_err(|bad| refused(&name, &text, bad))?;
    let adapter = adapter::choose(&wanted(arguments)).map_err(|error| failure(&error))?;
    let wish = Wish {
        elements: arguments.elements,
    };
    let timing = user_kernel::measure(adapter, &kernel, &name, wish);
    let timing = timing.map_err(|problem| match problem {
        user_kernel::Failure::Kernel(bad) => refused(&name, &text, bad),
        user_kernel::Failure::Device(error) => failure(&error),
    })?;
    output::result(&match arguments.format {
        Format::Json => formats::user_timing_json(&timing),
        _ => formats::user_timing_table(&timing, report::style()),
    })?;
    Ok(0)
}

/// What is wrong with a kernel, with its place.
fn refused(name: &str, text: &str, bad: BadKernel) -> Failure {
    let message = formats::printable_text(&bad.message);
    let hint = formats::printable_text(&bad.hint);
    let origin = Arc::new(Origin {
        name: name.to_owned(),
        text: text.to_owned(),
        is_flag: false,
    });
    let place = bad.span.map(|span| Place { origin, span });
    let message = match place {
        Some(_) => message,
        None => format!("{name}: {message}"),
    };
    Failure::Shader(Box::new(Problem {
        message,
        hint,
        place,
    }))
}

/// A compiler that panics on a user's kernel is answered with a message about the kernel, not with a trace.
fn quiet() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(user_kernel::THREAD) {
            usual(panic);
        }
    }));
}
