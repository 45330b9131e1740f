"""A process that is killed leaves its callbacks on the disk, and the next one delivers them."""

import asyncio
import sys

from tests.harness.raw_server import answer, raw_server
from tests.harness.server import own_address

from townhall.store import Store
from townhall.webhooks import CallbackSender, OriginConsent, WebhookClient

ALONE = own_address()
"""Where nobody else takes a port that is free for a while."""
CALLBACKS = 200
CALLS = 10

SENDING = """
import asyncio, sys
from townhall.store import Store
from townhall.webhooks import CallbackSender, OriginConsent, WebhookClient

async def main(database, url, count, calls):
    store = await Store.open(database)
    client = WebhookClient("12345", OriginConsent(["*"]))
    sender = CallbackSender(client, lambda sid, notice: print(notice), outbox=store.outbox)
    await sender.start()
    for n in range(count):
        sender.send(f"CA{n % calls:032x}", url, "POST", (("n", str(n)),))
    await store.outbox.settled()
    print("kept", flush=True)
    await asyncio.Event().wait()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


async def test_killed_process_loses_no_callback(tmp_path, unused_tcp_port):
    database = f"sqlite:///{tmp_path}/townhall.db"
    url = f"http://{ALONE}:{unused_tcp_port}/status"
    arguments = (database, url, str(CALLBACKS), str(CALLS))
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SENDING, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    assert await program.stdout.readline() == b"kept\n"
    program.kill()
    await program.wait()

    store = await Store.open(database)
    client = WebhookClient("12345", OriginConsent(["*"]))
    notices = []
    sender = CallbackSender(client, lambda sid, notice: notices.append(notice), outbox=store.outbox)
    async with raw_server(lambda asked: answer("", 200), host=ALONE, port=unused_tcp_port) as server:
        await sender.start()
        await sender.idle()
        await sender.close()
    await client.close()
    await store.outbox.settled()
    assert await store.outbox.due() == []
    await store.close()
    came = [int(dict(asked.form)["n"]) for asked in server.asked]
    assert sorted(came) == list(range(CALLBACKS))
    for call in range(CALLS):
        assert [n for n in came if n % CALLS == call] == list(range(call, CALLBACKS, CALLS))
    assert notices == []
