"""The protos compile alone, for a stranger who has nothing but them: as proto/README.md says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.recordings import ROOT

USED = """
import grpc
from meetra.v1 import meetings_pb2, meetings_pb2_grpc
from google.api import annotations_pb2
stub = meetings_pb2_grpc.MeetingServiceStub(grpc.insecure_channel("127.0.0.1:1"))
method = meetings_pb2.DESCRIPTOR.services_by_name["MeetingService"].methods_by_name["GetMeetingStatus"]
print(meetings_pb2.__file__, method.GetOptions().Extensions[annotations_pb2.http].get, hasattr(stub, "UploadMeeting"))
"""


@pytest.mark.children
def test_the_documented_command_makes_code_that_works(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "proto" / "meetra" / "v1", tmp_path / "proto" / "meetra" / "v1")
    text = (ROOT / "proto" / "README.md").read_text(encoding="utf-8").partition("## Python")[2]
    script = re.search(r"```sh\n(.+?)```", text, re.DOTALL)
    assert script is not None
    install, command = script[1].split("\n", 1)
    assert install == "pip install grpcio grpcio-tools googleapis-common-protos"
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    told = subprocess.run(
        ["sh", "-ec", command], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    # Without `site`, which would add the generated code of this checkout.
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path / "generated"), sysconfig.get_path("purelib")])
    used = subprocess.run(
        [sys.executable, "-S", "-c", USED], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    file, path, stub = used.stdout.split()
    assert Path(file).is_relative_to(tmp_path)
    assert (path, stub) == ("/single-feature-api/meeting/status", "True")
