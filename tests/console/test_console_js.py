"""The console page's rules without a page (`static/console/*.js`), tried by Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted((Path(__file__).parent / "js").glob("*.test.mjs"))


def test_rules_of_the_page_have_tests() -> None:
    assert len(TESTS) >= 5


@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.name.partition(".")[0])
def test_javascript_passes(file: Path) -> None:
    node = shutil.which("node")
    assert node is not None, "Node is not installed: run scripts/install-test-clients"
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    assert "# pass 0" not in done.stdout, "the file has no tests"
