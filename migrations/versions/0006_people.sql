-- People who sign in (docs/decisions/0011).

SET LOCAL lock_timeout = '1s';

CREATE TABLE person (
    id TEXT NOT NULL,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    entity_types TEXT[] DEFAULT '{}' NOT NULL,
    sources TEXT[] DEFAULT '{}' NOT NULL,
    locale TEXT DEFAULT 'en' NOT NULL,
    theme TEXT DEFAULT 'auto' NOT NULL,
    has_shortcuts BOOLEAN DEFAULT true NOT NULL,
    origin TEXT NOT NULL,
    issuer TEXT,
    subject TEXT,
    password_hash TEXT,
    disabled_at TIMESTAMP WITH TIME ZONE,
    disabled_by TEXT,
    signed_in_at TIMESTAMP WITH TIME ZONE,
    who TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_person PRIMARY KEY (id),
    CONSTRAINT uq_person_login UNIQUE (login),
    CONSTRAINT uq_person_issuer_subject UNIQUE (issuer, subject),
    CONSTRAINT ck_person_login_length CHECK (length(login) BETWEEN 1 AND 254),
    CONSTRAINT ck_person_name_length CHECK (length(name) BETWEEN 1 AND 120),
    CONSTRAINT ck_person_role CHECK (role IN ('viewer', 'steward', 'lead', 'integrator', 'admin')),
    CONSTRAINT ck_person_theme CHECK (theme IN ('auto', 'light', 'dark')),
    CONSTRAINT ck_person_origin CHECK (origin IN ('local', 'oidc')),
    CONSTRAINT ck_person_known_there CHECK (
        (origin = 'oidc') = (issuer IS NOT NULL) AND (issuer IS NULL) = (subject IS NULL)
    ),
    CONSTRAINT ck_person_password_is_local CHECK (origin = 'local' OR password_hash IS NULL),
    CONSTRAINT ck_person_disabled_by_someone CHECK ((disabled_at IS NULL) = (disabled_by IS NULL))
);
COMMENT ON COLUMN person.login IS 'NFKC, case folded; stands under who in facts';
COMMENT ON COLUMN person.entity_types IS 'limits of the role; none: all';
COMMENT ON COLUMN person.sources IS 'limits of the role; none: all';
COMMENT ON COLUMN person.subject IS 'what the issuer calls the person, never given to another';
COMMENT ON COLUMN person.password_hash IS 'argon2id with salt and parameters';
COMMENT ON COLUMN person.signed_in_at IS 'the last time';

CREATE TABLE person_link (
    id TEXT NOT NULL,
    person_id TEXT,
    token_hash BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    redeemed_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    who TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_person_link PRIMARY KEY (id),
    CONSTRAINT uq_person_link_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_person_link_person_id FOREIGN KEY (person_id) REFERENCES person (id),
    CONSTRAINT ck_person_link_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX ix_person_link_person_id ON person_link (person_id);
COMMENT ON COLUMN person_link.person_id IS 'who chooses a password; none: the first administrator';
COMMENT ON COLUMN person_link.token_hash IS 'SHA-256 of the token';
COMMENT ON COLUMN person_link.ended_at IS 'replaced by a newer link, or by what the person did';

CREATE TABLE console_session (
    id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by TEXT,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_console_session PRIMARY KEY (id),
    CONSTRAINT uq_console_session_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_console_session_person_id FOREIGN KEY (person_id) REFERENCES person (id),
    CONSTRAINT ck_console_session_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
    CONSTRAINT ck_console_session_ended_by_someone CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX ix_console_session_person_id ON console_session (person_id);
CREATE INDEX ix_console_session_expires_at ON console_session (expires_at);
COMMENT ON COLUMN console_session.token_hash IS 'SHA-256 of the token';
COMMENT ON COLUMN console_session.seen_at IS 'to the minute';
COMMENT ON COLUMN console_session.expires_at IS 'at the latest, however busy';

CREATE TABLE sign_in_attempt (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    origin TEXT NOT NULL,
    person_id TEXT,
    session_id TEXT,
    address TEXT,
    who TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_sign_in_attempt PRIMARY KEY (id),
    CONSTRAINT ck_sign_in_attempt_kind CHECK (
        kind IN ('signed_in', 'refused', 'throttled', 'signed_out', 'link_redeemed')
    ),
    CONSTRAINT ck_sign_in_attempt_origin CHECK (origin IN ('local', 'oidc'))
);
CREATE INDEX ix_sign_in_attempt_person_id ON sign_in_attempt (person_id, id);
CREATE INDEX ix_sign_in_attempt_recorded_at ON sign_in_attempt (recorded_at) WHERE address IS NOT NULL;
COMMENT ON COLUMN sign_in_attempt.person_id IS 'none: no such login; what was typed is not kept';
COMMENT ON COLUMN sign_in_attempt.address IS 'blanked after 90 days';
COMMENT ON COLUMN sign_in_attempt.who IS 'id of the person who proved to be it, else nobody';

CREATE TABLE sign_in_throttle (
    subject BYTEA NOT NULL,
    failures INTEGER NOT NULL,
    failed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sign_in_throttle PRIMARY KEY (subject),
    CONSTRAINT ck_sign_in_throttle_subject_is_sha256 CHECK (octet_length(subject) = 32),
    CONSTRAINT ck_sign_in_throttle_failures CHECK (failures >= 0)
);
CREATE INDEX ix_sign_in_throttle_failed_at ON sign_in_throttle (failed_at);
COMMENT ON COLUMN sign_in_throttle.subject IS 'sha256 of the hub''s id and a login or an address';
COMMENT ON COLUMN sign_in_throttle.failures IS 'attempts since the last success; forgotten after a day';

CREATE TABLE oidc_request (
    state_hash BYTEA NOT NULL,
    binding_hash BYTEA NOT NULL,
    issuer TEXT NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    return_to TEXT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_oidc_request PRIMARY KEY (state_hash)
);
CREATE INDEX ix_oidc_request_expires_at ON oidc_request (expires_at);
COMMENT ON TABLE oidc_request IS 'sign-ins under way at the identity provider; each is taken once';
COMMENT ON COLUMN oidc_request.state_hash IS 'SHA-256 of the state';
COMMENT ON COLUMN oidc_request.binding_hash IS 'SHA-256 of the cookie of the browser that began';
COMMENT ON COLUMN oidc_request.verifier IS 'of PKCE; worth nothing without the code';

SELECT audit_table('person', 'id', left_out => '{locale,theme,has_shortcuts,signed_in_at}');
SELECT audit_table('person_link', 'id', related => '{person_id}');
SELECT audit_table('sign_in_attempt', 'id', related => '{person_id,session_id}', left_out => '{address}');
