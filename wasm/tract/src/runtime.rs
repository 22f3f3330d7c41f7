//! Running a graph that is not a forest, with tract.
//!
//! Why the graph is cut down first: converters add a label, and a ZipMap that makes dictionaries,
//! beside the probabilities. Only what the probability output needs is kept; names are checked,
//! for tract takes it for granted that they resolve. A probe at load settles the output's shape.
//!
//! Known limits: no tree ensembles (compile them), no operators with sub-graphs.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, ModelProto, TypeProto, ValueInfoProto, type_proto};
use tract_onnx::prelude::*;

use crate::{graph, onnx};

/// Rows of the probe: unlike any number of columns that an output may have.
const PROBE_ROWS: usize = 3;

/// Rows that run at once through a graph that takes any number of them.
const MAX_BATCH: usize = 1024;

/// How far outside [0, 1] a graph's arithmetic in floats may land.
const ROUNDING: f64 = 1e-5;

/// A graph ready to run.
pub struct Graph {
    plan: Arc<TypedRunnableModel>,
    features: usize,
    /// The number of rows that the graph insists on, when it does.
    fixed_batch: Option<usize>,
}

impl Graph {
    /// Loads a graph for matrices of `features` columns.
    ///
    /// # Errors
    /// When the bytes are no ONNX, the input has another width, an operator is unknown, or the
    /// output is not one probability per row.
    pub fn load(bytes: &[u8], features: usize) -> Result<Self, String> {
        Self::prepare(bytes, features).map_err(|text| format!("Cannot load ONNX: {text}"))
    }

    fn prepare(bytes: &[u8], features: usize) -> Result<Self, String> {
        let (mut model, graph) = onnx::parse(bytes)?;
        if let Some(node) = graph::ensembles(&graph).next() {
            let title = onnx::title(node);
            return Err(format!("{title}: a tree ensemble must be compiled, it is not run here"));
        }
        let (input, width) = onnx::input(&graph)?;
        if width != features {
            return Err(format!(
                "input {:?}: its width must be that of the matrix, {features}, it is {width}",
                input.name
            ));
        }
        let fixed_batch = onnx::dimensions(input)[0];
        if fixed_batch.is_some_and(|rows| !(1..=MAX_BATCH).contains(&rows)) {
            return Err(format!("input {:?}: its rows must be 1 to {MAX_BATCH}", input.name));
        }
        model.graph = Some(cut_down(graph)?);
        let plan = plan(&model, fixed_batch, features).map_err(|error| format!("{error:#}"))?;
        let graph = Self { plan, features, fixed_batch };
        let rows = fixed_batch.unwrap_or(PROBE_ROWS);
        let mut out = vec![0.0; rows];
        graph.run(&vec![0.0; rows * features], &mut out)?;
        Ok(graph)
    }

    /// Columns of the matrix that the graph takes.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Probabilities of the last class: one per row of a row-major matrix of `out.len()` rows.
    ///
    /// # Errors
    /// When the graph fails, or gives anything but one probability per row.
    pub fn run(&self, matrix: &[f32], out: &mut [f64]) -> Result<(), String> {
        let batch = self.fixed_batch.unwrap_or(MAX_BATCH);
        let batches = matrix.chunks(batch * self.features).zip(out.chunks_mut(batch));
        for (index, (rows, out)) in batches.enumerate() {
            self.run_batch(rows, out).map_err(|text| format!("Cannot run ONNX: {text}"))?;
            check(out, index * batch)?;
        }
        Ok(())
    }

    fn run_batch(&self, rows: &[f32], out: &mut [f64]) -> Result<(), String> {
        let count = self.fixed_batch.unwrap_or(out.len());
        let mut padded = rows.to_vec();
        padded.resize(count * self.features, 0.0);
        let explain = |error: TractError| format!("{error:#}");
        let input = Tensor::from_shape(&[count, self.features], &padded).map_err(explain)?;
        let outputs = self.plan.run(tvec!(input.into())).map_err(explain)?;
        let output = &outputs[0];
        let columns = match *output.shape() {
            [n] if n == count => 1,
            [n, columns @ 1..=2] if n == count => columns,
            ref shape => {
                return Err(format!(
                    "the output of {count} rows must have the shape [{count}], [{count}, 1] or \
                     [{count}, 2], it has {shape:?}"
                ));
            }
        };
        let output = output.cast_to::<f64>().map_err(explain)?;
        let values =
            output.try_as_plain_ram().and_then(|plain| plain.as_slice::<f64>().map(<[_]>::to_vec));
        let values = values.map_err(explain)?;
        for (slot, row) in out.iter_mut().zip(values.chunks_exact(columns)) {
            *slot = row[columns - 1];
        }
        Ok(())
    }
}

/// # Errors
/// When a value is not a probability. Clamps what is one but for rounding.
fn check(out: &mut [f64], first_row: usize) -> Result<(), String> {
    for (value, row) in out.iter_mut().zip(first_row..) {
        if !(-ROUNDING..=1.0 + ROUNDING).contains(value) {
            return Err(format!(
                "Cannot run ONNX: the output of row {row} must be a probability, within 0..1, it \
                 is {value}"
            ));
        }
        *value = value.clamp(0.0, 1.0);
    }
    Ok(())
}

fn plan(
    model: &ModelProto,
    fixed_batch: Option<usize>,
    features: usize,
) -> TractResult<Arc<TypedRunnableModel>> {
    let mut inference = onnx().model_for_proto_model(model)?;
    let rows = match fixed_batch {
        Some(rows) => rows.to_dim(),
        None => inference.symbols.sym("N").to_dim(),
    };
    inference.set_input_fact(0, f32::fact([rows, features.to_dim()]).into())?;
    inference.into_optimized()?.into_runnable()
}

/// The graph with the one probability output and only the nodes that it needs.
fn cut_down(mut graph: GraphProto) -> Result<GraphProto, String> {
    let mut makers = HashMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            if makers.insert(output.clone(), index).is_some() {
                return Err(format!("value {output:?}: one node must make it, two do"));
            }
        }
    }
    let output = probability_output(&graph, &makers)?;
    let given: HashSet<String> = graph
        .initializer
        .iter()
        .map(|tensor| tensor.name.clone())
        .chain(graph.input.iter().map(|input| input.name.clone()))
        .collect();
    let mut needed = HashSet::new();
    let mut names = vec![output.name.clone()];
    while let Some(name) = names.pop() {
        let Some(&index) = makers.get(&name) else {
            if given.contains(&name) {
                continue;
            }
            return Err(format!("value {name:?}: a node, input or initializer must make it"));
        };
        if needed.insert(index) {
            let node = &graph.node[index];
            if node.attribute.iter().any(|item| item.g.is_some() || !item.graphs.is_empty()) {
                return Err(format!("{}: it must not have a sub-graph", onnx::title(node)));
            }
            names.extend(node.input.iter().filter(|name| !name.is_empty()).cloned());
        }
    }
    let mut index = 0..;
    graph.node.retain(|_| index.next().is_some_and(|index| needed.contains(&index)));
    graph.output = vec![output];
    Ok(graph)
}

/// The one output of floats, as the value that a ZipMap takes when it comes from one.
fn probability_output(
    graph: &GraphProto,
    makers: &HashMap<String, usize>,
) -> Result<ValueInfoProto, String> {
    let mut found = Vec::new();
    for output in &graph.output {
        let maker = makers.get(&output.name).map(|&index| &graph.node[index]);
        match maker.filter(|node| node.op_type == "ZipMap") {
            Some(node) => found.push(float(node.input.first().cloned().unwrap_or_default())),
            None if [DataType::Float, DataType::Double].contains(&onnx::element_type(output)) => {
                found.push(output.clone());
            }
            None => {}
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        count => Err(format!("the graph must have one output of floats, it has {count}")),
    }
}

fn float(name: String) -> ValueInfoProto {
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: None };
    let value = Some(type_proto::Value::TensorType(tensor));
    let r#type = Some(TypeProto { value, ..TypeProto::default() });
    ValueInfoProto { name, r#type, ..ValueInfoProto::default() }
}
