"""Methods that are trained, ours and the rivals: one file each."""
