"""A hub of a firm that sells in a CRM and bills in two ERPs."""

import pytest
from sqlalchemy import Engine

from mdm.hub import Hub
from tests.hubs import hub_on, register_instances


@pytest.fixture
def firm(engine: Engine) -> Hub:
    """Give a hub that knows salesforce-emea, netsuite-us and d365-de."""
    opened = hub_on(engine)
    register_instances(opened, "salesforce-emea", "netsuite-us", "d365-de")
    return opened
