"""What was done to each record, as bits, so that errors of a matcher can be counted by what made the pair hard."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

CAUSES = (
    *(
        "name_typo",
        "name_dba",
        "name_former",
        "name_acronym",
        "name_brand",
        "name_abbreviated",
        "name_site",
        "name_noted",
    ),
    *(
        "name_word_dropped",
        "name_word_added",
        "name_swapped",
        "form_missing",
        "form_other_spelling",
        "name_upper",
        "name_ascii",
    ),
    *(
        "name_truncated",
        "name_garbled",
        "name_no_spaces",
        "street_typo",
        "city_exonym",
        "city_typo",
        "other_site",
        "address_missing",
    ),
    *(
        "tax_missing",
        "tax_sister",
        "tax_stranger",
        "tax_slip",
        "tax_placeholder",
        "phone_missing",
        "phone_direct",
        "phone_slip",
    ),
    *(
        "contact_served",
        "mail_free",
        "mail_personal",
        "site_platform",
        "site_missing",
        "placeholder",
        "country_missing",
        "postal_slip",
    ),
)


class Marks:
    """Collect the causes of a block of records."""

    def __init__(self, count: int) -> None:
        """Begin with none."""
        self.bits = np.zeros(count, np.int64)

    def add(self, cause: str, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Note a cause where the mask holds, and give the mask back."""
        self.bits |= mask.astype(np.int64) << CAUSES.index(cause)
        return mask

    def drop(self, cause: str, mask: NDArray[np.bool_]) -> None:
        """Take a cause back where the mask holds."""
        self.bits &= ~(mask.astype(np.int64) << CAUSES.index(cause))

    def any_of(self, *causes: str) -> NDArray[np.bool_]:
        """Tell which records have one of some causes."""
        return (self.bits & sum(1 << CAUSES.index(cause) for cause in causes)) != 0

    def written(self) -> pa.Array:
        """Write each record's causes as names joined by ";"."""
        distinct, where = np.unique(self.bits, return_inverse=True)
        names = [";".join(name for place, name in enumerate(CAUSES) if bits >> place & 1) for bits in distinct.tolist()]
        return pa.array(names, pa.string()).take(pa.array(where))
