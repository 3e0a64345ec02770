//! Pixels to the bytes of a PNG file (W3C PNG, third edition): 8-bit RGB, no interlacing, each line
//! as the difference to the line above, which packs well where figures are plain.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// Bytes of a pixel: red, green, blue.
const PIXEL_BYTES: usize = 3;
/// The filter that stores the difference to the line above.
const FILTER_UP: u8 = 2;

/// The PNG of an image of `width` x `height` pixels, given line by line.
pub(super) fn encode((width, height): (u32, u32), rgb: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    // Eight bits a channel, RGB, the only compression and filter methods, no interlacing.
    header.extend([8, 2, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut bytes, *b"IHDR", &header);
    chunk(
        &mut bytes,
        *b"IDAT",
        &pixels(width as usize * PIXEL_BYTES, rgb),
    );
    chunk(&mut bytes, *b"IEND", &[]);
    bytes
}

fn pixels(line_bytes: usize, rgb: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let mut above = vec![0; line_bytes];
    for line in rgb.chunks_exact(line_bytes) {
        let mut filtered = vec![FILTER_UP];
        filtered.extend(
            line.iter()
                .zip(&above)
                .map(|(now, up)| now.wrapping_sub(*up)),
        );
        encoder.write_all(&filtered).expect("writing to memory");
        above.copy_from_slice(line);
    }
    encoder.finish().expect("writing to memory")
}

/// Length, kind, data, and the check sum of kind and data.
fn chunk(bytes: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("a figure is far smaller than 4 GiB");
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    bytes.extend(length.to_be_bytes());
    bytes.extend(kind);
    bytes.extend(data);
    bytes.extend(crc.sum().to_be_bytes());
}
