"""The TensorBoard plugin: routes over what `reading` finds, and the dashboard's script."""
