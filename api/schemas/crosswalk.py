"""Shapes of key translation."""

from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, StringConstraints
from typing_extensions import TypedDict

from api.schemas.shape import Asked, NativeId, SourceId, SourceKeyTold, Told, Word

KEYS_COUNT_MAX = 10_000

Answer = Literal["one", "none", "many"]
Reason = Literal["source_key_unknown", "source_unknown", "ambiguous_key", "not_in_target", "several_in_target"]


class TranslationTold(Told):
    """What one key stands for, and its keys in the target when `to` was asked."""

    answer: Answer = Field(
        description="How many answers there are: golden records, or keys in the target when `to` was asked."
    )
    reason: Reason | None = Field(default=None, description="Why the answer is none or many.")
    golden_id: str | None = Field(default=None, examples=["cus_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    golden_ids: list[str] | None = Field(
        default=None, description="All of them, when the key is ambiguous without object or scope."
    )
    entity_type: str | None = Field(default=None, examples=["customer"])
    status: Literal["active", "retired"] | None = None
    source_keys: list[SourceKeyTold] | None = Field(default=None, description="Keys in the target.")


class KeyAsked(TypedDict):
    """A key as a system knows it. Without `object` or `scope` any object or scope of the source instance matches.

    A plain dict, because ten thousand of them come at once.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]  # Pydantic's documented way for a TypedDict

    source: Annotated[SourceId, Field(description="Source instance.", examples=["salesforce-emea"])]
    source_key: Annotated[
        NativeId, Field(description="The system's own id, byte for byte.", examples=["0015g00000AbCdE"])
    ]
    object: NotRequired[Annotated[Word | None, Field(description="Record type in the source.", examples=["Account"])]]
    scope: NotRequired[
        Annotated[
            Annotated[str, StringConstraints(max_length=100)] | None,
            Field(description="Legal entity or subsidiary where it is part of the key; the empty text: none."),
        ]
    ]


class ResolveAsked(Asked):
    """Many keys to translate at once."""

    keys: Annotated[list[KeyAsked], Field(min_length=1, max_length=KEYS_COUNT_MAX)]
    to: SourceId | None = Field(
        default=None, description="Source instance whose keys are wanted.", examples=["netsuite-us"]
    )


class ResolveTold(Told):
    """One answer a key, in order."""

    answers: list[TranslationTold]


class MemberKeyTold(SourceKeyTold):
    """A source key of a golden record."""

    ended: Literal["merged", "re_keyed", "instance_migrated", "instance_retired"] | None = Field(
        default=None, description="Why its source uses the key no more; absent while it does."
    )
    unseen: Literal["access_lost", "vanished"] | None = Field(
        default=None, description="Why its source does not show the record, which counts all the same."
    )


class GoldenKeysTold(Told):
    """Every source key of a golden record, those that their sources gave up too."""

    golden_id: str
    entity_type: str
    status: Literal["active", "retired"]
    forwarded_from: str | None = None
    source_keys: list[MemberKeyTold]
    undated: list[str] | None = Field(
        default=None, description="Keys of which `valid_at` cannot be answered: their source gives no times."
    )
