"""What the users of each role may do; meetra/v1/access.proto says what each right opens."""

from __future__ import annotations

from meetra.v1 import access_pb2 as pb

_EVERYBODY = {pb.RIGHT_ACCOUNT}
_MEMBER = {*_EVERYBODY, pb.RIGHT_READ, pb.RIGHT_EDIT, pb.RIGHT_UPLOAD, pb.RIGHT_LIVE}
RIGHTS_OF_ROLE: dict[str, frozenset[int]] = {
    "owner": frozenset({*_MEMBER, pb.RIGHT_ADMINISTER}),
    "member": frozenset(_MEMBER),
    "reader": frozenset({*_EVERYBODY, pb.RIGHT_READ}),
    "bot": frozenset({*_EVERYBODY, pb.RIGHT_UPLOAD, pb.RIGHT_LIVE}),
}
# What the scopes of a key allow, as far as the role of its user does. No key changes passwords or makes keys.
RIGHTS_OF_SCOPE: dict[str, frozenset[int]] = {
    "upload": frozenset({pb.RIGHT_UPLOAD}),
    "read": frozenset({pb.RIGHT_READ}),
    "live": frozenset({pb.RIGHT_LIVE}),
    "admin": frozenset({pb.RIGHT_READ, pb.RIGHT_EDIT, pb.RIGHT_UPLOAD, pb.RIGHT_LIVE, pb.RIGHT_ADMINISTER}),
}
