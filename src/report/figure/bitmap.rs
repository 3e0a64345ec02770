//! Drawing into pixels: everything is drawn twice as large and then averaged, which smooths edges.

use plotters::backend::BitMapBackend;
use plotters::drawing::IntoDrawingArea;

use super::canvas::{Canvas, Drawn, Zoom};
use super::font;

/// How many drawn pixels make the side of one pixel of the image.
const OVERSAMPLING: usize = 2;
/// Bytes of a pixel: red, green, blue.
const PIXEL_BYTES: usize = 3;

/// In pixels the library places the middle of a text higher than in SVG; measured on both.
const ZOOM: Zoom = Zoom {
    factor: OVERSAMPLING as u32,
    text: font::PIXELS_TO_SVG,
    drop: 0.13,
};

/// The RGB pixels of a drawing of this size, line by line.
pub(super) fn render(
    (width, height): (u32, u32),
    draw: impl FnOnce(&Canvas<'_, BitMapBackend<'_>>) -> Drawn<BitMapBackend<'static>>,
) -> Vec<u8> {
    let (width, height) = (width as usize, height as usize);
    let mut large = vec![0; width * height * OVERSAMPLING * OVERSAMPLING * PIXEL_BYTES];
    let size = (
        u32::try_from(width * OVERSAMPLING).expect("a figure is small"),
        u32::try_from(height * OVERSAMPLING).expect("a figure is small"),
    );
    let area = BitMapBackend::with_buffer(&mut large, size).into_drawing_area();
    draw(&Canvas::new(&area, ZOOM)).expect("drawing into pixels in memory");
    drop(area);
    averaged(width, height, &large)
}

/// Each pixel the mean of the square of pixels that was drawn for it.
fn averaged(width: usize, height: usize, large: &[u8]) -> Vec<u8> {
    let large_line = width * OVERSAMPLING * PIXEL_BYTES;
    let mut image = Vec::with_capacity(width * height * PIXEL_BYTES);
    for line in 0..height {
        for byte in 0..width * PIXEL_BYTES {
            let (pixel, channel) = (byte / PIXEL_BYTES, byte % PIXEL_BYTES);
            let corner =
                line * OVERSAMPLING * large_line + pixel * OVERSAMPLING * PIXEL_BYTES + channel;
            let square = (0..OVERSAMPLING * OVERSAMPLING).map(|index| {
                let (down, right) = (index / OVERSAMPLING, index % OVERSAMPLING);
                u32::from(large[corner + down * large_line + right * PIXEL_BYTES])
            });
            let mean = square.sum::<u32>() / (OVERSAMPLING * OVERSAMPLING) as u32;
            image.push(u8::try_from(mean).expect("the mean of bytes is a byte"));
        }
    }
    image
}
