"""The network of the paper, one file a mechanism; read them in this order.

``config`` its sizes and choices; ``language`` section 3.2; ``attention`` section 3.3; ``video`` section 3.1.1;
``sampler`` section 3.1.2; ``network`` the whole; ``losses`` what trains it. Beneath them are ``steps`` (which steps of
a padded batch are real), ``convolution``, ``normalization`` and ``dropout``.

Sequences are laid out ``(batch, steps, channels)`` throughout, so that a convolution is one matrix product.
"""
