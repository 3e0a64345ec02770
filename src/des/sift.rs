//! Picking those that hold out of many.

/// Appends the items that hold. Which do cannot be guessed, so this takes no branch for it.
pub fn sift<T: Copy>(into: &mut Vec<T>, items: &[T], holds: impl Fn(&T) -> bool) {
    let mut kept = into.len();
    into.extend_from_slice(items);
    for item in items {
        into[kept] = *item;
        kept += usize::from(holds(item));
    }
    into.truncate(kept);
}
