//! Colours, each for light and dark.
//!
//! Owns which colour stands for what. Charts are drawn in the light colours; the page replaces each by its dark partner
//! where that is preferred, so every light colour occurs in one role only.

use plotters::style::RGBColor;
use serde::Serialize;

/// A colour as 0xRRGGBB, for light and for dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    light: u32,
    dark: u32,
}

const fn paint(light: u32, dark: u32) -> Paint {
    Paint { light, dark }
}

/// Text.
pub const INK: Paint = paint(0x1B2430, 0xE6EDF3);
/// Text that matters less.
pub const MUTED: Paint = paint(0x5A6675, 0x9AA7B5);
/// Lines behind figures.
pub const GRID: Paint = paint(0xE2E7ED, 0x2B333D);
/// What charts stand on.
pub const SURFACE: Paint = paint(0xFFFFFF, 0x161B22);
/// Figures that belong to no model.
pub const ACCENT: Paint = paint(0x1D4FB8, 0x8AB4FF);
/// Text on strong colours.
pub const ON_COLOR: Paint = paint(0xFEFEFE, 0x10141A);

/// Models, by their place in a report; neighbours differ.
const MODELS: [Paint; 24] = [
    paint(0x2F6FDE, 0x7FB0FF),
    paint(0xB9540B, 0xFFA657),
    paint(0x1B7F46, 0x5FD38D),
    paint(0x7E4BD0, 0xC3A0FF),
    paint(0xC7354A, 0xFF8A93),
    paint(0x0C7A86, 0x56D0DB),
    paint(0x856300, 0xE6C34A),
    paint(0xB83A94, 0xF59BDB),
    paint(0x566171, 0xAEB9C7),
    paint(0x59730F, 0xB5D352),
    paint(0x8A4B2F, 0xDBA98E),
    paint(0x2B3F8C, 0x93A6FF),
    paint(0x7A1F3D, 0xE58FAE),
    paint(0x0B6B58, 0x4FC7AB),
    paint(0x5E2A84, 0xB588E0),
    paint(0x3D4753, 0xD5DCE4),
    paint(0x0A6AA6, 0x6FC3F7),
    paint(0xA6402F, 0xFFB09C),
    paint(0x45802B, 0x9ADB7A),
    paint(0x4B4FC4, 0xA9ADFF),
    paint(0x9A2A6B, 0xF2A0CF),
    paint(0x336B87, 0x8CC6E0),
    paint(0x6B4E16, 0xD9BC7A),
    paint(0x746071, 0xCDBBCB),
];

impl Paint {
    /// The colour of the model at this place of a report's list of models.
    pub fn of_model(place: usize) -> Paint {
        MODELS.get(place % MODELS.len()).copied().unwrap_or(ACCENT)
    }

    /// For drawing.
    pub fn color(self) -> RGBColor {
        let [_, red, green, blue] = self.light.to_be_bytes();
        RGBColor(red, green, blue)
    }
}

/// A colour as the page writes it.
#[derive(Debug, Serialize)]
pub struct Css {
    /// `#1B2430`, as it stands in the drawings.
    pub light: String,
    /// Its partner.
    pub dark: String,
}

impl From<Paint> for Css {
    fn from(paint: Paint) -> Css {
        Css { light: format!("#{:06X}", paint.light), dark: format!("#{:06X}", paint.dark) }
    }
}

/// Every colour of the drawings.
pub fn all() -> Vec<Css> {
    let roles = [INK, MUTED, GRID, SURFACE, ACCENT, ON_COLOR];
    roles.into_iter().chain(MODELS).map(Css::from).collect()
}
