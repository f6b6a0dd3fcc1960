"""The demo: the network of the 2019 post, trained in its five settings, ready to be heard."""
