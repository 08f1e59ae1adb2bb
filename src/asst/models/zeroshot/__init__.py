"""What ranks moments without training: proposals, evidence and scores."""
