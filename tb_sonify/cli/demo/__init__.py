"""`tb-sonify demo`: train five small networks and listen to them."""
