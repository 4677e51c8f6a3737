"""The server: identity, tenancy, durability, meetings, and the metrics of conversations. It holds no model."""
