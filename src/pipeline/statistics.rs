//! Statistics that several pipelines share: pure functions of slices, without polars, clock or outside randomness.
//!
//! Input: finite numbers. Output: numbers, or `None` where too little is known. Everything random takes a seed and gives
//! the same result on every machine.

/// Makes the median absolute deviation of a normal distribution equal its standard deviation.
pub const NORMAL: f64 = 1.4826;
/// The median absolute deviation needs this share of the observations less than the standard deviation does.
const MAD_EFFICIENCY: f64 = 0.37;

/// 97.5 % of a normal distribution.
const Z: f64 = 1.959_964;

/// A share, unknown where there is nothing to share.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
pub fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The 95 % Wilson interval of a share of `count`, with the constants of the SQL macros, so that the engines agree.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
pub fn wilson(share: f64, count: i64) -> (f64, f64) {
    let count = count as f64;
    let center = share + 1.920_729_4 / count;
    let margin = Z * (share * (1.0 - share) / count + 0.960_364_7 / (count * count)).sqrt();
    let scale = 1.0 + 3.841_458_8 / count;
    let low = if share <= 0.0 { 0.0 } else { ((center - margin) / scale).max(0.0) };
    let high = if share >= 1.0 { 1.0 } else { ((center + margin) / scale).min(1.0) };
    (low, high)
}

/// The middle value; between two the mean of them.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The value below which a share of the values lies, interpolated linearly (type 7, as `quantile_cont` in SQL).
#[must_use]
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    #[expect(clippy::cast_precision_loss, reason = "a frame has far fewer rows than 2^52")]
    let place = share.clamp(0.0, 1.0) * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
    let low = place.floor() as usize;
    let high = (low + 1).min(last);
    Some(sorted[low] + (sorted[high] - sorted[low]) * (place - place.floor()))
}

/// The median absolute deviation from the median, scaled to the standard deviation of a normal distribution.
#[must_use]
pub fn mad(values: &[f64]) -> Option<f64> {
    let center = median(values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - center).abs()).collect();
    Some(median(&distances)? * NORMAL)
}

/// A small generator of random numbers (`SplitMix64`: Steele, Lea and Flood 2014). Not for secrets.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator that depends on a text only (FNV-1a), so that a series always gets the same numbers.
    #[must_use]
    pub fn seeded(text: &str) -> Self {
        Self(
            text.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
        )
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A whole number below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.next()) * end as u128;
        #[expect(clippy::cast_possible_truncation, reason = "the upper half of the product is below `end`")]
        let number = (wide >> 64) as usize;
        number
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let number = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        number
    }

    /// Puts a slice into random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for place in (1..values.len()).rev() {
            values.swap(place, self.below(place + 1));
        }
    }
}

/// The 95 % interval of the median by order statistics (Thompson 1936): the values whose ranks lie so far from the middle
/// that a coin would seldom put it beyond them. The rank is that of the binomial distribution but for a few counts in a
/// thousand, where it is one further out; below six values there is no such interval. As the SQL macros `median_low` and
/// `median_high`.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks")]
pub fn median_interval(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let rank = (0.5 * count + 0.5 - 0.979_982 * (count - 0.4).max(0.0).sqrt()).floor() as usize;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some((*sorted.get(rank.checked_sub(1)?)?, *sorted.get(sorted.len().checked_sub(rank)?)?))
}

/// Adjusted p-values (Benjamini and Hochberg 1995), in the order given: those up to a level hold that false discovery rate.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|left, right| p_values[*right].total_cmp(&p_values[*left]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut lowest: f64 = 1.0;
    for (from_last, index) in order.into_iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a frame has far fewer rows than 2^52")]
        let scale = p_values.len() as f64 / (p_values.len() - from_last) as f64;
        lowest = lowest.min(p_values[index] * scale);
        adjusted[index] = lowest;
    }
    adjusted
}

/// How far a value lies from the median of others, in robust standard deviations, and how likely that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surprise {
    /// The median of the others.
    pub center: f64,
    /// Robust standard deviation of a new value: that of the others, with the uncertainty of their median.
    pub spread: f64,
    /// (value − center) / spread.
    pub robust_z: f64,
    /// Two-sided, by Student's t with 0.37 (n − 1) degrees of freedom: the efficiency of the MAD.
    pub p_value: f64,
}

/// Judges a value by others; `floor` is the least spread that is believed. `None` where the others do not vary at all.
#[must_use]
pub fn surprise(value: f64, others: &[f64], floor: f64) -> Option<Surprise> {
    let center = median(others)?;
    #[expect(clippy::cast_precision_loss, reason = "a frame has far fewer rows than 2^52")]
    let count = others.len() as f64;
    let spread = mad(others)?.max(floor) * (1.0 + std::f64::consts::FRAC_PI_2 / count).sqrt();
    if spread <= 0.0 {
        return None;
    }
    let robust_z = (value - center) / spread;
    let freedom = (MAD_EFFICIENCY * (count - 1.0)).max(1.0);
    Some(Surprise { center, spread, robust_z, p_value: student_tails(robust_z, freedom) })
}

/// Both tails of Student's t distribution beyond ±`value`.
#[must_use]
pub fn student_tails(value: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / (freedom + value * value), freedom / 2.0, 0.5)
}

/// The regularised incomplete beta function by its continued fraction (Lentz; Press et al. 1992, §6.4).
fn incomplete_beta(share: f64, left: f64, right: f64) -> f64 {
    if share <= 0.0 {
        return 0.0;
    }
    if share >= 1.0 {
        return 1.0;
    }
    if share > (left + 1.0) / (left + right + 2.0) {
        return 1.0 - incomplete_beta(1.0 - share, right, left);
    }
    let front =
        left * share.ln() + right * (1.0 - share).ln() + ln_gamma(left + right) - ln_gamma(left) - ln_gamma(right);
    let tiny = 1e-300;
    let keep = |number: f64| if number.abs() < tiny { tiny } else { number };
    let (mut numerator, mut denominator) = (1.0, 1.0 / keep(1.0 - (left + right) * share / (left + 1.0)));
    let mut result = denominator;
    for step in 1..300 {
        let step = f64::from(step);
        let even = step * (right - step) * share / ((left + 2.0 * step - 1.0) * (left + 2.0 * step));
        let odd = -(left + step) * (left + right + step) * share / ((left + 2.0 * step) * (left + 2.0 * step + 1.0));
        let before = result;
        for term in [even, odd] {
            denominator = 1.0 / keep(1.0 + term * denominator);
            numerator = keep(1.0 + term / numerator);
            result *= denominator * numerator;
        }
        if (result - before).abs() < 1e-14 * result.abs() {
            break;
        }
    }
    (front.exp() * result / left).clamp(0.0, 1.0)
}

/// The logarithm of the gamma function for positive numbers (Lanczos 1964, coefficients of Press et al. 1992).
fn ln_gamma(number: f64) -> f64 {
    const TERMS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.001_208_650_973_866_179,
        -0.000_005_395_239_384_953,
    ];
    let base = number + 5.5;
    let sum = TERMS
        .iter()
        .zip(1_i32..)
        .fold(1.000_000_000_190_015, |sum, (term, step)| sum + term / (number + f64::from(step)));
    (number + 0.5) * base.ln() - base + (2.506_628_274_631_000_5 * sum / number).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_quantiles_are_those_of_sql() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95), Some(4.8));
        assert_eq!(mad(&[1.0, 2.0, 3.0, 4.0, 100.0]), Some(NORMAL));
    }

    #[test]
    fn adjusted_p_values_are_those_of_r() {
        let adjusted = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005, 0.5]);
        for (value, wanted) in adjusted.iter().zip([0.025, 0.05, 0.05, 0.025, 0.5]) {
            assert!((value - wanted).abs() < 1e-12, "{adjusted:?}");
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }

    #[test]
    fn tails_of_student_are_those_of_tables() {
        for (value, freedom, wanted) in
            [(2.228, 10.0, 0.05), (4.587, 10.0, 0.001), (1.96, 1e6, 0.05), (12.706, 1.0, 0.05)]
        {
            let tails = student_tails(value, freedom);
            assert!((tails - wanted).abs() < wanted * 0.002, "t = {value}, {freedom} degrees: {tails}");
        }
        assert!((student_tails(0.0, 5.0) - 1.0).abs() < 1e-12);
    }

    /// Rank of the lower end by the binomial distribution itself: the largest k with P(fewer than k heads) ≤ 2.5 %.
    fn binomial_rank(count: usize) -> usize {
        let mut term = 0.5_f64.powi(i32::try_from(count).expect("small"));
        let (mut below, mut rank) = (0.0, 0);
        while below + term <= 0.025 {
            below += term;
            rank += 1;
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let step = (count - rank + 1) as f64 / rank as f64;
            term *= step;
        }
        rank
    }

    #[test]
    fn intervals_of_medians_have_the_ranks_of_the_binomial() {
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let values = |count: usize| (1..=count).map(|value| value as f64).collect::<Vec<f64>>();
        assert_eq!(median_interval(&[]), None);
        assert_eq!(median_interval(&values(5)), None, "the least and the most of five hold it in 93.75 %");
        assert_eq!(median_interval(&values(6)), Some((1.0, 6.0)));
        assert_eq!(median_interval(&values(20)), Some((6.0, 15.0)));
        for count in 6..=260 {
            let (low, high) = median_interval(&values(count)).expect("an interval");
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let (rank, all) = (binomial_rank(count) as f64, count as f64);
            assert_eq!((low, high), (rank, all + 1.0 - rank), "{count}");
        }
    }

    #[test]
    fn random_numbers_are_even_and_repeat_with_the_seed() {
        let mut random = Random::seeded("a");
        let mean = (0..10_000).map(|_| random.unit()).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!((0..1000).all(|_| random.below(7) < 7));
        let mut order: Vec<u8> = (0..9).collect();
        Random::seeded("b").shuffle(&mut order);
        let mut again: Vec<u8> = (0..9).collect();
        Random::seeded("b").shuffle(&mut again);
        assert_eq!(order, again);
        order.sort_unstable();
        assert_eq!(order, (0..9).collect::<Vec<u8>>());
    }
}
