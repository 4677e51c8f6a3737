"""One thin servicer per proto service: validate, call, map to proto. No SQL, no arithmetic."""
