"""A deal for tests, in the words of the recipe that ships, and short ways to tell of it and to look at it."""

from typing import Any, Final

from stdnum.iso7064 import mod_11_10

from mdm.activation import service
from mdm.activation.model import Deal, DealFilter
from mdm.activation.service import DealShown, Sold, require_deal, show_deal, take_up
from mdm.activation.steps import advance
from mdm.db.engine import open_engine
from mdm.db.transaction import run
from mdm.delivery.binding import bind_key
from mdm.failpoints import arm_from_text
from mdm.hub import Hub, carry
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from tests.hubs import delivery, golden_by_key, hub_on, register_instances

OPPORTUNITY: Final = "salesforce-emea/Opportunity:7"
ACCOUNT: Final = "salesforce-emea/Account:7"
ERP: Final = "d365-emea"
FACTS: Final[dict[str, Any]] = {
    "account": ACCOUNT,
    "legal entity": "DEMF",
    "currency": "EUR",
    "amount": "120000",
    "billing name": "Acme Logistik GmbH",
    "country": "Germany",
    "city": "Hamburg",
    "vat number": "DE136695976",
    "project name": "ERP rollout",
    "contract name": "Acme ERP rollout 2026",
    "start date": "2026-07-01",
    "end date": "2026-12-31",
}
BILLED: Final[dict[str, Any]] = {"name": "ACME LOGISTIK GMBH", "country": "DE", "vat number": "DE 136 695 976"}


def prepare(hub: Hub) -> Hub:
    """Register the systems of the recipe, and deliver the account that was sold to."""
    register_instances(hub, "salesforce-emea", "netsuite-us", ERP)
    deliver(hub, [delivery(ACCOUNT, "customer", name="Kranich Reederei AG", country="DE")], who="test")
    return hub


def tell(hub: Hub, opportunity: str = OPPORTUNITY, *, who: str = "sales", **changes: Any) -> Deal:
    """Tell of a deal with some facts changed; None leaves one out. Its steps are not done yet."""
    named = {name.replace("_", " "): value for name, value in changes.items()}
    fields = {name: value for name, value in {**FACTS, **named}.items() if value is not None}
    return take_up(hub, Sold(SourceKey.parse(opportunity), fields), who=who)


def follow(hub: Hub, deal: Deal) -> Deal:
    """Do the steps of a deal until it waits, fails or is at its end."""
    advance(hub, deal.id)
    return run(hub.engine, lambda c: require_deal(c, deal.id))


def shown(hub: Hub, deal: Deal) -> DealShown:
    """Give a deal with all that happened to it."""
    return run(hub.engine, lambda c: show_deal(c, deal.id))


def standing(deal: Deal) -> tuple[str, str, str | None, str]:
    """Say how far a deal is: state, standing, step, because."""
    progress = deal.progress
    return progress.state, progress.standing, progress.step, progress.because


def bill(hub: Hub, native_id: str = "C1") -> None:
    """Let the ERP have what is billed: the legal entity, which it delivers, and the project and contract of deals."""
    deliver(hub, [delivery(f"{ERP}/customer:{native_id}", "customer", **BILLED)], who="erp")
    for deal in run(hub.engine, lambda c: service.list_deals(c, DealFilter())):
        for made in ("project", "contract"):
            keep(hub, deal, made)


def keep(hub: Hub, deal: Deal, made: str) -> None:
    """Let the ERP answer that it keeps a project or contract now, as publishing brings about; nothing if it does."""
    key = deal.project_key if made == "project" else deal.contract_key
    golden_id = golden_by_key(hub).get(str(key))
    if golden_id is not None:
        there = SourceKey.parse(f"{ERP}/{made}:{deal.id}")
        carry(hub, lambda work: bind_key(work, made, there, GoldenId(golden_id), reason="made there"), who="target")


def client(number: int) -> dict[str, Any]:
    """Say who is billed for a deal of many: no two are alike in name or tax id."""
    syllables = ("Alba", "Boro", "Cena", "Dilo", "Efra", "Gavi", "Hemo", "Iska")
    word = syllables[number % 8] + syllables[number // 8 % 8].lower()
    digits = str(13_669_500 + number)
    return {"name": f"{word} Holding AG", "vat number": f"DE{digits}{mod_11_10.calc_check_digit(digits)}"}


def live(url: str, deals_count: int, failpoints: str) -> None:
    """Bring many deals to their ends, every third by cancelling it, in a process that may be killed anywhere."""
    engine = open_engine(url, 2)
    hub = hub_on(engine)
    arm_from_text(failpoints)
    for number in range(deals_count):
        sell(hub, number)
    engine.dispose()


def sell(hub: Hub, number: int) -> None:
    """Tell of one deal, again if need be, and bring it to its end."""
    billed, opportunity = client(number), f"salesforce-emea/Opportunity:{number}"
    cancelled = run(hub.engine, lambda c: service.list_deals(c, DealFilter(state="cancelled")))
    if any(str(one.opportunity) == opportunity for one in cancelled):
        return  # to tell of it again would be another deal
    deal = tell(
        hub,
        opportunity,
        billing_name=billed["name"],
        vat_number=billed["vat number"],
        contract_name=f"Rollout {number}",
    )
    deal = follow(hub, deal)
    if deal.progress.because == "approval":
        decide = service.cancel if number % 3 == 2 else service.approve
        deal = follow(hub, decide(hub, deal.id, who="mara"))
    if deal.progress.because == "key_of_customer":
        deliver(hub, [delivery(f"{ERP}/customer:C{number}", "customer", country="DE", **billed)], who="erp")
        deal = follow(hub, service.retry(hub, deal.id, who="mara"))
    for made in ("project", "contract"):
        if deal.progress.because == f"key_of_{made}":
            keep(hub, deal, made)
            deal = follow(hub, service.retry(hub, deal.id, who="mara"))
