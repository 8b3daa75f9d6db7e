"""Shapes of deals on their way to be billed."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.schemas.shape import Asked, Fault, Instant, Told

State = Literal["sold", "activated", "approved", "ready_to_bill", "cancelled"]
Standing = Literal["going", "waiting", "incomplete", "failing", "failed", "taking_back", "done", "cancelled"]


class DealAsked(Asked):
    """An opportunity that was won."""

    source_key: str = Field(
        max_length=600,
        description="Key of the opportunity, as printed.",
        examples=["salesforce-emea/Opportunity:0065g"],
    )
    fields: dict[Annotated[str, StringConstraints(min_length=1, max_length=255)], Any] = Field(
        min_length=1,
        max_length=1_000,
        description="Its facts under the names of the recipe: account, legal entity, currency, amount, billed legal"
        " entity, tax ids, project, contract.",
        examples=[
            {
                "account": "salesforce-emea/Account:0015g",
                "legal entity": "demf",
                "currency": "EUR",
                "amount": 120000,
                "billing name": "Acme Logistik GmbH",
                "country": "DE",
                "vat number": "DE136695976",
                "project name": "ERP rollout",
                "contract name": "Acme ERP rollout 2026",
            }
        ],
    )


class StepTold(Told):
    """One step of a deal."""

    name: str = Field(examples=["billing_entity"])
    does: str = Field(examples=["reserve_customer"])
    mark: Literal["done", "at_hand", "to_do", "taken_back"]
    reaches: State | None = None
    at: Instant | None = Field(default=None, description="When it was done, or since when the deal is there.")
    who: str | None = None


class TurnTold(Told):
    """One thing that happened to a step."""

    step: str
    turn: Literal["done", "waiting", "failed", "taken_back"]
    because: str | None = None
    at: Instant
    who: str


class DealTold(Told):
    """A deal with its progress: ids, keys and states, no values."""

    id: str = Field(examples=["dea_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    recipe: str
    source_key: str
    state: State
    standing: Standing
    told: str = Field(description="In a few words what it waits for or what holds it up.")
    step: str | None = Field(default=None, description="The step at hand.")
    because: str | None = Field(default=None, description="Code of what it waits for, or why it fails.")
    attempts: int
    since: dict[str, Instant] = Field(description="When each state was reached.")
    age_s: int = Field(description="Seconds in its present state.")
    is_late: bool = Field(description="Longer in it than the recipe allows.")
    next_at: Instant | None = None
    billing: str | None = Field(default=None, description="The source instance that bills it.")
    customer_id: str | None = Field(default=None, description="Golden id of the billed legal entity.")
    reservation_id: str | None = None
    contract_key: str = Field(description="Source key of the contract record that holds its facts.")
    exception_id: str | None = Field(default=None, description="Where its facts wait to be mended.")
    approved_by: str | None = None
    recorded_at: Instant
    who: str
    ended_by: str | None = None


class DealWholeTold(DealTold):
    """A deal with its steps and all that happened to them."""

    steps: list[StepTold]
    turns: list[TurnTold]
    reasons: list[Fault] = Field(description="Why it is incomplete, or what a person has to mend before it goes on.")
