"""The services of the public API, as their protos declare them: nobody lists them by hand."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import meetra.v1
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor


def public_services() -> list[ServiceDescriptor]:
    """Return every service of the package meetra.v1, in the order of its files."""
    names = sorted(found.name for found in iter_modules(meetra.v1.__path__) if found.name.endswith("_pb2"))
    modules = [import_module(f"{meetra.v1.__name__}.{name}") for name in names]
    return [service for module in modules for service in module.DESCRIPTOR.services_by_name.values()]


def public_methods() -> list[MethodDescriptor]:
    """Return every method of those services."""
    return [method for service in public_services() for method in service.methods]
