//! What a device's failure is to the user, and what to do about it.

use std::path::Path;

use signal_hook::low_level;

use crate::cli::error::{DEVICE, Failure};
use crate::gpu::Error;
use crate::report as formats;

/// His own mistake, or exit code 5 with what to do.
pub(super) fn failure(error: &Error) -> Failure {
    let message = formats::printable_text(&error.to_string());
    match error {
        Error::UnknownAdapter { .. } | Error::Unsupported { .. } => Failure::usage(
            message,
            "`meltpoint measure --list` shows adapters, variants and models",
        ),
        Error::NoAdapter => Failure::device(message, no_adapter_help()),
        Error::Stuck { .. } => {
            let hint = "measure smaller work; the device may need a reset";
            let failure = Failure::device(message, hint);
            // Whatever would be cleared away now waits for the device, which does not come back.
            failure.print();
            low_level::exit(i32::from(DEVICE))
        }
        _ => Failure::device(message, help(error)),
    }
}

/// What to do about a device that failed.
fn help(error: &Error) -> &'static str {
    match error {
        Error::OutOfMemory { .. } => {
            "ask for less with --batches, --resolution or another --model, of a --kernel with --elements, or close \
             what else uses the device's memory"
        }
        Error::Lost { .. } => {
            "the driver or the system reset it (its log says why): measure smaller --batches, or update the driver"
        }
        Error::NoDevice { .. } => {
            "update the driver, or choose another adapter of `meltpoint measure --list`"
        }
        Error::Shader { .. } | Error::Wrong { .. } => {
            "update the driver, or measure with --variant f32; please report it"
        }
        _ => "please report it, with the output of `meltpoint measure --list`",
    }
}

/// How to get a driver.
fn no_adapter_help() -> String {
    let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
    let named = named
        .iter()
        .find_map(|name| Some((name, std::env::var_os(name)?)));
    if let Some((name, value)) = named {
        let value = formats::printable_path(Path::new(&value));
        return format!("{name}={value} says which drivers are looked for: unset it");
    }
    "install a Vulkan driver: for NVIDIA its own driver with the Vulkan library (Debian: nvidia-driver, \
     nvidia-vulkan-icd), for AMD and Intel mesa-vulkan-drivers, which also has a software adapter for machines \
     without a GPU; in a container let the GPU in (NVIDIA_DRIVER_CAPABILITIES=all)"
        .to_owned()
}
