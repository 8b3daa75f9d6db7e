"""Fakes with a clock that stands still, and the least that their records need."""

from collections.abc import Callable
from typing import Any

import pytest

from mdm.demo.fakes.clock import VirtualClock
from mdm.demo.fakes.crm import CRM
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.model import Refused


def erp(*scopes: str) -> Fake:
    return Fake(ERP, clock=VirtualClock(), scopes=scopes)


def crm() -> Fake:
    return Fake(CRM, clock=VirtualClock())


def client(name: str = "Acme GmbH", **fields: Any) -> dict[str, Any]:
    return {"companyName": name, "currency": "EUR", **fields}


def refusal(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value


def codes(refused: Refused) -> dict[str, str]:
    return {fault.field: fault.code for fault in refused.faults}
