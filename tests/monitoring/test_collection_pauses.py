"""What is loaded when a process starts is not looked at by later collections."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, weakref
from monitoring import leave_loaded_objects_out_of_collections

class Node:
    pass

def circle():
    node = Node()
    node.self = node
    return weakref.ref(node)

kept = [Node() for _ in range(10)]
garbage = circle()
leave_loaded_objects_out_of_collections()
assert garbage() is None, "what was garbage is gone"
looked_at = {id(one) for one in gc.get_objects()}
assert not looked_at & {id(one) for one in kept}, "what there was is left out"
assert gc.get_freeze_count() > 10_000
later = circle()
gc.collect()
assert later() is None, "later garbage is collected"
"""


def test_later_collections_leave_out_what_is_loaded() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
