//! The font of all figures: DejaVu Sans, cut down to Latin, Greek and the signs in use.
//!
//! It is built in, so that a figure has the same bytes on every machine and needs no font there. Its
//! licence lies beside it. An SVG only names the font; Verdana has nearly the same widths.

use std::sync::Once;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The family as SVG names it, and the name under which the built-in font is registered.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Makes the built-in font known to the plotting library; to be called before drawing.
pub(super) fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let regular = include_bytes!("../fonts/DejaVuSans.ttf");
        let bold = include_bytes!("../fonts/DejaVuSans-Bold.ttf");
        let done = register_font(FAMILY, FontStyle::Normal, regular)
            .and_then(|()| register_font(FAMILY, FontStyle::Bold, bold));
        assert!(done.is_ok(), "the built-in fonts are valid");
    });
}

/// The font at a size in pixels.
pub(super) fn font(size: f64, style: FontStyle) -> FontDesc<'static> {
    FontDesc::new(FontFamily::Name(FAMILY), size, style)
}

/// What the plotting library's size means in pixels, against what it means in SVG: the height of the
/// font (1.164 em in DejaVu Sans) there, 1.24 em here.
pub(super) const PIXELS_TO_SVG: f64 = 1.164 / 1.24;

/// Width in pixels of a text of this size in SVG.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let (width, _) = font(size * PIXELS_TO_SVG, FontStyle::Normal)
        .box_size(text)
        .expect("the font is registered");
    f64::from(width)
}
