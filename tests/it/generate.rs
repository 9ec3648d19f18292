//! What is generated from a declaration, and declarations from the files of others.

mod spec;
