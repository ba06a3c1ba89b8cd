//! Medians and spreads of few numbers.

/// The number in the middle.
#[must_use]
pub fn median(numbers: &[f64]) -> f64 {
    quantile(numbers, 0.5)
}

/// How far apart the middle half of the numbers is, as a part of their median: what one more run may differ by.
#[must_use]
pub fn spread(numbers: &[f64]) -> f64 {
    (quantile(numbers, 0.75) - quantile(numbers, 0.25)) / median(numbers).abs().max(f64::MIN_POSITIVE)
}

/// The number that this part of them are below; between two of them where it falls so.
#[must_use]
pub fn quantile(numbers: &[f64], part: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (Some(last), Some(&greatest)) = (sorted.len().checked_sub(1), sorted.last()) else { return f64::NAN };
    let at = part * count(last);
    let below = (0..last).take_while(|&index| count(index + 1) <= at).count();
    match sorted.get(below..below + 2) {
        Some(&[low, high]) => low + (high - low) * (at - count(below)),
        _ => greatest,
    }
}

/// A count as a number to reckon with.
#[must_use]
pub fn count(count: usize) -> f64 {
    // Nothing here counts to more than 2^32.
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::{median, quantile, spread};

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        let numbers = [4.0, 1.0, 3.0, 2.0];
        assert!((median(&numbers) - 2.5).abs() < 1e-9);
        assert!((quantile(&numbers, 0.0) - 1.0).abs() < 1e-9);
        assert!((quantile(&numbers, 1.0) - 4.0).abs() < 1e-9);
        assert!((spread(&numbers) - 1.5 / 2.5).abs() < 1e-9);
    }

    #[test]
    fn one_number_is_every_quantile() {
        assert!((quantile(&[7.0], 0.99) - 7.0).abs() < 1e-9);
        assert!(spread(&[7.0]).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }
}
