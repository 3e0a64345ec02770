//! The one surface on which figures are drawn: a few shapes and text, placed in pixels of the figure.
//!
//! The plotting library draws them into SVG text or into pixels. Pixels are drawn larger than they are
//! shown (`Zoom`), and its two backends place text a little differently; both is evened out here.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, DashedPathElement, PathElement, Polygon, Rectangle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, RGBColor, ShapeStyle};

use super::font;

/// A place in pixels from the upper left corner.
pub(super) type Place = (f64, f64);
/// What can go wrong in a drawing: nothing, in memory.
pub(super) type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// How the pixels of a figure become those of the backend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zoom {
    /// Backend pixels a figure pixel.
    pub(super) factor: u32,
    /// Size of text relative to that in SVG.
    pub(super) text: f64,
    /// How much lower text is to be placed, in text sizes.
    pub(super) drop: f64,
}

/// Where a text stands from its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Middle,
    Right,
}

/// A text's looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    pub(super) size: f64,
    pub(super) colour: RGBColor,
    pub(super) bold: bool,
}

/// A surface to draw on.
pub(super) struct Canvas<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    zoom: Zoom,
}

impl<'a, DB: DrawingBackend> Canvas<'a, DB> {
    pub(super) fn new(area: &'a DrawingArea<DB, Shift>, zoom: Zoom) -> Self {
        Self { area, zoom }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float-to-integer `as` saturates, and places are within the figure"
    )]
    fn place(&self, (x, y): Place) -> (i32, i32) {
        let factor = f64::from(self.zoom.factor);
        ((x * factor).round() as i32, (y * factor).round() as i32)
    }

    fn places(&self, places: &[Place]) -> Vec<(i32, i32)> {
        let mut places: Vec<_> = places.iter().map(|&place| self.place(place)).collect();
        places.dedup();
        places
    }

    fn pen(&self, colour: RGBColor, width: u32) -> ShapeStyle {
        colour.stroke_width(width * self.zoom.factor)
    }

    /// The ground.
    pub(super) fn fill(&self, colour: RGBColor) -> Drawn<DB> {
        self.area.fill(&colour)
    }

    /// A line through places.
    pub(super) fn path(&self, places: &[Place], colour: RGBColor, width: u32) -> Drawn<DB> {
        let pen = self.pen(colour, width);
        self.area.draw(&PathElement::new(self.places(places), pen))
    }

    /// A dashed line through places.
    pub(super) fn dashes(&self, places: &[Place], colour: RGBColor, width: u32) -> Drawn<DB> {
        let zoom = self.zoom.factor;
        let (dash, gap) = (8 * zoom, 5 * zoom);
        let pen = self.pen(colour, width);
        let path = DashedPathElement::new(self.places(places), dash, gap, pen);
        self.area.draw(&path)
    }

    /// A filled area.
    pub(super) fn area(&self, outline: &[Place], colour: RGBColor, opacity: f64) -> Drawn<DB> {
        let outline = self.places(outline);
        self.area
            .draw(&Polygon::new(outline, colour.mix(opacity).filled()))
    }

    /// A filled rectangle.
    pub(super) fn block(
        &self,
        from: Place,
        to: Place,
        colour: RGBColor,
        opacity: f64,
    ) -> Drawn<DB> {
        let corners = [self.place(from), self.place(to)];
        self.area
            .draw(&Rectangle::new(corners, colour.mix(opacity).filled()))
    }

    /// A dot.
    pub(super) fn dot(&self, place: Place, radius: u32, colour: RGBColor) -> Drawn<DB> {
        let radius = radius * self.zoom.factor;
        self.area
            .draw(&Circle::new(self.place(place), radius, colour.filled()))
    }

    /// A text on the middle line of `place`.
    pub(super) fn text(&self, text: &str, place: Place, anchor: Anchor, look: Type) -> Drawn<DB> {
        let style = match look.bold {
            true => FontStyle::Bold,
            false => FontStyle::Normal,
        };
        let horizontal = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let size = look.size * f64::from(self.zoom.factor) * self.zoom.text;
        let mut text_style = font::font(size, style).color(&look.colour);
        text_style.pos = Pos::new(horizontal, VPos::Center);
        // Capitals and digits, not the full height of the font, are to stand in the middle.
        let drop = look.size * (0.06 + self.zoom.drop);
        let place = self.place((place.0, place.1 + drop));
        self.area.draw_text(text, &text_style, place)
    }
}
