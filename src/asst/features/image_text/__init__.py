"""Image-text models that a hub publishes: what there is, how it is fetched, and their towers."""
