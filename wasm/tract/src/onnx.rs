//! Reading ONNX: the protobuf, typed attributes, and small constant tensors.
//!
//! Known limit: constants of interest are scalars and short lists (`MAX_CONSTANT` numbers); larger
//! or other tensors are not read here.

use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto,
    tensor_shape_proto::dimension, type_proto,
};
use tract_onnx::prelude::Framework;

const MAX_CONSTANT: usize = 16;

/// # Errors
/// When the bytes are not an ONNX model with a graph.
pub fn parse(bytes: &[u8]) -> Result<(ModelProto, GraphProto), String> {
    let mut reader = bytes;
    let mut model = tract_onnx::onnx()
        .proto_model_for_read(&mut reader)
        .map_err(|error| format!("the bytes must be an ONNX protobuf: {error:#}"))?;
    let graph = model.graph.take().filter(|graph| !graph.node.is_empty()).ok_or_else(|| {
        format!("the model must hold a graph with nodes, these {} bytes have none", bytes.len())
    })?;
    Ok((model, graph))
}

/// How error texts name a node.
pub fn title(node: &NodeProto) -> String {
    let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
    format!("{} node {:?}", node.op_type, name.map_or("", String::as_str))
}

/// The graph's one input that is not an initializer, and its width.
///
/// # Errors
/// When that is not one float matrix [N, features].
pub fn input(graph: &GraphProto) -> Result<(&ValueInfoProto, usize), String> {
    let given = |input: &&ValueInfoProto| graph.initializer.iter().all(|t| t.name != input.name);
    let inputs: Vec<_> = graph.input.iter().filter(given).collect();
    let [input] = inputs[..] else {
        let names: Vec<_> = inputs.iter().map(|input| &input.name).collect();
        return Err(format!("the graph must have one input, it has {}: {names:?}", inputs.len()));
    };
    let wrong = |what: String| {
        format!("input {:?}: it must be a float matrix [N, features], {what}", input.name)
    };
    if element_type(input) != DataType::Float {
        return Err(wrong(format!("its element type is {:?}", element_type(input))));
    }
    match dimensions(input)[..] {
        [_, Some(width)] if width > 0 => Ok((input, width)),
        ref other => Err(wrong(format!("its shape is {other:?}"))),
    }
}

/// The declared element type; undefined for what is no tensor.
pub fn element_type(value: &ValueInfoProto) -> DataType {
    match tensor_type(value) {
        Some(tensor) => DataType::try_from(tensor.elem_type).unwrap_or(DataType::Undefined),
        None => DataType::Undefined,
    }
}

/// The declared dimensions, none where one is symbolic; empty when no shape is declared.
pub fn dimensions(value: &ValueInfoProto) -> Vec<Option<usize>> {
    let shape = tensor_type(value).and_then(|tensor| tensor.shape.as_ref());
    let size = |dim: &dimension::Value| match dim {
        dimension::Value::DimValue(size) => usize::try_from(*size).ok(),
        dimension::Value::DimParam(_) => None,
    };
    shape.map_or_else(Vec::new, |shape| {
        shape.dim.iter().map(|dim| dim.value.as_ref().and_then(size)).collect()
    })
}

fn tensor_type(value: &ValueInfoProto) -> Option<&type_proto::Tensor> {
    let type_proto::Value::TensorType(tensor) = value.r#type.as_ref()?.value.as_ref()?;
    Some(tensor)
}

/// A node's attributes by name. An absent list is empty, as in ONNX.
#[derive(Clone, Copy)]
pub struct Attributes<'a>(pub &'a NodeProto);

impl<'a> Attributes<'a> {
    pub fn find(self, name: &str) -> Option<&'a AttributeProto> {
        self.0.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub fn floats(self, name: &str) -> &'a [f32] {
        self.find(name).map_or(&[], |attribute| &attribute.floats)
    }

    pub fn ints(self, name: &str) -> &'a [i64] {
        self.find(name).map_or(&[], |attribute| &attribute.ints)
    }

    pub fn strings(self, name: &str) -> &'a [Vec<u8>] {
        self.find(name).map_or(&[], |attribute| &attribute.strings)
    }

    pub fn int(self, name: &str) -> Option<i64> {
        self.find(name).map(|attribute| attribute.i)
    }

    pub fn float(self, name: &str) -> Option<f64> {
        self.find(name).map(|attribute| attribute.f.into())
    }

    pub fn string(self, name: &str, default: &'static str) -> &'a str {
        let text = self.find(name).map_or(default.as_bytes(), |attribute| &attribute.s);
        std::str::from_utf8(text).unwrap_or("(not UTF-8)")
    }
}

/// The numbers of a small constant tensor; none for one that is large, external or of other types.
pub fn numbers(tensor: &TensorProto) -> Option<Vec<f64>> {
    let count = tensor
        .dims
        .iter()
        .try_fold(1usize, |count, &dim| count.checked_mul(usize::try_from(dim).ok()?))?;
    if count > MAX_CONSTANT || tensor.data_location == Some(DataLocation::External as i32) {
        return None;
    }
    let raw = &tensor.raw_data;
    let values: Vec<f64> = match DataType::try_from(tensor.data_type).ok()? {
        DataType::Float if raw.is_empty() => tensor.float_data.iter().map(|&x| x.into()).collect(),
        DataType::Float => words(raw, |word| f32::from_le_bytes(word).into()),
        DataType::Double if raw.is_empty() => tensor.double_data.clone(),
        DataType::Double => words(raw, f64::from_le_bytes),
        DataType::Int64 if raw.is_empty() => tensor.int64_data.iter().map(|&x| x as f64).collect(),
        DataType::Int64 => words(raw, |word| i64::from_le_bytes(word) as f64),
        DataType::Int32 if raw.is_empty() => tensor.int32_data.iter().map(|&x| x.into()).collect(),
        DataType::Int32 => words(raw, |word| i32::from_le_bytes(word).into()),
        _ => return None,
    };
    (values.len() == count).then_some(values)
}

fn words<const N: usize>(raw: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    let (words, _) = raw.as_chunks::<N>();
    words.iter().map(|&word| read(word)).collect()
}
