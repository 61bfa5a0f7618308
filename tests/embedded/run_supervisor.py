"""A process with a supervisor in it, for tests that kill it: prints a JSON line when all is up, stops on SIGTERM.

Arguments: the data folder, the wanted servers (comma separated), and optionally a user id to become first.
"""

import asyncio
import concurrent.futures.thread
import encodings.idna
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

import psycopg
import redis.asyncio.connection

from rxchat.embedded.errors import EmbeddedError
from rxchat.embedded.supervisor import Supervisor
from tests.embedded.processes import settings_for

LOADED_BEFORE_THE_USER_CHANGES = (concurrent.futures.thread, encodings.idna, psycopg, redis.asyncio.connection)


async def main() -> int:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    supervisor = Supervisor(settings_for(Path(sys.argv[1]), *sys.argv[2].split(",")))
    try:
        found = await supervisor.start()
    except EmbeddedError as error:
        print(json.dumps({"error": type(error).__name__, "message": error.message}), flush=True)
        return 1
    print(json.dumps({"pids": supervisor.pids(), "endpoints": asdict(found)}), flush=True)
    await supervisor.run_until(stop)
    await supervisor.stop()
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 3:
        os.setgroups([])
        os.setgid(int(sys.argv[3]))
        os.setuid(int(sys.argv[3]))
    sys.exit(asyncio.run(main()))
