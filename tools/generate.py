"""Generate gen/ from proto/: Python messages and stubs, Envoy's descriptor set, the OpenAPI document.

gen/ is an import root (``import meetra.v1.meetings_pb2``) and never committed. It also holds gen/googleapis, the
annotations that ``buf`` needs.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tomllib
from pathlib import Path

from google.protobuf import descriptor_pb2, duration_pb2
from google.rpc import error_details_pb2
from grpc_tools import protoc

from tools import openapi

ROOT = Path(__file__).resolve().parent.parent
PROTO, GEN = ROOT / "proto", ROOT / "gen"
GOOGLE_API = ("annotations.proto", "http.proto", "httpbody.proto")


def google_api_source() -> Path:
    """Return the folder of google/api protos in the installed googleapis-common-protos."""
    spec = importlib.util.find_spec("google.api")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))


def copy_googleapis(target: Path) -> None:
    """Copy the three annotation protos to ``target``/google/api."""
    (target / "google/api").mkdir(parents=True)
    for name in GOOGLE_API:
        shutil.copyfile(google_api_source() / name, target / "google/api" / name)


def compile_protos(target: Path) -> None:
    """Run protoc over proto/ into ``target``. Raises SystemExit on failure."""
    well_known = Path(protoc.__file__).parent / "_proto"
    # protoc finds its plugins on PATH; they are installed beside the interpreter.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    sources = sorted(str(path) for path in PROTO.rglob("*.proto"))
    code = protoc.main(
        [
            "protoc",
            f"-I{PROTO}",
            f"-I{target / 'googleapis'}",
            f"-I{well_known}",
            f"--python_out={target}",
            f"--grpc_python_out={target}",
            f"--mypy_out=quiet:{target}",
            f"--mypy_grpc_out=quiet:{target}",
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={target / 'meetra.binpb'}",
            *sources,
        ]
    )
    if code:
        raise SystemExit(f"protoc failed on proto/ with exit code {code}; fix the errors above")


def add_error_status(descriptor_set: Path) -> None:
    """Add a google.rpc.Status with only `message` to Envoy's descriptor set.

    Envoy renders gRPC errors as the google.rpc.Status of its descriptor pool. With this one the body is ``{"message":
    "..."}``, without code and details.
    """
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set.read_bytes())
    status = files.file.add(name="google/rpc/status.proto", package="google.rpc", syntax="proto3")
    field = status.message_type.add(name="Status").field.add(name="message", json_name="message", number=2)
    field.type = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
    field.label = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    # An error with details of an unknown type would get an empty body.
    known = {file.name for file in files.file}
    for descriptor in (duration_pb2.DESCRIPTOR, error_details_pb2.DESCRIPTOR):
        if descriptor.name not in known:
            descriptor.CopyToProto(files.file.add())
    descriptor_set.write_bytes(files.SerializeToString())


def project_version() -> str:
    """Return the version in pyproject.toml."""
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return version


def main() -> None:
    """Generate everything beside gen/, then replace it."""
    new_gen = ROOT / "gen.new"
    shutil.rmtree(new_gen, ignore_errors=True)
    new_gen.mkdir()
    copy_googleapis(new_gen / "googleapis")
    compile_protos(new_gen)
    openapi.write(new_gen / "meetra.binpb", new_gen / "openapi.json", project_version())
    add_error_status(new_gen / "meetra.binpb")
    for folder in [new_gen / "meetra", *(p for p in (new_gen / "meetra").rglob("*") if p.is_dir())]:
        (folder / "__init__.py").touch()
    shutil.rmtree(GEN, ignore_errors=True)
    new_gen.rename(GEN)


if __name__ == "__main__":
    main()
