"""The server: identity, tenancy, durability, meetings, and the metrics of conversations. It holds no model."""

import os

# gRPC reads this once, when it is first imported, and whatever of ours imports it has imported this package before.
# With fork support on, its handlers start threads in the child of a plain fork(), which then dies of a signal before it
# runs its program. Nothing here goes on after a fork without an exec, which is all that fork support is for.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
