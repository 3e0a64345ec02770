//! Eight colours that every eye tells apart (Okabe and Ito, Color Universal Design, 2008), and greys.

use plotters::style::RGBColor;

pub(super) const BLACK: RGBColor = RGBColor(0x00, 0x00, 0x00);
pub(super) const ORANGE: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
pub(super) const SKY: RGBColor = RGBColor(0x56, 0xb4, 0xe9);
pub(super) const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
pub(super) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
pub(super) const VERMILION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
pub(super) const PURPLE: RGBColor = RGBColor(0xcc, 0x79, 0xa7);

/// Text.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Text beside the point.
pub(super) const FAINT: RGBColor = RGBColor(0x66, 0x66, 0x66);
/// Interventions.
pub(super) const EVENT: RGBColor = RGBColor(0xb4, 0xb4, 0xb4);
/// Axes.
pub(super) const AXIS: RGBColor = RGBColor(0x99, 0x99, 0x99);
/// Lines behind the data.
pub(super) const RULE: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
