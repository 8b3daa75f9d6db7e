"""Tables of the audit log: entries with their salts apart, the seals that chain them, and how far the sealer came."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from mdm.db.metadata import metadata
from mdm.db.types import Xid8

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("xid", Xid8, nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False, comment="as the row says, else the setting mdm.who, else the database role"),
    Column(
        "action",
        Text,
        nullable=False,
        comment="table.verb: made, changed, deleted; found: there before it was recorded; restated",
    ),
    Column("subject_id", Text, nullable=False, comment="key of the row"),
    Column("related", ARRAY(Text), nullable=False, comment="ids that the row names"),
    Column("changed", ARRAY(Text), nullable=False, comment="names of the columns that a change touched"),
    Column(
        "digest",
        LargeBinary,
        nullable=False,
        comment="sha256 of salt and row after the change, or before its deletion",
    ),
    CheckConstraint("octet_length(digest) = 32", name="digest_is_sha256"),
    Index("ix_audit_entry_subject_id", "subject_id", "id"),
    Index("ix_audit_entry_xid", "xid"),
)

audit_salt = Table(
    "audit_salt",
    metadata,
    Column("entry_id", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "salt",
        LargeBinary,
        nullable=False,
        comment="deleted when its subject is erased: the digest then tells nothing",
    ),
)

audit_seal = Table(
    "audit_seal",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False, comment="from 1, in an order of commits"),
    Column("entry_id", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False, comment="sha256 of the entry as COPY writes it"),
    Column("hash", LargeBinary, nullable=False, comment="sha256 of the hash before and the leaf"),
    UniqueConstraint("entry_id"),
)

audit_state = Table(
    "audit_state",
    metadata,
    Column("hub_id", Uuid, primary_key=True, comment="which hub a checkpoint is of"),
    Column("snapshot", Text, comment="whatever it shows is sealed; none: look at all"),
    Column("system", Text, comment="the server to whose transactions the snapshot belongs"),
)
