//! The smallest size that holds: doubling until one does, then bisection.

/// The smallest size of `least..=most` for which `holds`, if it holds for all sizes from one on; `None`:
/// not even for `most`. The first size to be tried after `least` is `start`.
///
/// The size below the answer is always tried, so that the answer is a border whatever the shape of
/// `holds`; it is the only one where `holds` is monotone.
///
/// # Errors
/// What `holds` ends with.
pub(super) fn smallest<E>(
    least: u64,
    start: u64,
    most: u64,
    holds: &mut dyn FnMut(u64) -> Result<bool, E>,
) -> Result<Option<u64>, E> {
    if holds(least)? {
        return Ok(Some(least));
    }
    let (mut missed, mut held) = (least, start.max(least + 1).min(most));
    if missed >= held {
        return Ok(None);
    }
    while !holds(held)? {
        if held == most {
            return Ok(None);
        }
        missed = held;
        held = held.saturating_mul(2).min(most);
    }
    while held - missed > 1 {
        let middle = missed + (held - missed) / 2;
        match holds(middle)? {
            true => held = middle,
            false => missed = middle,
        }
    }
    Ok(Some(held))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn search(least: u64, start: u64, most: u64, border: u64) -> (Option<u64>, Vec<u64>) {
        let mut tried = Vec::new();
        let found = smallest(least, start, most, &mut |size| {
            tried.push(size);
            Ok::<bool, Infallible>(size >= border)
        });
        let Ok(found) = found;
        (found, tried)
    }

    #[test]
    fn every_border_is_found_from_every_start_without_trying_a_size_twice() {
        for border in 0..=40 {
            for start in 0..=40 {
                let (found, mut tried) = search(0, start, 32, border);
                assert_eq!(found, (border <= 32).then_some(border), "from {start}");
                let count = tried.len();
                tried.sort_unstable();
                tried.dedup();
                assert_eq!(tried.len(), count, "border {border} from {start}");
                assert!(tried.iter().all(|&size| size <= 32));
                assert!(border == 0 || border > 32 || tried.contains(&(border - 1)));
            }
        }
    }

    #[test]
    fn a_range_of_one_size_is_tried_once() {
        assert_eq!(search(5, 9, 5, 6), (None, vec![5]));
        assert_eq!(search(5, 9, 5, 5), (Some(5), vec![5]));
    }

    #[test]
    fn it_takes_a_number_of_sizes_that_grows_like_the_logarithm() {
        let (found, tried) = search(0, 1, u64::MAX, 1_000_003);
        assert_eq!(found, Some(1_000_003));
        assert!(tried.len() <= 42, "{}", tried.len());
    }
}
