//! Shares of a whole.

/// Splits `total` in proportion to the weights, by the method of the largest remainder; then lifts each share to at
/// least `least`, at the expense of the largest. The shares' sum is `total`, unless that is too small for all the least
/// ones.
#[must_use]
pub fn shares(total: usize, weights: &[u32], least: usize) -> Vec<usize> {
    let whole: u128 = weights.iter().map(|&weight| u128::from(weight)).sum::<u128>().max(1);
    // Neither cast can fail: a share is at most the total.
    let exact = |weight: u32| u128::from(weight) * u128::try_from(total).unwrap_or(u128::MAX);
    let floor = |weight: u32| usize::try_from(exact(weight) / whole).unwrap_or(total);
    let mut shares: Vec<usize> = weights.iter().map(|&weight| floor(weight)).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&at| std::cmp::Reverse(exact(weights[at]) % whole));
    let left = total - shares.iter().sum::<usize>();
    for &at in by_remainder.iter().take(left) {
        shares[at] += 1;
    }
    for at in 0..shares.len() {
        while shares[at] < least {
            let Some(richest) = (0..shares.len()).max_by_key(|&at| shares[at]).filter(|&at| shares[at] > least) else {
                return vec![least; weights.len()];
            };
            shares[richest] -= 1;
            shares[at] += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn shares_are_in_proportion_and_complete() {
        assert_eq!(shares(100, &[1, 1, 2], 0), [25, 25, 50]);
        assert_eq!(shares(10, &[1, 1, 1], 0).iter().sum::<usize>(), 10);
        let weights = [200_000, 10_000, 70_000, 33_333];
        for total in [0, 1, 7, 1_000, 12_345] {
            let shares = shares(total, &weights, 0);
            assert_eq!(shares.iter().sum::<usize>(), total);
            for (share, weight) in shares.iter().zip(weights) {
                let exact = f64::from(weight) / 313_333.0 * f64::from(u32::try_from(total).expect("small"));
                assert!((f64::from(u32::try_from(*share).expect("small")) - exact).abs() < 1.0, "{share} for {exact}");
            }
        }
    }

    #[test]
    fn nobody_gets_less_than_the_least() {
        assert_eq!(shares(100, &[1000, 1, 1], 10), [80, 10, 10]);
        assert_eq!(shares(5, &[1, 1], 10), [10, 10]);
    }
}
