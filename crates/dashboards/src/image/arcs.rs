//! Parts of circles, as points.

use std::f32::consts::TAU;

/// Points on the circle around `center` from one turn to another, clockwise; 0 is at the top, 1 a whole turn.
pub(super) fn arc(center: (f32, f32), radius: f32, from: f32, to: f32) -> Vec<(f32, f32)> {
    // Steps of two degrees are round to the eye at any size that a picture can have.
    let steps = (((to - from).abs() * 180.0).ceil() as usize).clamp(1, 360);
    let point = |step: usize| {
        let turn = (from + (to - from) * step as f32 / steps as f32 - 0.25) * TAU;
        (center.0 + radius * turn.cos(), center.1 + radius * turn.sin())
    };
    (0..=steps).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_begin_at_the_top_and_go_clockwise() {
        let points = arc((0.0, 0.0), 10.0, 0.0, 0.25);
        let (first, last) = (points[0], points[points.len() - 1]);
        assert!(first.0.abs() < 0.01 && (first.1 + 10.0).abs() < 0.01, "{first:?}");
        assert!((last.0 - 10.0).abs() < 0.01 && last.1.abs() < 0.01, "{last:?}");
    }
}
