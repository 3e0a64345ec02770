// Some columns of some rows of each image, as `Slice` in `slice.rs`; strides in elements.
struct Slice {
    image_stride: u32,
    row_stride: u32,
    offset: u32,
    unused: u32,
}

// The element at which a row of an image starts.
fn row_start(slice: Slice, image: u32, row: u32) -> u32 {
    return image * slice.image_stride + row * slice.row_stride + slice.offset;
}
