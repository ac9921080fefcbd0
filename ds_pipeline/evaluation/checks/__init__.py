"""What is asked beyond the metrics: leakage, labels, stability, serving and explanations."""
