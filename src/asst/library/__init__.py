"""Many videos: a folder that keeps what was seen of each, and answers one sentence about all of them."""
