"""Rows that hang together are carried out together."""

from mdm.decisions.model import Verdict
from mdm.ids import ReviewId
from mdm.jobs.review_sheet_carrying import chunks
from mdm.jobs.review_sheet_model import RowAnswer, SheetRow


def row_answer(number: int, *golden_ids: str) -> RowAnswer:
    row = SheetRow("Sheet", number, f"rev_{number}", "", "Merge", "", "", "", ())
    return RowAnswer(row, ReviewId(row.review_id), dict.fromkeys(golden_ids, 1), Verdict("same", "seen"))


def test_rows_that_share_golden_records_are_in_one_chunk() -> None:
    asked = [row_answer(1, "a", "b"), row_answer(2, "c", "d"), row_answer(3, "e", "f"), row_answer(4, "b", "e")]

    # 1, 3 and 4 hang together through b and e; 2 fits neither beside them nor before.
    assert [[one.row.number for one in chunk] for chunk in chunks(asked, 3, most=10)] == [[1, 3, 4], [2]]
    assert [[one.row.number for one in chunk] for chunk in chunks(asked, 4, most=10)] == [[1, 3, 4, 2]]
    assert [[one.row.number for one in chunk] for chunk in chunks(asked, 1, most=2)] == [[1, 3], [4], [2]]
