//! Pixels: the few shapes that pictures are made of.

use tiny_skia::{
    FillRule, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, PremultipliedColorU8, Rect, Stroke,
    StrokeDash, Transform,
};

use super::geometry::Area;
use super::text::Face;
use super::theme::Color;

/// Points of a line from which on its joins are not rounded.
const CROWDED: usize = 400;

/// A picture that is being painted.
pub(super) struct Canvas {
    pixels: Pixmap,
    clip: Option<Mask>,
}

/// Where a text stands relative to the place that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

impl Canvas {
    /// A picture of these pixels, at least one of them, in one color.
    pub(super) fn new(width: u32, height: u32, background: Color) -> Self {
        let mut pixels = Pixmap::new(width.max(1), height.max(1)).expect("a bounded size above zero");
        pixels.fill(skia(background));
        Self { pixels, clip: None }
    }

    pub(super) fn area(&self) -> Area {
        Area::new(0.0, 0.0, self.pixels.width() as f32, self.pixels.height() as f32)
    }

    /// Until [`Self::unclip`], shapes (not texts) show within `area` only.
    pub(super) fn clip(&mut self, area: Area) {
        let mask = Mask::new(self.pixels.width(), self.pixels.height());
        self.clip = mask.and_then(|mut mask| {
            let path = PathBuilder::from_rect(rect(area)?);
            mask.fill_path(&path, FillRule::Winding, false, Transform::identity());
            Some(mask)
        });
    }

    pub(super) fn unclip(&mut self) {
        self.clip = None;
    }

    pub(super) fn rectangle(&mut self, area: Area, color: Color) {
        if let Some(rect) = rect(area) {
            self.pixels.fill_rect(rect, &paint(color), Transform::identity(), self.clip.as_ref());
        }
    }

    /// A line one pixel wide along the pixels, so that it is sharp.
    pub(super) fn rule(&mut self, from: (f32, f32), to: (f32, f32), color: Color) {
        let (width, height) = (to.0 - from.0, to.1 - from.1);
        let area = if width.abs() > height.abs() {
            Area::new(from.0.min(to.0).round(), from.1.round(), width.abs(), 1.0)
        } else {
            Area::new(from.0.round(), from.1.min(to.1).round(), 1.0, height.abs())
        };
        self.rectangle(area, color);
    }

    /// A line of dashes.
    pub(super) fn dashes(&mut self, from: (f32, f32), to: (f32, f32), color: Color) {
        let Some(path) = polyline(&[from, to]) else { return };
        let dash = StrokeDash::new(vec![5.0, 4.0], 0.0);
        let stroke = Stroke { width: 1.5, dash, ..Stroke::default() };
        self.stroke(&path, color, &stroke);
    }

    /// A line through `points`.
    pub(super) fn line(&mut self, points: &[(f32, f32)], width: f32, color: Color) {
        let Some(path) = polyline(points) else { return };
        // Nobody sees the joins of a crowded line, and round ones are what a picture would spend its time on.
        let line_join = if points.len() > CROWDED { LineJoin::Bevel } else { LineJoin::Round };
        self.stroke(&path, color, &Stroke { width, line_join, ..Stroke::default() });
    }

    /// A thick line with cut ends, as arcs are drawn.
    pub(super) fn band(&mut self, points: &[(f32, f32)], width: f32, color: Color) {
        let Some(path) = polyline(points) else { return };
        self.stroke(&path, color, &Stroke { width, line_join: LineJoin::Round, ..Stroke::default() });
    }

    pub(super) fn dot(&mut self, center: (f32, f32), radius: f32, color: Color) {
        if let Some(path) = PathBuilder::from_circle(center.0, center.1, radius) {
            self.fill(&path, color);
        }
    }

    /// The inside of `points`.
    pub(super) fn polygon(&mut self, points: &[(f32, f32)], color: Color) {
        if let Some(path) = polyline(points) {
            self.fill(&path, color);
        }
    }

    /// A text whose letters stand on `baseline`.
    pub(super) fn text(
        &mut self,
        text: &str,
        face: Face,
        (x, baseline): (f32, f32),
        align: Align,
        color: Color,
    ) {
        let start = match align {
            Align::Start => x,
            Align::Middle => x - face.width(text) / 2.0,
            Align::End => x - face.width(text),
        };
        face.rasterize(text, start, baseline, |x, y, coverage| self.blend(x, y, color, coverage));
    }

    pub(super) fn into_png(self) -> Result<Vec<u8>, String> {
        self.pixels.encode_png().map_err(|error| error.to_string())
    }

    fn blend(&mut self, x: i32, y: i32, color: Color, coverage: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        let (width, height) = (self.pixels.width(), self.pixels.height());
        if x >= width || y >= height {
            return;
        }
        let index = y as usize * width as usize + x as usize;
        let opacity = (coverage * color.opacity).clamp(0.0, 1.0);
        let below = self.pixels.pixels()[index];
        let mix = |above: u8, below: u8| {
            (f32::from(above) * opacity + f32::from(below) * (1.0 - opacity)).round() as u8
        };
        let mixed = PremultipliedColorU8::from_rgba(
            mix(color.red, below.red()),
            mix(color.green, below.green()),
            mix(color.blue, below.blue()),
            below.alpha(),
        );
        // The background is opaque, so no channel exceeds the alpha.
        if let Some(mixed) = mixed {
            self.pixels.pixels_mut()[index] = mixed;
        }
    }

    fn fill(&mut self, path: &Path, color: Color) {
        self.pixels.fill_path(
            path,
            &paint(color),
            FillRule::Winding,
            Transform::identity(),
            self.clip.as_ref(),
        );
    }

    fn stroke(&mut self, path: &Path, color: Color, stroke: &Stroke) {
        self.pixels.stroke_path(path, &paint(color), stroke, Transform::identity(), self.clip.as_ref());
    }
}

/// `None` for less than two points.
fn polyline(points: &[(f32, f32)]) -> Option<Path> {
    let (first, rest) = points.split_first()?;
    let mut builder = PathBuilder::with_capacity(points.len(), points.len());
    builder.move_to(first.0, first.1);
    for point in rest {
        builder.line_to(point.0, point.1);
    }
    builder.finish()
}

fn rect(area: Area) -> Option<Rect> {
    Rect::from_xywh(area.x, area.y, area.width, area.height).filter(|rect| rect.width() > 0.0)
}

fn paint(color: Color) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(skia(color));
    paint
}

fn skia(color: Color) -> tiny_skia::Color {
    let alpha = (color.opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
    tiny_skia::Color::from_rgba8(color.red, color.green, color.blue, alpha)
}
