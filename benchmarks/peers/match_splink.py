"""Splink as its documentation advises, on DuckDB.

Followed are the tutorials and examples of its documentation: "Deduplicate 50k historical persons" (person, to the
letter), "Febrl 3" and "Matching businesses" for the choice of comparisons, "Training rationale" for the order of
training (probability of two random records by strict rules, u from random pairs, m by EM on several blocking rules),
"Building your own model" (many strict blocking rules, counted before they are used), 0.95 as the cut of the example.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import pyarrow as pa
import splink.comparison_library as cl
from match_task import Answer, Task, play
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.blocking_analysis import count_comparisons_from_blocking_rules
from splink.internals.clustering import cluster_pairwise_predictions_at_multiple_thresholds

ADVISED_CUT = 0.95
CUTS = (0.01, 0.05, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 0.999999, 0.9999999)
RANDOM_PAIRS, RANDOM_PAIRS_SMALL = 1e7, 1e6  # as its examples, the latter for sets of some thousand records
SMALL_SET = 20_000
PAIRS_A_RULE_MAX = 50_000_000
PAIRS_A_RECORD_MAX = 200
EM_PAIRS_MAX = 1e7


def match(task: Task, answer: Answer) -> None:
    """Train, predict and cluster at the advised cut, then look at other cuts."""
    answer.setting("version", version("splink"))
    with answer.stage("read"):
        table = task.records().append_column("unique_id", pa.array(range(task.records().num_rows), pa.int64()))
        api = DuckDBAPI()
    with answer.stage("clean"):
        if task.options["columns"] == "raw":
            table = _cleaned(table, task, api)
        if task.family == "person":
            table = _with_full_name(table, task)
        frames = [api.register(part) for part in _parts(table, task)]
    with answer.stage("choose blocking", counts=False):  # once, by a person, before the first run
        rules = _affordable(frames, _blocking(task), task, answer, table.num_rows)
    linker = Linker(
        frames,
        SettingsCreator(
            link_type=_link_type(task),
            comparisons=_comparisons(task),
            blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules],
            retain_matching_columns=False,
            retain_intermediate_calculation_columns=False,
        ),
    )
    with answer.stage("train"):
        _train(linker, task, answer, RANDOM_PAIRS_SMALL if table.num_rows < SMALL_SET else RANDOM_PAIRS)
    with answer.stage("predict"):
        scored = linker.inference.predict(threshold_match_probability=0.5)
    with answer.stage("cluster"):
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, ADVISED_CUT)
    labels = clusters.as_duckdbpyrelation().order("unique_id").project("cluster_id").fetchall()
    answer.partition(ADVISED_CUT, _numbered(labels), is_default=True)
    if task.between_sources:
        _single_best_links(linker, scored, answer)
    _other_cuts(linker, table, api, answer)


def _cleaned(table: pa.Table, task: Task, api: DuckDBAPI) -> pa.Table:
    """Clean raw columns as its "Prerequisites" require: one case, no stray characters, nulls for nothing."""
    cleaned = ", ".join(f'{_cleaning(column, kind)} as "{column}"' for column, kind in task.kinds.items())
    found: pa.Table = api.duckdb_con.from_arrow(table).project(f"* replace ({cleaned})").to_arrow_table()
    return found


def _cleaning(column: str, kind: str) -> str:
    plain = f'trim(lower(strip_accents("{column}")))'
    match kind:
        case "date" | "plain_date" | "email":
            return f"nullif({plain}, '')"
        case "domain":
            return f"nullif(regexp_replace({plain}, '^([a-z]+://)?(www[.])?([^/?#]*).*$', '\\3'), '')"
        case "phone":
            return f"nullif(regexp_replace({plain}, '[^0-9]+', '', 'g'), '')"
        case "tax_id" | "identifier":
            return f"nullif(regexp_replace({plain}, '[^a-z0-9]+', '', 'g'), '')"
        case _:
            return f"nullif(trim(regexp_replace({plain}, '[^a-z0-9]+', ' ', 'g')), '')"


def _parts(table: pa.Table, task: Task) -> list[pa.Table]:
    """Give one table, or one for each source where two catalogues are linked."""
    if not task.between_sources:
        return [table]
    named = table["source"].to_pylist()
    return [table.filter(pa.array([name == source for name in named])) for source in dict.fromkeys(named)]


def _link_type(task: Task) -> str:
    return "link_only" if task.between_sources else "dedupe_only"


def _with_full_name(table: pa.Table, task: Task) -> pa.Table:
    names = task.columns("first_name", "surname")
    pairs = zip(*(table[name].to_pylist() for name in names), strict=True)
    full = [f"{first} {last}" if first and last else None for first, last in pairs]
    return table.append_column("first_name_surname_concat", pa.array(full, pa.string()))


def _comparisons(task: Task) -> list[Any]:
    """Choose the comparison of the library that is made for each kind of column."""
    found: list[Any] = []
    if task.family == "person":
        found.append(
            cl.ForenameSurnameComparison(
                *task.columns("first_name", "surname"), forename_surname_concat_col_name="first_name_surname_concat"
            )
        )
    for column, kind in task.kinds.items():
        if kind in {"first_name", "surname", "full_name"}:
            continue
        found.append(_comparison(column, kind))
    return found


def _comparison(column: str, kind: str) -> Any:
    by_frequency = {"term_frequency_adjustments": True}
    match kind:
        case "company_name" | "city":
            return cl.NameComparison(column).configure(**by_frequency)
        case "email":
            return cl.EmailComparison(column).configure(**by_frequency)
        case "date" | "plain_date":
            written = "%Y%m%d" if kind == "plain_date" else None
            return cl.DateOfBirthComparison(column, input_is_string=True, datetime_format=written)
        case "uk_postal_code":
            return cl.PostcodeComparison(column)
        case "postal_code" | "tax_id" | "identifier" | "phone":
            return cl.DamerauLevenshteinAtThresholds(column, [1]).configure(**by_frequency)
        case "street" | "title":
            return cl.JaroWinklerAtThresholds(column, [0.95, 0.88, 0.8]).configure(**by_frequency)
        case "authors":
            return cl.JaccardAtThresholds(column, [0.9, 0.7])
        case _:
            return cl.ExactMatch(column).configure(**by_frequency)


def _blocking(task: Task) -> list[tuple[str, ...]]:
    """Give many strict rules: the examples' own for persons, their like for companies and publications."""
    if task.family == "person":
        return _person_blocking(task)
    if task.family == "publication":
        (title,), (authors,), (year,) = (task.columns(kind) for kind in ("title", "authors", "year"))
        return [
            (title,),
            (f"substr({title},1,12)",),
            (f"substr({title},1,5)", year),
            (f"substr({authors},1,8)", year),
            (f"substr({authors},1,5)", f"substr({title},1,3)"),
        ]
    names, places = task.columns("company_name"), task.columns("postal_code", "uk_postal_code", "city")
    streets, numbers = task.columns("street"), task.columns("house_number")
    name = names[0]
    rules: list[tuple[str, ...]] = [(column,) for column in task.columns("tax_id", "identifier", "phone", "email")]
    rules += [(column,) for column in task.columns("domain")]
    rules += [(column,) for column in names]
    rules += [(f"substr({name},1,{6 if places else 8})",)]
    rules += [(f"substr({name},1,3)", place) for place in places]
    rules += [(street,) for street in streets]
    rules += [(f"substr({street},1,6)", place) for street in streets for place in places]
    rules += [(f"substr({name},1,3)", f"substr({street},1,6)") for street in streets]
    rules += [(number, place) for number in numbers for place in task.columns("postal_code", "uk_postal_code")]
    return rules


def _person_blocking(task: Task) -> list[tuple[str, ...]]:
    (first,), (last,) = task.columns("first_name"), task.columns("surname")
    (born,), (place,) = task.columns("date", "plain_date"), task.columns("uk_postal_code", "postal_code")
    rules: list[tuple[str, ...]] = [
        (f"substr({first},1,3)", f"substr({last},1,4)"),
        (last, born),
        (first, born),
        (place, first),
        (place, last),
        (f"substr({place},1,3)", born),
        (f"substr({place},1,3)", first),
        (f"substr({place},1,3)", last),
        (f"substr({first},1,2)", f"substr({last},1,2)", f"substr({born},1,4)"),
    ]
    rules += [(born, town) for town in task.columns("city")]
    rules += [(column,) for column in task.columns("identifier")]
    return rules


def _affordable(
    frames: Sequence[Any], rules: Sequence[tuple[str, ...]], task: Task, answer: Answer, count: int
) -> list[tuple[str, ...]]:
    """Leave out rules that would make far too many pairs, as its documentation asks one to look first."""
    limit = min(PAIRS_A_RULE_MAX, max(1_000_000, PAIRS_A_RECORD_MAX * count))
    counted = count_comparisons_from_blocking_rules(
        list(frames),
        blocking_rules=[block_on(*rule) for rule in rules],
        link_type=_link_type(task),
        record_sample_proportion=1.0 if count <= 200_000 else 0.1,
    )
    pairs = [int(one["marginal_comparison_count"]) for one in counted]
    kept = [rule for rule, made in zip(rules, pairs, strict=True) if made <= limit]
    told = {" + ".join(rule): made for rule, made in zip(rules, pairs, strict=True)}
    answer.setting("blocking", {rule: {"pairs": made, "used": made <= limit} for rule, made in told.items()})
    return kept


def _train(linker: Linker, task: Task, answer: Answer, random_pairs: float) -> None:
    strict, sessions = _strict_rules(task), _em_rules(task)
    linker.training.estimate_probability_two_random_records_match(
        [block_on(*rule) for rule in strict], recall=0.6 if task.family == "person" else 0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=random_pairs, seed=1)
    failed = []
    for rule in sessions:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*rule), estimate_without_term_frequencies=True, max_pairs=EM_PAIRS_MAX
            )
        except Exception as error:  # noqa: BLE001 -- a rule that makes no pairs trains nothing; the others go on
            failed.append(f"{' + '.join(rule)}: {str(error).strip().splitlines()[0]}")
    answer.setting("training", {"strict": strict, "sessions": sessions, "failed": failed})


def _strict_rules(task: Task) -> list[tuple[str, ...]]:
    if task.family == "person":
        (first,), (last,) = task.columns("first_name"), task.columns("surname")
        (born,), (place,) = task.columns("date", "plain_date"), task.columns("uk_postal_code", "postal_code")
        strict: list[tuple[str, ...]] = [(first, last, born), (born, place)]
        strict += [(f"substr({first},1,2)", last, f"substr({place},1,2)")]
        return strict + [(column,) for column in task.columns("identifier")]
    if task.family == "publication":
        return [tuple(task.columns("title", "year"))]
    name = task.columns("company_name")[0]
    supports = task.columns("postal_code", "uk_postal_code", "phone", "street", "domain", "email")
    return [(column,) for column in task.columns("tax_id")] + [(name, support) for support in supports] or [(name,)]


def _em_rules(task: Task) -> list[tuple[str, ...]]:
    """Choose rules so that each comparison is free in at least one session."""
    if task.family == "person":
        return [tuple(task.columns("first_name", "surname")), tuple(task.columns("date", "plain_date"))]
    if task.family == "publication":
        return [tuple(task.columns("title")), tuple(task.columns("authors"))]
    alone = task.columns("company_name", "phone", "street", "email", "domain", "tax_id")
    return [(column,) for column in alone[:5]]


def _single_best_links(linker: Linker, scored: Any, answer: Answer) -> None:
    """Cluster as it offers for sources without duplicates of their own; kept as a cut that is no default."""
    relation = scored.as_duckdbpyrelation()
    named = [relation.project(f"source_dataset_{side}").distinct().fetchall() for side in "lr"]
    clusters = linker.clustering.cluster_using_single_best_links(
        scored,
        duplicate_free_datasets=sorted({row[0] for rows in named for row in rows}),
        threshold_match_probability=0.5,
    )
    labels = clusters.as_duckdbpyrelation().order("unique_id").project("cluster_id").fetchall()
    answer.partition(0.5, _numbered(labels), note="single best links")


def _other_cuts(linker: Linker, table: pa.Table, api: DuckDBAPI, answer: Answer) -> None:
    scored = linker.inference.predict(threshold_match_probability=min(CUTS))
    edges = scored.as_duckdbpyrelation().project("unique_id_l, unique_id_r, match_probability")
    nodes = pa.table({"unique_id": table["unique_id"]})
    found = cluster_pairwise_predictions_at_multiple_thresholds(
        nodes=api.register(nodes),
        edges=api.register(edges.to_arrow_table()),
        db_api=api,
        node_id_column_name="unique_id",
        edge_id_column_name_left="unique_id_l",
        edge_id_column_name_right="unique_id_r",
        match_probability_thresholds=list(CUTS),
    )
    relation = found.as_duckdbpyrelation().order("unique_id")
    answer.setting("scored_pairs", edges.count("*").fetchall()[0][0])
    for cut, column in zip(sorted(CUTS), _cut_columns(relation.columns), strict=True):
        answer.partition(cut, _numbered(relation.project(f'"{column}"').fetchall()))


def _cut_columns(columns: Sequence[str]) -> list[str]:
    return [column for column in columns if column.startswith("cluster")]


def _numbered(labels: Sequence[tuple[Any, ...]]) -> list[int]:
    number: dict[Any, int] = {}
    return [number.setdefault(label, len(number)) for (label,) in labels]


if __name__ == "__main__":
    play(match)
