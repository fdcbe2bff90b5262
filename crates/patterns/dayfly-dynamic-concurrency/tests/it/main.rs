//! What the crate promises, one module per behaviour.
