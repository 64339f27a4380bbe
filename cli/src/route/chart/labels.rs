//! Where the names of points stand, so that none covers another.

use crate::page::canvas::Point;

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Left upper corner.
    pub from: Point,
    /// Right lower corner.
    pub to: Point,
}

impl Frame {
    /// Pixels that both cover.
    fn overlap(&self, other: &Frame) -> i32 {
        let across = self.to.0.min(other.to.0) - self.from.0.max(other.from.0);
        let down = self.to.1.min(other.to.1) - self.from.1.max(other.from.1);
        across.max(0) * down.max(0)
    }

    fn area(&self) -> i32 {
        (self.to.0 - self.from.0) * (self.to.1 - self.from.1)
    }

    /// The square around a point.
    pub fn around(point: Point, radius: i32) -> Frame {
        Frame { from: (point.0 - radius, point.1 - radius), to: (point.0 + radius, point.1 + radius) }
    }

    /// Small squares along a line.
    pub fn along(path: &[Point]) -> Vec<Frame> {
        let between = |pair: &[Point]| {
            let [from, to] = pair else { return Vec::new() };
            let steps = ((to.0 - from.0).abs().max((to.1 - from.1).abs()) / 4).max(1);
            let at = |step: i32| (from.0 + (to.0 - from.0) * step / steps, from.1 + (to.1 - from.1) * step / steps);
            (0..=steps).map(|step| Frame::around(at(step), 3)).collect()
        };
        path.windows(2).flat_map(between).collect()
    }

    /// The point of the frame that is nearest to another.
    pub fn nearest(&self, point: Point) -> Point {
        (point.0.clamp(self.from.0, self.to.0), point.1.clamp(self.from.1, self.to.1))
    }
}

/// A place near `point` for a text of this size, within `bounds`, that covers as little as can be of what is `taken`. A
/// line from the point to its text may cross other lines, but hardly other texts.
pub fn place(point: Point, size: (i32, i32), bounds: Frame, taken: &[Frame]) -> Frame {
    let strangers: Vec<&Frame> = taken.iter().filter(|other| other.nearest(point) != point).collect();
    let cost = |frame: &Frame| {
        let outside = frame.area() - frame.overlap(&bounds);
        let covered: i32 = taken.iter().map(|other| frame.overlap(other)).sum();
        let near = frame.nearest(point);
        let line = Frame::along(&[point, near]);
        let crossed: i32 = line.iter().flat_map(|at| strangers.iter().map(|other| at.overlap(other))).sum();
        let away = (near.0 - point.0).abs() + (near.1 - point.1).abs();
        20 * outside + 4 * covered + 2 * crossed + 6 * away
    };
    candidates(point, size).into_iter().min_by_key(cost).unwrap_or_else(|| Frame::around(point, 1))
}

/// Places around a point, the preferred first: right, left, above, below, then further away.
fn candidates((x, y): Point, (width, height): (i32, i32)) -> Vec<Frame> {
    let mut places = Vec::new();
    for away in [9, 14, 20, 28, 38, 50, 64, 80, 100, 124, 150] {
        let (left, right) = (x - away - width, x + away);
        let (above, below) = (y - away - height, y + away);
        let middle = (x - width / 2, y - height / 2);
        let near = [(right, middle.1), (left, middle.1), (middle.0, above), (middle.0, below)];
        let corners = [(right, above), (right, below), (left, above), (left, below)];
        let edges = [(x - width, above), (x, above), (x - width, below), (x, below)];
        for from in near.into_iter().chain(corners).chain(edges) {
            places.push(Frame { from, to: (from.0 + width, from.1 + height) });
        }
    }
    places
}
