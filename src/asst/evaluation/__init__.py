"""How good the answers are: one pure function a protocol, and how sure of it one can be."""
