//! Lines of WGSL for cooperative matrices, one operation each.
//!
//! A matrix is a variable of its own, never an element of an array that a loop indexes: what a driver does not
//! unroll would leave the registers.

/// Rows and columns of a matrix.
pub(super) const SIDE: usize = 16;

/// A place in workgroup memory: array, first vector, vectors from row to row.
pub(super) type Place = (&'static str, String, &'static str);

/// Loads a matrix of halves: by rows with `T`, else by columns. The place has a name of its own because naga
/// 30 takes no expression there.
pub(super) fn load(name: &str, role: char, order: &str, (array, at, pitch): &Place) -> String {
    format!(
        "let at_{name} = {at};\n\
         let {name} = coopLoad{order}<coop_mat16x16<f16, {role}>>(&{array}[at_{name}], {pitch});\n"
    )
}

/// Stores a matrix of sums by rows.
pub(super) fn store(name: &str, (array, at, pitch): &Place) -> String {
    // In a block of its own, because the same matrix may be stored in several places of the text.
    format!("{{\nlet at = {at};\ncoopStoreT({name}, &{array}[at], {pitch});\n}}\n")
}

/// A sum of matrices at zero.
pub(super) fn zero(name: &str) -> String {
    format!("var {name} = coop_mat16x16<f32, C>();\n")
}

/// Adds a product to a sum.
pub(super) fn multiply(sum: &str, a: &str, b: &str) -> String {
    format!("{sum} = coopMultiplyAdd({a}, {b}, {sum});\n")
}
