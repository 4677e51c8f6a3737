"""The model catalogue: what is known of each model, what lies here, and how the rest is pulled."""
