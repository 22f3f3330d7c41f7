//! Exact path-dependent TreeSHAP: what each feature contributes to a row's raw sum.
//!
//! The values are those of Lundberg et al., "Consistent Individualized Feature Attribution for Tree
//! Ensembles" (2018): an absent feature sends a row both ways, weighted by cover. On the way to a leaf
//! a feature j has a fraction z_j (the product of the cover ratios of its splits) and an outcome o_j
//! (1 when the row goes all those ways, otherwise 0), and the leaf with value v contributes
//!
//!   v (o_j - z_j) sum over S of |S|! (u - 1 - |S|)! / u! prod_{i in S} o_i prod_{i not in S} z_i
//!
//! to j, S running through the sets of the way's other features, u features in all. The weight is the
//! integral of t^|S| (1 - t)^(u - 1 - |S|) over [0, 1], so that the sum is the integral of
//! prod_{i != j} (z_i (1 - t) + o_i t): a polynomial of degree u - 1, which Gauss-Legendre quadrature
//! with ceil(u / 2) nodes integrates exactly. At each node the product is passed down the tree and
//! the leaves' sums back up, as in Yu et al., "Linear TreeShap" (2022): time nodes x u / 2, in place
//! of the leaves x u^2 of the original, and two passes over arrays without a branch on the data.
//!
//! A feature that stands twice on a way has one factor, that of its last split; the earlier one's
//! is divided out on the way down, and its part subtracted on the way up.

use prescore_forest::{Branch, Kind, Node, Step};

use crate::quadrature::{Point, gauss_legendre};
use crate::set::Model;
use crate::shap_tables::{self, Tables};
use crate::tree::Tree;

/// A model's trees made ready for contributions.
pub struct Explainer {
    /// Shallow trees.
    tables: Tables,
    /// The others.
    trees: Vec<Explained>,
    /// Quadrature nodes, padded to a multiple of `WIDTH` with weights of 0.
    points: Vec<Point>,
    /// The raw sum expected when nothing is known.
    expected: f64,
    /// From the raw sum to what is explained.
    scale: f64,
    shift: f64,
}

pub struct Explained {
    branches: Vec<ExplainBranch>,
    /// Per node; the root's stands for "no earlier split".
    edges: Vec<Edge>,
    /// Leaves: node and value.
    leaves: Vec<(u32, f64)>,
    /// Per node, whether it is a left child.
    is_left: Vec<bool>,
}

/// A branch: its children, and which rows go left.
struct ExplainBranch {
    node: u32,
    split: Branch,
}

/// From a parent to a node.
#[derive(Clone, Copy)]
struct Edge {
    /// z of the parent's feature on the way to the node.
    fraction: f64,
    /// `fraction` by that of `earlier`, 0 when both are 0.
    again: f64,
    /// The node that the last earlier edge of this feature leads to; 0, the root, when none.
    earlier: u32,
    parent: u32,
    feature: u32,
}

/// Quadrature nodes that are taken at once: their sums are apart.
const WIDTH: usize = 4;

/// Space for the passes over one tree, `WIDTH` quadrature nodes for each of its nodes.
#[derive(Default)]
struct Passes {
    outcomes: Vec<bool>,
    /// The product of the factors on the way here; on the way up, the leaves' sums.
    products: Vec<[f64; WIDTH]>,
    inverses: Vec<[f64; WIDTH]>,
    coefficients: Vec<[f64; WIDTH]>,
}

impl Explainer {
    /// # Errors
    /// When the covers are not known.
    pub fn new(model: &Model) -> Result<Self, String> {
        check_covers(&model.trees)?;
        let (scale, shift) = margin(&model.forest.link);
        let (mut shallow, mut deep) = (Vec::new(), Vec::new());
        let (mut expected, mut longest) = (model.constant, 1);
        for tree in model.trees.iter().filter(|tree| tree.depth > 0) {
            let (explained, mean, features) = explain_tree(tree);
            expected += mean;
            if tree.depth <= shap_tables::MAX_DEPTH {
                shallow.push((tree, explained));
            } else {
                deep.push(explained);
                longest = longest.max(features);
            }
        }
        let mut points = gauss_legendre(longest.div_ceil(2));
        points.resize(points.len().next_multiple_of(WIDTH), (0.5, 0.0));
        let tables = Tables::new(shallow.iter().map(|(tree, explained)| (*tree, explained)));
        Ok(Self { tables, trees: deep, points, expected, scale, shift })
    }

    /// What is explained when nothing is known of a row.
    pub fn base(&self) -> f64 {
        self.expected * self.scale + self.shift
    }

    /// Each feature's contribution for one row with its ranks in the set, into `out`; with `base` they
    /// sum to the margin.
    pub fn contributions(&self, row: &[f32], ranks: &[u32], out: &mut [f64]) {
        out.fill(0.0);
        self.tables.add(&shap_tables::columns(ranks), out);
        let mut passes = Passes::default();
        let (points, _) = self.points.as_chunks::<WIDTH>();
        for points in points {
            for tree in &self.trees {
                passes.down(tree, row, points);
                passes.up(tree, points, out);
            }
        }
        for value in out {
            *value *= self.scale;
        }
    }
}

impl Passes {
    fn down(&mut self, tree: &Explained, row: &[f32], points: &[Point; WIDTH]) {
        let count = tree.edges.len();
        self.outcomes.resize(count, true);
        self.products.resize(count, [1.0; WIDTH]);
        self.inverses.resize(count, [1.0; WIDTH]);
        self.coefficients.resize(count, [0.0; WIDTH]);
        (self.products[0], self.outcomes[0]) = ([1.0; WIDTH], true);
        let t = points.map(|(t, _)| t);
        let rest = t.map(|t| 1.0 - t);
        let unmet = rest.map(|rest| -1.0 / rest);
        for ExplainBranch { node, split } in &tree.branches {
            let x = row[usize::from(split.feature)];
            let left = x < split.threshold || (x.is_nan() && split.missing_left);
            let product = self.products[*node as usize];
            for (child, goes) in [(split.left as usize, left), (split.right as usize, !left)] {
                let Edge { fraction, again, earlier, .. } = tree.edges[child];
                let earlier = earlier as usize;
                let outcome = goes && self.outcomes[earlier];
                self.outcomes[child] = outcome;
                let mut factor = rest.map(|rest| fraction * rest);
                if outcome {
                    factor = std::array::from_fn(|q| factor[q] + t[q]);
                    self.inverses[child] = factor.map(|factor| 1.0 / factor);
                    let inverse = &self.inverses[child];
                    self.coefficients[child] = inverse.map(|inverse| (1.0 - fraction) * inverse);
                } else {
                    self.coefficients[child] = unmet;
                }
                if earlier > 0 {
                    let inverse = &self.inverses[earlier];
                    factor = if self.outcomes[earlier] {
                        std::array::from_fn(|q| factor[q] * inverse[q])
                    } else {
                        [again; WIDTH]
                    };
                }
                self.products[child] = std::array::from_fn(|q| product[q] * factor[q]);
            }
        }
    }

    fn up(&mut self, tree: &Explained, points: &[Point; WIDTH], out: &mut [f64]) {
        for ExplainBranch { node, .. } in &tree.branches {
            self.products[*node as usize] = [0.0; WIDTH];
        }
        for &(node, value) in &tree.leaves {
            let product = &mut self.products[node as usize];
            *product = std::array::from_fn(|q| product[q] * points[q].1 * value);
        }
        for child in (1..tree.edges.len()).rev() {
            let Edge { earlier, parent, feature, .. } = tree.edges[child];
            let sums = self.products[child];
            let (own, other) = (&self.coefficients[child], &self.coefficients[earlier as usize]);
            let mut total = 0.0;
            for q in 0..WIDTH {
                total += (own[q] - other[q]) * sums[q];
            }
            out[feature as usize] += total;
            let above = &mut self.products[parent as usize];
            *above = std::array::from_fn(|q| above[q] + sums[q]);
        }
    }
}

/// The way to a leaf.
pub struct Ways {
    /// From the leaf up.
    pub steps: Vec<WayStep>,
    /// Each feature once.
    pub features: Vec<u16>,
    /// z of each feature.
    fractions: Vec<f64>,
}

/// A branch on the way, the side that leads on, and the place of its feature among those of the way.
pub struct WayStep {
    pub node: usize,
    pub left: bool,
    pub feature: usize,
}

impl Explained {
    /// The branches above a node, the nearest first.
    pub fn above(&self, node: usize) -> Vec<usize> {
        let up = |&node: &usize| (node > 0).then(|| self.edges[node].parent as usize);
        std::iter::successors(Some(node), up).skip(1).collect()
    }

    pub fn ways(&self, leaf: usize) -> Ways {
        let (mut steps, mut features, mut fractions) = (Vec::new(), Vec::new(), Vec::new());
        let mut below = leaf;
        for node in self.above(leaf) {
            let Edge { feature, fraction, .. } = self.edges[below];
            let known = features.iter().position(|&other| other == feature as u16);
            let feature = known.unwrap_or_else(|| {
                // The last split of a feature has the fraction of all.
                features.push(feature as u16);
                fractions.push(fraction);
                features.len() - 1
            });
            steps.push(WayStep { node, left: self.is_left[below], feature });
            below = node;
        }
        Ways { steps, features, fractions }
    }
}

impl Ways {
    /// What each feature contributes when those whose bits are set have been met all the way.
    pub fn contributions(&self, met: usize, value: f64, points: &[Point]) -> Vec<f64> {
        let outcome = |feature: usize| f64::from(u8::from(met >> feature & 1 == 1));
        let mut result = vec![0.0; self.features.len()];
        for &(t, weight) in points {
            let factor = |(feature, z): (usize, &f64)| z * (1.0 - t) + outcome(feature) * t;
            let factors = || self.fractions.iter().enumerate().map(factor);
            let product: f64 = factors().product();
            // A factor is 0 only where z and the outcome are; then nothing is contributed.
            if product > 0.0 {
                for (feature, (result, factor)) in result.iter_mut().zip(factors()).enumerate() {
                    let gain = outcome(feature) - self.fractions[feature];
                    *result += value * weight * gain * product / factor;
                }
            }
        }
        result
    }
}

/// A tree made ready, its expected value, and the most features on one way.
fn explain_tree(tree: &Tree) -> (Explained, f64, usize) {
    let root = Edge { fraction: 1.0, again: 1.0, earlier: 0, parent: 0, feature: 0 };
    let mut edges = vec![root; tree.nodes.len()];
    let mut features = vec![0; tree.nodes.len()];
    let mut reach = vec![1.0; tree.nodes.len()];
    let mut is_left = vec![false; tree.nodes.len()];
    let (mut branches, mut leaves, mut expected) = (Vec::new(), Vec::new(), 0.0);
    for (node, Node { kind, .. }) in tree.nodes.iter().enumerate() {
        let split = match kind {
            Kind::Leaf { value } => {
                leaves.push((node as u32, f64::from(*value)));
                expected += f64::from(*value) * reach[node];
                continue;
            }
            Kind::Branch(split) => split,
        };
        branches.push(ExplainBranch { node: node as u32, split: *split });
        let feature = u32::from(split.feature);
        let mut earlier = node;
        while earlier > 0 && edges[earlier].feature != feature {
            earlier = edges[earlier].parent as usize;
        }
        let covers =
            [split.left, split.right].map(|child| f64::from(tree.nodes[child as usize].cover));
        let total = covers[0] + covers[1];
        for (child, cover) in [split.left, split.right].into_iter().zip(covers) {
            // A branch that no training row reached has nothing to weigh its sides by.
            let ratio = if total > 0.0 { cover / total } else { 0.5 };
            let before = edges[earlier].fraction;
            let fraction = before * ratio;
            let again = if before > 0.0 { ratio } else { 0.0 };
            let (earlier, parent) = (earlier as u32, node as u32);
            edges[child as usize] = Edge { fraction, again, earlier, parent, feature };
            features[child as usize] = features[node] + usize::from(earlier == 0);
            reach[child as usize] = reach[node] * ratio;
            is_left[child as usize] = child == split.left;
        }
    }
    let most = features.into_iter().max().unwrap_or(1);
    (Explained { branches, edges, leaves, is_left }, expected, most)
}

/// The affine part of a link, up to its first other step: scale and shift.
fn margin(link: &[Step]) -> (f64, f64) {
    let (mut scale, mut shift) = (1.0, 0.0);
    for step in link {
        let Step::Affine { scale: by, shift: plus } = *step else { break };
        (scale, shift) = (scale * by, shift * by + plus);
    }
    (scale, shift)
}

/// # Errors
/// When a tree with branches has covers that say nothing: zero at the root, or the same everywhere.
fn check_covers(trees: &[Tree]) -> Result<(), String> {
    for (index, tree) in trees.iter().enumerate().filter(|(_, tree)| tree.depth > 0) {
        let cover = tree.nodes[0].cover;
        if cover == 0.0 || tree.nodes.iter().all(|node| node.cover == cover) {
            return Err(format!(
                "Cannot explain: the covers of tree {index} must be known, they are all {cover}; \
                 write them into nodes_hitrates of the ONNX"
            ));
        }
    }
    Ok(())
}
