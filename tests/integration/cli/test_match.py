"""`mdm match` and `mdm evaluate`: files in, clusters out, no database."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from mdm.cli.main import app
from mdm.sources.files import read_file

# Two of one company in two sources, two of another that differ in their country, and one alone.
COMPANIES = """id,source,name,website,city,country,postcode,phone
1,crm,Müller Maschinenbau GmbH,www.mueller-maschinenbau.de,München,Germany,80331,+49 89 1234567
2,erp,Mueller Maschinenbau,mueller-maschinenbau.de,Munich,DE,80331,089 1234567
3,crm,Contoso Ltd,www.contoso.co.uk,London,United Kingdom,EC1A 1BB,
4,erp,Northwind Traders Inc,northwind.com,Boston,US,02108,
"""
TRUTH = "id,cluster_id\n1,a\n2,a\n3,b\n4,c\n"
GENERATE = Path(__file__).parents[3] / "benchmarks" / "b2b" / "generate.py"
MODELS = Path(__file__).parents[3] / "examples" / "models"


def mdm(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "200"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "companies.csv").write_text(COMPANIES, encoding="utf-8")
    (tmp_path / "truth.csv").write_text(TRUTH, encoding="utf-8")
    return tmp_path


def clusters(path: Path) -> dict[str, str]:
    return {row["id"]: row["cluster_id"] for _, row in read_file(path) if isinstance(row, dict)}


def test_rows_that_mean_the_same_share_a_cluster(folder: Path) -> None:
    found = mdm("match", folder / "companies.csv", "-e", "customer", "-o", folder / "out.csv")

    assert found.exit_code == 0, found.stderr
    assert found.stdout.startswith("4 records, 3 clusters, 1 matching pair,")
    assert clusters(folder / "out.csv") == {"1": "crm/1", "2": "crm/1", "3": "crm/3", "4": "erp/4"}


@pytest.mark.parametrize("way", [(), ("--backend", "duckdb")])
def test_a_file_of_windows_is_told_and_leaves_nothing_out(folder: Path, way: tuple[str, ...]) -> None:
    (folder / "windows.csv").write_bytes("id,name\n1,Müller Süd GmbH\n2,Größe AG\n".encode("cp1252"))

    found = mdm("match", folder / "windows.csv", "-e", "customer", "-o", folder / "out.csv", "--json", *way)

    assert found.stderr.count("windows.csv is read as Windows-1252, for lines of it are no UTF-8: 2") == 1
    assert (found.exit_code, json.loads(found.stdout)["rows_left_out"]) == (0, 0)
    assert clusters(folder / "out.csv") == {"1": "1", "2": "2"}


@pytest.mark.parametrize("way", [(), ("--backend", "duckdb")])
def test_a_file_without_rows_is_no_file_that_cannot_be_read(folder: Path, way: tuple[str, ...]) -> None:
    (folder / "header.csv").write_bytes("id,name,Straße\n".encode("cp1252"))

    found = mdm("match", folder / "header.csv", "-e", "customer", "-o", folder / "out.csv", *way)

    assert (found.exit_code, "No row could be read" in found.stderr) == (0, False)


@pytest.mark.parametrize("way", [(), ("--backend", "duckdb")])
def test_files_of_which_no_row_can_be_read_end_with_four(folder: Path, way: tuple[str, ...]) -> None:
    (folder / "odd.jsonl").write_text("not json\n", encoding="utf-8")

    found = mdm("match", folder / "odd.jsonl", "-e", "customer", "-o", folder / "out.csv", *way)

    assert (found.exit_code, "No row could be read; the reasons above say why." in found.stderr) == (4, True)
    assert "line 1: is not JSON" in found.stderr
    assert "has no column that holds an id" not in found.stderr


def test_identifiers_in_the_file_teach_the_weights_wherever_rows_are_matched(tmp_path: Path) -> None:
    """Two thousand records of seven systems, four in ten with a tax number, teach enough (F1 .939 and .958)."""
    made = ("--records", "2000", "--seed", "4", "--profile", "unseen", "--out", str(tmp_path))
    subprocess.run([sys.executable, str(GENERATE), *made], check=True, timeout=120)
    found: list[tuple[float, bytes]] = []
    for way in (("--as-declared",), (), ("--threads", 1), ("--backend", "duckdb")):
        out = tmp_path / f"clusters{len(found)}.csv"
        mdm("match", tmp_path / "records.parquet", "-e", "customer", "-o", out, *way)
        told = mdm("evaluate", out, tmp_path / "truth.parquet", "--json")
        found.append((json.loads(told.stdout)["f1"], out.read_bytes()))

    (declared, _), (learnt, clusters_found), (_, again), (_, through_disk) = found
    assert learnt > declared + 0.01
    assert clusters_found == again == through_disk


def test_with_few_identifiers_learning_changes_nothing(folder: Path) -> None:
    for way in ((), ("--as-declared",)):
        mdm("match", folder / "companies.csv", "-e", "customer", "-o", folder / f"{len(way)}.csv", *way)

    assert (folder / "0.csv").read_bytes() == (folder / "1.csv").read_bytes()


def test_the_same_input_gives_the_same_bytes_whatever_the_threads(folder: Path) -> None:
    for threads in (1, 2):
        mdm(
            *("match", folder / "companies.csv", "-e", "customer", "--threads", threads),
            *("-o", folder / f"{threads}.csv", "--pairs", folder / f"{threads}.parquet"),
        )

    assert (folder / "1.csv").read_bytes() == (folder / "2.csv").read_bytes()
    assert pq.read_table(folder / "1.parquet").equals(pq.read_table(folder / "2.parquet"))


def test_every_format_gives_the_same_clusters(folder: Path) -> None:
    rows = [row for _, row in read_file(folder / "companies.csv") if isinstance(row, dict)]
    (folder / "companies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with gzip.open(folder / "zipped.csv.gz", "wt", encoding="utf-8") as file:
        file.write(COMPANIES)
    mdm("match", folder / "companies.csv", "-e", "customer", "-o", folder / "plain.csv")

    for name in ("companies.jsonl", "zipped.csv.gz"):
        mdm("match", folder / name, "-e", "customer", "-o", folder / "other.csv")
        assert (folder / "other.csv").read_bytes() == (folder / "plain.csv").read_bytes()


def test_pairs_and_report_say_why_and_how_long(folder: Path) -> None:
    plain = (folder / "companies.csv", "-e", "customer", "-o", folder / "out.csv")
    arguments = ("--pairs", folder / "pairs.parquet", "--report", folder / "report.json", "--json")

    found = mdm("match", *plain, *arguments)

    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert json.loads(found.stdout) == report
    assert [stage["name"] for stage in report["stages"]] == [
        *("read", "standardise", "learn", "block", "compare", "cluster")
    ]
    assert report["line"].keys() == {"match_bits", "review_bits"}
    assert report["peak_memory_mb"] > 0
    assert report["weights"] == {"origin": "too_few_identifiers", "changed": {}}
    assert "weights as declared, since too few identifiers agree" in mdm("match", *plain).stdout
    assert "weights as declared;" in mdm("match", *plain, "--as-declared").stdout
    (pair,) = [row for row in pq.read_table(folder / "pairs.parquet").to_pylist() if row["verdict"] == "match"]
    assert (pair["left"], pair["right"]) == ("crm/1", "erp/2")


def test_a_model_file_alone_matches_an_entity_type_of_ones_own(folder: Path) -> None:
    text = "id,title,authors,venue,year\n1,A Relational Model of Data,E. F. Codd,CACM,1970\n"
    (folder / "papers.csv").write_text(
        text + "2,A relational model of data,Codd E F,Comm. ACM,1970\n", encoding="utf-8"
    )

    found = mdm("match", folder / "papers.csv", "--model", MODELS / "publication.yaml", "-o", folder / "out.csv")

    assert found.exit_code == 0, found.stderr
    assert len(set(clusters(folder / "out.csv").values())) == 1


def test_rows_without_ids_are_numbered_and_columns_mapped_by_hand(folder: Path) -> None:
    text = COMPANIES.replace("id,source,name", "Firma-Nr,Herkunft,Firmenbezeichnung")
    (folder / "german.csv").write_text(text, encoding="utf-8")

    mdm(
        "match", folder / "german.csv", "-e", "customer", "-m", "Firmenbezeichnung=legal_name", "-o", folder / "out.csv"
    )
    assert list(clusters(folder / "out.csv")) == ["1", "2", "3", "4"]

    maps = ("-m", "Firma-Nr=id", "-m", "Herkunft=source", "-m", "Firmenbezeichnung=legal_name")
    mdm("match", folder / "german.csv", "-e", "customer", *maps, "-o", folder / "out.csv")
    assert clusters(folder / "out.csv")["2"] == "crm/1"


def test_children_are_matched_within_their_parents_clusters(folder: Path) -> None:
    (folder / "parents.csv").write_text("id,source,cluster_id\nA,crm,x\nB,erp,x\nC,erp,y\n", encoding="utf-8")
    rows = ("1,crm,A,Phase 2", "2,erp,B,Phase 2", "3,erp,C,Phase 2")
    lines = "".join(f"{row},PR-77,2026-01-01,2026-06-30\n" for row in rows)
    (folder / "projects.csv").write_text(f"id,source,customer,name,code,start date,end date\n{lines}", encoding="utf-8")

    found = mdm(
        *("match", folder / "projects.csv", "-e", "project", "--within", folder / "parents.csv"),
        *("-o", folder / "out.csv"),
    )

    assert found.exit_code == 0, found.stderr
    assert clusters(folder / "out.csv") == {"1": "crm/1", "2": "crm/1", "3": "erp/3"}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["absent.csv", "-e", "customer"], 1, "no such file"),
        (["companies.csv", "-e", "custommer"], 1, "use one of contract, customer"),
        (["companies.csv"], 2, "--model"),
        (["companies.csv", "-e", "customer", "-m", "Nme=legal_name"], 1, "there is no column 'Nme'"),
        (["companies.csv", "-e", "customer", "-m", "name=legalname"], 1, "did you mean legal_name?"),
        (["companies.csv", "-e", "customer", "--report", "no/such.json"], 1, "there is no folder no"),
        (["companies.csv", "-e", "customer", "-m", "city=id", "-m", "country=source"], 0, ""),
        (["twice.csv", "-e", "customer"], 1, "comes twice"),
        (["companies.csv", "-e", "customer", "--model", str(MODELS / "person.yaml")], 2, "declares person"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(folder: Path, arguments: list[str], code: int, told: str) -> None:
    (folder / "twice.csv").write_text("id,name\n1,Contoso\n1,Fabrikam\n", encoding="utf-8")

    found = mdm("match", folder / arguments[0], *arguments[1:], "-o", folder / "out.csv")

    assert (found.exit_code, told in found.stderr) == (code, True), found.stderr


def test_evaluate_counts_pairs_against_the_truth(folder: Path) -> None:
    """Found {1,2} {3,4}; true {1,2} {3} {4}: one of two found pairs is true, and the one true pair is found."""
    (folder / "found.csv").write_text("id,cluster_id\n1,x\n2,x\n3,y\n4,y\n", encoding="utf-8")

    found = json.loads(mdm("evaluate", folder / "found.csv", folder / "truth.csv", "--json").stdout)

    assert (found["precision"], found["recall"], found["largest_cluster"]) == (0.5, 1.0, 2)


def test_evaluate_tells_how_many_records_are_in_one_file_only(folder: Path) -> None:
    """Of found 1 to 4 and 9 the truth lacks 9; of true 1 to 4 and 7 and 8 the clusters lack 7 and 8."""
    (folder / "found.csv").write_text("id,cluster_id\n1,x\n2,x\n3,y\n4,y\n9,z\n", encoding="utf-8")
    (folder / "truth.csv").write_text(f"{TRUTH}7,d\n8,d\n", encoding="utf-8")

    told = mdm("evaluate", folder / "found.csv", folder / "truth.csv")
    found = json.loads(mdm("evaluate", folder / "found.csv", folder / "truth.csv", "--json").stdout)

    assert (found["records_count"], found["without_truth_count"], found["not_found_count"]) == (4, 1, 2)
    assert "1 of the clusters that the truth does not hold, 2 of the truth that the clusters do not hold" in told.stdout
    assert told.stderr == ""


@pytest.mark.parametrize("way", [(), ("--json",)])
def test_evaluate_warns_when_there_is_no_pair_to_judge(folder: Path, way: tuple[str, ...]) -> None:
    (folder / "found.csv").write_text("id,cluster_id\n1,x\n2,x\n3,y\n4,y\n", encoding="utf-8")
    (folder / "truth.csv").write_text("id,cluster_id\n1,a\n", encoding="utf-8")

    told = mdm("evaluate", folder / "found.csv", folder / "truth.csv", *way)

    assert told.stderr.startswith("Warning: the records in both files make no pair")


def test_evaluate_between_sources_leaves_pairs_of_one_source_out(folder: Path) -> None:
    """1 and 3 are of crm, 2 and 4 of erp: of the found pairs 1-2 and 1-3 only the first counts, and it is true."""
    (folder / "found.csv").write_text("id,source,cluster_id\n1,crm,x\n2,erp,x\n3,crm,x\n4,erp,y\n", encoding="utf-8")

    found = json.loads(
        mdm("evaluate", folder / "found.csv", folder / "truth.csv", "--between-sources", "--json").stdout
    )

    assert (found["predicted_pairs_count"], found["precision"]) == (2, 0.5)  # 1-2 and 2-3


def test_blocking_tells_what_of_the_truth_is_compared(folder: Path) -> None:
    told = ("blocking", folder / "companies.csv", "-e", "customer", "--truth", folder / "truth.csv")

    found = json.loads(mdm(*told, "--json").stdout)

    assert (found["true_pairs_count"], found["found_count"], found["recall"]) == (1, 1, 1.0)
    true_by_rule = {rule["rule"]: rule["true_count"] for rule in found["rules"]}
    assert (true_by_rule["domain"], true_by_rule["phone"], true_by_rule["tax_id"]) == (1, 1, 0)
    printed = mdm(*told).stdout
    assert "of these compared  1 (100.00%)" in " ".join(printed.split("\n"))
    assert "name_and_city" in printed


def test_blocking_reads_several_files_as_match_does(folder: Path) -> None:
    for name, number in (("a", 1), ("b", 2)):
        (folder / f"{name}.csv").write_text(f"nr,name\n{number},Acme Plastics GmbH\n", encoding="utf-8")
    (folder / "same.csv").write_text("id,cluster_id\n1,x\n2,x\n", encoding="utf-8")

    told = ("blocking", folder / "a.csv", folder / "b.csv", "-e", "customer", "--map", "nr=id")
    found = json.loads(mdm(*told, "--truth", folder / "same.csv", "--json").stdout)

    assert (found["records_count"], found["true_pairs_count"], found["found_count"]) == (2, 1, 1)


def test_blocking_says_when_the_truth_names_none_of_the_rows(folder: Path) -> None:
    (folder / "other.csv").write_text("id,cluster_id\nx,1\ny,1\n", encoding="utf-8")

    found = mdm("blocking", folder / "companies.csv", "-e", "customer", "--truth", folder / "other.csv")

    assert found.exit_code != 0
    assert "names no row of the records" in found.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [("name\nx\n", "needs the columns id and cluster_id"), ("id,cluster_id\n9,a\n", "shares no id")],
)
def test_evaluate_says_what_a_file_lacks(folder: Path, text: str, told: str) -> None:
    (folder / "found.csv").write_text(text, encoding="utf-8")

    found = mdm("evaluate", folder / "found.csv", folder / "truth.csv")

    assert (found.exit_code, told in found.stderr) == (1, True)


@pytest.mark.parametrize("way", ["memory", "duckdb"])
def test_files_of_another_entity_type_or_without_a_name_are_told(tmp_path: Path, way: str) -> None:
    projects = Path(__file__).parents[3] / "examples" / "first-files" / "erp_projects.jsonl"
    (tmp_path / "towns.csv").write_text("Id,Town\n1,Hull\n2,Leeds\n", encoding="utf-8")

    other, nameless, right = (
        mdm("match", file, "-e", entity, "-o", tmp_path / "out.csv", "--backend", way)
        for file, entity in ((projects, "customer"), (tmp_path / "towns.csv", "customer"), (projects, "project"))
    )

    assert (other.exit_code, nameless.exit_code, right.exit_code, right.stderr) == (0, 0, 0, "")
    assert "fills legal_name" in other.stderr
    assert "look like contract or project: match them with --entity contract or --entity project." in other.stderr
    assert "fills legal_name" in nameless.stderr
    assert "`mdm schema --entity customer` lists what is." in nameless.stderr
