"""What a reranker is shown of proposals."""
