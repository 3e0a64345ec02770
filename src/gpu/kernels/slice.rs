//! Parts of tensors, and how shaders read and write four numbers at a time where the strides allow it.

use bytemuck::{Pod, Zeroable};

/// Some columns of some rows of each image, in a tensor [images * `rows_per_image`, `row_stride`]: queries in
/// a packed product of queries, keys and values, or the text tokens before those of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Rows that the tensor has for each image.
    pub rows_per_image: usize,
    /// The first of them that is meant.
    pub first_row: usize,
    /// Elements from one row to the next.
    pub row_stride: usize,
    /// Elements of a row before the first that is meant.
    pub column_offset: usize,
}

/// The same for a shader: strides in elements.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct SliceParams {
    image_stride: u32,
    row_stride: u32,
    offset: u32,
    unused: u32,
}

impl Slice {
    /// WGSL of a slice and of where its rows start.
    pub(super) const SHARED: &str = include_str!("../../../shaders/shared/slice.wgsl");

    /// A tensor [images * `rows`, `columns`] that is meant as a whole.
    #[must_use]
    pub fn whole(rows: usize, columns: usize) -> Self {
        Self {
            rows_per_image: rows,
            first_row: 0,
            row_stride: columns,
            column_offset: 0,
        }
    }

    /// From this column on.
    #[must_use]
    pub fn from_column(self, column_offset: usize) -> Self {
        Self {
            column_offset,
            ..self
        }
    }

    /// From this row of each image on.
    #[must_use]
    pub fn from_row(self, first_row: usize) -> Self {
        Self { first_row, ..self }
    }

    /// Elements of the tensor that it is a part of.
    #[must_use]
    pub fn elements(&self, images: usize) -> usize {
        images * self.rows_per_image * self.row_stride
    }

    /// The element at which a row of an image starts.
    #[must_use]
    pub fn at(&self, image: usize, row: usize) -> usize {
        let row = image * self.rows_per_image + self.first_row + row;
        row * self.row_stride + self.column_offset
    }

    /// Whether `rows` of `columns` of each image are all that the tensor has.
    pub(super) fn is_covered_by(&self, rows: usize, columns: usize) -> bool {
        *self == Self::whole(rows, columns)
    }

    /// Whether `rows` of `columns` lie within the tensor.
    pub(super) fn holds(&self, rows: usize, columns: usize) -> bool {
        self.first_row + rows <= self.rows_per_image
            && self.column_offset + columns <= self.row_stride
    }

    /// Whether every row starts at a multiple of four elements.
    pub(super) fn is_aligned(&self) -> bool {
        self.row_stride.is_multiple_of(4) && self.column_offset.is_multiple_of(4)
    }

    pub(super) fn params(&self) -> SliceParams {
        SliceParams {
            image_stride: (self.rows_per_image * self.row_stride) as u32,
            row_stride: self.row_stride as u32,
            offset: self.at(0, 0) as u32,
            unused: 0,
        }
    }
}

/// WGSL of an input `name` at a binding and of `read_name(at, count)`: as vectors of four where every access is
/// at a multiple of four, else number by number.
pub(super) fn reader(name: &str, binding: u32, vectors: bool) -> String {
    let text = match vectors {
        true => include_str!("../../../shaders/shared/read_vector.wgsl"),
        false => include_str!("../../../shaders/shared/read_scalar.wgsl"),
    };
    text.replace("NAME", name)
        .replace("BINDING", &binding.to_string())
}

/// WGSL of the output at a binding and of `write(at, count, value)`.
pub(super) fn writer(binding: u32, vectors: bool) -> String {
    let text = match vectors {
        true => include_str!("../../../shaders/shared/write_vector.wgsl"),
        false => include_str!("../../../shaders/shared/write_scalar.wgsl"),
    };
    text.replace("BINDING", &binding.to_string())
}

/// WGSL of `read_name` of an input that there is not: it reads as `neutral`.
pub(super) fn absent(name: &str, neutral: &str) -> String {
    include_str!("../../../shaders/shared/read_absent.wgsl")
        .replace("NAME", name)
        .replace("NEUTRAL", neutral)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_finds_its_rows() {
        let packed = Slice::whole(7, 12).from_column(4).from_row(2);
        assert_eq!(packed.elements(3), 252);
        assert_eq!(packed.at(1, 3), (7 + 2 + 3) * 12 + 4);
        assert!(packed.is_aligned() && packed.holds(5, 8) && !packed.holds(6, 8));
        assert!(!packed.holds(5, 9) && !packed.from_column(2).is_aligned());
        assert!(Slice::whole(7, 12).is_covered_by(7, 12) && !packed.is_covered_by(5, 8));
    }
}
