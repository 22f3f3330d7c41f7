//! Rewriting ONNX split rules to the forest's one rule, `x < threshold`, exactly.
//!
//! `x <= t` is `x < u` where u is the next float above t, for there is no float between. Greater
//! rules swap the children and flip the missing bit. Equality takes two splits, so the subtree of
//! the unequal rows stands twice. `next_up` treats -0.0 as 0.0 and steps through denormals; above
//! infinity there is nothing, so `x <= inf` becomes a split that sends every number right.

/// The split rules of an ONNX node that is not a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    Leq,
    Lt,
    Gte,
    Gt,
    Eq,
    Neq,
}

impl Mode {
    /// The mode that `nodes_modes` names; none for any other text.
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text {
            b"BRANCH_LEQ" => Some(Self::Leq),
            b"BRANCH_LT" => Some(Self::Lt),
            b"BRANCH_GTE" => Some(Self::Gte),
            b"BRANCH_GT" => Some(Self::Gt),
            b"BRANCH_EQ" => Some(Self::Eq),
            b"BRANCH_NEQ" => Some(Self::Neq),
            _ => None,
        }
    }
}

/// One split on `x < threshold`, as the forest's branches go.
#[derive(Clone, Debug, PartialEq)]
pub struct Split<T> {
    pub threshold: f32,
    pub missing_left: bool,
    pub left: Side<T>,
    pub right: Side<T>,
}

/// Where a side leads: to a child of the ONNX node, or to a second split on the same feature.
#[derive(Clone, Debug, PartialEq)]
pub enum Side<T> {
    /// The child, and the part of its training rows taken to come this way: 1, or a half where
    /// the child stands twice.
    Child(T, f32),
    Split(Box<Split<T>>),
}

/// The splits that do what an ONNX node does. `missing` is its `nodes_missing_value_tracks_true`;
/// as in ONNX Runtime a NaN is also unequal to any threshold.
pub fn rewrite<T: Copy>(
    mode: Mode,
    threshold: f32,
    missing: bool,
    (on_true, on_false): (T, T),
) -> Split<T> {
    let (yes, no) = (Side::Child(on_true, 1.0), Side::Child(on_false, 1.0));
    match mode {
        Mode::Lt => below(threshold, missing, yes, no),
        Mode::Leq => at_most(threshold, missing, yes, no),
        Mode::Gte => below(threshold, !missing, no, yes),
        Mode::Gt => at_most(threshold, !missing, no, yes),
        Mode::Eq => {
            let no = Side::Child(on_false, 0.5);
            let rest = at_most(threshold, true, yes, no.clone());
            below(threshold, !missing, no, Side::Split(Box::new(rest)))
        }
        Mode::Neq => {
            let yes = Side::Child(on_true, 0.5);
            let rest = at_most(threshold, true, no, yes.clone());
            below(threshold, true, yes, Side::Split(Box::new(rest)))
        }
    }
}

fn below<T>(threshold: f32, missing_left: bool, left: Side<T>, right: Side<T>) -> Split<T> {
    Split { threshold, missing_left, left, right }
}

fn at_most<T>(threshold: f32, missing_left: bool, left: Side<T>, right: Side<T>) -> Split<T> {
    if threshold == f32::INFINITY {
        return below(f32::NEG_INFINITY, !missing_left, right, left);
    }
    below(threshold.next_up(), missing_left, left, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [f32; 13] = [
        f32::NEG_INFINITY,
        f32::MIN,
        -1.0,
        -f32::MIN_POSITIVE,
        -1e-45,
        -0.0,
        0.0,
        1e-45,
        f32::MIN_POSITIVE,
        1.0,
        1.000_000_1,
        f32::MAX,
        f32::INFINITY,
    ];

    fn walk(split: &Split<bool>, x: f32) -> bool {
        let left = if x.is_nan() { split.missing_left } else { x < split.threshold };
        match if left { &split.left } else { &split.right } {
            Side::Child(end, _) => *end,
            Side::Split(next) => walk(next, x),
        }
    }

    #[test]
    fn every_mode_is_rewritten_exactly() {
        type Rule = fn(&f32, &f32) -> bool;
        let rules: [(Mode, Rule); 6] = [
            (Mode::Leq, f32::le),
            (Mode::Lt, f32::lt),
            (Mode::Gte, f32::ge),
            (Mode::Gt, f32::gt),
            (Mode::Eq, f32::eq),
            (Mode::Neq, f32::ne),
        ];
        for (mode, rule) in rules {
            for threshold in EDGES {
                for missing in [false, true] {
                    let split = rewrite(mode, threshold, missing, (true, false));
                    for x in EDGES.into_iter().chain([f32::NAN]) {
                        let expected = rule(&x, &threshold) || (missing && x.is_nan());
                        let text = format!("{mode:?} {threshold:e} missing {missing} x {x:e}");
                        assert_eq!(walk(&split, x), expected, "{text}");
                    }
                }
            }
        }
    }
}
