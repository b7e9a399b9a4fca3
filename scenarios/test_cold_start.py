"""The mains fail and return: does the whole site come back, in time, with its storage last?"""

from __future__ import annotations

import pytest

from blackstart.drill import Drill
from blackstart.faults.cold_start import cold_start
from blackstart.invariants import boot_order_as_predicted, everything_well
from blackstart.model.boot_schedule import Prediction


@pytest.mark.drill(fault="cold-start", budget="12m")
def test_cold_start(drill: Drill, whole_site: str, boot_prediction: Prediction) -> None:
    """Every machine is dark at once, storage for longest; all return as the boot graph predicts."""
    with drill.fault(cold_start(whole_site, off_s=30, nas_later_s=120)):
        predicted = boot_order_as_predicted(boot_prediction)
        drill.recovers(*everything_well(drill.inventory), predicted)
