//! A set of forests over one feature matrix: quantised once, each scored by the kernels it needs.
//!
//! Trees up to `tournament::MAX_DEPTH` go to the tournament kernels, deeper ones to the bit kernel, tree
//! by tree; see docs/engine.md for the measurements. Sums are exact (`tree`), so a row has the same probability, to the bit, alone and in a batch.

use std::cell::{OnceCell, RefCell};

use prescore_forest::Forest;

use crate::bits::BitGroup;
use crate::lanes::{Block, LaneGroup, ROWS, SIDES};
use crate::quantise::{self, Quantiser};
use crate::row::Tables;
use crate::shap::Explainer;
use crate::simd::LANES;
use crate::tournament::MAX_DEPTH;
use crate::tree::{self, Tree};

/// Blocks that go through a forest together: the masks of deep trees, megabytes, are read once for all of them.
const BLOCKS: usize = 64;

/// With fewer rows than this one at a time is faster than a block.
const FEW: usize = 40;

/// A forest of a set.
pub struct Model {
    pub forest: Forest,
    pub trees: Vec<Tree>,
    /// The base and the trees that are a single leaf.
    pub constant: f64,
    /// Made when it is first asked for.
    explainer: OnceCell<Result<Explainer, String>>,
    /// The step of the leaf values.
    step: f64,
    lanes: Vec<LaneGroup>,
    bits: Vec<BitGroup>,
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
        let (quantiser, places) = Quantiser::new(features as usize, &forests);
        let mut rest = &places[..];
        let model = |(index, forest): (usize, Forest)| {
            let (places, others) = rest.split_at(forest.nodes.len());
            rest = others;
            Model::new(forest, places, &quantiser).map_err(|text| format!("forest {index}: {text}"))
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
                *sum = model.sum_row(&scratch.row, (&mut scratch.tables, &mut scratch.narrow));
            }
        }
    }

    fn sum_blocks(&self, matrix: &[f32], scratch: &mut Scratch, out: &mut [f64]) {
        let (features, models) = (self.features(), self.models.len());
        let mut ranks = vec![[0; ROWS]; features * BLOCKS];
        let parts =
            matrix.chunks(BLOCKS * ROWS * features).zip(out.chunks_mut(BLOCKS * ROWS * models));
        for (rows, out) in parts {
            let blocks = rows.chunks(ROWS * features);
            let ranks = &mut ranks[..blocks.len() * features];
            for (rows, ranks) in blocks.zip(ranks.chunks_exact_mut(features)) {
                self.rank_block(rows, ranks);
            }
            for (index, model) in self.models.iter().enumerate() {
                let sums = model.sum_blocks(ranks, features, scratch);
                for (out, sum) in out.chunks_exact_mut(models).zip(sums) {
                    out[index] = *sum;
                }
            }
        }
    }

    /// Ranks of a block, `ROWS` for each feature; of the rows that are not there those are of 0.
    fn rank_block(&self, rows: &[f32], ranks: &mut [[u32; ROWS]]) {
        let features = self.features();
        for (feature, ranks) in ranks.iter_mut().enumerate() {
            for (row, rank) in ranks.iter_mut().enumerate() {
                let cell = rows.get(row * features + feature).copied().unwrap_or(0.0);
                *rank = self.quantiser.rank(feature, cell);
            }
        }
    }
}

/// Space that the kernels fill anew for each row or block of rows.
struct Scratch {
    row: Vec<u32>,
    tables: Tables,
    narrow: Vec<u16>,
    block: Box<Block>,
    sums: Vec<f64>,
}

impl Scratch {
    fn new(features: usize) -> Self {
        let block = Box::new([[[0; LANES]; ROWS / LANES]; SIDES]);
        Self {
            row: vec![0; features],
            tables: Default::default(),
            narrow: Vec::new(),
            block,
            sums: Vec::new(),
        }
    }
}

impl Model {
    fn new(forest: Forest, places: &[u32], quantiser: &Quantiser) -> Result<Self, String> {
        let (trees, base, step) = tree::trees(&forest, places);
        let of_depth = |depths: std::ops::RangeInclusive<usize>| -> Vec<usize> {
            (0..trees.len()).filter(|&index| depths.contains(&trees[index].depth)).collect()
        };
        let constants = of_depth(0..=0).into_iter().map(|index| trees[index].constant());
        let (shallow, deep) = (of_depth(1..=MAX_DEPTH), of_depth(MAX_DEPTH + 1..=usize::MAX));
        let shallow = quantise::group(&shallow, &trees, quantiser)?;
        let deep = quantise::group(&deep, &trees, quantiser)?;
        Ok(Self {
            constant: base + constants.sum::<f64>(),
            step,
            lanes: shallow.into_iter().map(|group| LaneGroup::new(group, &trees, step)).collect(),
            bits: deep
                .into_iter()
                .map(|group| BitGroup::new(group, &trees))
                .collect::<Result<_, _>>()?,
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

    fn sum_row(&self, ranks: &[u32], (tables, narrow): (&mut Tables, &mut Vec<u16>)) -> f64 {
        let lanes = self.lanes.iter().map(|group| group.sum_row(ranks, tables)).sum::<f64>();
        let mut sum = [self.constant + lanes];
        for group in &self.bits {
            narrow.resize(group.columns(), 0);
            group.narrow(|feature| ranks[feature], narrow);
            group.add(narrow, &mut sum);
        }
        sum[0]
    }

    /// Raw sums of blocks of rows, from the ranks of each block's features.
    fn sum_blocks<'a>(
        &self,
        ranks: &[[u32; ROWS]],
        features: usize,
        scratch: &'a mut Scratch,
    ) -> &'a [f64] {
        let Scratch { block, narrow, sums, .. } = scratch;
        sums.clear();
        for ranks in ranks.chunks_exact(features) {
            let mut steps = [0; ROWS];
            for group in &self.lanes {
                group.fill(ranks, block);
                group.add_rows(block, &mut steps);
            }
            sums.extend(steps.map(|steps| self.constant + steps as f64 * self.step));
        }
        for group in &self.bits {
            narrow.resize(group.columns() * sums.len(), 0);
            let rows = ranks
                .chunks_exact(features)
                .flat_map(|ranks| (0..ROWS).map(move |row| (ranks, row)));
            for ((ranks, row), narrow) in rows.zip(narrow.chunks_exact_mut(group.columns())) {
                group.narrow(|feature| ranks[feature][row], narrow);
            }
            group.add(narrow, sums);
        }
        sums
    }
}
