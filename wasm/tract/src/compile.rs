//! ONNX to compiled forest.
//!
//! The outcome is one of three: a forest; "not a forest" for a graph without a tree ensemble, which
//! the runtime may run; or an error for an ensemble that a forest cannot hold exactly. The last
//! is no "not a forest" on purpose: tract's own tree ensembles are slow and misread some splits.

use prescore_forest::{Forest, Kind, Step};
use sha2::{Digest, Sha256};

use crate::ensemble::Ensemble;
use crate::{graph, onnx};

/// What became of a valid ONNX graph.
pub enum Outcome {
    /// The bytes of a compiled forest.
    Forest(Vec<u8>),
    NotAForest,
}

/// How far outside [0, 1] sums of rounded leaf values may reach and still be probabilities.
const ROUNDING: f64 = 1e-4;

/// # Errors
/// When the bytes are no ONNX, or hold an ensemble that a forest cannot hold exactly.
pub fn compile(bytes: &[u8]) -> Result<Outcome, String> {
    let cannot = |text| format!("Cannot compile ONNX: {text}");
    let (_, graph) = onnx::parse(bytes).map_err(cannot)?;
    match graph::ensembles(&graph).count() {
        0 => return Ok(Outcome::NotAForest),
        1 => {}
        count => {
            return Err(cannot(format!("there must be one tree ensemble, there are {count}")));
        }
    }
    let (_, features) = onnx::input(&graph).map_err(cannot)?;
    let (ensemble, link) = graph::trace(&graph, features).map_err(cannot)?;
    let link = within_probabilities(&ensemble, link).map_err(cannot)?;
    let Ensemble { roots, nodes, base, .. } = ensemble;
    let onnx_sha256 = Sha256::digest(bytes).into();
    let forest = Forest { onnx_sha256, features: features as u32, base, link, roots, nodes };
    forest.encode().map(Outcome::Forest).map_err(cannot)
}

/// The link, ended by a clamp when it has no bound of its own but the leaves keep it in [0, 1].
fn within_probabilities(ensemble: &Ensemble, mut link: Vec<Step>) -> Result<Vec<Step>, String> {
    if link.last().is_some_and(|step| step.gives_probability()) {
        return Ok(link);
    }
    let ends = raw_range(ensemble).map(|raw| link.iter().fold(raw, |x, step| step.apply(x)));
    let (lo, hi) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    if !(-ROUNDING <= lo && hi <= 1.0 + ROUNDING) {
        return Err(format!(
            "the output must be a probability, within 0..1, but reaches {lo}..{hi}: a Sigmoid may \
             be missing"
        ));
    }
    link.push(Step::Clamp { lo: 0.0, hi: 1.0 });
    Ok(link)
}

/// Bounds of the raw sum: the least and the greatest leaf of each tree. Every step is monotonic, so
/// a link takes bounds to bounds.
fn raw_range(ensemble: &Ensemble) -> [f64; 2] {
    let mut range = [ensemble.base; 2];
    for (tree, &root) in ensemble.roots.iter().enumerate() {
        let end = ensemble.roots.get(tree + 1).map_or(ensemble.nodes.len(), |&end| end as usize);
        let leaves = || {
            ensemble.nodes[root as usize..end].iter().filter_map(|node| match node.kind {
                Kind::Leaf { value } => Some(f64::from(value)),
                Kind::Branch(_) => None,
            })
        };
        range[0] += leaves().fold(f64::INFINITY, f64::min);
        range[1] += leaves().fold(f64::NEG_INFINITY, f64::max);
    }
    range
}
