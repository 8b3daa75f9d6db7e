"""Who sees and does what in the queue, and what its address and forms are refused for."""

from sqlalchemy import Engine

from mdm.access.people import change_person
from mdm.access.people_model import PersonChange
from mdm.db.transaction import transaction
from mdm.hub import Hub
from mdm.stewardship import reviews
from tests.hubs import delivery, partition_of
from mdm.jobs.service import deliver
from tests.integration.console.conftest import SignIn
from tests.integration.console.queues import ask_about_clients, propose
