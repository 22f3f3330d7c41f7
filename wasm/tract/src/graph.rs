//! What stands around a tree ensemble: followed from the input to the output, node by node.
//!
//! Each value of the graph is one of a few things that matter here (`Value`); a node takes such
//! things to such things, and the steps between the raw sum and the output become the link. An
//! operator that is not known makes its output `Other`, which is refused only where the
//! output depends on it, so that a label beside the probabilities may be computed in any way.
//!
//! Known limit: arithmetic is with scalar constants; of two classes the last is the positive one.

use std::collections::HashMap;

use prescore_forest::Step;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto};

use crate::ensemble::{self, Ensemble};
use crate::onnx::{self, Attributes};

#[derive(Clone)]
enum Value {
    /// The input matrix.
    Features,
    /// A small constant tensor.
    Constant(Vec<f64>),
    /// A number per row, [N] or [N, 1]: the raw sum through these steps.
    Score(Vec<Step>),
    /// Two numbers per row, [N, 2], the last of them the raw sum through these steps.
    Pair(Vec<Step>),
    /// Anything else, and why.
    Other(String),
}

/// The tree ensembles of a graph.
pub fn ensembles(graph: &GraphProto) -> impl Iterator<Item = &NodeProto> {
    graph.node.iter().filter(|node| node.op_type.starts_with("TreeEnsemble"))
}

/// The ensemble of a graph that has one, and the link from its raw sum to the graph's output.
///
/// # Errors
/// When the ensemble is broken, or no output of the graph is made of it in a way known here.
pub fn trace(graph: &GraphProto, features: usize) -> Result<(Ensemble, Vec<Step>), String> {
    let (input, _) = onnx::input(graph)?;
    let mut values = HashMap::from([(input.name.as_str(), Value::Features)]);
    for tensor in &graph.initializer {
        values.insert(&tensor.name, constant(onnx::numbers(tensor)));
    }
    let mut ensemble = None;
    for node in &graph.node {
        let inputs: Vec<Value> = node.input.iter().map(|name| lookup(&values, name)).collect();
        let outputs = if node.op_type.starts_with("TreeEnsemble") {
            let read = read_ensemble(node, &inputs, features)
                .map_err(|text| format!("{}: {text}", onnx::title(node)))?;
            let link = read.link.clone();
            let outputs = if read.classifier {
                vec![Value::Other("the class label".into()), Value::Pair(link)]
            } else {
                vec![Value::Score(link)]
            };
            ensemble = Some(read);
            outputs
        } else {
            vec![apply(node, &inputs).unwrap_or_else(|| refuse(node, &inputs))]
        };
        for (name, value) in node.output.iter().zip(outputs) {
            values.insert(name, value);
        }
    }
    let ensemble = ensemble.ok_or("the graph has no tree ensemble")?;
    Ok((ensemble, output(graph, &values)?))
}

/// The link of the one output that is a score.
fn output(graph: &GraphProto, values: &HashMap<&str, Value>) -> Result<Vec<Step>, String> {
    let (mut scores, mut others) = (Vec::new(), Vec::new());
    for output in &graph.output {
        match lookup(values, &output.name) {
            Value::Score(link) | Value::Pair(link) => scores.push(link),
            Value::Other(why) => others.push(format!("{:?} is {why}", output.name)),
            _ => others.push(format!("{:?} does not depend on the trees", output.name)),
        }
    }
    match scores.len() {
        1 => Ok(scores.remove(0)),
        count => Err(format!(
            "one output must be the trees' probability, {count} are; {}",
            others.join(", ")
        )),
    }
}

fn lookup(values: &HashMap<&str, Value>, name: &str) -> Value {
    values.get(name).cloned().unwrap_or_else(|| Value::Other(format!("no value named {name:?}")))
}

fn constant(numbers: Option<Vec<f64>>) -> Value {
    numbers.map_or_else(|| Value::Other("a constant tensor".into()), Value::Constant)
}

fn read_ensemble(node: &NodeProto, inputs: &[Value], features: usize) -> Result<Ensemble, String> {
    match (node.op_type.as_str(), inputs) {
        ("TreeEnsembleRegressor" | "TreeEnsembleClassifier", [Value::Features]) => {
            ensemble::read(node, features)
        }
        ("TreeEnsembleRegressor" | "TreeEnsembleClassifier", [Value::Other(why), ..]) => {
            Err(format!("its input must be the graph's input as it is, it is {why}"))
        }
        ("TreeEnsembleRegressor" | "TreeEnsembleClassifier", _) => {
            Err("its input must be the graph's input as it is".into())
        }
        _ => Err("the operator must be TreeEnsembleRegressor or TreeEnsembleClassifier".into()),
    }
}

fn refuse(node: &NodeProto, inputs: &[Value]) -> Value {
    let inherited = inputs.iter().find_map(|input| match input {
        Value::Other(why) => Some(why.clone()),
        _ => None,
    });
    let own = || format!("made by {}, which a forest cannot hold", onnx::title(node));
    Value::Other(inherited.unwrap_or_else(own))
}

/// What a node makes of its inputs; none when that is not known here.
fn apply(node: &NodeProto, inputs: &[Value]) -> Option<Value> {
    let attributes = Attributes(node);
    let first = inputs.first();
    match node.op_type.as_str() {
        "Constant" => Some(constant(constant_of(attributes))),
        "Identity" => first.cloned(),
        "Cast" => cast(attributes.int("to")?, first?),
        "ZipMap" => first.filter(|value| matches!(value, Value::Pair(_))).cloned(),
        "Sigmoid" => then(first?, Step::Sigmoid),
        "Neg" => then(first?, Step::Affine { scale: -1.0, shift: 0.0 }),
        "Add" | "Sub" | "Mul" | "Div" => arithmetic(&node.op_type, inputs),
        "Clip" => clip(node, inputs),
        "Gather" | "ArrayFeatureExtractor" | "Slice" => pick(node, inputs),
        "Squeeze" | "Unsqueeze" | "Reshape" | "Flatten" => reshape(node, inputs),
        _ => None,
    }
}

fn constant_of(attributes: Attributes) -> Option<Vec<f64>> {
    if let Some(value) = attributes.find("value") {
        return onnx::numbers(value.t.as_ref()?);
    }
    let one = attributes.float("value_float");
    let one = one.or_else(|| attributes.int("value_int").map(|value| value as f64));
    let floats = attributes.floats("value_floats").iter().map(|&value| value.into());
    let ints = attributes.ints("value_ints").iter().map(|&value| value as f64);
    Some(one.into_iter().chain(floats).chain(ints).collect())
}

/// A score with one more step.
fn then(value: &Value, step: Step) -> Option<Value> {
    let extend = |link: &[Step]| link.iter().copied().chain([step]).collect();
    match value {
        Value::Score(link) => Some(Value::Score(extend(link))),
        Value::Pair(link) => Some(Value::Pair(extend(link))),
        _ => None,
    }
}

/// Rounding a score to float and widening it are below the precision promised; rounding features
/// is not, for a feature may lie on a threshold.
fn cast(to: i64, value: &Value) -> Option<Value> {
    let float = to == DataType::Float as i64;
    let double = to == DataType::Double as i64;
    match value {
        Value::Features if float => Some(value.clone()),
        Value::Score(_) | Value::Pair(_) if float || double => Some(value.clone()),
        _ => None,
    }
}

fn scalar(value: &Value) -> Option<f64> {
    match value {
        Value::Constant(numbers) if numbers.len() == 1 => Some(numbers[0]),
        _ => None,
    }
}

fn arithmetic(operator: &str, inputs: &[Value]) -> Option<Value> {
    let [a, b] = inputs else { return None };
    let (scale, shift, value) = match (operator, scalar(a), scalar(b)) {
        ("Add", Some(c), None) => (1.0, c, b),
        ("Add", None, Some(c)) => (1.0, c, a),
        ("Sub", Some(c), None) => (-1.0, c, b),
        ("Sub", None, Some(c)) => (1.0, -c, a),
        ("Mul", Some(c), None) => (c, 0.0, b),
        ("Mul", None, Some(c)) => (c, 0.0, a),
        ("Div", None, Some(c)) if c != 0.0 => (1.0 / c, 0.0, a),
        _ => return None,
    };
    if (scale, shift) == (1.0, 0.0) {
        return matches!(value, Value::Score(_) | Value::Pair(_)).then(|| value.clone());
    }
    then(value, Step::Affine { scale, shift })
}

fn clip(node: &NodeProto, inputs: &[Value]) -> Option<Value> {
    let bound = |place: usize, name: &str, open: f64| match node.input.get(place) {
        Some(given) if !given.is_empty() => scalar(&inputs[place]),
        _ => Some(Attributes(node).float(name).unwrap_or(open)),
    };
    // A bound that is left open: beyond any sum that a link may carry into a probability.
    let lo = bound(1, "min", -1e30)?.max(-1e30);
    let hi = bound(2, "max", 1e30)?.min(1e30);
    then(inputs.first()?, Step::Clamp { lo, hi })
}

/// Picking one column of a pair, which must be its last, or the only column of a score.
fn pick(node: &NodeProto, inputs: &[Value]) -> Option<Value> {
    let attributes = Attributes(node);
    let list = |place: usize, name: &str| match inputs.get(place) {
        Some(Value::Constant(numbers)) => Some(numbers.clone()),
        Some(_) => None,
        None => Some(attributes.ints(name).iter().map(|&value| value as f64).collect()),
    };
    let column = match node.op_type.as_str() {
        "Gather" if !matches!(attributes.int("axis"), Some(1 | -1)) => return None,
        "Gather" | "ArrayFeatureExtractor" => scalar(inputs.get(1)?)?,
        _ => {
            let (starts, axes) = (list(1, "starts")?, list(3, "axes")?);
            let steps = list(4, "steps")?;
            let ends = list(2, "ends")?;
            let last_only = matches!(ends[..], [end] if end >= 2.0);
            if !(matches!(axes[..], [1.0] | [-1.0]) && matches!(steps[..], [] | [1.0]) && last_only)
            {
                return None;
            }
            *starts.first().filter(|_| starts.len() == 1)?
        }
    };
    match inputs.first()? {
        Value::Pair(link) if column == 1.0 || column == -1.0 => Some(Value::Score(link.clone())),
        Value::Score(link) if column == 0.0 || column == -1.0 => Some(Value::Score(link.clone())),
        Value::Pair(_) => Some(Value::Other(format!(
            "the first class, picked by {}, where the last must be the positive one",
            onnx::title(node)
        ))),
        _ => None,
    }
}

/// A number per row stays one in any shape; a pair must stay a pair.
fn reshape(node: &NodeProto, inputs: &[Value]) -> Option<Value> {
    let value = inputs.first()?;
    let flattens_columns =
        node.op_type == "Flatten" && Attributes(node).int("axis").unwrap_or(1) == 1;
    let keeps_pairs = match inputs.get(1) {
        Some(Value::Constant(shape)) if node.op_type == "Reshape" => {
            matches!(shape[..], [rows, 2.0] if rows <= 0.0)
        }
        _ => false,
    };
    match value {
        Value::Score(_) => Some(value.clone()),
        Value::Pair(_) if flattens_columns || keeps_pairs => Some(value.clone()),
        Value::Features if flattens_columns => Some(value.clone()),
        _ => None,
    }
}
