//! Bytes of a forest file. Reading settles the layout; `check` settles the meaning.

use crate::check::within;
use crate::{Branch, Forest, Kind, MAX_FEATURES, MAX_NODES, MAX_STEPS, MAX_TREES, Node, Step};

const MAGIC: &[u8; 8] = b"PSFOREST";
const VERSION: u32 = 1;

const STEP_BYTES: usize = 20;
const ROOT_BYTES: usize = 4;
const NODE_BYTES: usize = 20;
const HEADER_BYTES: usize = 8 + 5 * 4 + 32 + 8;

const AFFINE: u32 = 1;
const SIGMOID: u32 = 2;
const CLAMP: u32 = 3;

const LEAF: u16 = 1;
const MISSING_LEFT: u16 = 2;

/// The bytes of a forest that passed `check`.
pub fn write(forest: &Forest) -> Vec<u8> {
    let mut out = Vec::with_capacity(
        HEADER_BYTES
            + forest.link.len() * STEP_BYTES
            + forest.roots.len() * ROOT_BYTES
            + forest.nodes.len() * NODE_BYTES,
    );
    out.extend(MAGIC);
    let counts = [forest.roots.len(), forest.nodes.len(), forest.link.len()];
    for word in [VERSION, forest.features].into_iter().chain(counts.map(|count| count as u32)) {
        out.extend(word.to_le_bytes());
    }
    out.extend(forest.onnx_sha256);
    out.extend(forest.base.to_le_bytes());
    for step in &forest.link {
        let (kind, a, b) = match *step {
            Step::Affine { scale, shift } => (AFFINE, scale, shift),
            Step::Sigmoid => (SIGMOID, 0.0, 0.0),
            Step::Clamp { lo, hi } => (CLAMP, lo, hi),
        };
        out.extend(kind.to_le_bytes());
        out.extend(a.to_le_bytes());
        out.extend(b.to_le_bytes());
    }
    for root in &forest.roots {
        out.extend(root.to_le_bytes());
    }
    for node in &forest.nodes {
        write_node(&mut out, *node);
    }
    out
}

fn write_node(out: &mut Vec<u8>, node: Node) {
    let (feature, flags, value, left, right) = match node.kind {
        Kind::Leaf { value } => (0, LEAF, value, 0, 0),
        Kind::Branch(Branch { feature, threshold, left, right, missing_left }) => {
            (feature, if missing_left { MISSING_LEFT } else { 0 }, threshold, left, right)
        }
    };
    out.extend(feature.to_le_bytes());
    out.extend(flags.to_le_bytes());
    out.extend(value.to_le_bytes());
    out.extend(left.to_le_bytes());
    out.extend(right.to_le_bytes());
    out.extend(node.cover.to_le_bytes());
}

/// # Errors
/// When the bytes are not laid out as a forest file.
pub fn read(bytes: &[u8]) -> Result<Forest, String> {
    let mut reader = Reader { bytes, at: 0 };
    let magic: [u8; 8] = reader.take("magic")?;
    if magic != *MAGIC {
        return Err(format!("magic: a forest file must begin with PSFOREST, not {magic:02x?}"));
    }
    let version = reader.u32("format version")?;
    if version != VERSION {
        return Err(format!("format version: it must be {VERSION}, it is {version}"));
    }
    let features = reader.u32("features")?;
    within("features", features as usize, MAX_FEATURES)?;
    let trees = reader.count("trees", MAX_TREES)?;
    let nodes = reader.count("nodes", MAX_NODES)?;
    let steps = reader.count("link steps", MAX_STEPS)?;
    let expected = HEADER_BYTES + steps * STEP_BYTES + trees * ROOT_BYTES + nodes * NODE_BYTES;
    if bytes.len() != expected {
        return Err(format!(
            "length: {trees} trees of {nodes} nodes with {steps} link steps must take {expected} \
             bytes, there are {}",
            bytes.len()
        ));
    }
    Ok(Forest {
        onnx_sha256: reader.take("onnx_sha256")?,
        features,
        base: reader.f64("base")?,
        link: (0..steps).map(|_| reader.step()).collect::<Result<_, _>>()?,
        roots: (0..trees).map(|_| reader.u32("root")).collect::<Result<_, _>>()?,
        nodes: reader.nodes()?,
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self, what: &str) -> Result<[u8; N], String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (head, _) = rest.split_first_chunk::<N>().ok_or_else(|| {
            let (at, left) = (self.at, rest.len());
            format!("{what}: {N} bytes must follow at offset {at}, the file has {left} more")
        })?;
        self.at += N;
        Ok(*head)
    }

    fn u32(&mut self, what: &str) -> Result<u32, String> {
        self.take(what).map(u32::from_le_bytes)
    }

    fn f64(&mut self, what: &str) -> Result<f64, String> {
        self.take(what).map(f64::from_le_bytes)
    }

    fn count(&mut self, what: &str, limit: usize) -> Result<usize, String> {
        let count = self.u32(what)? as usize;
        within(what, count, limit)?;
        Ok(count)
    }

    fn step(&mut self) -> Result<Step, String> {
        let offset = self.at;
        let (kind, a, b) = (self.u32("link step")?, self.f64("link step")?, self.f64("link step")?);
        match kind {
            AFFINE => Ok(Step::Affine { scale: a, shift: b }),
            SIGMOID if a.to_bits() == 0 && b.to_bits() == 0 => Ok(Step::Sigmoid),
            SIGMOID => Err(format!(
                "link step at offset {offset}: a sigmoid's parameters must be 0, they are {a}, {b}"
            )),
            CLAMP => Ok(Step::Clamp { lo: a, hi: b }),
            _ => Err(format!(
                "link step at offset {offset}: the kind must be 1 (affine), 2 (sigmoid) or 3 \
                 (clamp), it is {kind}"
            )),
        }
    }

    /// What is left, as nodes; the length is checked.
    fn nodes(&mut self) -> Result<Vec<Node>, String> {
        let (files, _) = self.bytes[self.at..].as_chunks::<NODE_BYTES>();
        let mut nodes = Vec::with_capacity(files.len());
        for bytes in files {
            let read = node(bytes).map_err(|text| format!("node at offset {}: {text}", self.at))?;
            nodes.push(read);
            self.at += NODE_BYTES;
        }
        Ok(nodes)
    }
}

/// Nodes are nearly all of a file, so each is read as a whole.
#[inline(always)]
fn node(bytes: &[u8; NODE_BYTES]) -> Result<Node, String> {
    let half = |at| u16::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]));
    let word = |at| u32::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]));
    let (feature, flags, value) = (half(0), half(2), f32::from_bits(word(4)));
    let (left, right, cover) = (word(8), word(12), f32::from_bits(word(16)));
    let kind = match flags {
        LEAF if feature == 0 && left == 0 && right == 0 => Kind::Leaf { value },
        LEAF => {
            return Err(format!(
                "a leaf's feature and children must be 0, they are {feature}, {left}, {right}"
            ));
        }
        0 | MISSING_LEFT => {
            let missing_left = flags == MISSING_LEFT;
            Kind::Branch(Branch { feature, threshold: value, left, right, missing_left })
        }
        _ => {
            return Err(format!(
                "the flags must be 0, 1 (leaf) or 2 (a missing value goes left), they are {flags}"
            ));
        }
    };
    Ok(Node { cover, kind })
}
