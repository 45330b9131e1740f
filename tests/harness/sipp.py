"""Runs SIPp scenarios of ours against a server: the odd message flows that no phone of ours would send."""

import asyncio
from pathlib import Path

from tests.harness.server import TownhallServer

SCENARIOS = Path(__file__).resolve().parents[1] / "interop" / "scenarios"
WITHIN_S = 60


async def play_scenario(
    name: str,
    server: TownhallServer,
    number: str,
    directory: Path,
    *,
    transport: str = "u1",
    calls: int = 1,
    patient: bool = False,
) -> str:
    """Play a scenario to its end and return SIPp's log of messages.

    Raises `AssertionError` with SIPp's own words when it went otherwise. `transport`: SIPp's `-t`, `u1` for
    UDP, `t1` for TCP. `calls`: how many times it is played, one after the other. `patient`: a response
    that comes before the scenario looks for one is passed over instead of failing it.
    """
    errors = directory / "errors.log"
    messages = directory / "messages.log"
    process = await asyncio.create_subprocess_exec(
        "sipp",
        *("-sf", str(SCENARIOS / f"{name}.xml"), f"{server.address}:{server.sip_port}"),
        *(
            "-s",
            number,
            "-i",
            server.address,
            "-mi",
            server.address,
            "-t",
            transport,
            "-m",
            str(calls),
            "-l",
            "1",
        ),
        *(("-default_behaviors", "all,-abortunexp") if patient else ()),
        *("-nostdin", "-timeout", str(WITHIN_S), "-timeout_error", "-recv_timeout", "30000"),
        *("-trace_err", "-error_file", str(errors), "-trace_msg", "-message_file", str(messages)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=directory,
    )
    output, _ = await process.communicate()
    if process.returncode:
        said = "\n".join(file.read_text(errors="replace") for file in (errors, messages) if file.exists())
        tail = output.decode(errors="replace")[-1500:]
        raise AssertionError(f"SIPp's {name} ended with {process.returncode}\n{said[-12000:]}\n{tail}")
    return messages.read_text(errors="replace")
