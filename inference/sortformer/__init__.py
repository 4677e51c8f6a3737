"""What a streaming Sortformer hears and when, whatever runs it: NumPy alone."""
