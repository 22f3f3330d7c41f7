//! A set of forests over one feature matrix: quantised once, each scored by the kernels it needs.
//!
//! Trees up to `tournament::MAX_DEPTH` go to the tournament kernels, deeper ones to the walk, tree by
//! tree; see docs/engine.md for the measurements. Sums are exact (`tree`), so a row has the same
//! probability, to the bit, alone and in a batch.

use std::cell::{OnceCell, RefCell};

use prescore_forest::Forest;

use crate::lanes::{Block, LaneGroup, Masks, ROWS};
use crate::quantise::{self, Quantiser, SEARCHES};
use crate::shap::Explainer;
use crate::simd::{self, LANES};
use crate::tournament::MAX_DEPTH;
use crate::tree::{self, Tree};
use crate::walk::{WALKS, WalkGroup};

/// Blocks that pass through a tree before the next tree.
const BLOCKS: usize = 2;

/// With fewer rows than this one at a time is faster than a block.
const FEW: usize = 24;

/// A forest of a set.
pub struct Model {
    pub forest: Forest,
    pub trees: Vec<Tree>,
    /// The base and the trees that are a single leaf.
    pub constant: f64,
    /// Made when it is first asked for.
    explainer: OnceCell<Result<Explainer, String>>,
    lanes: Vec<LaneGroup>,
    walks: Vec<WalkGroup>,
}

pub struct ForestSet {
    pub quantiser: Quantiser,
    pub models: Vec<Model>,
    scratch: RefCell<Scratch>,
}

impl ForestSet {
    /// Lays out forests that `Forest::decode` gave.
    ///
    /// # Errors
    /// When the set is empty, its forests differ in features, or a tree has too many thresholds.
    pub fn new(forests: Vec<Forest>) -> Result<Self, String> {
        let Some(first) = forests.first() else {
            return Err("a set must have at least one forest, it has none".into());
        };
        let features = first.features;
        if let Some((index, other)) =
            forests.iter().enumerate().find(|(_, forest)| forest.features != features)
        {
            return Err(format!(
                "forest {index}: it must read {features} features as the first one, it reads {}",
                other.features
            ));
        }
        let quantiser = Quantiser::new(features as usize, forests.iter());
        let model = |(index, forest)| {
            Model::new(forest, &quantiser).map_err(|text| format!("forest {index}: {text}"))
        };
        let models = forests.into_iter().enumerate().map(model).collect::<Result<_, _>>()?;
        let scratch = RefCell::new(Scratch::new(features as usize));
        Ok(Self { quantiser, models, scratch })
    }

    /// # Errors
    /// When the set has no forest of that number.
    pub fn model(&self, index: u32) -> Result<&Model, String> {
        self.models.get(index as usize).ok_or_else(|| {
            format!("no forest {index} is in the set: it must be below {}", self.models.len())
        })
    }

    /// Features of a row.
    pub fn features(&self) -> usize {
        self.quantiser.features()
    }

    /// Probabilities, row-major rows by models, of a row-major matrix of rows by features.
    pub fn score(&self, matrix: &[f32], out: &mut [f64]) {
        self.raw_sums(matrix, out);
        for row in out.chunks_exact_mut(self.models.len()) {
            for (value, model) in row.iter_mut().zip(&self.models) {
                *value = model.forest.probability(*value);
            }
        }
    }

    /// As `score`, before the link.
    pub fn raw_sums(&self, matrix: &[f32], out: &mut [f64]) {
        let (features, models) = (self.features(), self.models.len());
        let rows = out.len() / models;
        let few = if rows % ROWS < FEW { rows % ROWS } else { 0 };
        let (blocks, singles) = matrix.split_at((rows - few) * features);
        let (block_sums, single_sums) = out.split_at_mut((rows - few) * models);
        let scratch = &mut *self.scratch.borrow_mut();
        if !blocks.is_empty() {
            self.sum_blocks(blocks, scratch, block_sums);
        }
        let singles = singles.chunks_exact(features).zip(single_sums.chunks_exact_mut(models));
        for (row, sums) in singles {
            self.quantiser.row_ranks(row, &mut scratch.row);
            for (sum, model) in sums.iter_mut().zip(&self.models) {
                *sum = model.sum_row(&scratch.row, &mut scratch.masks);
            }
        }
    }

    fn sum_blocks(&self, matrix: &[f32], scratch: &mut Scratch, out: &mut [f64]) {
        let (features, models) = (self.features(), self.models.len());
        let mut ranks = vec![[0; ROWS]; features * BLOCKS];
        let chunks =
            matrix.chunks(ROWS * BLOCKS * features).zip(out.chunks_mut(ROWS * BLOCKS * models));
        for (rows, out) in chunks {
            let blocks = rows.len().div_ceil(ROWS * features);
            for (rows, ranks) in rows.chunks(ROWS * features).zip(ranks.chunks_mut(features)) {
                self.rank_block(rows, ranks);
            }
            for (index, model) in self.models.iter().enumerate() {
                let mut sums = [[0.0; ROWS]; BLOCKS];
                model.sum_blocks(&ranks[..blocks * features], scratch, &mut sums[..blocks]);
                for (out, sum) in out.chunks_exact_mut(models).zip(sums.as_flattened()) {
                    out[index] = *sum;
                }
            }
        }
    }

    /// Ranks of a block, `ROWS` for each feature; of the rows that are not there those are of 0.
    fn rank_block(&self, rows: &[f32], ranks: &mut [[u32; ROWS]]) {
        let features = self.features();
        for (feature, ranks) in ranks.iter_mut().enumerate() {
            let (parts, _) = ranks.as_chunks_mut::<SEARCHES>();
            for (rows, ranks) in rows.chunks(SEARCHES * features).zip(parts) {
                let cell = |row| rows.get(row * features + feature).copied().unwrap_or(0.0);
                *ranks = self.quantiser.ranks(feature, std::array::from_fn(cell));
            }
        }
    }
}

/// Space that the kernels fill anew for each row or chunk of rows.
struct Scratch {
    row: Vec<u32>,
    masks: Masks,
    blocks: Vec<Block>,
    columns: Vec<[u16; WALKS]>,
}

impl Scratch {
    fn new(features: usize) -> Self {
        Self {
            row: vec![0; features],
            masks: [simd::Lanes::splat(0); 1 << MAX_DEPTH],
            blocks: vec![[[[0; LANES]; ROWS / LANES]; 256]; BLOCKS],
            columns: Vec::new(),
        }
    }
}

impl Model {
    fn new(forest: Forest, quantiser: &Quantiser) -> Result<Self, String> {
        let (trees, base) = tree::trees(&forest, quantiser);
        let of_depth = |depths: std::ops::RangeInclusive<usize>| -> Vec<usize> {
            (0..trees.len()).filter(|&index| depths.contains(&trees[index].depth)).collect()
        };
        let constants = of_depth(0..=0).into_iter().map(|index| trees[index].constant());
        let shallow = quantise::group(&of_depth(1..=MAX_DEPTH), &trees, quantiser)?;
        let deep = quantise::group(&of_depth(MAX_DEPTH + 1..=usize::MAX), &trees, quantiser)?;
        Ok(Self {
            constant: base + constants.sum::<f64>(),
            lanes: shallow.into_iter().map(|group| LaneGroup::new(group, &trees)).collect(),
            walks: deep.into_iter().map(|group| WalkGroup::new(group, &trees)).collect(),
            explainer: OnceCell::new(),
            forest,
            trees,
        })
    }

    /// What explains this model's scores.
    ///
    /// # Errors
    /// When the covers are not known.
    pub fn explainer(&self) -> Result<&Explainer, String> {
        self.explainer.get_or_init(|| Explainer::new(self)).as_ref().map_err(String::clone)
    }

    fn sum_row(&self, ranks: &[u32], masks: &mut Masks) -> f64 {
        let lanes = self.lanes.iter().map(|group| group.sum_row(ranks, masks)).sum::<f64>();
        let walks = self.walks.iter().map(|group| group.sum_row(ranks)).sum::<f64>();
        self.constant + lanes + walks
    }

    /// Raw sums of blocks of rows; `ranks` holds each block's features in turn.
    fn sum_blocks(&self, ranks: &[[u32; ROWS]], scratch: &mut Scratch, sums: &mut [[f64; ROWS]]) {
        sums.as_flattened_mut().fill(self.constant);
        let features = ranks.len() / sums.len();
        for group in &self.lanes {
            let blocks = &mut scratch.blocks[..sums.len()];
            for (ranks, block) in ranks.chunks_exact(features).zip(blocks.iter_mut()) {
                group.fill(ranks, block);
            }
            group.add_rows(blocks, sums);
        }
        for group in &self.walks {
            scratch.columns.clear();
            scratch.columns.resize(group.columns(), [0; WALKS]);
            for (ranks, sums) in ranks.chunks_exact(features).zip(sums.iter_mut()) {
                for (part, sums) in sums.chunks_exact_mut(WALKS).enumerate() {
                    group.add_rows(ranks, part * WALKS, &mut scratch.columns, sums);
                }
            }
        }
    }
}
