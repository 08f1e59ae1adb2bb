"""The packaged space of pictures and sentences: crops, shots, colours, the camera, and the language side."""
