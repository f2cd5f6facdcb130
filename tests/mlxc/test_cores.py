from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlxc._cores import usable_cores


def files(root: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


def test_without_control_groups_every_core_counts(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == 8


@pytest.mark.parametrize(
    ("limit", "cores"),
    [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("5000 100000", 1), ("", 8)],
)
def test_a_quota_lowers_the_number_rounded_up(tmp_path: Path, limit: str, cores: int) -> None:
    files(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": limit})

    assert usable_cores(tmp_path) == cores


def test_the_least_quota_of_all_groups_counts(tmp_path: Path) -> None:
    files(
        tmp_path,
        {
            "proc/self/cgroup": "0::/slice/unit\n",
            "sys/fs/cgroup/slice/cpu.max": "300000 100000\n",
            "sys/fs/cgroup/slice/unit/cpu.max": "600000 100000\n",
        },
    )

    assert usable_cores(tmp_path) == 3


def test_quotas_of_the_first_version_count(tmp_path: Path) -> None:
    files(
        tmp_path,
        {
            "proc/self/cgroup": "5:memory:/\n4:cpu,cpuacct:/docker/of the host\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
    )

    assert usable_cores(tmp_path) == 4


def test_no_quota_and_quotas_above_the_cores_change_nothing(tmp_path: Path) -> None:
    files(
        tmp_path,
        {
            "proc/self/cgroup": "4:cpu:/\n0::/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu.max": "9900000 100000\n",
        },
    )

    assert usable_cores(tmp_path) == 8
