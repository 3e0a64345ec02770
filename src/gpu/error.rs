//! What can go wrong with a GPU. All of it ends with exit code 5, but a shader of the user's, which is a
//! mistake in an input.

/// Why the device did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no adapter at all.
    #[error("no GPU adapter was found")]
    NoAdapter,
    /// No adapter fits the words of the user.
    #[error("no adapter is called \"{wanted}\"; there are {available}")]
    UnknownAdapter {
        /// What was asked for.
        wanted: String,
        /// All that there are.
        available: String,
    },
    /// The driver did not give a device.
    #[error("the adapter \"{adapter}\" gave no device: {cause}")]
    NoDevice {
        /// Its name.
        adapter: String,
        /// In the driver's words.
        cause: String,
    },
    /// The device is gone: reset, unplugged, or a watchdog of the system ended it.
    #[error("the device was lost: {reason}")]
    Lost {
        /// In the driver's words.
        reason: String,
    },
    /// A buffer is larger than the device has or allows.
    #[error("out of device memory: {what} needs {bytes} bytes{}", limit_text(*limit))]
    OutOfMemory {
        /// For what.
        what: String,
        /// How much it is.
        bytes: u64,
        /// The device's own limit for one buffer, where it was that.
        limit: Option<u64>,
    },
    /// A dispatch did not come back.
    #[error(
        "\"{kernel}\" did not finish within {limit_s} s; the device may hang until it is reset"
    )]
    Stuck {
        /// Which kernel.
        kernel: String,
        /// How long it was waited for.
        limit_s: f64,
    },
    /// A shader does not compile.
    #[error("the shader \"{kernel}\" is not valid:\n{text}")]
    Shader {
        /// Which kernel.
        kernel: String,
        /// What is wrong, with the place.
        text: String,
    },
    /// The device computed something else than it should.
    #[error("\"{kernel}\" gave {what}: the driver or the device is not to be trusted")]
    Wrong {
        /// Which kernel.
        kernel: String,
        /// What was found.
        what: String,
    },
    /// Whoever watched said so.
    #[error("the measurement was stopped")]
    Stopped,
    /// The adapter lacks what was asked for.
    #[error("the adapter cannot do {what}")]
    Unsupported {
        /// A variant or a feature.
        what: String,
    },
    /// The device refused a command: a bug of this program.
    #[error("the device refused a command: {text}")]
    Refused {
        /// In its words.
        text: String,
    },
}

fn limit_text(limit: Option<u64>) -> String {
    limit.map_or_else(String::new, |limit| {
        format!(", one buffer may have {limit}")
    })
}
