// Tiles are taken in bands of so many rows of tiles, so that those at work together share slices of A and B in the
// cache of the device. Whoever includes this gives ROW_TILE and COLUMN_TILE.
const BAND: u32 = 8u;

// The first row and column of a tile by its number.
fn tile_origin(number: u32, rows: u32, columns: u32) -> vec2<u32> {
    let down = (rows + ROW_TILE - 1u) / ROW_TILE;
    let across = (columns + COLUMN_TILE - 1u) / COLUMN_TILE;
    let band = number / (BAND * across);
    let within = number % (BAND * across);
    let height = min(down - band * BAND, BAND);
    return vec2<u32>((band * BAND + within % height) * ROW_TILE, within / height * COLUMN_TILE);
}
