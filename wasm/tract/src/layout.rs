//! Laying out an ensemble's trees as the forest's nodes.
//!
//! Why depth first with a stack: a node gets its index when it is taken, so children come after
//! their parent, as the forest's format asks; and a deep tree cannot overflow the call stack.

use std::collections::BTreeMap;

use prescore_forest::{Branch, Kind, MAX_NODES, MAX_TREES, Node};

use crate::split::{Mode, Side, Split, rewrite};

/// A node of the ONNX arrays; children are indices into them.
pub struct Source {
    pub tree: i64,
    pub id: i64,
    pub cover: f32,
    pub kind: SourceKind,
}

pub enum SourceKind {
    Branch { feature: u16, threshold: f32, mode: Mode, missing: bool, children: (usize, usize) },
    Leaf { value: Option<f32> },
}

/// What is still to be laid out, and the branch whose child it is.
struct Pending<'a> {
    side: SideOf<'a>,
    /// Index of the parent, and whether this is its left child.
    parent: Option<(usize, bool)>,
    /// Part of the source node's cover: less than 1 where a subtree stands more than once.
    share: f32,
}

enum SideOf<'a> {
    Source(&'a Source),
    Split { feature: u16, split: Split<usize> },
}

/// The index of each tree's first node, and the nodes of all trees, each parent before its children.
///
/// # Errors
/// When a tree is not a tree, or there are too many of them or their nodes.
pub fn lay_out(sources: &[Source]) -> Result<(Vec<u32>, Vec<Node>), String> {
    let tree_roots = find_roots(sources)?;
    let mut visited = vec![false; sources.len()];
    let (mut roots, mut nodes) = (Vec::new(), Vec::new());
    for root in tree_roots {
        roots.push(nodes.len() as u32);
        let mut stack =
            vec![Pending { side: SideOf::Source(&sources[root]), parent: None, share: 1.0 }];
        visited[root] = true;
        while let Some(pending) = stack.pop() {
            if nodes.len() == MAX_NODES {
                return Err(format!("the forest must have at most {MAX_NODES} nodes"));
            }
            place(pending, sources, &mut nodes, &mut stack, &mut visited);
        }
    }
    match visited.iter().position(|visited| !visited) {
        None => Ok((roots, nodes)),
        Some(index) => Err(format!(
            "tree {}, node {}: it must hang below the tree's root, it is part of a cycle",
            sources[index].tree, sources[index].id
        )),
    }
}

/// Lays out one node and puts its children on the stack, the left one on top.
fn place<'a>(
    pending: Pending<'a>,
    sources: &'a [Source],
    nodes: &mut Vec<Node>,
    stack: &mut Vec<Pending<'a>>,
    visited: &mut [bool],
) {
    let Pending { side, parent, share } = pending;
    let index = nodes.len();
    if let Some((parent, is_left)) = parent
        && let Kind::Branch(branch) = &mut nodes[parent].kind
    {
        *(if is_left { &mut branch.left } else { &mut branch.right }) = index as u32;
    }
    let (feature, split, cover, share) = match side {
        SideOf::Source(Source { cover, kind: SourceKind::Leaf { value }, .. }) => {
            let kind = Kind::Leaf { value: value.unwrap_or(0.0) };
            nodes.push(Node { cover: cover * share, kind });
            return;
        }
        SideOf::Source(Source {
            cover,
            kind: SourceKind::Branch { feature, threshold, mode, missing, children },
            ..
        }) => (*feature, rewrite(*mode, *threshold, *missing, *children), cover * share, share),
        SideOf::Split { feature, split } => {
            let part = |side: &Side<usize>| match side {
                Side::Child(child, part) => sources[*child].cover * part * share,
                Side::Split(_) => 0.0,
            };
            let cover = part(&split.left) + part(&split.right);
            (feature, split, cover, share)
        }
    };
    let Split { threshold, missing_left, left, right } = split;
    let branch = Branch { feature, threshold, left: 0, right: 0, missing_left };
    nodes.push(Node { cover, kind: Kind::Branch(branch) });
    for (side, is_left) in [(right, false), (left, true)] {
        let (side, share) = match side {
            Side::Child(child, part) => {
                visited[child] = true;
                (SideOf::Source(&sources[child]), part * share)
            }
            Side::Split(split) => (SideOf::Split { feature, split: *split }, share),
        };
        stack.push(Pending { side, parent: Some((index, is_left)), share });
    }
}

/// The one node of each tree that is no child, in the order in which the trees first appear.
fn find_roots(sources: &[Source]) -> Result<Vec<usize>, String> {
    let mut parents = vec![0u8; sources.len()];
    for source in sources {
        let SourceKind::Branch { children, .. } = source.kind else { continue };
        for child in [children.0, children.1] {
            let Source { tree, id, .. } = sources[child];
            if parents[child] > 0 {
                return Err(format!(
                    "tree {tree}, node {id}: it must have one parent, it has more"
                ));
            }
            parents[child] = 1;
        }
    }
    let mut order = Vec::new();
    let mut roots = BTreeMap::new();
    for (index, source) in sources.iter().enumerate() {
        let found = roots.entry(source.tree).or_insert_with(|| {
            order.push(source.tree);
            Vec::new()
        });
        if parents[index] == 0 {
            found.push(index);
        }
    }
    if order.len() > MAX_TREES {
        return Err(format!("there must be at most {MAX_TREES} trees, there are {}", order.len()));
    }
    let root_of = |tree: i64| match roots[&tree][..] {
        [root] => Ok(root),
        ref found => Err(format!("tree {tree}: it must have one root, it has {}", found.len())),
    };
    order.into_iter().map(root_of).collect()
}
