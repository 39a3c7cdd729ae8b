"""Mean kinetic temperature: the one constant temperature that would have done the same harm.

J. D. Haynes, "Worldwide virtual temperatures for product stability testing", Journal of
Pharmaceutical Sciences 60 (1971) 927; USP <1079.2>. Each moment counts by the Arrhenius rate of
its temperature, so an hour of heat weighs more than an hour of cold takes back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from contracts.errors import BadInputError

GAS_CONSTANT = 8.3144
"""J/(mol K), the figure that USP <1079.2> reckons with."""
ZERO_CELSIUS = 273.15
USUAL_ACTIVATION = 83.144
"""kJ/mol: USP's for products whose own nobody measured; its ratio to the gas constant is 10,000 K."""
LEAST_ACTIVATION, MOST_ACTIVATION = 40.0, 200.0


def mean_kinetic(
    parts: Iterable[tuple[float, float]], *, activation_kj_mol: float = USUAL_ACTIVATION
) -> float:
    """Mean kinetic temperature in Celsius of `(Celsius, seconds)`, as of Haynes (1971).

    Never below the coldest part nor above the warmest, and never below the plain mean. Raises
    BadInputError where no time was spent, or at a temperature that cannot be.
    """
    ratio = activation_kj_mol * 1000 / GAS_CONSTANT
    spent = [(celsius, seconds) for celsius, seconds in parts if seconds > 0]
    if not spent:
        raise BadInputError(
            "A mean kinetic temperature of no time", mend="Give at least one reading"
        )
    if any(not math.isfinite(c) or c <= -ZERO_CELSIUS for c, _ in spent):
        raise BadInputError("A temperature below absolute zero", mend="Check the readings' unit")
    # Rates are taken relative to the warmest part, so that none is too small for a number.
    warmest = max(celsius for celsius, _ in spent) + ZERO_CELSIUS
    total = math.fsum(seconds for _, seconds in spent)
    harm = math.fsum(
        seconds * math.exp(ratio / warmest - ratio / (celsius + ZERO_CELSIUS))
        for celsius, seconds in spent
    )
    return ratio / (ratio / warmest - math.log(harm / total)) - ZERO_CELSIUS
