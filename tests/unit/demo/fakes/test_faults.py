"""Faults act where and as often as they were planned, and the same seed means the same faults."""

from mdm.demo.fakes.faults import FAILING, HANG, MISBEHAVIOUR, THROTTLED, Aim, Faults


def names(faults: Faults, count: int, *, method: str = "POST", key: str = "1001") -> list[str]:
    taken = [faults.next_for(method, "customer", (key, "")) for _ in range(count)]
    return [fault.name if fault else "" for fault in taken]


def test_a_script_is_played_once_and_before_any_plan() -> None:
    faults = Faults()
    faults.plan(THROTTLED)
    faults.script(FAILING, None, HANG)

    assert names(faults, 4) == ["failing", "", "hang", "throttled"]


def test_a_plan_acts_so_many_times_on_what_it_is_aimed_at() -> None:
    faults = Faults()
    faults.plan(FAILING, Aim(method="PATCH", object="customer", key="1002"), times=2)

    assert names(faults, 1) == [""]
    assert names(faults, 1, method="PATCH") == [""]
    assert names(faults, 3, method="PATCH", key="1002") == ["failing", "failing", ""]


def test_a_probability_is_drawn_from_the_seed() -> None:
    first, second, other = Faults(seed=1), Faults(seed=1), Faults(seed=2)
    for faults in (first, second, other):
        faults.plan(FAILING, probability=0.3)

    drawn = names(first, 200)

    assert drawn == names(second, 200)
    assert drawn != names(other, 200)
    assert 40 < drawn.count("failing") < 80  # 60 expected, 6.5 the deviation: three of them either way


def test_after_clear_it_behaves() -> None:
    faults = Faults()
    faults.plan(FAILING)
    faults.script(HANG)

    faults.clear()

    assert names(faults, 2) == ["", ""]


def test_the_matrix_knows_its_faults_by_name() -> None:
    assert len(MISBEHAVIOUR) == 19
    assert all(name == fault.name for name, fault in MISBEHAVIOUR.items())
    assert MISBEHAVIOUR["failing_done"].is_done
