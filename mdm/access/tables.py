"""Tables of access: keys without their secrets, and replies of unsafe requests."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, LargeBinary, SmallInteger, Table, Text, func
from sqlalchemy.dialects.postgresql import ARRAY

from mdm.db.metadata import metadata

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False, comment="SHA-256 of the secret"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("revoked_by", Text),
    Column("last_used_at", DateTime(timezone=True), comment="to the minute"),
    Column("who", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    CheckConstraint("length(name) BETWEEN 1 AND 120", name="name_length"),
    CheckConstraint("octet_length(key_hash) = 32", name="key_hash_is_sha256"),
    CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by_someone"),
)

idempotency_record = Table(
    "idempotency_record",
    metadata,
    Column("who", Text, primary_key=True, comment="the principal"),
    Column("route", Text, primary_key=True, comment="method and path template"),
    Column("key", Text, primary_key=True, comment="Idempotency-Key as sent"),
    Column("part", SmallInteger, primary_key=True, comment="transaction of the request, from 0"),
    Column("fingerprint", LargeBinary, nullable=False, comment="hash of who, route, key, query and body"),
    Column("status", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    CheckConstraint("length(key) BETWEEN 1 AND 255", name="key_length"),
    Index(None, "recorded_at"),
)
