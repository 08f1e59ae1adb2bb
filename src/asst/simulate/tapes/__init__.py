"""Videos made of captioned pictures."""
