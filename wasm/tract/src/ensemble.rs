//! The tree ensemble operators of ai.onnx.ml, opsets 1 to 3: read, validated, laid out as a forest.
//!
//! Why validated here: no runtime checks all of it. Ids may dangle, repeat or form cycles, arrays
//! may disagree, and base values or transforms may be ones that runtimes read differently; each
//! is refused with its place. What passes means the same here and in ONNX Runtime.
//!
//! Known limits: float thresholds and weights, one target or two classes, SUM or AVERAGE.

use std::collections::BTreeMap;

use prescore_forest::{MAX_NODES, Node, Step};
use tract_onnx::pb::NodeProto;

use crate::layout::{Source, SourceKind, lay_out};
use crate::onnx::Attributes;
use crate::split::Mode;

/// A laid-out ensemble: what a forest needs of it, and what it gives to the rest of the graph.
pub struct Ensemble {
    pub roots: Vec<u32>,
    pub nodes: Vec<Node>,
    pub base: f64,
    /// From the raw sum to the operator's own output.
    pub link: Vec<Step>,
    /// Two columns, one per class, instead of one.
    pub classifier: bool,
}

/// Reads an ensemble whose input has `features` columns.
///
/// # Errors
/// Saying what is wrong, where, and what would be right.
pub fn read(node: &NodeProto, features: usize) -> Result<Ensemble, String> {
    let attributes = Attributes(node);
    if let Some(found) = node.attribute.iter().find(|item| item.name.ends_with("_as_tensor")) {
        return Err(format!("{}: values must be floats, not a tensor of doubles", found.name));
    }
    let classifier = node.op_type == "TreeEnsembleClassifier";
    let mut sources = read_nodes(attributes, features)?;
    let positive = read_weights(attributes, classifier, &mut sources)?;
    let base = read_base(attributes, classifier, positive)?;
    let (roots, nodes) = lay_out(&sources)?;
    let transform = attributes.string("post_transform", "NONE");
    let mut link = Vec::new();
    let mut base = base;
    if attributes.string("aggregate_function", "SUM") == "AVERAGE" && !classifier {
        link.push(Step::Affine { scale: 1.0 / roots.len() as f64, shift: base });
        base = 0.0;
    }
    match (transform, classifier) {
        ("NONE", _) => {}
        ("LOGISTIC", true) => link.push(Step::Sigmoid),
        ("LOGISTIC", false) => {
            return Err("post_transform: ONNX Runtime ignores LOGISTIC in a regressor of one \
                        target; it must be NONE with a Sigmoid node after it"
                .into());
        }
        _ => return Err(format!("post_transform: it must be NONE or LOGISTIC, it is {transform}")),
    }
    Ok(Ensemble { roots, nodes, base, link, classifier })
}

fn read_nodes(attributes: Attributes, features: usize) -> Result<Vec<Source>, String> {
    let trees = attributes.ints("nodes_treeids");
    let count = trees.len();
    if !(1..=MAX_NODES).contains(&count) {
        return Err(format!("nodes_treeids: its length must be 1 to {MAX_NODES}, it is {count}"));
    }
    let same = |name: &str, len: usize, optional: bool| match len {
        0 if optional => Ok(()),
        _ if len == count => Ok(()),
        _ => Err(format!("{name}: its length must be that of nodes_treeids, {count}, it is {len}")),
    };
    let ids = attributes.ints("nodes_nodeids");
    same("nodes_nodeids", ids.len(), false)?;
    let feature_ids = attributes.ints("nodes_featureids");
    same("nodes_featureids", feature_ids.len(), false)?;
    let thresholds = attributes.floats("nodes_values");
    same("nodes_values", thresholds.len(), false)?;
    let modes = attributes.strings("nodes_modes");
    same("nodes_modes", modes.len(), false)?;
    let on_true = attributes.ints("nodes_truenodeids");
    same("nodes_truenodeids", on_true.len(), false)?;
    let on_false = attributes.ints("nodes_falsenodeids");
    same("nodes_falsenodeids", on_false.len(), false)?;
    let missing = attributes.ints("nodes_missing_value_tracks_true");
    same("nodes_missing_value_tracks_true", missing.len(), true)?;
    let covers = attributes.floats("nodes_hitrates");
    same("nodes_hitrates", covers.len(), true)?;

    let mut places = BTreeMap::new();
    for (index, key) in trees.iter().zip(ids).enumerate() {
        if places.insert(key, index).is_some() {
            return Err(format!(
                "tree {}: node id {} must be given once, it is twice",
                key.0, key.1
            ));
        }
    }
    let read_one = |index: usize| -> Result<Source, String> {
        let (tree, id) = (trees[index], ids[index]);
        let at = |text: String| format!("tree {tree}, node {id}: {text}");
        let cover = covers.get(index).copied().unwrap_or(0.0);
        if modes[index] == b"LEAF" {
            return Ok(Source { tree, id, cover, kind: SourceKind::Leaf { value: None } });
        }
        let mode = Mode::parse(&modes[index]).ok_or_else(|| {
            let text = String::from_utf8_lossy(&modes[index]);
            at(format!("its mode must be LEAF or one of BRANCH_LEQ, LT, GTE, GT, EQ, NEQ: {text}"))
        })?;
        let feature = feature_ids[index];
        if !(0..features as i64).contains(&feature) {
            return Err(at(format!("its feature must be 0 to {}: {feature}", features - 1)));
        }
        if thresholds[index].is_nan() {
            return Err(at("its threshold must be a number: NaN".into()));
        }
        let child = |ids: &[i64]| {
            places
                .get(&(&tree, &ids[index]))
                .copied()
                .ok_or_else(|| at(format!("its child must be a node of the tree: {}", ids[index])))
        };
        let kind = SourceKind::Branch {
            feature: u16::try_from(feature).map_err(|error| at(error.to_string()))?,
            threshold: thresholds[index],
            mode,
            missing: missing.get(index).is_some_and(|&bit| bit != 0),
            children: (child(on_true)?, child(on_false)?),
        };
        Ok(Source { tree, id, cover, kind })
    };
    (0..count).map(read_one).collect()
}

/// Gives the leaves their values. For a classifier, whether the weights are those of class 1:
/// when only class 0 has weights they are, by convention, those of class 1 all the same.
fn read_weights(
    attributes: Attributes,
    classifier: bool,
    sources: &mut [Source],
) -> Result<bool, String> {
    let prefix = if classifier { "class" } else { "target" };
    let name = |suffix: &str| format!("{prefix}_{suffix}");
    let weights = attributes.floats(&name("weights"));
    let [trees, nodes, targets] =
        ["treeids", "nodeids", "ids"].map(|suffix| attributes.ints(&name(suffix)));
    for (suffix, ids) in [("treeids", trees), ("nodeids", nodes), ("ids", targets)] {
        if ids.len() != weights.len() {
            return Err(format!(
                "{}: its length must be that of {}, {}, it is {}",
                name(suffix),
                name("weights"),
                weights.len(),
                ids.len()
            ));
        }
    }
    let classes = target_count(attributes, classifier)?;
    if let Some(target) = targets.iter().find(|target| !(0..classes).contains(*target)) {
        return Err(format!("{}: each must be 0 to {}: {target}", name("ids"), classes - 1));
    }
    let positive = targets.contains(&1);
    let places: BTreeMap<_, _> =
        sources.iter().enumerate().map(|(index, item)| ((item.tree, item.id), index)).collect();
    for (index, &weight) in weights.iter().enumerate() {
        let at = |text: &str| {
            format!("{prefix} weight of tree {}, node {}: {text}", trees[index], nodes[index])
        };
        let place = *places.get(&(trees[index], nodes[index])).ok_or_else(|| at("no such node"))?;
        let SourceKind::Leaf { value } = &mut sources[place].kind else {
            return Err(at("the node must be a leaf, it is a branch"));
        };
        if !weight.is_finite() {
            return Err(at(&format!("it must be finite: {weight}")));
        }
        if positive && targets[index] == 0 {
            continue;
        }
        if value.replace(weight).is_some() {
            return Err(at("it must be given once, it is twice"));
        }
    }
    Ok(positive)
}

fn target_count(attributes: Attributes, classifier: bool) -> Result<i64, String> {
    if classifier {
        let (numbers, texts) =
            (attributes.ints("classlabels_int64s"), attributes.strings("classlabels_strings"));
        return match numbers.len().max(texts.len()) {
            2 => Ok(2),
            count => Err(format!("class labels: there must be 2, there are {count}")),
        };
    }
    let aggregate = attributes.string("aggregate_function", "SUM");
    if !["SUM", "AVERAGE"].contains(&aggregate) {
        return Err(format!("aggregate_function: it must be SUM or AVERAGE, it is {aggregate}"));
    }
    match attributes.int("n_targets").unwrap_or(1) {
        1 => Ok(1),
        count => Err(format!("n_targets: it must be 1, it is {count}")),
    }
}

/// The base value of the one sum. ONNX Runtime adds a classifier's base values to other classes
/// than the specification says in every case but one, weights of class 0 alone with one base value;
/// the other cases are refused.
fn read_base(attributes: Attributes, classifier: bool, positive: bool) -> Result<f64, String> {
    let base = attributes.floats("base_values");
    match *base {
        [] => Ok(0.0),
        [value] if !value.is_finite() => Err(format!("base_values: it must be finite: {value}")),
        [value] if !positive || value == 0.0 => Ok(value.into()),
        [_] => Err("base_values: with weights of class 1 there must be none, for runtimes differ \
                    on which class it belongs to"
            .into()),
        _ if classifier => Err(format!(
            "base_values: a classifier must have at most 1, for runtimes differ on {} of them",
            base.len()
        )),
        _ => Err(format!("base_values: there must be at most 1, there are {}", base.len())),
    }
}
