//! The forest file: round trips, and a refusal or a valid forest for every other byte string.

use prescore_forest::{Branch, Forest, Kind, Node, Step};
use proptest::prelude::*;

/// A tree as nested nodes, which `flatten` lays out.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(f32, f32),
    Branch(u16, f32, bool, f32, Box<(Tree, Tree)>),
}

const FEATURES: u16 = 5;

fn tree() -> impl Strategy<Value = Tree> {
    let value = -10.0f32..10.0;
    let cover = 0.0f32..1e6;
    let leaf = (value, cover.clone()).prop_map(|(value, cover)| Tree::Leaf(value, cover));
    leaf.prop_recursive(6, 64, 2, move |inner| {
        let threshold = any::<f32>().prop_filter("a number", |threshold| !threshold.is_nan());
        (0..FEATURES, threshold, any::<bool>(), cover.clone(), (inner.clone(), inner)).prop_map(
            |(feature, threshold, missing_left, cover, children)| {
                Tree::Branch(feature, threshold, missing_left, cover, Box::new(children))
            },
        )
    })
}

fn flatten(tree: &Tree, nodes: &mut Vec<Node>) -> u32 {
    let index = nodes.len();
    match tree {
        Tree::Leaf(value, cover) => {
            nodes.push(Node { cover: *cover, kind: Kind::Leaf { value: *value } });
        }
        Tree::Branch(feature, threshold, missing_left, cover, children) => {
            nodes.push(Node { cover: *cover, kind: Kind::Leaf { value: 0.0 } });
            let left = flatten(&children.0, nodes);
            let right = flatten(&children.1, nodes);
            nodes[index].kind = Kind::Branch(Branch {
                feature: *feature,
                threshold: *threshold,
                left,
                right,
                missing_left: *missing_left,
            });
        }
    }
    index as u32
}

fn forest() -> impl Strategy<Value = Forest> {
    let trees = prop::collection::vec(tree(), 1..6);
    (trees, -5.0f64..5.0, any::<[u8; 32]>(), -3.0f64..3.0).prop_map(
        |(trees, base, onnx_sha256, scale)| {
            let mut nodes = Vec::new();
            let roots = trees.iter().map(|tree| flatten(tree, &mut nodes)).collect();
            let link = vec![Step::Affine { scale, shift: 0.5 }, Step::Sigmoid];
            Forest { onnx_sha256, features: FEATURES.into(), base, link, roots, nodes }
        },
    )
}

proptest! {
    #[test]
    fn a_forest_comes_back_from_its_file(forest in forest()) {
        let bytes = forest.encode().unwrap();
        prop_assert_eq!(Forest::decode(&bytes).unwrap(), forest);
    }

    #[test]
    fn a_mutated_file_is_refused_or_is_a_valid_forest(
        forest in forest(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = forest.encode().unwrap();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        match Forest::decode(&bytes) {
            Ok(forest) => prop_assert_eq!(forest.encode().unwrap(), bytes),
            Err(text) => prop_assert!(!text.is_empty()),
        }
    }

    #[test]
    fn a_file_of_another_length_is_refused(
        forest in forest(),
        cut in any::<prop::sample::Index>(),
        more in prop::collection::vec(any::<u8>(), 1..9),
    ) {
        let bytes = forest.encode().unwrap();
        prop_assert!(Forest::decode(&bytes[..cut.index(bytes.len())]).is_err());
        prop_assert!(Forest::decode(&[bytes, more].concat()).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Forest::decode(&bytes);
    }
}

fn small() -> Forest {
    let leaf = |value| Node { cover: 1.0, kind: Kind::Leaf { value } };
    let branch = Branch { feature: 0, threshold: 0.5, left: 1, right: 2, missing_left: true };
    Forest {
        onnx_sha256: [7; 32],
        features: 1,
        base: 0.25,
        link: vec![Step::Sigmoid],
        roots: vec![0],
        nodes: vec![Node { cover: 2.0, kind: Kind::Branch(branch) }, leaf(-1.0), leaf(1.0)],
    }
}

fn refusal(change: impl FnOnce(&mut Forest)) -> String {
    let mut forest = small();
    change(&mut forest);
    forest.encode().unwrap_err()
}

fn change_branch(forest: &mut Forest, change: impl FnOnce(&mut Branch)) {
    let Kind::Branch(branch) = &mut forest.nodes[0].kind else { panic!("node 0 is a branch") };
    change(branch);
}

#[test]
fn each_broken_rule_is_named() {
    let child = |left| refusal(move |forest| change_branch(forest, |branch| branch.left = left));
    assert_eq!(child(0), "tree 0, node 0: a child must be 1 to 2, it is 0");
    assert_eq!(child(3), "tree 0, node 0: a child must be 1 to 2, it is 3");
    assert_eq!(child(2), "tree 0, node 0: child 2 must have one parent, it has two");
    let feature = refusal(|forest| change_branch(forest, |branch| branch.feature = 1));
    assert_eq!(feature, "tree 0, node 0: the feature must be below 1, it is 1");
    let nan = refusal(|forest| change_branch(forest, |branch| branch.threshold = f32::NAN));
    assert_eq!(nan, "tree 0, node 0: the threshold must be a number, it is NaN");
    let leaf = refusal(|forest| forest.nodes[1].kind = Kind::Leaf { value: f32::INFINITY });
    assert_eq!(leaf, "tree 0, node 1: the leaf value must be finite, it is inf");
    let cover = refusal(|forest| forest.nodes[2].cover = -1.0);
    assert_eq!(cover, "tree 0, node 2: the cover must be finite and at least 0, it is -1");
    let orphan = refusal(|forest| forest.nodes.push(forest.nodes[1]));
    assert_eq!(orphan, "tree 0, node 3: it must be the child of a node, it is of none");
    let roots = refusal(|forest| forest.roots = vec![1]);
    assert_eq!(roots, "tree 0: its root must be node 0 and below 3, it is 1");
    let link = refusal(|forest| forest.link = vec![Step::Clamp { lo: 0.0, hi: 2.0 }]);
    assert!(link.starts_with("link: the last step must be a sigmoid or a clamp"), "{link}");
    let base = refusal(|forest| forest.base = f64::NAN);
    assert_eq!(base, "base: it must be finite, it is NaN");
}

#[test]
fn a_tree_deeper_than_the_limit_is_refused() {
    let depth = prescore_forest::MAX_DEPTH + 1;
    let mut forest = small();
    forest.nodes.clear();
    for level in 0..depth {
        let (left, right) = (2 * level + 1, 2 * level + 2);
        let branch = Branch { feature: 0, threshold: 0.0, left, right, missing_left: false };
        forest.nodes.push(Node { cover: 0.0, kind: Kind::Branch(branch) });
        forest.nodes.push(Node { cover: 0.0, kind: Kind::Leaf { value: 0.0 } });
    }
    forest.nodes.push(Node { cover: 0.0, kind: Kind::Leaf { value: 0.0 } });
    assert!(forest.encode().unwrap_err().contains("depth must be at most 256"));
}

#[test]
fn the_link_stays_within_probabilities() {
    let mut forest = small();
    forest.link = vec![
        Step::Affine { scale: 1e30, shift: -1e30 },
        Step::Affine { scale: 0.0, shift: 0.25 },
        Step::Clamp { lo: 0.0, hi: 1.0 },
    ];
    for raw in [0.0, -0.0, 1e300, -1e300, f64::MAX] {
        let probability = forest.probability(raw);
        assert!((0.0..=1.0).contains(&probability), "{raw} gave {probability}");
    }
}
