"""What stands for a widget is shown in reports only."""

from __future__ import annotations

import pytest
from jupyter_client.manager import start_new_kernel

from facelib.pipeline.showing import for_reports
from tests.waiting import PATIENCE


def test_without_a_front_end_it_is_shown():
    assert for_reports("still") == "still"


@pytest.mark.kernel
@pytest.mark.parametrize(("attended", "shown"), [(True, "None"), (False, "still")])
def test_where_a_user_is_there_the_widget_is_enough(tmp_path, attended, shown):
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=PATIENCE, cwd=str(tmp_path))
    said: list[str] = []
    try:
        client.execute_interactive(
            "from facelib.pipeline.showing import for_reports\nprint(for_reports('still'))",
            allow_stdin=attended,
            output_hook=lambda message: said.append(str(message["content"].get("text", ""))),
            timeout=PATIENCE,
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "".join(said).strip() == shown
