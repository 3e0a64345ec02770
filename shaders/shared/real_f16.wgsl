enable f16;
// Storage of real numbers in 16 bits. Arithmetic is in f32 whatever the storage.
alias Real = f16;
alias Real4 = vec4<f16>;
