//! Sweeps: every model's probability over all amounts and terms that one client may ask for.
//!
//! All of a client's row is fixed but the amount, the term and what derives from them. First each
//! tree is cut down to the splits that these can reach. Then, at one term, every free column is
//! monotone in the amount, so each split sends the amounts up to some grid point one way and the
//! rest the other: a tree is a few intervals of the grid, each with a leaf. The leaves are added up as
//! differences at the intervals' ends. Sums of leaves are exact (`tree`), so these are, to the bit,
//! what scoring every cell would give.
//!
//! Known limits: `MAX_AMOUNTS`, `MAX_TERMS`; an amount is a point of the grid.

use prescore_forest::Kind;

use crate::quantise::Quantiser;
use crate::set::{ForestSet, Model};

/// Points of the grid of amounts.
pub const MAX_AMOUNTS: usize = 1_000_000;
pub const MAX_TERMS: usize = 1024;

/// What is swept.
#[derive(Clone, Debug)]
pub struct Request {
    /// The client's features; those of free columns are not read.
    pub row: Vec<f32>,
    pub amount_column: usize,
    pub term_column: usize,
    /// The grid: `least + index * step`, computed in doubles and rounded to a float.
    pub least: f64,
    pub step: f64,
    pub amounts: usize,
    pub terms: Vec<f32>,
    /// Columns computed from others, in this order.
    pub derived: Vec<Derived>,
}

#[derive(Clone, Debug)]
pub struct Derived {
    pub operation: Operation,
    pub of: [usize; 2],
    pub column: usize,
}

#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// The first by the second where that is above 0, otherwise missing.
    Ratio,
    /// The first minus the second.
    Difference,
}

/// The probabilities of a model at a term: from each start, an index of an amount, up to the next.
#[derive(Default)]
pub struct Pieces {
    pub starts: Vec<u32>,
    pub probabilities: Vec<f64>,
}

impl Request {
    /// # Errors
    /// When it does not fit a set of that many features, or a limit.
    fn check(&self, features: usize) -> Result<(), String> {
        let columns = [self.amount_column, self.term_column].into_iter();
        let derived = self.derived.iter().flat_map(|item| [item.of[0], item.of[1], item.column]);
        if let Some(column) = columns.chain(derived).find(|&column| column >= features) {
            return Err(format!("a column must be below {features}, it is {column}"));
        }
        if self.row.len() != features {
            let found = self.row.len();
            return Err(format!("the row must have {features} features, it has {found}"));
        }
        if self.amount_column == self.term_column {
            return Err("the amount and the term must be two columns".into());
        }
        let taken = |item: &Derived| [self.amount_column, self.term_column].contains(&item.column);
        if self.derived.iter().any(taken) {
            return Err("the amount and the term must not be derived columns".into());
        }
        let within = |what: &str, count: usize, most: usize| match count {
            _ if (1..=most).contains(&count) => Ok(()),
            _ => Err(format!("the number of {what} must be 1 to {most}, it is {count}")),
        };
        within("amounts", self.amounts, MAX_AMOUNTS)?;
        within("terms", self.terms.len(), MAX_TERMS)?;
        let last = self.least + self.step * self.amounts as f64;
        if !(self.step > 0.0 && self.least.is_finite() && last.is_finite()) {
            return Err("the amounts must be finite and their step above 0".into());
        }
        Ok(())
    }

    fn amount(&self, index: usize) -> f32 {
        (self.least + index as f64 * self.step) as f32
    }

    /// Marks the columns that are not the client's own.
    fn free(&self) -> Vec<bool> {
        let mut free = vec![false; self.row.len()];
        free[self.amount_column] = true;
        free[self.term_column] = true;
        for item in &self.derived {
            free[item.column] |= item.of.iter().any(|&column| free[column]);
        }
        free
    }
}

/// A column at one term: a value for all amounts, or one for each.
#[derive(Clone)]
enum Values {
    One(f32),
    Each(Vec<f32>),
}

impl Operation {
    fn apply(self, first: &Values, second: &Values) -> Values {
        match (first, second) {
            (Values::One(a), Values::One(b)) => Values::One(self.of(*a, *b)),
            (Values::Each(a), Values::One(b)) => {
                Values::Each(a.iter().map(|&a| self.of(a, *b)).collect())
            }
            (Values::One(a), Values::Each(b)) => {
                Values::Each(b.iter().map(|&b| self.of(*a, b)).collect())
            }
            (Values::Each(a), Values::Each(b)) => {
                Values::Each(a.iter().zip(b).map(|(&a, &b)| self.of(a, b)).collect())
            }
        }
    }

    fn of(self, first: f32, second: f32) -> f32 {
        match self {
            Self::Ratio if second > 0.0 => first / second,
            Self::Ratio => f32::NAN,
            Self::Difference => first - second,
        }
    }
}

/// How the splits on a free column divide the amounts at one term.
enum Division {
    /// All amounts have this rank.
    Same(u32),
    /// Per threshold, how many amounts are below it: those come first.
    Rising(Vec<u32>),
    /// Per threshold, how many amounts are not below it: those come first.
    Falling(Vec<u32>),
}

impl Division {
    /// # Errors
    /// When the column neither rises nor falls with the amount.
    fn new(values: &Values, column: usize, quantiser: &Quantiser) -> Result<Self, String> {
        let values = match values {
            Values::One(value) => {
                return Ok(Self::Same(quantiser.rank(column, *value)));
            }
            Values::Each(values) if values.iter().all(|value| value.is_nan()) => {
                return Ok(Self::Same(0));
            }
            Values::Each(values) => values,
        };
        let thresholds = quantiser.thresholds(column);
        if values.is_sorted() {
            let mut end = 0;
            let below = |&threshold: &f32| {
                end += values[end..].iter().take_while(|&&value| value < threshold).count();
                end as u32
            };
            return Ok(Self::Rising(thresholds.iter().map(below).collect()));
        }
        if values.is_sorted_by(|a, b| a >= b) {
            let mut end = 0;
            let not_below = |&threshold: &f32| {
                end += values[end..].iter().take_while(|&&value| value >= threshold).count();
                end as u32
            };
            let mut ends: Vec<u32> = thresholds.iter().rev().map(not_below).collect();
            ends.reverse();
            return Ok(Self::Falling(ends));
        }
        Err(format!("column {column} must rise or fall with the amount at every term"))
    }
}

/// A model's trees cut down to one client.
struct Specialised {
    /// The base and the trees that nothing free can change.
    constant: f64,
    roots: Vec<u32>,
    nodes: Vec<Node>,
}

enum Node {
    Leaf(f64),
    /// A split on a free column: the place of its threshold, and its children.
    Branch {
        column: u32,
        place: u32,
        missing_left: bool,
        left: u32,
        right: u32,
    },
}

impl Specialised {
    fn new(model: &Model, ranks: &[u32], free: &[bool]) -> Self {
        let mut cut = Self { constant: model.constant, roots: Vec::new(), nodes: Vec::new() };
        let mut pending = Vec::new();
        for tree in model.trees.iter().filter(|tree| tree.depth > 0) {
            // The first node, with the fixed splits above and below it followed to their ends.
            let follow = |mut node: usize| loop {
                let Kind::Branch(branch) = tree.nodes[node].kind else { return node };
                let feature = usize::from(branch.feature);
                if free[feature] {
                    return node;
                }
                let rank = ranks[feature];
                let left = goes_left(rank, tree.places[node], branch.missing_left);
                node = if left { branch.left } else { branch.right } as usize;
            };
            let root = follow(0);
            if let Kind::Leaf { value } = tree.nodes[root].kind {
                cut.constant += f64::from(value);
                continue;
            }
            let first = cut.nodes.len() as u32;
            cut.roots.push(first);
            cut.nodes.push(Node::Leaf(0.0));
            pending.push((root, first));
            while let Some((node, slot)) = pending.pop() {
                cut.nodes[slot as usize] = match tree.nodes[node].kind {
                    Kind::Leaf { value } => Node::Leaf(value.into()),
                    Kind::Branch(branch) => {
                        let left = cut.nodes.len() as u32;
                        cut.nodes.extend([Node::Leaf(0.0), Node::Leaf(0.0)]);
                        pending.push((follow(branch.left as usize), left));
                        pending.push((follow(branch.right as usize), left + 1));
                        let (column, place) = (branch.feature.into(), tree.places[node]);
                        let (missing_left, right) = (branch.missing_left, left + 1);
                        Node::Branch { column, place, missing_left, left, right }
                    }
                };
            }
        }
        cut
    }

    /// Writes the raw sum of each amount: first as differences to the amount before, then added up.
    fn raw_sums(&self, divisions: &[Option<Division>], sums: &mut [f64]) {
        sums.fill(0.0);
        sums[0] = self.constant;
        let end = sums.len() as u32;
        let mut pending = Vec::new();
        for &root in &self.roots {
            pending.push((root, 0, end));
            while let Some((node, from, to)) = pending.pop() {
                let (column, place, missing_left, left, right) = match self.nodes[node as usize] {
                    Node::Leaf(value) => {
                        sums[from as usize] += value;
                        if let Some(next) = sums.get_mut(to as usize) {
                            *next -= value;
                        }
                        continue;
                    }
                    Node::Branch { column, place, missing_left, left, right } => {
                        (column, place, missing_left, left, right)
                    }
                };
                let (at, first, second) = match &divisions[column as usize] {
                    Some(Division::Rising(ends)) => (ends[place as usize], left, right),
                    Some(Division::Falling(ends)) => (ends[place as usize], right, left),
                    Some(Division::Same(rank)) if goes_left(*rank, place, missing_left) => {
                        (to, left, right)
                    }
                    Some(Division::Same(_)) | None => (to, right, left),
                };
                let at = at.clamp(from, to);
                if from < at {
                    pending.push((first, from, at));
                }
                if at < to {
                    pending.push((second, at, to));
                }
            }
        }
        let mut sum = 0.0;
        for value in sums {
            sum += *value;
            *value = sum;
        }
    }
}

fn goes_left(rank: u32, place: u32, missing_left: bool) -> bool {
    if rank == 0 { missing_left } else { rank < place + 2 }
}

impl ForestSet {
    /// The pieces of each model, and of each term within a model.
    ///
    /// # Errors
    /// When the request does not fit the set, or a derived column is not monotone in the amount.
    pub fn sweep(&self, request: &Request) -> Result<Vec<Pieces>, String> {
        request.check(self.features())?;
        let free = request.free();
        let row = request.fixed_row();
        let mut ranks = vec![0; row.len()];
        self.quantiser.row_ranks(&row, &mut ranks);
        let models: Vec<_> =
            self.models.iter().map(|model| Specialised::new(model, &ranks, &free)).collect();
        let amounts: Vec<f32> = (0..request.amounts).map(|index| request.amount(index)).collect();
        let mut sums = vec![0.0; amounts.len()];
        let mut pieces: Vec<_> = std::iter::repeat_with(Pieces::default)
            .take(models.len() * request.terms.len())
            .collect();
        for (at, &term) in request.terms.iter().enumerate() {
            let divisions = self.divisions(request, &row, &free, (term, &amounts))?;
            for (index, (cut, model)) in models.iter().zip(&self.models).enumerate() {
                cut.raw_sums(&divisions, &mut sums);
                let probability = |raw| model.forest.probability(raw);
                pieces[index * request.terms.len() + at] = Pieces::new(&sums, probability);
            }
        }
        Ok(pieces)
    }

    /// Per column, how its splits divide the amounts at a term; none for the client's own columns.
    fn divisions(
        &self,
        request: &Request,
        row: &[f32],
        free: &[bool],
        (term, amounts): (f32, &[f32]),
    ) -> Result<Vec<Option<Division>>, String> {
        let mut columns: Vec<Values> = row.iter().map(|&value| Values::One(value)).collect();
        columns[request.amount_column] = Values::Each(amounts.to_vec());
        columns[request.term_column] = Values::One(term);
        for Derived { operation, of: [first, second], column } in &request.derived {
            columns[*column] = operation.apply(&columns[*first], &columns[*second]);
        }
        let division = |(column, values): (usize, &Values)| {
            let divide = || Division::new(values, column, &self.quantiser);
            free[column].then(divide).transpose()
        };
        columns.iter().enumerate().map(division).collect()
    }
}

impl Request {
    /// The row with the derived columns that depend on nothing free.
    fn fixed_row(&self) -> Vec<f32> {
        let mut row = self.row.clone();
        for Derived { operation, of: [first, second], column } in &self.derived {
            row[*column] = operation.of(row[*first], row[*second]);
        }
        row
    }
}

impl Pieces {
    fn new(sums: &[f64], probability: impl Fn(f64) -> f64) -> Self {
        let mut pieces = Self::default();
        let mut before = None;
        for (start, &sum) in (0..).zip(sums) {
            if before == Some(sum) {
                continue;
            }
            before = Some(sum);
            let value = probability(sum);
            if pieces.probabilities.last() != Some(&value) {
                pieces.starts.push(start);
                pieces.probabilities.push(value);
            }
        }
        pieces
    }
}
