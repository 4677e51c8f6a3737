"""The server: authentication, storage, meetings, and conversation metrics. It contains no models."""

import os

# gRPC reads this once, at its first import, and any of our imports of it comes after this package's. With fork support,
# its handlers start threads in the child of a plain fork(), which then crashes before it can exec. Nothing here
# continues after a fork without exec, the only case that fork support is for.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
