"""What templates call on values: the filters of the console's environment, by the names they have there."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from api.console.views import segments, sources, text, vocabulary

# marked         a value from a record, shown safely
# with_commands  words of ours with commands between backticks
# marked_part    one segment of a value that stands in its own <bdi>
# plain          a value for a title, a label, or a text of a drawing
# initials       one or two capitals of a person's name
# sentence       a text with a capital to begin with
# short_key      a source key for a narrow place
# windowed       segments of a long value, cut around the first difference
# system_mark    two letters for a source system
# source_mark    two letters for a source instance or a printed key
# source_tone    the class of its colour
FILTERS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "marked": text.marked,
        "with_commands": text.with_commands,
        "marked_part": text.marked_part,
        "plain": text.plain,
        "initials": text.initials,
        "sentence": text.sentence,
        "short_key": text.short_key,
        "windowed": segments.windowed,
        "system_mark": vocabulary.mark,
        "source_mark": sources.mark_of,
        "source_tone": sources.tone_of,
    }
)
