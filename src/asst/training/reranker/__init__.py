"""What a reranker learns from."""
