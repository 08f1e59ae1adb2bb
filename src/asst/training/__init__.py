"""From a recipe to a trained checkpoint: typed settings, the library's training loop, a folder for each run."""
