//! Why it exists:
