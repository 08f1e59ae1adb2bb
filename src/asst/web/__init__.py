"""The page of a library and its JSON: what a browser or another program asks over HTTP."""
