//! Where the numbers of a type lie in memory.

use wgpu::naga::proc::GlobalCtx;
use wgpu::naga::{ArraySize, Handle, Module, ScalarKind, Type, TypeInner};

/// Types inside types; more is no data.
const DEPTH_MAX: usize = 32;

/// All types of a module, each by the place of its handle.
#[derive(Clone, Debug, Default)]
pub(super) struct Shapes {
    all: Vec<Option<Shape>>,
}

/// A type that can lie in a buffer.
#[derive(Clone, Debug)]
struct Shape {
    form: Form,
    depth: usize,
    /// Whether atomic operations reach a number of it.
    is_atomic: bool,
}

#[derive(Clone, Debug)]
enum Form {
    Scalar(Scalar),
    /// The same again and again.
    Repeat {
        /// `None`: as often as elements were asked for.
        count: Option<u64>,
        stride: u64,
        of: Item,
    },
    /// Offsets and types of the members, and the whole length.
    Members {
        members: Vec<(u64, usize)>,
        span: u64,
    },
}

/// What is repeated: a number, or another type by its place.
#[derive(Clone, Copy, Debug)]
enum Item {
    Scalar(Scalar),
    Type(usize),
    /// A column of a matrix.
    Column(u64, Scalar),
}

/// One number in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) is_float: bool,
    /// 2, 4 or 8.
    pub(super) bytes: u64,
}

impl Shapes {
    /// The types of a valid module.
    pub(super) fn of(module: &Module) -> Self {
        let mut shapes = Self::default();
        for (_, ty) in module.types.iter() {
            let shape = shapes.shape(ty, module.to_ctx());
            shapes.all.push(shape);
        }
        shapes
    }

    /// `None` for what has no place in a buffer, or is too deep.
    fn shape(&self, ty: &Type, context: GlobalCtx<'_>) -> Option<Shape> {
        let is_atomic = matches!(ty.inner, TypeInner::Atomic(_));
        let leaf = |form| {
            Some(Shape {
                form,
                depth: 1,
                is_atomic,
            })
        };
        match &ty.inner {
            TypeInner::Scalar(scalar) | TypeInner::Atomic(scalar) => {
                leaf(Form::Scalar(number(*scalar)?))
            }
            TypeInner::Vector { size, scalar } => {
                let of = number(*scalar)?;
                leaf(Form::Repeat {
                    count: Some(*size as u64),
                    stride: of.bytes,
                    of: Item::Scalar(of),
                })
            }
            TypeInner::Matrix {
                columns,
                rows,
                scalar,
            } => {
                let of = number(*scalar)?;
                let columns = *columns as u64;
                leaf(Form::Repeat {
                    count: Some(columns),
                    stride: u64::from(ty.inner.try_size(context)?) / columns,
                    of: Item::Column(*rows as u64, of),
                })
            }
            TypeInner::Array { base, size, stride } => {
                let count = match size {
                    ArraySize::Constant(count) => Some(u64::from(count.get())),
                    ArraySize::Dynamic => None,
                    ArraySize::Pending(_) => return None,
                };
                let base_shape = self.get(*base)?;
                let shape = |form| Shape {
                    form,
                    depth: base_shape.depth + 1,
                    is_atomic: base_shape.is_atomic,
                };
                let form = Form::Repeat {
                    count,
                    stride: u64::from(*stride),
                    of: Item::Type(base.index()),
                };
                Some(shape(form)).filter(|shape| shape.depth <= DEPTH_MAX)
            }
            TypeInner::Struct { members, span } => self.structure(members, *span),
            _ => None,
        }
    }

    fn structure(&self, members: &[wgpu::naga::StructMember], span: u32) -> Option<Shape> {
        let (mut depth, mut is_atomic) = (0, false);
        let mut placed = Vec::new();
        for member in members {
            let shape = self.get(member.ty)?;
            depth = depth.max(shape.depth + 1);
            is_atomic |= shape.is_atomic;
            placed.push((u64::from(member.offset), member.ty.index()));
        }
        let form = Form::Members {
            members: placed,
            span: u64::from(span),
        };
        (depth <= DEPTH_MAX).then_some(Shape {
            form,
            depth,
            is_atomic,
        })
    }

    fn get(&self, ty: Handle<Type>) -> Option<&Shape> {
        self.all.get(ty.index())?.as_ref()
    }

    /// Bytes of a type, with so many elements in an array without a length; `None` where it has no place in
    /// a buffer or its length overflows.
    pub(super) fn bytes(&self, ty: usize, elements: u64) -> Option<u64> {
        match &self.all.get(ty)?.as_ref()?.form {
            Form::Scalar(scalar) => Some(scalar.bytes),
            Form::Repeat { count, stride, .. } => count.unwrap_or(elements).checked_mul(*stride),
            // Only the last member may have no length.
            Form::Members { members, span } => match members.last() {
                Some((offset, member)) if self.is_open(*member) => {
                    offset.checked_add(self.bytes(*member, elements)?)
                }
                _ => Some(*span),
            },
        }
    }

    /// Whether it has numbers for atomic operations.
    pub(super) fn is_atomic(&self, ty: usize) -> bool {
        matches!(self.all.get(ty), Some(Some(shape)) if shape.is_atomic)
    }

    /// Whether it has an array without a length.
    fn is_open(&self, ty: usize) -> bool {
        match self.all.get(ty) {
            Some(Some(Shape { form, .. })) => match form {
                Form::Scalar(_) => false,
                Form::Repeat { count, .. } => count.is_none(),
                Form::Members { members, .. } => members
                    .last()
                    .is_some_and(|(_, member)| self.is_open(*member)),
            },
            _ => false,
        }
    }

    /// Every number with its offset, in order.
    pub(super) fn each(&self, ty: usize, elements: u64, visit: &mut dyn FnMut(u64, Scalar)) {
        self.walk(ty, 0, elements, visit);
    }

    fn walk(&self, ty: usize, at: u64, elements: u64, visit: &mut dyn FnMut(u64, Scalar)) {
        let Some(Some(shape)) = self.all.get(ty) else {
            return;
        };
        match &shape.form {
            Form::Scalar(scalar) => visit(at, *scalar),
            Form::Repeat { count, stride, of } => {
                for index in 0..count.unwrap_or(elements) {
                    let at = at + index * stride;
                    match of {
                        Item::Scalar(scalar) => visit(at, *scalar),
                        Item::Type(ty) => self.walk(*ty, at, elements, visit),
                        Item::Column(rows, scalar) => {
                            (0..*rows).for_each(|row| visit(at + row * scalar.bytes, *scalar));
                        }
                    }
                }
            }
            Form::Members { members, .. } => {
                for (offset, member) in members {
                    self.walk(*member, at + offset, elements, visit);
                }
            }
        }
    }
}

fn number(scalar: wgpu::naga::Scalar) -> Option<Scalar> {
    let is_float = match scalar.kind {
        ScalarKind::Float => true,
        ScalarKind::Sint | ScalarKind::Uint => false,
        ScalarKind::Bool | ScalarKind::AbstractInt | ScalarKind::AbstractFloat => return None,
    };
    Some(Scalar {
        is_float,
        bytes: u64::from(scalar.width),
    })
}
