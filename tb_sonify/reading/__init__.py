"""What TensorBoard's data provider holds, as arrays: timelines, clips, curves."""
