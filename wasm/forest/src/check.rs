//! What makes a forest valid. Each refusal says what is wrong, where, and what would be right.

use crate::{Branch, Forest, Kind, MAX_DEPTH, MAX_FEATURES, MAX_NODES, MAX_STEPS, MAX_TREES, Node};

/// # Errors
/// On the first rule of the format that the forest breaks.
pub fn check(forest: &Forest) -> Result<(), String> {
    counts(forest)?;
    if !forest.base.is_finite() {
        return Err(format!("base: it must be finite, it is {}", forest.base));
    }
    link(forest)?;
    roots(forest)?;
    let mut places = vec![Place::default(); forest.nodes.len()];
    for (tree, &root) in forest.roots.iter().enumerate() {
        let end = forest.roots.get(tree + 1).map_or(forest.nodes.len(), |&next| next as usize);
        check_tree(forest, (root as usize, end), &mut places)
            .map_err(|text| format!("tree {tree}, {text}"))?;
    }
    Ok(())
}

fn counts(forest: &Forest) -> Result<(), String> {
    within("features", forest.features as usize, MAX_FEATURES)?;
    within("trees", forest.roots.len(), MAX_TREES)?;
    within("nodes", forest.nodes.len(), MAX_NODES)?;
    within("link steps", forest.link.len(), MAX_STEPS)
}

/// # Errors
/// When a count is not within `1..=limit`.
pub fn within(what: &str, count: usize, limit: usize) -> Result<(), String> {
    if (1..=limit).contains(&count) {
        return Ok(());
    }
    Err(format!("{what}: the count must be 1 to {limit}, it is {count}"))
}

fn link(forest: &Forest) -> Result<(), String> {
    for (index, step) in forest.link.iter().enumerate() {
        step.check().map_err(|text| format!("link step {index}: {text}"))?;
    }
    match forest.link.last() {
        Some(step) if step.gives_probability() => Ok(()),
        last => Err(format!(
            "link: the last step must be a sigmoid or a clamp within 0..1, it is {last:?}"
        )),
    }
}

fn roots(forest: &Forest) -> Result<(), String> {
    let mut least = 0;
    for (tree, &root) in forest.roots.iter().enumerate() {
        let fits = if tree == 0 { root == 0 } else { root >= least };
        if !fits || root as usize >= forest.nodes.len() {
            return Err(format!(
                "tree {tree}: its root must be node {least}{} and below {}, it is {root}",
                if tree == 0 { "" } else { " or later" },
                forest.nodes.len()
            ));
        }
        least = root + 1;
    }
    Ok(())
}

/// Where a node hangs, as seen from nodes before it.
#[derive(Clone, Copy, Default)]
struct Place {
    has_parent: bool,
    depth: u32,
}

fn check_tree(
    forest: &Forest,
    (root, end): (usize, usize),
    places: &mut [Place],
) -> Result<(), String> {
    for index in root..end {
        if index > root && !places[index].has_parent {
            return Err(format!("node {index}: it must be the child of a node, it is of none"));
        }
        let at = |text| format!("node {index}: {text}");
        check_node(forest, forest.nodes[index]).map_err(at)?;
        let Kind::Branch(Branch { left, right, .. }) = forest.nodes[index].kind else { continue };
        let depth = places[index].depth + 1;
        if depth > MAX_DEPTH {
            return Err(at(format!("its children's depth must be at most {MAX_DEPTH}")));
        }
        for child in [left as usize, right as usize] {
            if child <= index || child >= end {
                let text = format!("a child must be {} to {}, it is {child}", index + 1, end - 1);
                return Err(at(text));
            }
            if places[child].has_parent {
                return Err(at(format!("child {child} must have one parent, it has two")));
            }
            places[child] = Place { has_parent: true, depth };
        }
    }
    Ok(())
}

fn check_node(forest: &Forest, node: Node) -> Result<(), String> {
    if !(node.cover.is_finite() && node.cover >= 0.0) {
        return Err(format!("the cover must be finite and at least 0, it is {}", node.cover));
    }
    match node.kind {
        Kind::Leaf { value } if !value.is_finite() => {
            Err(format!("the leaf value must be finite, it is {value}"))
        }
        Kind::Leaf { .. } => Ok(()),
        Kind::Branch(branch) => {
            if u32::from(branch.feature) >= forest.features {
                return Err(format!(
                    "the feature must be below {}, it is {}",
                    forest.features, branch.feature
                ));
            }
            if branch.threshold.is_nan() {
                return Err("the threshold must be a number, it is NaN".into());
            }
            Ok(())
        }
    }
}
