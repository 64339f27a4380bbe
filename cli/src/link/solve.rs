//! Small dense least squares: normal equations, Cholesky.
//!
//! Owns the arithmetic of systems of a few hundred unknowns. Knows nothing of models or scores.

use anyhow::{Result, ensure};

/// Normal equations of a weighted least-squares problem.
pub struct Normal {
    size: usize,
    /// Row by row; only the lower triangle is kept.
    matrix: Vec<f64>,
    right: Vec<f64>,
}

impl Normal {
    /// A problem of `size` unknowns without any rows.
    pub fn new(size: usize) -> Normal {
        Normal { size, matrix: vec![0.0; size * size], right: vec![0.0; size] }
    }

    /// Adds the row `Σ coefficient · unknown = value`; an unknown may occur more than once.
    pub fn add(&mut self, row: &[(usize, f64)], value: f64, weight: f64) {
        for (i, a) in row {
            self.right[*i] += weight * a * value;
            for (j, b) in row.iter().filter(|(j, _)| j <= i) {
                self.matrix[i * self.size + j] += weight * a * b;
            }
        }
    }

    /// Factors the matrix.
    ///
    /// # Errors
    /// When an unknown is not determined.
    pub fn factor(mut self) -> Result<Factored> {
        let n = self.size;
        for i in 0..n {
            for j in 0..=i {
                let done = dot(&self.matrix[i * n..i * n + j], &self.matrix[j * n..j * n + j]);
                let rest = self.matrix[i * n + j] - done;
                self.matrix[i * n + j] = if i == j {
                    ensure!(rest > 1e-12, "unknown {i} is not determined");
                    rest.sqrt()
                } else {
                    rest / self.matrix[j * n + j]
                };
            }
        }
        Ok(Factored { size: n, lower: self.matrix, right: self.right })
    }
}

/// A factored problem.
pub struct Factored {
    size: usize,
    lower: Vec<f64>,
    right: Vec<f64>,
}

impl Factored {
    /// The unknowns.
    pub fn solution(&self) -> Vec<f64> {
        let half = self.forward(&self.right);
        self.backward(half)
    }

    /// Variance of the sum `Σ coefficient · unknown`, where weights are inverse variances.
    pub fn variance(&self, row: &[(usize, f64)]) -> f64 {
        let image = self.image(row);
        dot(&image, &image)
    }

    /// A vector for such a sum: the product of two is the covariance.
    pub fn image(&self, row: &[(usize, f64)]) -> Vec<f64> {
        let mut right = vec![0.0; self.size];
        row.iter().for_each(|(i, a)| right[*i] += a);
        self.forward(&right)
    }

    fn forward(&self, right: &[f64]) -> Vec<f64> {
        let n = self.size;
        let mut x = right.to_vec();
        for i in 0..n {
            x[i] = (x[i] - dot(&self.lower[i * n..i * n + i], &x[..i])) / self.lower[i * n + i];
        }
        x
    }

    fn backward(&self, mut x: Vec<f64>) -> Vec<f64> {
        let n = self.size;
        for i in (0..n).rev() {
            let done: f64 = (i + 1..n).map(|k| self.lower[k * n + i] * x[k]).sum();
            x[i] = (x[i] - done) / self.lower[i * n + i];
        }
        x
    }
}

/// The product of two vectors.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The non-decreasing sequence nearest to weighted values: adjacent violators are pooled.
pub fn non_decreasing(values: &[(f64, f64)]) -> Vec<f64> {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (value, weight) in values {
        let mut block = (*value, *weight, 1);
        while let Some(last) = blocks.pop_if(|last| last.0 > block.0) {
            let weight = last.1 + block.1;
            block = ((last.0 * last.1 + block.0 * block.1) / weight, weight, last.2 + block.2);
        }
        blocks.push(block);
    }
    blocks.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_a_line_and_knows_its_error() {
        // y = 1 + 2x at x = 0, 1, 2 with weight 4.
        let mut normal = Normal::new(2);
        for x in [0.0, 1.0, 2.0] {
            normal.add(&[(0, 1.0), (1, x)], 1.0 + 2.0 * x, 4.0);
        }
        let solved = normal.factor().unwrap();
        let line = solved.solution();
        assert!((line[0] - 1.0).abs() < 1e-9 && (line[1] - 2.0).abs() < 1e-9);
        // Variance of the slope: 1 / (weight · Σ (x − mean)²).
        assert!((solved.variance(&[(1, 1.0)]) - 1.0 / 8.0).abs() < 1e-9);
    }

    #[test]
    fn says_what_is_not_determined() {
        let mut normal = Normal::new(2);
        normal.add(&[(0, 1.0)], 1.0, 1.0);
        assert!(normal.factor().is_err());
    }

    #[test]
    fn violators_are_pooled_by_weight() {
        assert_eq!(non_decreasing(&[(1.0, 1.0), (3.0, 1.0), (0.0, 3.0), (5.0, 1.0)]), [0.8, 0.8, 0.8, 5.0]);
        assert_eq!(non_decreasing(&[]), [0.0; 0]);
    }
}
