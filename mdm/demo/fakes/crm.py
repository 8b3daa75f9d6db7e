"""The fake CRM, in the manner of Salesforce: ids of 18 characters, merges with a pointer, external ids that may repeat.

A name ending in __c that is not the vendor's own is a custom field of the demo firm's org, as in mdm/demo/systems.py.
"""

import string
from collections.abc import Mapping
from typing import Final

from mdm.demo.fakes.model import Character, Field, ObjectRules

_DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECK_LETTERS: Final = string.ascii_uppercase + "012345"
_INSTANCE: Final = "5e0"  # chosen: the part of an id that tells the instance


def with_checksum(short_id: str) -> str:
    """Widen an id of 15 characters to 18, so that it can be compared without case.

    Of each five characters, those in upper case set a bit, the first the lowest; the number is written as one letter.
    """
    groups = (short_id[start : start + 5] for start in (0, 5, 10))
    bits = (sum(letter.isupper() << place for place, letter in enumerate(group)) for group in groups)
    return short_id + "".join(_CHECK_LETTERS[number] for number in bits)


def _lettered(prefix: str, count: int) -> str:
    letters = ""
    while count:
        count, digit = divmod(count, len(_DIGITS))
        letters = _DIGITS[digit] + letters
    return with_checksum(f"{prefix}{_INSTANCE}{letters:0>9}")


_ACCOUNT: Final[Mapping[str, Field]] = {
    "Name": Field(is_required=True),
    "Former_Name__c": Field(),
    "VAT_Number__c": Field(length_max=40),
    "DunsNumber": Field(length_max=9),
    "LEI__c": Field(length_max=20),
    "Website": Field(),
    "Phone": Field(length_max=40),
    "Email__c": Field("email", length_max=80),
    "BillingStreet": Field(),
    "BillingCity": Field(length_max=40),
    "BillingState": Field(length_max=80),
    "BillingPostalCode": Field(length_max=20),
    "BillingCountry": Field(length_max=80),
    "Industry": Field(length_max=60),
    "CurrencyIsoCode": Field("currency"),
    "Payment_Terms__c": Field(length_max=60),
    "Status__c": Field(length_max=60),
    "ParentId": Field("reference", object="Account"),
    "Inactive__c": Field("flag"),
}
_OPPORTUNITY: Final[Mapping[str, Field]] = {
    "Name": Field(is_required=True, length_max=120),
    "AccountId": Field("reference", object="Account"),
    "StageName": Field(is_required=True, length_max=60),
    "CloseDate": Field("date", is_required=True),
    "Amount": Field("number"),
    "CurrencyIsoCode": Field("currency"),
    "Billing_Type__c": Field(length_max=60),
    "Start_Date__c": Field("date"),
    "End_Date__c": Field("date"),
    "PO_Number__c": Field(length_max=60),
    "Legal_Entity__c": Field(length_max=60),
    "Inactive__c": Field("flag"),
}
_CONTRACT: Final[Mapping[str, Field]] = {
    "Name": Field(length_max=80),
    "ContractNumber": Field(length_max=30),
    "AccountId": Field("reference", is_required=True, object="Account"),
    "Opportunity__c": Field("reference", object="Opportunity"),
    "StartDate": Field("date"),
    "EndDate": Field("date"),
    "Contract_Value__c": Field("number"),
    "CurrencyIsoCode": Field("currency"),
    "Status": Field(length_max=60),
    "PO_Number__c": Field(length_max=60),
    "Inactive__c": Field("flag"),
}
_PROJECT: Final[Mapping[str, Field]] = {
    "Name": Field(is_required=True, length_max=80),
    "pse__Project_ID__c": Field(length_max=80),
    "pse__Account__c": Field("reference", is_required=True, object="Account"),
    "pse__Parent_Project__c": Field("reference", object="pse__Proj__c"),
    "pse__Opportunity__c": Field("reference", object="Opportunity"),
    "pse__Start_Date__c": Field("date"),
    "pse__End_Date__c": Field("date"),
    "pse__Stage__c": Field(length_max=60),
    "pse__Billing_Type__c": Field(length_max=60),
    "pse__Bookings__c": Field("number"),
    "CurrencyIsoCode": Field("currency"),
    "Inactive__c": Field("flag"),
}
_CONTACT: Final[Mapping[str, Field]] = {
    "FirstName": Field(length_max=40),
    "LastName": Field(is_required=True, length_max=80),
    "Email": Field("email", length_max=80),
    "Title": Field(length_max=128),
    "AccountId": Field("reference", object="Account"),
    "pse__ERP_Worker_Correlation_Id__c": Field(length_max=60),
    "pse__Practice__c": Field(length_max=60),
    "Inactive__c": Field("flag"),
}

CRM: Final = Character(
    name="crm",
    objects={
        "Account": ObjectRules(
            _ACCOUNT, id_prefix="001", can_merge=True, duplicates=(("VAT_Number__c",), ("Name", "BillingCity"))
        ),
        "Opportunity": ObjectRules(_OPPORTUNITY, id_prefix="006", periods=(("Start_Date__c", "End_Date__c"),)),
        "Contract": ObjectRules(_CONTRACT, id_prefix="800", periods=(("StartDate", "EndDate"),)),
        "pse__Proj__c": ObjectRules(_PROJECT, id_prefix="a0P", periods=(("pse__Start_Date__c", "pse__End_Date__c"),)),
        "Contact": ObjectRules(_CONTACT, id_prefix="003", can_merge=True),
    },
    inactive_field="Inactive__c",
    make_id=_lettered,
    is_external_id_unique=False,
)
