//! Drawing in pixels.
//!
//! Owns the way to SVG text and the look of texts and shapes. Knows nothing of what is drawn.

use super::theme::Paint;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// What charts are drawn on.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A point in pixels from the left upper corner.
pub type Point = (i32, i32);

/// The fonts of the page replace it.
const FAMILY: &str = "sans-serif";
/// plotters divides sizes by this.
const FONT_SCALE: f64 = 1.24;

/// The SVG element that `paint` draws, without what a page does not need.
pub fn svg(size: (i32, i32), paint: impl FnOnce(&Area<'_>) -> anyhow::Result<()>) -> anyhow::Result<String> {
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (size.0.max(1) as u32, size.1.max(1) as u32)).into_drawing_area();
    paint(&area)?;
    area.present()?;
    drop(area);
    let root = format!(r#"<svg width="{}" height="{}""#, size.0, size.1);
    let text = text.replacen(&root, r#"<svg aria-hidden="true""#, 1);
    Ok(text.replacen(r#" xmlns="http://www.w3.org/2000/svg""#, "", 1))
}

/// How a text looks.
#[derive(Clone, Copy)]
pub struct Look {
    size: i32,
    paint: Paint,
    bold: bool,
    anchor: HPos,
    upright: bool,
}

/// A text of this size in pixels that starts at its point and is centred on its height.
pub fn look(size: i32, paint: Paint) -> Look {
    Look { size, paint, bold: false, anchor: HPos::Left, upright: false }
}

impl Look {
    /// In bold letters.
    pub fn bold(self) -> Look {
        Look { bold: true, ..self }
    }

    /// Centred on its point.
    pub fn centred(self) -> Look {
        Look { anchor: HPos::Center, ..self }
    }

    /// Ending at its point.
    pub fn ending(self) -> Look {
        Look { anchor: HPos::Right, ..self }
    }

    /// Read from below.
    pub fn upright(self) -> Look {
        Look { upright: true, ..self }
    }

    /// For plotters' own texts.
    pub fn style(self) -> TextStyle<'static> {
        let weight = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = (FAMILY, f64::from(self.size) * FONT_SCALE, weight).into_font();
        let font = if self.upright { font.transform(FontTransform::Rotate270) } else { font };
        TextStyle { font, color: self.paint.color().to_backend_color(), pos: Pos::new(self.anchor, VPos::Center) }
    }
}

/// Writes a text.
pub fn write(area: &Area<'_>, text: &str, at: Point, look: Look) -> anyhow::Result<()> {
    Ok(area.draw_text(text, &look.style(), at)?)
}

/// Fills a rectangle between two corners.
pub fn fill(area: &Area<'_>, from: Point, to: Point, paint: Paint, opacity: f64) -> anyhow::Result<()> {
    Ok(area.draw(&Rectangle::new([from, to], paint.color().mix(opacity).filled()))?)
}

/// Draws a line through points.
pub fn line(area: &Area<'_>, points: &[Point], paint: Paint, width: u32) -> anyhow::Result<()> {
    Ok(area.draw(&PathElement::new(points.to_vec(), paint.color().stroke_width(width)))?)
}

/// Fills a circle.
pub fn dot(area: &Area<'_>, at: Point, radius: i32, paint: Paint) -> anyhow::Result<()> {
    Ok(area.draw(&Circle::new(at, radius, paint.color().filled()))?)
}

/// Draws a circle's line.
pub fn ring(area: &Area<'_>, at: Point, radius: i32, paint: Paint) -> anyhow::Result<()> {
    Ok(area.draw(&Circle::new(at, radius, paint.color().stroke_width(2)))?)
}

/// About how wide a text is, in pixels. The page's fonts differ from one machine to the next: this is rather too wide.
pub fn text_width(text: &str, size: i32) -> i32 {
    let em = |letter: char| match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | '|' | '\'' => 0.3,
        'f' | 'r' | 't' | '-' | ' ' | '(' | ')' => 0.4,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.95,
        letter if letter.is_ascii_uppercase() => 0.72,
        letter if letter.is_ascii() => 0.6,
        _ => 1.0,
    };
    (text.chars().map(em).sum::<f64>() * f64::from(size)).ceil() as i32
}

/// The text, cut to a width in pixels where it is wider.
pub fn fitted(text: &str, size: i32, width: i32) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut cut = text.to_owned();
    while !cut.is_empty() && text_width(&cut, size) + size > width {
        cut.pop();
    }
    cut + "…"
}
