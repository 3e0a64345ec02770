//! Access to tensors four elements at a time, in WGSL: one text for rows that begin at multiples of four, one
//! for any. A kernel is written once on `read_x(at, valid)` and `write_x(at, valid, quad)`.

/// How the tensors of one kernel are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// Every row begins at a multiple of four and has a multiple of four elements.
    Aligned,
    /// Anything.
    Any,
}

impl Rows {
    /// Whether all of these are multiples of four.
    pub(super) fn of(multiples: &[usize]) -> Self {
        match multiples.iter().all(|n| n.is_multiple_of(4)) {
            true => Self::Aligned,
            false => Self::Any,
        }
    }

    /// `read_NAME` of an input at a binding.
    pub(super) fn input(self, name: &str, binding: usize) -> String {
        self.access(name, binding, "read")
    }

    /// `read_NAME` and `write_NAME` of the output at a binding.
    pub(super) fn output(self, name: &str, binding: usize) -> String {
        let write = match self {
            Self::Aligned => include_str!("../../../shaders/shared/write_aligned.wgsl"),
            Self::Any => include_str!("../../../shaders/shared/write_scalar.wgsl"),
        };
        self.access(name, binding, "read_write") + &write.replace("NAME", name)
    }

    fn access(self, name: &str, binding: usize, access: &str) -> String {
        let text = match self {
            Self::Aligned => include_str!("../../../shaders/shared/quad_aligned.wgsl"),
            Self::Any => include_str!("../../../shaders/shared/quad_scalar.wgsl"),
        };
        text.replace("NAME", name)
            .replace("BINDING", &binding.to_string())
            .replace("ACCESS", access)
    }
}

/// `read_NAME` of an input that there is not: it reads as `neutral`.
pub(super) fn absent(name: &str, neutral: &str) -> String {
    include_str!("../../../shaders/shared/quad_absent.wgsl")
        .replace("NAME", name)
        .replace("NEUTRAL", neutral)
}
