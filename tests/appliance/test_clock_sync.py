"""Whether a time service keeps the clock is the kernel's word, read as chrony and ntpd read it."""

from __future__ import annotations

import platform
import shutil
import subprocess

import pytest

from appliance.clock_sync import is_synchronised


def test_the_kernel_is_asked_without_rights() -> None:
    assert isinstance(is_synchronised(), bool)


_ASK = """
my $b = "\\0" x 208; my $r = syscall(159, $b); my $s = unpack("i", substr($b, 40, 4));
print $r == 5 || ($s & 0x40) ? 0 : 1;
"""


@pytest.mark.skipif(
    not shutil.which("perl") or platform.machine() != "x86_64",
    reason="needs perl and an x86-64 kernel to ask in another way",
)
def test_the_answer_is_the_one_that_another_program_gets() -> None:
    """perl's own syscall: adjtimex is number 159 on x86-64, its status is the fifth long."""
    asked = subprocess.run(
        ["perl", "-e", _ASK],
        capture_output=True,
        text=True,
        check=True,
    )
    assert is_synchronised() == (asked.stdout == "1")
