//! Regression trees over the numbers of a text.
//!
//! Owns their form in memory and in the weights file, and how they are walked. Never trains.

use super::features::HAND;

/// A node: a leaf where `feature` is [`LEAF`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// Goes left where the number is below.
    pub threshold: f32,
    /// What the training rows of this node answer on average; what a leaf answers.
    pub value: f32,
    /// Index of the left child in the whole list.
    pub left: u16,
    /// Index of the right child: the next one.
    pub right: u16,
    /// Index of the number, or [`LEAF`].
    pub feature: u16,
    /// 1 for the first node of a tree.
    pub root: u16,
}

/// Marks a leaf.
pub const LEAF: u16 = u16::MAX;
/// Bytes of a node in the weights file, little-endian in the order of its fields.
pub const NODE_BYTES: usize = 16;

/// What a walk needs of a node, in half the space: all trees are walked for each request, and memory is what takes time.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Goes to `left` where the number is below, else to the one behind; a leaf's value.
    threshold: f32,
    left: u16,
    feature: u16,
}

/// Trees whose answers are added.
#[derive(Clone, Debug, Default)]
pub struct Trees {
    nodes: Vec<Node>,
    /// Of each node.
    steps: Vec<Step>,
    roots: Vec<u16>,
}

impl Trees {
    /// Checks nodes: each child stands behind its parent, so that every walk ends.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub fn new(nodes: Vec<Node>) -> Result<Trees, &'static str> {
        if nodes.len() >= usize::from(LEAF) {
            return Err("too many nodes");
        }
        for (index, node) in nodes.iter().enumerate().filter(|(_, node)| node.feature != LEAF) {
            let behind = |child: u16| usize::from(child) > index && usize::from(child) < nodes.len();
            if !behind(node.left) || !behind(node.right) || usize::from(node.feature) >= HAND {
                return Err("a node points to nothing");
            }
            if node.right != node.left + 1 {
                return Err("the children of a node do not stand side by side");
            }
        }
        if nodes.iter().any(|node| !node.value.is_finite() || node.threshold.is_nan()) {
            return Err("a node is not a number");
        }
        let roots = nodes.iter().zip(0..).filter(|(node, _)| node.root == 1).map(|(_, index)| index).collect();
        let step = |node: &Node| Step {
            threshold: if node.feature == LEAF { node.value } else { node.threshold },
            left: node.left,
            feature: node.feature,
        };
        Ok(Trees { steps: nodes.iter().map(step).collect(), nodes, roots })
    }

    /// Reads nodes as [`Trees::bytes`] writes them.
    ///
    /// # Errors
    /// As [`Trees::new`].
    pub fn read(bytes: &[u8]) -> Result<Trees, &'static str> {
        Trees::new(bytes.as_chunks::<NODE_BYTES>().0.iter().map(node).collect())
    }

    /// The form of the weights file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.nodes.len() * NODE_BYTES);
        for node in &self.nodes {
            bytes.extend(node.threshold.to_le_bytes());
            bytes.extend(node.value.to_le_bytes());
            for word in [node.left, node.right, node.feature, node.root] {
                bytes.extend(word.to_le_bytes());
            }
        }
        bytes
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The sum of all trees.
    pub fn sum(&self, numbers: &[f32; HAND]) -> f32 {
        self.roots.iter().map(|root| self.answer(*root, numbers)).sum()
    }

    /// What one tree answers.
    fn answer(&self, root: u16, numbers: &[f32; HAND]) -> f32 {
        let mut at = root;
        while let Some(Step { threshold, left, feature }) = self.steps.get(usize::from(at)).copied() {
            let Some(number) = numbers.get(usize::from(feature)) else { return threshold };
            // Added, not branched on: which side it is cannot be predicted.
            at = left + u16::from(*number >= threshold);
        }
        0.0
    }

    /// How much each number moved the sum away from the average of the training rows. Adds up to the sum, together
    /// with that average, which is the second result.
    pub fn contributions(&self, numbers: &[f32; HAND]) -> ([f32; HAND], f32) {
        let mut moved = [0.0; HAND];
        let mut average = 0.0;
        for root in &self.roots {
            average += self.nodes.get(usize::from(*root)).map_or(0.0, |node| node.value);
            self.walk(*root, numbers, |feature, step| {
                if let Some(moved) = moved.get_mut(usize::from(feature)) {
                    *moved += step;
                }
            });
        }
        (moved, average)
    }

    /// Walks one tree; `step` hears of the feature at each node and of what going on changed.
    fn walk(&self, root: u16, numbers: &[f32; HAND], mut step: impl FnMut(u16, f32)) {
        let Some(mut node) = self.nodes.get(usize::from(root)) else { return };
        while let Some(number) = numbers.get(usize::from(node.feature)) {
            let child = if *number < node.threshold { node.left } else { node.right };
            let Some(next) = self.nodes.get(usize::from(child)) else { break };
            step(node.feature, next.value - node.value);
            node = next;
        }
    }
}

fn node(bytes: &[u8; NODE_BYTES]) -> Node {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *bytes;
    let [i, j, k, l, m, n, o, p] = rest;
    Node {
        threshold: f32::from_le_bytes([a, b, c, d]),
        value: f32::from_le_bytes([e, f, g, h]),
        left: u16::from_le_bytes([i, j]),
        right: u16::from_le_bytes([k, l]),
        feature: u16::from_le_bytes([m, n]),
        root: u16::from_le_bytes([o, p]),
    }
}
