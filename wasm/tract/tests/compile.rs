//! ONNX to forest: what is refused, by what text, and what a hand-made graph becomes.

use prescore_forest::{Forest, Kind, Step};
use prescore_tract::compile::{Outcome, compile};
use proptest::prelude::*;
use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, tensor_shape_proto, type_proto,
};

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |&size: &i64| tensor_shape_proto::Dimension {
        value: (size > 0).then_some(tensor_shape_proto::dimension::Value::DimValue(size)),
        ..Default::default()
    };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: 1, shape };
    let r#type =
        TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    ValueInfoProto { name: name.into(), r#type: Some(r#type), ..Default::default() }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 7, ints: ints.to_vec(), ..Default::default() }
}

fn floats(name: &str, floats: &[f32]) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 6, floats: floats.to_vec(), ..Default::default() }
}

fn strings(name: &str, texts: &[&str]) -> AttributeProto {
    let strings = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    AttributeProto { name: name.into(), r#type: 8, strings, ..Default::default() }
}

fn string(name: &str, text: &str) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 3, s: text.into(), ..Default::default() }
}

fn node(op: &str, input: &[&str], output: &[&str], attribute: Vec<AttributeProto>) -> NodeProto {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    NodeProto {
        op_type: op.into(),
        input: names(input),
        output: names(output),
        name: op.to_lowercase(),
        attribute,
        ..Default::default()
    }
}

/// One tree: `x[1] <= 0.5` gives 0.25, else 0.75.
fn regressor() -> NodeProto {
    let attributes = vec![
        ints("nodes_treeids", &[0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2]),
        ints("nodes_featureids", &[1, 0, 0]),
        floats("nodes_values", &[0.5, 0.0, 0.0]),
        floats("nodes_hitrates", &[10.0, 6.0, 4.0]),
        strings("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"]),
        ints("nodes_truenodeids", &[1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0]),
        ints("target_treeids", &[0, 0]),
        ints("target_nodeids", &[1, 2]),
        ints("target_ids", &[0, 0]),
        floats("target_weights", &[0.25, 0.75]),
    ];
    node("TreeEnsembleRegressor", &["x"], &["sum"], attributes)
}

fn set(node: &mut NodeProto, attribute: AttributeProto) {
    node.attribute.retain(|item| item.name != attribute.name);
    node.attribute.push(attribute);
}

fn model(nodes: Vec<NodeProto>, output: &str, constants: &[(&str, f32)]) -> Vec<u8> {
    let initializer = constants
        .iter()
        .map(|&(name, value)| TensorProto {
            name: name.into(),
            data_type: 1,
            float_data: vec![value],
            ..Default::default()
        })
        .collect();
    let graph = GraphProto {
        node: nodes,
        input: vec![value("x", &[0, 2])],
        output: vec![value(output, &[0, 1])],
        initializer,
        ..Default::default()
    };
    ModelProto { graph: Some(graph), ..Default::default() }.encode_to_vec()
}

fn forest(bytes: &[u8]) -> Forest {
    match compile(bytes) {
        Ok(Outcome::Forest(bytes)) => Forest::decode(&bytes).unwrap(),
        Ok(Outcome::NotAForest) => panic!("not a forest"),
        Err(text) => panic!("{text}"),
    }
}

fn refusal(bytes: &[u8]) -> String {
    match compile(bytes) {
        Err(text) => text,
        Ok(_) => panic!("it must be refused"),
    }
}

/// The refusal of the regressor with these attributes instead of its own.
fn broken(attributes: Vec<AttributeProto>) -> String {
    let mut trees = regressor();
    attributes.into_iter().for_each(|attribute| set(&mut trees, attribute));
    refusal(&model(vec![trees], "sum", &[]))
}

#[test]
fn a_regressor_of_probabilities_is_compiled_as_it_is() {
    let forest = forest(&model(vec![regressor()], "sum", &[]));
    assert_eq!((forest.features, &forest.roots[..]), (2, &[0][..]));
    assert_eq!(forest.link, [Step::Clamp { lo: 0.0, hi: 1.0 }]);
    let Kind::Branch(branch) = forest.nodes[0].kind else { panic!("the root is a branch") };
    assert_eq!((branch.feature, branch.threshold), (1, 0.5f32.next_up()));
    assert_eq!((branch.left, branch.right, branch.missing_left), (1, 2, false));
    assert_eq!(forest.nodes.iter().map(|node| node.cover).collect::<Vec<_>>(), [10.0, 6.0, 4.0]);
}

#[test]
fn operators_after_the_trees_become_the_link() {
    let nodes = vec![
        regressor(),
        node("Mul", &["sum", "two"], &["a"], vec![]),
        node("Sub", &["two", "a"], &["b"], vec![]),
        node("Sigmoid", &["b"], &["c"], vec![]),
        node("Clip", &["c", "", "half"], &["d"], vec![]),
        node("Squeeze", &["d"], &["e"], vec![]),
    ];
    let forest = forest(&model(nodes, "e", &[("two", 2.0), ("half", 0.5)]));
    let expected = [
        Step::Affine { scale: 2.0, shift: 0.0 },
        Step::Affine { scale: -1.0, shift: 2.0 },
        Step::Sigmoid,
        Step::Clamp { lo: -1e30, hi: 0.5 },
        Step::Clamp { lo: 0.0, hi: 1.0 },
    ];
    assert_eq!(forest.link, expected);
}

#[test]
fn equality_shares_the_cover_of_the_subtree_that_stands_twice() {
    let mut trees = regressor();
    set(&mut trees, strings("nodes_modes", &["BRANCH_EQ", "LEAF", "LEAF"]));
    let forest = forest(&model(vec![trees], "sum", &[]));
    let covers: Vec<_> = forest.nodes.iter().map(|node| node.cover).collect();
    assert_eq!(covers, [10.0, 2.0, 8.0, 6.0, 2.0]);
}

#[test]
fn a_graph_without_trees_is_not_a_forest() {
    let bytes = model(vec![node("Sigmoid", &["x"], &["y"], vec![])], "y", &[]);
    assert!(matches!(compile(&bytes), Ok(Outcome::NotAForest)));
}

#[test]
fn a_broken_ensemble_is_refused_with_its_place() {
    let cases = [
        (vec![ints("nodes_nodeids", &[0, 1, 1])], "tree 0: node id 1 must be given once"),
        (vec![ints("nodes_nodeids", &[0, 1])], "nodes_nodeids: its length must be that of"),
        (vec![ints("nodes_truenodeids", &[7, 0, 0])], "node 0: its child must be a node"),
        (vec![ints("nodes_truenodeids", &[2, 0, 0])], "node 2: it must have one parent"),
        (vec![ints("nodes_truenodeids", &[0, 0, 0])], "node 0: it must hang below the tree's root"),
        (vec![strings("nodes_modes", &["LEAF"; 3])], "tree 0: it must have one root, it has 3"),
        (vec![ints("nodes_featureids", &[2, 0, 0])], "node 0: its feature must be 0 to 1: 2"),
        (vec![floats("nodes_values", &[f32::NAN, 0.0, 0.0])], "node 0: its threshold must be"),
        (vec![strings("nodes_modes", &["BRANCH_X", "LEAF", "LEAF"])], "BRANCH_X"),
        (vec![ints("target_ids", &[0, 1])], "target_ids: each must be 0 to 0: 1"),
        (vec![ints("target_nodeids", &[1, 9])], "target weight of tree 0, node 9: no such node"),
        (vec![ints("target_nodeids", &[1, 0])], "node 0: the node must be a leaf"),
        (vec![ints("target_nodeids", &[1, 1])], "node 1: it must be given once"),
        (vec![floats("target_weights", &[0.5, f32::INFINITY])], "it must be finite: inf"),
        (vec![floats("base_values", &[0.0, 0.0])], "base_values: there must be at most 1"),
        (vec![string("post_transform", "LOGISTIC")], "ONNX Runtime ignores LOGISTIC"),
        (vec![string("aggregate_function", "MIN")], "it must be SUM or AVERAGE, it is MIN"),
        (vec![floats("target_weights", &[-3.0, 0.75])], "reaches -3..0.75: a Sigmoid may be"),
        (vec![floats("nodes_hitrates", &[-1.0, 0.0, 0.0])], "the cover must be finite"),
    ];
    for (attributes, expected) in cases {
        let text = broken(attributes);
        assert!(text.contains(expected), "{text:?} must say {expected:?}");
    }
}

#[test]
fn a_cycle_is_refused() {
    let text = broken(vec![
        ints("nodes_treeids", &[0, 0, 0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2, 3, 4]),
        ints("nodes_featureids", &[0; 5]),
        floats("nodes_values", &[0.0; 5]),
        floats("nodes_hitrates", &[0.0; 5]),
        strings("nodes_modes", &["LEAF", "BRANCH_LT", "BRANCH_LT", "LEAF", "LEAF"]),
        ints("nodes_truenodeids", &[0, 2, 1, 0, 0]),
        ints("nodes_falsenodeids", &[0, 3, 4, 0, 0]),
        ints("target_nodeids", &[3, 4]),
    ]);
    assert!(text.contains("node 1: it must hang below the tree's root"), "{text}");
}

#[test]
fn what_stands_around_the_trees_must_be_known() {
    let after = vec![regressor(), node("Exp", &["sum"], &["y"], vec![])];
    let text = refusal(&model(after, "y", &[]));
    assert!(text.contains("\"y\" is made by Exp node \"exp\""), "{text}");
    let mut trees = regressor();
    trees.input = vec!["scaled".into()];
    let before = vec![node("Scaler", &["x"], &["scaled"], vec![]), trees];
    let text = refusal(&model(before, "sum", &[]));
    assert!(text.contains("made by Scaler node"), "{text}");
    let text = refusal(&model(vec![regressor(), regressor()], "sum", &[]));
    assert!(text.contains("there must be one tree ensemble, there are 2"), "{text}");
}

#[test]
fn bytes_that_are_no_onnx_are_refused() {
    assert!(refusal(b"").contains("must hold a graph"));
    assert!(refusal(b"not a protobuf").contains("must be an ONNX protobuf"));
}

proptest! {
    #[test]
    fn mutated_and_truncated_onnx_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = model(vec![regressor()], "sum", &[]);
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(Outcome::Forest(forest)) = compile(&bytes) {
            prop_assert!(Forest::decode(&forest).is_ok());
        }
    }
}
