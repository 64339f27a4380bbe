//! How well a ranking or a probability fits what happened.
//!
//! Owns the definitions, the same for every table. Never sees a prompt.

/// Area under the ROC curve: the probability that a row of `positive` scores higher than one that is not, ties half.
/// `NaN` where one of the two is empty.
pub fn auc(score: &[f64], positive: &[bool]) -> f64 {
    let ranks = ranks(score);
    let count = positive.iter().filter(|is| **is).count() as f64;
    let rest = positive.len() as f64 - count;
    let sum: f64 = ranks.iter().zip(positive).filter(|(_, is)| **is).map(|(rank, _)| rank).sum();
    (sum - count * (count + 1.0) / 2.0) / (count * rest)
}

/// Ranks from 1, ties averaged.
fn ranks(score: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..score.len()).collect();
    order.sort_by(|a, b| score[*a].total_cmp(&score[*b]));
    let mut ranks = vec![0.0; score.len()];
    let mut start = 0;
    while start < order.len() {
        let end = order[start..].iter().take_while(|at| score[**at] == score[order[start]]).count() + start;
        for at in &order[start..end] {
            ranks[*at] = (start + end + 1) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}

/// The share of the gap between the weak and the strong model that is recovered when the prompts of highest `gain` go
/// to the strong one: for each share of strong calls 0/n, 1/n, … n/n. Ties count as their average.
fn recovered(gain: &[f64], weak: &[f64], strong: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..gain.len()).collect();
    order.sort_by(|a, b| gain[*b].total_cmp(&gain[*a]));
    let gap = |at: &usize| strong[*at] - weak[*at];
    let total: f64 = order.iter().map(gap).sum();
    let mut curve = vec![0.0];
    let (mut sum, mut start) = (0.0, 0);
    while start < order.len() {
        let tied = order[start..].iter().take_while(|at| gain[**at] == gain[order[start]]).count();
        let mean = order[start..start + tied].iter().map(gap).sum::<f64>() / tied as f64;
        for _ in 0..tied {
            sum += mean;
            curve.push(sum / total);
        }
        start += tied;
    }
    curve
}

/// Average performance gap recovered (arXiv 2406.18665): the area under the curve of [`recovered`]; random is 0.5.
pub fn apgr(gain: &[f64], weak: &[f64], strong: &[f64]) -> f64 {
    let curve = recovered(gain, weak, strong);
    let area: f64 = curve.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).sum();
    area / (curve.len() - 1).max(1) as f64
}

/// Call-performance threshold: the smallest share of strong calls, in per cent, that recovers `share` of the gap.
pub fn cpt(gain: &[f64], weak: &[f64], strong: &[f64], share: f64) -> f64 {
    let curve = recovered(gain, weak, strong);
    let at = curve.iter().position(|recovered| *recovered >= share).unwrap_or(curve.len() - 1);
    100.0 * at as f64 / (curve.len() - 1).max(1) as f64
}

/// Expected calibration error over ten bins of equal size.
pub fn ece(probability: &[f64], outcome: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..probability.len()).collect();
    order.sort_by(|a, b| probability[*a].total_cmp(&probability[*b]));
    let size = order.len().div_ceil(10).max(1);
    let error = |bin: &[usize]| (bin.iter().map(|at| probability[*at] - outcome[*at]).sum::<f64>()).abs();
    order.chunks(size).map(error).sum::<f64>() / order.len().max(1) as f64
}

/// Mean squared error of a probability.
pub fn brier(probability: &[f64], outcome: &[f64]) -> f64 {
    let sum: f64 = probability.iter().zip(outcome).map(|(p, y)| (p - y) * (p - y)).sum();
    sum / probability.len().max(1) as f64
}

/// Mean and standard deviation over runs.
pub fn spread(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}
