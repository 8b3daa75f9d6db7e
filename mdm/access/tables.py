"""Tables of access: keys and people without their secrets, sessions, sign-ins, replies of unsafe requests, rates."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
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
    Column("rates", ARRAY(Text), comment="rates of its own, as read=6000/60; none: those of the settings"),
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

person = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False, unique=True, comment="NFKC, case folded; stands under who in facts"),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("entity_types", ARRAY(Text), nullable=False, server_default="{}", comment="limits of the role; none: all"),
    Column("sources", ARRAY(Text), nullable=False, server_default="{}", comment="limits of the role; none: all"),
    Column("locale", Text, nullable=False, server_default="en"),
    Column("theme", Text, nullable=False, server_default="auto"),
    Column("has_shortcuts", Boolean, nullable=False, server_default=text("true")),
    Column("origin", Text, nullable=False),
    Column("issuer", Text),
    Column("subject", Text, comment="what the issuer calls the person, never given to another"),
    Column("password_hash", Text, comment="argon2id with salt and parameters"),
    Column("disabled_at", DateTime(timezone=True)),
    Column("disabled_by", Text),
    Column("signed_in_at", DateTime(timezone=True), comment="the last time"),
    Column("who", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    UniqueConstraint("issuer", "subject"),
    CheckConstraint("length(login) BETWEEN 1 AND 254", name="login_length"),
    CheckConstraint("length(name) BETWEEN 1 AND 120", name="name_length"),
    CheckConstraint("role IN ('viewer', 'steward', 'lead', 'integrator', 'admin')", name="role"),
    CheckConstraint("theme IN ('auto', 'light', 'dark')", name="theme"),
    CheckConstraint("origin IN ('local', 'oidc')", name="origin"),
    CheckConstraint(
        "(origin = 'oidc') = (issuer IS NOT NULL) AND (issuer IS NULL) = (subject IS NULL)", name="known_there"
    ),
    CheckConstraint("origin = 'local' OR password_hash IS NULL", name="password_is_local"),
    CheckConstraint("(disabled_at IS NULL) = (disabled_by IS NULL)", name="disabled_by_someone"),
)

person_link = Table(
    "person_link",
    metadata,
    Column("id", Text, primary_key=True),
    Column(
        "person_id",
        Text,
        ForeignKey("person.id"),
        index=True,
        comment="who chooses a password; none: the first administrator",
    ),
    Column("token_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("redeemed_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True), comment="replaced by a newer link, or by what the person did"),
    Column("who", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
)

console_session = Table(
    "console_session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token"),
    Column("seen_at", DateTime(timezone=True), nullable=False, comment="to the minute"),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True, comment="at the latest, however busy"),
    Column("ended_at", DateTime(timezone=True)),
    Column("ended_by", Text),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_someone"),
)

sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("person_id", Text, comment="none: no such login; what was typed is not kept"),
    Column("session_id", Text),
    Column("address", Text, comment="blanked after 90 days"),
    Column("who", Text, nullable=False, comment="id of the person who proved to be it, else nobody"),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    CheckConstraint("kind IN ('signed_in', 'refused', 'throttled', 'signed_out', 'link_redeemed')", name="kind"),
    CheckConstraint("origin IN ('local', 'oidc')", name="origin"),
    Index("ix_sign_in_attempt_person_id", "person_id", "id"),
    Index("ix_sign_in_attempt_recorded_at", "recorded_at", postgresql_where=text("address IS NOT NULL")),
)

sign_in_throttle = Table(
    "sign_in_throttle",
    metadata,
    Column("subject", LargeBinary, primary_key=True, comment="sha256 of the hub's id and a login or an address"),
    Column("failures", Integer, nullable=False, comment="attempts since the last success; forgotten after a day"),
    Column("failed_at", DateTime(timezone=True), nullable=False, index=True),
    CheckConstraint("octet_length(subject) = 32", name="subject_is_sha256"),
    CheckConstraint("failures >= 0", name="failures"),
)

oidc_request = Table(
    "oidc_request",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True, comment="SHA-256 of the state"),
    Column("binding_hash", LargeBinary, nullable=False, comment="SHA-256 of the cookie of the browser that began"),
    Column("issuer", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False, comment="of PKCE; worth nothing without the code"),
    Column("redirect_uri", Text, nullable=False),
    Column("return_to", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    comment="sign-ins under way at the identity provider; each is taken once",
)

rate_bucket = Table(
    "rate_bucket",
    metadata,
    Column("who", Text, primary_key=True, comment="the principal"),
    Column("rate", Text, primary_key=True),
    Column("tokens", Double, nullable=False, comment="left at recorded_at, what processes hold not counted"),
    Column("leased", BigInteger, nullable=False, comment="what the last process took"),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    CheckConstraint("rate IN ('read', 'write', 'bulk_read', 'bulk_write')", name="rate"),
    CheckConstraint("tokens >= 0 AND leased >= 0", name="tokens"),
    prefixes=["UNLOGGED"],
)
