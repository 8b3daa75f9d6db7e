"""What tests on the real database share: a hub with two source instances and the small entity types."""

import pytest
from sqlalchemy import Engine

from mdm.hub import Hub
from tests.hubs import hub_on, register_instances


@pytest.fixture
def hub(engine: Engine) -> Hub:
    """Give a hub on this worker's database, with the instances crm-east and crm-west."""
    opened = hub_on(engine)
    register_instances(opened, "crm-east", "crm-west")
    return opened
