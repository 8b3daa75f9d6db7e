"""Nothing has the name that was asked for."""

from typing import ClassVar

from mdm.errors.roots import Refused


class NotFound(Refused):
    """Nothing has this name."""

    code = "not_found"
    noun: ClassVar[str] = "thing"
    hint: ClassVar[str] = "check the name"

    def __init__(self, name: str, *, remedy: str = "") -> None:
        """Keep the name that was asked for."""
        super().__init__(f"there is no {self.noun} {name[:200]!r}", remedy=remedy or self.hint)
        self.name = name


class EntityTypeUnknown(NotFound):
    """No entity type is declared under this name."""

    code, noun, hint = "entity_type_unknown", "entity type", "declare it in a YAML file or check the spelling"


class SourceUnknown(NotFound):
    """No source instance is registered under this id."""

    code, noun, hint = "source_unknown", "source instance", "register it with `mdm sources add`"


class SourceRecordUnknown(NotFound):
    """No record that is in use has this source key."""

    code, noun = "source_record_unknown", "source record"
    hint = "load the record first, or check instance, object and scope"


class GoldenRecordUnknown(NotFound):
    """This hub never gave out this golden id."""

    code, noun = "golden_record_unknown", "golden record"
    hint = "check the id, or search for a name with `mdm find`; ids that this hub gave out always resolve"


class EventUnknown(NotFound):
    """No change of identity has this id."""

    code, noun, hint = "event_unknown", "event", "look at the history of the golden record for the ids of its events"


class AttributeUnknown(NotFound):
    """The entity type declares no attribute of this name."""

    code, noun, hint = "attribute_unknown", "attribute", "`mdm show` lists those that a golden record has"


class DecisionUnknown(NotFound):
    """No decision has this id."""

    code, noun, hint = "decision_unknown", "decision", "list them with `mdm decisions list`"


class ReviewUnknown(NotFound):
    """No review has this id."""

    code, noun, hint = "review_unknown", "review", "list them with `mdm review list`"


class QueueUnknown(NotFound):
    """No kept queue of one's own, or shared by somebody, has this id."""

    code, noun, hint = "queue_unknown", "queue", "list those that you may use; a queue that was ended is gone"


class BandUnknown(NotFound):
    """No band of reviews has this id."""

    code, noun, hint = "band_unknown", "band", "look at a band first; its preview names the id"


class ExceptionUnknown(NotFound):
    """No exception has this id."""

    code, noun, hint = "exception_unknown", "exception", "list them with `mdm exceptions list`"


class DealUnknown(NotFound):
    """No deal has this id."""

    code, noun, hint = "deal_unknown", "deal", "`mdm deals list` shows those that are on their way"


class ReservationUnknown(NotFound):
    """No reservation has this id."""

    code, noun, hint = "reservation_unknown", "reservation", "`mdm reservations list` shows those that are open"


class SourceEventUnknown(NotFound):
    """No source event has this id."""

    code, noun, hint = "source_event_unknown", "source event", "list them with `mdm sources events`"


class TargetUnknown(NotFound):
    """No target has this id."""

    code, noun, hint = "target_unknown", "target", "list them with `mdm targets list`"


class TargetReportUnknown(NotFound):
    """A target was never compared with what it should hold."""

    code, noun, hint = "target_report_unknown", "comparison of target", "make one with `mdm targets drift`"


class BackfillUnknown(NotFound):
    """A target has no such backfill, or never had one."""

    code, noun, hint = "backfill_unknown", "backfill", "order one with `mdm targets backfill --later`"


class ApiKeyUnknown(NotFound):
    """No API key has this id."""

    code, noun, hint = "api_key_unknown", "API key", "list them with `mdm keys list`"


class PersonUnknown(NotFound):
    """No person has this id or login."""

    code, noun, hint = "person_unknown", "person", "list them with `mdm people list`"


class MatchModelUnknown(NotFound):
    """No match model, and no choice of values, has this version."""

    code, noun, hint = "match_model_unknown", "version of rules", "list them with `mdm model list`"


class RulesProposalUnknown(NotFound):
    """No change of rules waits for a second person under this id."""

    code, noun, hint = "rules_proposal_unknown", "change of rules that waits", "list them with `mdm model list`"
