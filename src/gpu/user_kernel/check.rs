//! From the text of a kernel to one that may be run: parsed and validated by naga, with bindings that the
//! harness can fill, and of a size that a driver survives.

use std::fmt;
use std::ops::Range;

use serde::Serialize;
use wgpu::naga::front::wgsl;
use wgpu::naga::proc::TypeResolution;
use wgpu::naga::valid::{
    Capabilities, FunctionInfo, GlobalUse, ModuleInfo, ValidationFlags, Validator,
};
use wgpu::naga::{
    AddressSpace, Block, Function, GlobalVariable, Handle, Module, ShaderStage, Span, Statement,
    StorageAccess, TypeInner,
};

use super::patience::{Without, patiently};
use super::shape::Shapes;
use super::{BYTES_MAX, guard};

/// How long reading a kernel may take, in seconds.
const READING_S_MAX: f64 = 20.0;
/// Bytes of one invocation's own variables, and of any value that is passed about as a whole: drivers keep them
/// on stacks and in registers.
const OWN_BYTES_MAX: u64 = 16 << 10;
/// Statements once all calls are replaced by what they call, as drivers do.
const STATEMENTS_MAX: u64 = 1_000_000;

/// A kernel that may be run.
#[derive(Clone, Debug)]
pub struct UserKernel {
    pub(super) source: String,
    pub(super) shapes: Shapes,
    /// Invocations of a workgroup along x, y and z.
    pub workgroup_size: [u32; 3],
    /// Its buffers.
    pub bindings: Vec<Binding>,
}

/// A buffer that the kernel names.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Its number in group 0.
    pub number: u32,
    /// Its name in the text.
    pub name: String,
    /// What it is used for.
    pub role: Role,
    /// Its type by its place in `shapes`.
    pub(super) ty: usize,
    /// Whether its declaration lets the kernel write.
    pub(super) is_writable: bool,
}

/// What a buffer is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Parameters: the number of elements, then zeros.
    Uniform,
    /// Read only.
    Input,
    /// Written only.
    Output,
    /// Read and written.
    Updated,
    /// Used by atomic operations.
    Atomic,
}

impl Role {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Input => "input",
            Self::Output => "output",
            Self::Updated => "updated",
            Self::Atomic => "atomic",
        }
    }
}

/// Why a text is no kernel that may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadKernel {
    /// What is wrong.
    pub message: String,
    /// Where, as bytes of the text.
    pub span: Option<Range<usize>>,
    /// What to do, or what else is known; may be empty.
    pub hint: String,
}

impl fmt::Display for BadKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BadKernel {}

impl BadKernel {
    pub(super) fn new(message: impl Into<String>, span: Option<Range<usize>>, hint: &str) -> Self {
        Self {
            message: message.into(),
            span,
            hint: hint.to_owned(),
        }
    }
}

impl UserKernel {
    /// Reads the text of a kernel.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn read(text: &str) -> Result<Self, BadKernel> {
        if text.len() > BYTES_MAX {
            let message = format!(
                "the kernel has {} bytes; at most {BYTES_MAX} are read",
                text.len()
            );
            return Err(BadKernel::new(message, None, "is it the right file?"));
        }
        if let Some((place, what)) = guard::too_deep(text) {
            let hint = "divide it by `let` and functions";
            return Err(BadKernel::new(what, Some(place), hint));
        }
        let source = text.to_owned();
        let outcome = patiently(READING_S_MAX, move || parsed(source));
        outcome.unwrap_or_else(|without| {
            let message = match without {
                Without::Panicked => "the shader compiler failed on this kernel".to_owned(),
                Without::Late(limit_s) => format!("reading the kernel took over {limit_s} s"),
                Without::NoThread => "the system gave no thread to read the kernel on".to_owned(),
            };
            Err(BadKernel::new(message, None, "try it in parts"))
        })
    }
}

/// Capabilities that `Device::open` asks an adapter for; which of them it has turns out there.
fn capabilities() -> Capabilities {
    Capabilities::SHADER_FLOAT16
        | Capabilities::SUBGROUP
        | Capabilities::SUBGROUP_BARRIER
        | Capabilities::COOPERATIVE_MATRIX
}

fn parsed(source: String) -> Result<UserKernel, BadKernel> {
    let module = wgsl::parse_str(&source).map_err(|error| {
        let span = error.labels().find_map(|(span, _)| span.to_range());
        let label = error
            .labels()
            .map(|(_, label)| label)
            .find(|l| !l.is_empty());
        let notes: Vec<&str> = label.into_iter().chain(error.notes()).collect();
        BadKernel::new(error.message(), span, &notes.join("; "))
    })?;
    let mut validator = Validator::new(ValidationFlags::all(), capabilities());
    let info = validator.validate(&module).map_err(|error| {
        let span = error.spans().find_map(|(span, _)| span.to_range());
        let mut causes = Vec::new();
        let mut cause = std::error::Error::source(error.as_inner());
        while let Some(deeper) = cause {
            causes.push(deeper.to_string());
            cause = deeper.source();
        }
        BadKernel::new(error.to_string(), span, &causes.join(": "))
    })?;
    checked(source, &module, &info)
}

/// What a valid module must be beyond that.
fn checked(source: String, module: &Module, info: &ModuleInfo) -> Result<UserKernel, BadKernel> {
    let index = module
        .entry_points
        .iter()
        .position(|entry| entry.name == "main" && entry.stage == ShaderStage::Compute);
    let Some(index) = index else {
        let hint = "begin one with `@compute @workgroup_size(64) fn main(...)`";
        return Err(BadKernel::new(
            "there is no compute entry point `main`",
            None,
            hint,
        ));
    };
    let entry = &module.entry_points[index];
    if let Some((_, constant)) = module.overrides.iter().find(|(_, o)| o.init.is_none()) {
        let name = constant.name.clone().unwrap_or_default();
        let message = format!("the override `{name}` has no value");
        return Err(BadKernel::new(
            message,
            None,
            "give it a default, or make it a `const`",
        ));
    }
    own_bytes(module, info)?;
    let statements = statements(module, &entry.function);
    if statements > STATEMENTS_MAX {
        let message = format!(
            "with all calls replaced by what they call the kernel has over {STATEMENTS_MAX} statements"
        );
        return Err(BadKernel::new(
            message,
            None,
            "call fewer functions from functions",
        ));
    }
    let shapes = Shapes::of(module);
    let uses = info.get_entry_point(index);
    let mut bindings = Vec::new();
    for (handle, variable) in module.global_variables.iter() {
        let span = module.global_variables.get_span(handle).to_range();
        bindings.extend(binding(handle, variable, span, &shapes, uses)?);
    }
    bindings.sort_by_key(|binding| binding.number);
    Ok(UserKernel {
        source,
        shapes,
        workgroup_size: entry.workgroup_size,
        bindings,
    })
}

/// A variable of the module as a buffer, if it is one.
fn binding(
    handle: Handle<GlobalVariable>,
    variable: &GlobalVariable,
    span: Option<Range<usize>>,
    shapes: &Shapes,
    uses: &FunctionInfo,
) -> Result<Option<Binding>, BadKernel> {
    let name = variable.name.clone().unwrap_or_default();
    let bad = |message: String, hint: &str| Err(BadKernel::new(message, span.clone(), hint));
    let role = match variable.space {
        AddressSpace::Function | AddressSpace::Private | AddressSpace::WorkGroup => {
            return Ok(None);
        }
        AddressSpace::Uniform => Role::Uniform,
        AddressSpace::Storage { .. } if shapes.is_atomic(variable.ty.index()) => Role::Atomic,
        AddressSpace::Storage { access } => role(access, uses[handle]),
        _ => {
            let hint = "the harness fills buffers only: var<storage, read>, var<storage, read_write>, var<uniform>";
            return bad(format!("`{name}` is not a buffer"), hint);
        }
    };
    let Some(place) = variable.binding.filter(|place| place.group == 0) else {
        let hint = "the harness binds group 0 only";
        return bad(format!("`{name}` is not in group 0"), hint);
    };
    let ty = variable.ty.index();
    if shapes.bytes(ty, 1).is_none() {
        let hint = "use numbers, vectors, matrices, and arrays and structs of them, not too deep";
        return bad(
            format!("`{name}` is of a type that the harness cannot fill"),
            hint,
        );
    }
    Ok(Some(Binding {
        number: place.binding,
        name,
        role,
        ty,
        is_writable: match variable.space {
            AddressSpace::Storage { access } => access.contains(StorageAccess::STORE),
            _ => false,
        },
    }))
}

fn role(access: StorageAccess, used: GlobalUse) -> Role {
    match () {
        () if !access.contains(StorageAccess::STORE) => Role::Input,
        () if !used.contains(GlobalUse::WRITE) => Role::Input,
        () if used.contains(GlobalUse::READ) => Role::Updated,
        () => Role::Output,
    }
}

/// Refuses variables and values of an invocation that no stack of a driver holds.
fn own_bytes(module: &Module, info: &ModuleInfo) -> Result<(), BadKernel> {
    let context = module.to_ctx();
    let bytes = |inner: &TypeInner| inner.try_size(context).map_or(u64::MAX, u64::from);
    let bad = |what: &str, span: Span| {
        let message = format!("{what} have more than {OWN_BYTES_MAX} bytes an invocation");
        BadKernel::new(
            message,
            span.to_range(),
            "keep large arrays in a buffer, or in var<workgroup>",
        )
    };
    let mut private: u64 = 0;
    for (handle, variable) in module.global_variables.iter() {
        if variable.space == AddressSpace::Private {
            private = private.saturating_add(bytes(&module.types[variable.ty].inner));
        }
        if private > OWN_BYTES_MAX {
            return Err(bad(
                "private variables",
                module.global_variables.get_span(handle),
            ));
        }
    }
    let functions = module
        .functions
        .iter()
        .map(|(handle, function)| (function, &info[handle]));
    let entries = module.entry_points.iter().enumerate();
    let entries = entries.map(|(index, entry)| (&entry.function, info.get_entry_point(index)));
    for (function, info) in functions.chain(entries) {
        let mut own: u64 = 0;
        for (handle, variable) in function.local_variables.iter() {
            own = own.saturating_add(bytes(&module.types[variable.ty].inner));
            if own > OWN_BYTES_MAX {
                return Err(bad(
                    "the variables of a function",
                    function.local_variables.get_span(handle),
                ));
            }
        }
        for (handle, _) in function.expressions.iter() {
            let inner = match &info[handle].ty {
                TypeResolution::Handle(ty) => &module.types[*ty].inner,
                TypeResolution::Value(inner) => inner,
            };
            if bytes(inner) > OWN_BYTES_MAX {
                return Err(bad(
                    "the values of an expression",
                    function.expressions.get_span(handle),
                ));
            }
        }
    }
    Ok(())
}

/// Statements of a function with those of all that it calls. Callees stand before their callers.
fn statements(module: &Module, entry: &Function) -> u64 {
    let mut known: Vec<u64> = Vec::new();
    for (_, function) in module.functions.iter() {
        let count = count(&function.body, &known);
        known.push(count);
    }
    count(&entry.body, &known)
}

fn count(block: &Block, known: &[u64]) -> u64 {
    let blocks = |blocks: &[&Block]| -> u64 {
        let counts = blocks.iter().map(|block| count(block, known));
        counts.fold(0, u64::saturating_add)
    };
    let each = |statement: &Statement| match statement {
        Statement::Block(block) => blocks(&[block]),
        Statement::If { accept, reject, .. } => blocks(&[accept, reject]),
        Statement::Switch { cases, .. } => {
            let bodies: Vec<&Block> = cases.iter().map(|case| &case.body).collect();
            blocks(&bodies)
        }
        Statement::Loop {
            body, continuing, ..
        } => blocks(&[body, continuing]),
        Statement::Call { function, .. } => known.get(function.index()).copied().unwrap_or(0),
        _ => 0,
    };
    let counts = block
        .iter()
        .map(|statement| each(statement).saturating_add(1));
    counts.fold(0, u64::saturating_add)
}
