// Storage of real numbers in 32 bits. Arithmetic is in f32 whatever the storage.
alias Real = f32;
alias Real4 = vec4<f32>;
