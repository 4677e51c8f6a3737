"""Every service of the public API is found, whatever file it stands in."""

from __future__ import annotations

from google.protobuf import descriptor_pb2

from gateway.render import DESCRIPTORS
from server.api.public_services import public_methods, public_services


def test_they_are_those_of_the_protos() -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file
    declared = [service for file in files if file.package == "meetra.v1" for service in file.service]
    assert {service.name for service in public_services()} == {service.name for service in declared}
    assert len(public_methods()) == sum(len(service.method) for service in declared)
