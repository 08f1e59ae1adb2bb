"""A page that shows what was found."""
