"""Turns raw values into compare forms: the second of the eight words.

`FORMS` names every form; `standardise` applies the forms of a match model to records, each form once per distinct
value and country. Texts are in text.py, names and legal forms in names.py and legal.py, numbers of parties in
identifiers.py, ways to reach them in contact.py, addresses in places.py, dates and amounts in values.py; tables.py
reads the CSV files beside them. Compare forms are for comparing: what people see stays the raw value.
"""

from matching.standardise.columns import standardise
from matching.standardise.forms import FORMS, Form

__all__ = ["FORMS", "Form", "standardise"]
