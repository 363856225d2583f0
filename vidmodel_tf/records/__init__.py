"""Clips -> TFRecords -> batches."""
