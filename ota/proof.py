"""When an engine counts as proven for a model set (I3).

A set is made on one engine. On another one it runs only after the same golden pictures were judged
on both: the manifest then says how many, how many alike, and what it cost in quality.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MADE_ON = "onnxruntime-cpu"
LEAST_PICTURES = 400
"""Fewer cannot tell 99.5 % from 99 %."""
LEAST_ALIKE = 0.995
MOST_AUROC_COST = 0.002


@dataclass(frozen=True, slots=True)
class Proof:
    """`alike` of `pictures` golden pictures were judged as on the engine that the set is made on;
    `auroc_cost` is how much worse good and bad are told apart, None where nobody measured it.
    """

    pictures: int
    alike: int
    auroc_cost: float | None = None

    @classmethod
    def of(cls, facts: object) -> Proof | None:
        """From a manifest; None for what is not one."""
        match facts:
            case {"pictures": int(pictures), "alike": int(alike), **rest}:
                cost = rest.get("auroc_cost")
                return cls(pictures, alike, float(cost) if isinstance(cost, int | float) else None)
            case _:
                return None

    @property
    def holds(self) -> bool:
        return (
            self.pictures >= LEAST_PICTURES
            and self.alike <= self.pictures
            and self.alike >= LEAST_ALIKE * self.pictures
            and (self.auroc_cost is None or self.auroc_cost <= MOST_AUROC_COST)
        )


def proven(variants: tuple[str, ...], parity: Mapping[str, object]) -> tuple[str, ...]:
    """Those of the variants that a manifest names which may run."""

    def holds(variant: str) -> bool:
        proof = Proof.of(parity.get(variant))
        return variant == MADE_ON or (proof is not None and proof.holds)

    return tuple(each for each in variants if holds(each))
