"""A log directory as a static page: the dashboard, and the plugin's answers to what it asks."""
